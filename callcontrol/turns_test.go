package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// Calls that are given up while they wait for their turn do not keep others from
// theirs: with one call a second, the last one would come after a minute and a half.
func TestGivenUpCallsHaveNoTurn(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1"), sitetest.WithToken("out.ccxml"), sitetest.WithTimeout(2*sitetest.Timeout))
	s.Switch.Callee("200", switchsim.Undecided{})
	s.Switch.Callee("201", switchsim.Answers{})
	s.Document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="id"/><var name="n" expr="0"/><var name="left" expr="91"/><eventprocessor>
<transition event="ccxml.loaded"><send target="session.id" name="'another'"/></transition>
<transition event="another" cond="n++ &lt; 90"><createcall dest="'tel:200'" connectionid="id"/><disconnect connectionid="id"/><send target="session.id" name="'another'"/></transition>
<transition event="another"><createcall dest="'tel:201'" timeout="'30s'"/></transition>
<transition event="connection.failed" cond="event$.reason == 'disconnected'"><assign name="left" expr="left - 1"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>
<transition event="connection.connected"><log expr="'answered, ' + left"/><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("answered, 1")
	s.WaitIdle()
	placed := 0
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "msg=originate") {
			placed++
		}
	}
	if placed > 2 {
		t.Errorf("%d calls that were given up were placed", placed-1)
	}
	if s.DaemonLog.Has("leg not hung up") {
		t.Error("FreeSWITCH was told to end calls that it did not have")
	}
}

// When as many calls wait as may, the next one fails at once, and says why.
func TestTooManyCallsWait(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1"), sitetest.With("LIMITS_ORIGINATES_WAITING", "1"), sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.NoAnswer{})
	s.Transitions("out.ccxml", `
<transition event="ccxml.loaded"><createcall dest="'tel:200'"/><createcall dest="'tel:200'"/><createcall dest="'tel:200'"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>`)
	s.StartToken("")
	s.WaitLog("unreachable: no FreeSWITCH node takes a call (sim: 1 calls wait for their turn there already")
	s.WaitIdle()
}

// The calls that bring dialogs to conferences, and join these, take turns as others do.
func TestStandInsTakeTurns(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]string{
		"dialog": `<dialogstart conferenceid="one" src="'null:?text=Hello.'" type="'audio/wav'"/>`,
		"join":   `<join id1="one" id2="two"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1"), sitetest.With("LIMITS_ORIGINATES_WAITING", "1"), sitetest.WithToken("out.ccxml"))
			s.Switch.Callee("200", switchsim.NoAnswer{})
			s.Document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="one"/><var name="two"/><var name="n" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="one"/><createconference conferenceid="two"/></transition>
<transition event="conference.created" cond="++n == 2"><createcall dest="'tel:200'"/><createcall dest="'tel:200'"/>`+start+`</transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
			s.StartToken("")
			s.Must(s.Trace.WaitText(s.Context(), "1 calls wait for their turn there already"))
			s.WaitIdle()
		})
	}
}

// One that comes to its turn is placed.
func TestStandInsTurnComes(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1"), sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.NoAnswer{})
	s.Document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="one"/><var name="two"/><var name="n" expr="0"/><var name="done" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="one"/><createconference conferenceid="two"/></transition>
<transition event="conference.created" cond="++n == 2"><createcall dest="'tel:200'"/>
 <dialogstart conferenceid="one" src="'null:?text=Hello.'" type="'audio/wav'"/><join id1="one" id2="two"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><if cond="++done == 2"><exit/></if></transition>
<transition event="dialog.started"><log expr="'started'"/><if cond="++done == 2"><exit/></if></transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("joined")
	s.WaitLog("started")
	s.WaitIdle()
}
