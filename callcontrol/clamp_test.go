package callcontrol_test

import (
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// clamping bridges a caller to tel:1 with dtmfclamp, and without it after the digit
// 7. It logs the digits.
const clamping = `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="a"/><var name="b"/><var name="clamp" expr="true"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:1'" connectionid="b"/></transition>
<transition event="connection.connected"><join id1="a" id2="b" dtmfclamp="clamp"/></transition>
<transition event="conference.joined"><log expr="'clamped ' + clamp + ' ' + b"/></transition>
<transition event="connection.signal" cond="event$.info.value == '7'"><assign name="clamp" expr="false"/><unjoin id1="a" id2="b"/></transition>
<transition event="connection.signal"><log expr="'pressed ' + event$.info.value"/></transition>
<transition event="conference.unjoined"><join id1="b" id2="a"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`

// Digits do not pass a bridge with dtmfclamp='true', and pass one without; the
// document gets them in both (JOIN-1).
func TestClampDigits(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("1", switchsim.Answers{})
	caller := s.Dial(s.Document("clamp.ccxml", clamping))
	callee, err := s.Switch.WaitCallee(s.Context(), "1")
	s.Must(err)
	s.WaitLog("clamped true")
	caller.Press("5")
	s.WaitLog("pressed 5")
	caller.Press("7")
	s.WaitLog("clamped false")
	caller.Press("8")
	s.Must(callee.WaitHeardFunc(s.Context(), func(s switchsim.Sound) bool { return s.Kind == "dtmf" && s.What == "8" }))
	s.WaitLog("pressed 8")
	for _, s := range callee.Heard() {
		if s.Kind == "dtmf" && s.What != "8" {
			t.Errorf("the callee heard %s", s.What)
		}
	}
	caller.Hangup()
	s.WaitIdle()
}
