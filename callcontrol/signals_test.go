package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// Hold and resume are signals, digits go to the far end, and the end of a call
// says why in all the ways there are.
func TestSignals(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("signals.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><log expr="'sent ' + event$.connection._SendDTMF('42#')"/></transition>
		<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.connection.state"/></transition>
		<transition event="connection.disconnected"><log expr="event$.trigger + ' ' + event$.info.q850 + ' ' + event$.info.cause"/><exit/></transition>
		<transition event="error.*"><log expr="event$.reason"/><exit/></transition>`))
	s.Must(caller.WaitHeardFunc(s.Context(), func(s switchsim.Sound) bool { return s.Kind == "dtmf" && s.What == "42#" }))
	caller.Hold(true)
	s.WaitLog("hold CONNECTED")
	caller.Hold(false)
	s.WaitLog("resume CONNECTED")
	caller.Hangup()
	s.WaitLog("remote 16 NORMAL_CLEARING")
	s.WaitIdle()
}

// Digits that come as tones only are heard where the hint asks for it, on calls of
// both directions.
func TestInbandDigits(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.Answers{})
	const signals = `
		<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.info.value"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`
	caller := s.Dial(s.Transitions("in.ccxml", `
		<transition event="connection.alerting"><accept hints="{inBandDTMF: true}"/></transition>
		<transition event="connection.connected"><log expr="'in'"/></transition>`+signals))
	s.Transitions("out.ccxml", `
		<transition event="ccxml.loaded"><createcall dest="'tel:200'" hints="{inbanddtmf: 'true'}"/></transition>
		<transition event="connection.connected"><log expr="'out'"/></transition>`+signals)
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	for _, party := range []struct {
		*switchsim.Party
		connected, digit string
	}{{caller, "in", "3"}, {callee, "out", "4"}} {
		s.WaitLog(party.connected)
		s.WaitUntil("tones are listened to", func() bool {
			party.Sing(party.digit)
			return s.Trace.Has("log dtmf " + party.digit)
		})
		party.Hangup()
	}
	plain := s.Dial(s.Transitions("plain.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><log expr="'plain'"/></transition>`+signals))
	s.WaitLog("plain")
	plain.Sing("5")
	plain.Press("6")
	s.WaitLog("dtmf 6")
	plain.Hangup()
	s.WaitIdle()
	if s.Trace.Has("dtmf 5") {
		t.Error("a tone was a digit though nobody asked for it")
	}
}

// A call that no audio comes from ends, and the document hears why in words.
func TestMediaTimeout(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.Answers{})
	const ends = `<transition event="connection.disconnected"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>`
	caller := s.Dial(s.Transitions("in.ccxml", `
		<transition event="connection.alerting"><accept hints="{mediatimeout: '20s', headers: {'X-Desk': 'no. 7; the ${uuid} \'one\''}}"/></transition>`+ends))
	s.Must(caller.WaitAnswered(s.Context()))
	s.Must(s.Trace.Wait(s.Context(), "event connection.connected"))
	if got := s.Switch.Variable(caller.UUID(), "sip_rh_X-Desk"); got != "no. 7; the ${uuid} 'one'" {
		t.Errorf("the answer has the header %q", got)
	}
	caller.FallSilent()
	s.WaitLog("MEDIA_TIMEOUT: no audio came from the far end")
	s.Trace.Reset()
	s.Transitions("out.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:200'" hints="{mediatimeout: '20s'}"/></transition>`+ends)
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.Must(s.Trace.Wait(s.Context(), "event connection.connected"))
	callee.FallSilent()
	s.WaitLog("MEDIA_TIMEOUT: no audio came from the far end")
	s.WaitIdle()
}

// Hints that cannot be are refused before the call is touched.
func TestCallHintsRefused(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("in.ccxml", `
		<transition event="connection.alerting"><accept hints="{mediatimeout: 'soon'}"/></transition>
		<transition event="connection.accept.failed" cond="/mediatimeout/.test(event$.reason)"><log expr="'no time'"/><accept hints="{headers: {'x-a;b': 1}}"/></transition>
		<transition event="connection.accept.failed"><log expr="event$.reason"/><reject hints="{headers: {'x-a': 'b\nc'}}"/></transition>
		<transition event="connection.reject.failed"><log expr="event$.reason"/><redirect dest="'sip:a@b'" hints="{headers: {'x- ': 1}}"/></transition>
		<transition event="connection.redirect.failed"><log expr="event$.reason"/><reject reason="'busy'" hints="{headers: {'X-Why': 'no room'}}"/></transition>
		<transition event="connection.failed"><log expr="'failed: ' + event$.reason"/><exit/></transition>`))
	for _, said := range []string{"no time", `the hint headers names "x-a;b"`, "the hint headers: ", `the hint headers names "x- "`, "failed: busy"} {
		s.WaitLog(said)
	}
	ending, err := caller.WaitEnded(s.Context())
	s.Must(err)
	if ending.SIPStatus != 486 {
		t.Errorf("the caller got %+v", ending)
	}
	s.WaitIdle()
}

// The hints of createcall reach the INVITE, and one that cannot be is said so
// before anybody is called.
func TestCallHints(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("hints.ccxml"))
	s.Switch.Callee("*", switchsim.Answers{})
	s.Transitions("hints.ccxml", `
		<transition event="ccxml.loaded"><createcall dest="'tel:1'" aai="'ticket 17'" hints="{codecs: 'PCMA, PCMU', callername: 'The Office', privacy: true}"/></transition>
		<transition event="connection.connected"><createcall dest="'tel:2'" hints="{codecs: 'PCMA}x'}"/></transition>
		<transition event="connection.failed"><log expr="event$.detail"/><exit/></transition>`)
	s.StartToken("")
	s.WaitLog("the hint codecs is")
	s.WaitIdle()
	if log := strings.Join(s.DaemonLog.Lines(), "\n"); strings.Contains(log, "PCMA}x,") {
		t.Error("a codec that is none was dialled")
	}
}
