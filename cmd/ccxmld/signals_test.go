package main

import (
	"strings"
	"testing"

	"ccxmld/esl/switchsim"
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
