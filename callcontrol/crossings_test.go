package callcontrol_test

import (
	"slices"
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// These tests are about what is asked for before the answer to what was asked for
// earlier has come. TestOrderings has found what they show.

// TestUNJ3CrossesHangup: a connection that is taken out of a bridge as the other one
// ends has its conference.unjoined, and that is told first (BRG-12).
func TestUNJ3CrossesHangup(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		s := sitetest.New(t)
		s.Switch.Callee("200", switchsim.Answers{})
		s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="conference.joined"><disconnect connectionid="b"/><unjoin id1="`+order[0]+`" id2="`+order[1]+`"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined'"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == b"><log expr="'gone'"/>
  <dialogstart connectionid="a" src="'null:?text=You are alone now.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'told'"/><exit/></transition>`)))
		s.WaitLog("told")
		s.CheckOrder("log unjoined", "log gone", "log told")
		s.WaitIdle()
		if n := s.Trace.Count("log unjoined"); n != 1 {
			t.Errorf("unjoined %d times", n)
		}
	}
}

// TestJOIN11PairInPassing: a connection that speaks with one of another session goes
// to a conference, and at once back to the other one: each join has its answer, and
// the two hear each other in the end.
func TestJOIN11PairInPassing(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	s.Document("child.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="c"/><var name="room"/><var name="joins" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="room"/></transition>
<transition event="conference.created"><createcall dest="'tel:200'" connectionid="c"/></transition>
<transition event="connection.connected"><join id1="c" id2="session.values.a"/></transition>
<transition event="conference.joined"><assign name="joins" expr="joins + 1"/>
  <if cond="joins == 1"><join id1="c" id2="room"/><join id1="c" id2="session.values.a"/></if>
  <if cond="joins == 3"><log expr="'back'"/></if></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/></transition></eventprocessor></ccxml>`)
	caller := s.Dial(s.Document("parent.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="a"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createccxml next="'child.ccxml'" parameters="a"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("back")
	s.WaitUntil("the two hear each other", func() bool {
		return slices.Contains(caller.Hears(), "200") && slices.Contains(callee.Hears(), caller.Number())
	})
	callee.Hangup()
	caller.Hangup()
	s.WaitIdle()
	if s.Trace.Has("event error.") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// TestCNF7EndsMeanwhile: a session that destroys a conference and ends before its
// member is out leaves nothing of it behind.
func TestCNF7EndsMeanwhile(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'brief'"/></transition>
<transition event="conference.created"><join id1="c" id2="room"/></transition>
<transition event="conference.joined"><destroyconference conferenceid="room"/><exit/></transition></eventprocessor></ccxml>`))
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	rosterIsEmpty(s)
}

// TestBRG6VoiceTakenBack: a connection that is to be heard in a conference beside
// its bridge, and to be a member before that has happened, has an answer to each of
// the two joins; so has one that is unjoined before.
func TestBRG6VoiceTakenBack(t *testing.T) {
	t.Parallel()
	for _, next := range []string{`<join id1="room" id2="a"/>`, `<unjoin id1="room" id2="a"/>`} {
		s := sitetest.New(t)
		s.Switch.Callee("200", switchsim.Answers{})
		caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="a"/><var name="b"/><var name="room"/><var name="hall" expr="''"/><var name="answers" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createconference conferenceid="room"/></transition>
<transition event="conference.created" cond="hall == ''"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected"><join id1="a" id2="b"/></transition>
<transition event="conference.joined" cond="hall == ''"><join id1="room" id2="a" duplex="'half'"/><createconference conferenceid="hall"/></transition>
<transition event="conference.created">`+next+`</transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="*" cond="a != undefined &amp;&amp; event$.id2 == a"><assign name="answers" expr="answers + 1"/><log expr="'answer ' + answers + ' ' + event$.name"/></transition>
</eventprocessor></ccxml>`))
		s.WaitLog("answer 2")
		caller.Hangup()
		s.WaitIdle()
		rosterIsEmpty(s)
	}
}
