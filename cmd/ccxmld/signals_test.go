package main

import (
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// Hold and resume are signals, digits go to the far end, and the end of a call
// says why in all the ways there are.
func TestSignals(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.dial(h.transitions("signals.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><log expr="'sent ' + event$.connection._SendDTMF('42#')"/></transition>
		<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.connection.state"/></transition>
		<transition event="connection.disconnected"><log expr="event$.trigger + ' ' + event$.info.q850 + ' ' + event$.info.cause"/><exit/></transition>
		<transition event="error.*"><log expr="event$.reason"/><exit/></transition>`))
	h.must(caller.WaitHeardFunc(h.ctx, func(s switchsim.Sound) bool { return s.Kind == "dtmf" && s.What == "42#" }))
	caller.Hold(true)
	h.logged("hold CONNECTED")
	caller.Hold(false)
	h.logged("resume CONNECTED")
	caller.Hangup()
	h.logged("remote 16 NORMAL_CLEARING")
	h.idle()
}

// Digits that come as tones only are heard where the hint asks for it, on calls of
// both directions.
func TestInbandDigits(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	h.sw.Callee("200", switchsim.Answers{})
	const signals = `
		<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.info.value"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`
	caller := h.dial(h.transitions("in.ccxml", `
		<transition event="connection.alerting"><accept hints="{inBandDTMF: true}"/></transition>
		<transition event="connection.connected"><log expr="'in'"/></transition>`+signals))
	h.transitions("out.ccxml", `
		<transition event="ccxml.loaded"><createcall dest="'tel:200'" hints="{inbanddtmf: 'true'}"/></transition>
		<transition event="connection.connected"><log expr="'out'"/></transition>`+signals)
	h.startToken("")
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	for _, party := range []struct {
		*switchsim.Party
		connected, digit string
	}{{caller, "in", "3"}, {callee, "out", "4"}} {
		h.logged(party.connected)
		h.until("tones are listened to", func() bool {
			party.Sing(party.digit)
			return h.seen.has("log dtmf " + party.digit)
		})
		party.Hangup()
	}
	plain := h.dial(h.transitions("plain.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><log expr="'plain'"/></transition>`+signals))
	h.logged("plain")
	plain.Sing("5")
	plain.Press("6")
	h.logged("dtmf 6")
	plain.Hangup()
	h.idle()
	if h.seen.has("dtmf 5") {
		t.Error("a tone was a digit though nobody asked for it")
	}
}

// A call that no audio comes from ends, and the document hears why in words.
func TestMediaTimeout(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	h.sw.Callee("200", switchsim.Answers{})
	const ends = `<transition event="connection.disconnected"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>`
	caller := h.dial(h.transitions("in.ccxml", `
		<transition event="connection.alerting"><accept hints="{mediatimeout: '20s', headers: {'X-Desk': 'no. 7; the ${uuid} \'one\''}}"/></transition>`+ends))
	h.must(caller.WaitAnswered(h.ctx))
	h.must(h.seen.wait(h.ctx, "event connection.connected"))
	if got := h.sw.Variable(caller.UUID(), "sip_rh_X-Desk"); got != "no. 7; the ${uuid} 'one'" {
		t.Errorf("the answer has the header %q", got)
	}
	caller.FallSilent()
	h.logged("MEDIA_TIMEOUT: no audio came from the far end")
	h.seen.forget()
	h.transitions("out.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:200'" hints="{mediatimeout: '20s'}"/></transition>`+ends)
	h.startToken("")
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.must(h.seen.wait(h.ctx, "event connection.connected"))
	callee.FallSilent()
	h.logged("MEDIA_TIMEOUT: no audio came from the far end")
	h.idle()
}

// Hints that cannot be are refused before the call is touched.
func TestCallHintsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.dial(h.transitions("in.ccxml", `
		<transition event="connection.alerting"><accept hints="{mediatimeout: 'soon'}"/></transition>
		<transition event="connection.accept.failed" cond="/mediatimeout/.test(event$.reason)"><log expr="'no time'"/><accept hints="{headers: {'x-a;b': 1}}"/></transition>
		<transition event="connection.accept.failed"><log expr="event$.reason"/><reject hints="{headers: {'x-a': 'b\nc'}}"/></transition>
		<transition event="connection.reject.failed"><log expr="event$.reason"/><redirect dest="'sip:a@b'" hints="{headers: {'x- ': 1}}"/></transition>
		<transition event="connection.redirect.failed"><log expr="event$.reason"/><reject reason="'busy'" hints="{headers: {'X-Why': 'no room'}}"/></transition>
		<transition event="connection.failed"><log expr="'failed: ' + event$.reason"/><exit/></transition>`))
	for _, said := range []string{"no time", `the hint headers names "x-a;b"`, "the hint headers: ", `the hint headers names "x- "`, "failed: busy"} {
		h.logged(said)
	}
	ending, err := caller.WaitEnded(h.ctx)
	h.must(err)
	if ending.SIPStatus != 486 {
		t.Errorf("the caller got %+v", ending)
	}
	h.idle()
}

// The hints of createcall reach the INVITE, and one that cannot be is said so
// before anybody is called.
func TestCallHints(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("hints.ccxml"))
	h.sw.Callee("*", switchsim.Answers{})
	h.transitions("hints.ccxml", `
		<transition event="ccxml.loaded"><createcall dest="'tel:1'" aai="'ticket 17'" hints="{codecs: 'PCMA, PCMU', callername: 'The Office', privacy: true}"/></transition>
		<transition event="connection.connected"><createcall dest="'tel:2'" hints="{codecs: 'PCMA}x'}"/></transition>
		<transition event="connection.failed"><log expr="event$.detail"/><exit/></transition>`)
	h.startToken("")
	h.logged("the hint codecs is")
	h.idle()
	if log := strings.Join(h.log.all(), "\n"); strings.Contains(log, "PCMA}x,") {
		t.Error("a codec that is none was dialled")
	}
}
