package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// A connection that is redirected after its answer is gone when the far end has told
// what came of it, and stays when the far end refuses.
func TestRedirectAfterAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		referral switchsim.Referral
		want     string
		goes     bool
	}{
		"it hangs up":       {switchsim.Referral{After: time.Second}, "redirected: NORMAL_CLEARING, remote", true},
		"it gets through":   {switchsim.Referral{Outcome: 200, After: 5 * time.Second}, "redirected: BLIND_TRANSFER, local", true},
		"it is refused":     {switchsim.Referral{Refuses: 603}, "stays: the far end refused the transfer (SIP status 603)", false},
		"nobody is reached": {switchsim.Referral{Outcome: 486, After: time.Second}, "stays: the far end did not reach the new destination (486 Busy Here); FreeSWITCH ends the call with that", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.AddSound("/sounds/long.wav", time.Hour)
			caller := s.Dial(s.Transitions("redirect.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><redirect connectionid="event$.connectionid" dest="'sip:support@example.org'"/>
  <redirect connectionid="event$.connectionid" dest="'sip:twice@example.org'"/></transition>
<transition event="connection.redirect.failed" cond="/already/.test(event$.reason)"><log expr="'once'"/></transition>
<transition event="connection.redirect.failed"><log expr="'stays: ' + event$.reason + ' ' + event$.connection.state"/></transition>
<transition event="connection.disconnected"><log expr="'ended: ' + event$.trigger"/></transition>
<transition event="connection.redirected"><log expr="'redirected: ' + event$.info.cause + ', ' + event$.trigger"/></transition>
<transition event="dialog.exit"><exit/></transition>`))
			caller.Referred(c.referral)
			s.WaitLog("once")
			s.WaitLog(c.want)
			if !c.goes {
				s.WaitLog(c.want + " CONNECTED")
				caller.Hangup()
				s.WaitLog("ended: remote")
			} else if strings.HasPrefix(c.want, "stays") {
				s.WaitLog("ended: local")
			}
			ending, err := caller.WaitEnded(s.Context())
			s.Must(err)
			if ending.RedirectedTo != "sip:support@example.org" {
				t.Errorf("the caller got %+v", ending)
			}
			s.WaitIdle()
		})
	}
}

// transfers is a document whose two connections are joined, and which does what a
// far end asks for by REFER: the other is joined with a third.
const transfers = `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="a"/><var name="b"/><var name="third"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected" cond="event$.connectionid == b"><join id1="a" id2="b"/></transition>
<transition event="conference.joined" cond="typeof third == 'undefined'"><log expr="'talking'"/></transition>
<transition event="connection.signal" cond="event$.info.type == 'transfer'"><log expr="'transfer to ' + event$.info.value + ', hears ' + (session.connections[b].input == a)"/>
  <createcall dest="event$.info.value" connectionid="third"/></transition>
<transition event="connection.connected"><join id1="b" id2="third"/></transition>
<transition event="conference.joined"><log expr="'transferred'"/><disconnect connectionid="a"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == a"><log expr="'a is gone'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
</eventprocessor></ccxml>`

// A far end that asks for a transfer, alone or in a bridge, does not take the other
// leg away: the document hears of it and decides.
func TestFarEndTransfers(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	s.Switch.Callee("sip:1234", switchsim.Answers{})
	caller := s.Dial(s.Document("transfers.ccxml", transfers))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("talking")
	s.WaitUntil("FreeSWITCH knows no partner", func() bool { return s.Switch.Variable(caller.UUID(), "signal_bond") == "" })
	caller.Refer("sip:1234@127.0.0.1")
	s.WaitLog("transfer to sip:1234@127.0.0.1, hears true")
	s.WaitLog("transferred")
	s.WaitLog("a is gone")
	hearsParty(s, callee, "sip:1234")
	callee.Hangup()
	s.WaitIdle()
	if s.Trace.Has("error.") {
		t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
	}
}
