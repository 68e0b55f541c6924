package callcontrol_test

import (
	"math/rand/v2"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// subscription is a word of what a leg's socket subscribes to.
const subscription = "CHANNEL_UNHOLD"

// newLateSite makes a site to which the sockets of legs come over lines.
func newLateSite(t *testing.T, options ...sitetest.Option) (*sitetest.Site, *slowLines) {
	t.Helper()
	var s *sitetest.Site
	var lines *slowLines
	s = sitetest.New(t, append([]sitetest.Option{func(o *sitetest.Options) {
		lines = slowLinesOf(o, rand.New(rand.NewPCG(1, 1)), 0, func() string { return s.Daemon.ESLAddress() })
		o.Environment["ESL_ADVERTISE"] = lines.address()
	}}, options...)...)
	return s, lines
}

const tellsSignals = `
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.info.value"/></transition>
<transition event="over"><exit/></transition>`

// A document hears of the answer once FreeSWITCH tells of what it may react to: what
// the far end does in the first moment is not lost. That is so for a call that we
// place, and for one that the dialplan has answered.
func TestConnectedOnceSubscribed(t *testing.T) {
	t.Parallel()
	for _, outbound := range []bool{true, false} {
		t.Run(map[bool]string{true: "outbound", false: "answered by the dialplan"}[outbound], func(t *testing.T) {
			t.Parallel()
			s, lines := newLateSite(t, sitetest.WithToken("out.ccxml"))
			came, release := lines.holdText(subscription)
			t.Cleanup(release)
			var party *switchsim.Party
			if outbound {
				s.Transitions("out.ccxml", `<transition event="ccxml.loaded"><log expr="'session ' + session.id"/><createcall dest="'tel:200'"/></transition>`+tellsSignals)
				s.Switch.Callee("200", switchsim.Answers{})
				s.StartToken("")
				callee, err := s.Switch.WaitCallee(s.Context(), "200")
				s.Must(err)
				party = callee
			} else {
				document := s.Transitions("in.ccxml", `<transition event="connection.alerting"><log expr="'session ' + session.id"/><accept/></transition>`+tellsSignals)
				caller, err := s.Switch.Dial(switchsim.Call{Dialplan: []switchsim.Action{
					{Application: "answer"},
					{Application: "set", Data: "ccxml_uri=" + document},
					{Application: "socket", Data: lines.address() + " async full"},
				}})
				s.Must(err)
				party = caller
			}
			s.Must(came.Wait(s.Context()))
			s.Inject("meanwhile")
			if s.Trace.Has("connection.connected") {
				t.Error("the document is told of the answer before FreeSWITCH tells of anything else")
			}
			release()
			s.WaitLog("connected")
			party.Hold(true)
			s.WaitLog("hold")
			s.Inject("over")
			s.WaitIdle()
		})
	}
}

// Of a call that is answered and ends before its socket tells of anything, the
// document hears both, also where the link tells of the end before the leg has come.
func TestAnsweredAndGone(t *testing.T) {
	t.Parallel()
	for name, held := range map[string]string{"before its socket comes": "connect", "before its socket tells": subscription} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, lines := newLateSite(t, sitetest.WithToken("out.ccxml"))
			s.Switch.Callee("200", switchsim.Answers{})
			s.Transitions("out.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
			came, release := lines.holdText(held)
			t.Cleanup(release)
			s.StartToken("")
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			s.Must(came.Wait(s.Context()))
			callee.Hangup()
			_, err = callee.WaitEnded(s.Context())
			s.Must(err)
			s.Must(s.Trace.Wait(s.Context(), "event connection.disconnected"))
			s.WaitLog("connected")
			release()
			s.WaitIdle()
		})
	}
}

// A digit that is pressed before, while and after a leg comes home from a bridge is told
// once each.
func TestDigitOnTheWayHome(t *testing.T) {
	t.Parallel()
	s, lines := newLateSite(t)
	s.Switch.Callee("200", switchsim.Answers{})
	document := s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="caller"/><var name="callee"/><eventprocessor>
<transition event="connection.alerting"><log expr="'session ' + session.id"/><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == caller"><createcall dest="'tel:200'" connectionid="callee"/></transition>
<transition event="connection.connected"><join id1="caller" id2="callee"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="apart"><unjoin id1="caller" id2="callee"/></transition>
<transition event="conference.unjoined"><log expr="'apart'"/></transition>
<transition event="connection.signal" cond="event$.connectionid == caller"><log expr="'digit ' + event$.info.value"/></transition>
<transition event="over"><exit/></transition></eventprocessor></ccxml>`)
	caller, err := s.Switch.Dial(switchsim.Call{Sockets: []string{lines.address()}, Variables: map[string]string{"ccxml_uri": document}})
	s.Must(err)
	s.WaitLog("joined")
	came, release := lines.holdText("uuid_transfer")
	t.Cleanup(release)
	s.Inject("apart")
	s.Must(came.Wait(s.Context()))
	caller.Press("5")
	s.WaitLog("digit 5")
	release()
	caller.Press("6")
	s.WaitLog("digit 6")
	s.WaitLog("apart")
	caller.Press("7")
	s.WaitLog("digit 7")
	s.Inject("over")
	s.WaitIdle()
	for _, digit := range []string{"5", "6", "7"} {
		told := 0
		for _, line := range s.Trace.Lines() {
			if line == "log digit "+digit {
				told++
			}
		}
		if told != 1 {
			t.Errorf("the digit %s is told %d times", digit, told)
		}
	}
}
