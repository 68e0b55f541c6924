package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/switchsim"
)

// A member that hangs up while nobody has its session leaves its conference when the session
// is taken over, and the conference goes on for the others.
func TestMemberLeavesWhileNobodyHasIt(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	document := one.Document("meeting.ccxml", meeting)
	first, second := one.DialFrom("101", document), one.DialFrom("102", document)
	one.WaitLog("101 in 1")
	one.WaitLog("102 in 1")
	untilWritten(one)
	second.Hangup()
	other.Must(other.Trace.WaitText(other.Context(), "event ccxml.resumed"))
	other.WaitUntil("one member is left", func() bool { _, members := roomOf(other); return members == 1 })
	first.Hangup()
	other.WaitSwitchIdle()
	rosterIsEmpty(other)
}

// A leg that is in a bridge still, and nobody's any more, is not waited for when the session
// that has taken it over ends and it is gone.
func TestCallOfATakenOverSessionIsForgotten(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	one.Switch.Callee("200", switchsim.Answers{})
	caller := one.Dial(one.Document("bridge.ccxml", strings.ReplaceAll(bridgeDocument(callAndJoin+`
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"/>
<transition event="connection.disconnected"><exit/></transition>`), "DEST", "tel:200")))
	one.WaitLog("joined")
	untilWritten(one)
	caller.Hangup()
	other.Must(other.Trace.Wait(other.Context(), "event connection.disconnected"))
	began := other.Clock.Now()
	other.WaitSwitchIdle()
	if took := other.Clock.Now().Sub(began); took > 10*time.Second {
		t.Errorf("its calls are forgotten after %v", took)
	}
}
