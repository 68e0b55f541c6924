package callcontrol_test

import (
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// A call is answered, hears a prompt, and is hung up: the life of an incoming
// call (docs/design.md).
func TestIncomingCall(t *testing.T) {
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/welcome.wav", 2*time.Second)
	caller := s.Dial(s.Document("welcome.ccxml", `
<ccxml version="1.0">
  <eventprocessor>
    <transition event="connection.alerting"><accept/></transition>
    <transition event="connection.connected"><dialogstart src="'/sounds/welcome.wav'" type="'audio/wav'"/></transition>
    <transition event="dialog.exit"><disconnect connectionid="event$.connectionid"/></transition>
    <transition event="connection.disconnected"><log expr="event$.trigger"/><exit/></transition>
  </eventprocessor>
</ccxml>`))
	s.Must(caller.WaitHeard(s.Context(), "welcome.wav"))
	ending, err := caller.WaitEnded(s.Context())
	s.Must(err)
	if ending.By != "local" || ending.Cause != "NORMAL_CLEARING" {
		t.Errorf("the call ended with %+v", ending)
	}
	s.WaitIdle()
	s.WaitLog("local")
	if heard := caller.Heard(); len(heard) != 1 || !heard[0].Complete {
		t.Errorf("the caller heard %+v", heard)
	}
}

// Two calls are bridged, taken apart, and bridged again.
func TestBridge(t *testing.T) {
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	caller := s.Dial(s.Document("bridge.ccxml", `
<ccxml version="1.0">
  <var name="a"/><var name="b"/><var name="times" expr="0"/>
  <eventprocessor>
    <transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
    <transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
    <transition event="connection.connected"><join id1="a" id2="b"/></transition>
    <transition event="conference.joined" cond="times == 0"><log expr="'joined ' + session.connections[a].input"/><assign name="times" expr="1"/><unjoin id1="a" id2="b"/></transition>
    <transition event="conference.joined"><log expr="'again'"/></transition>
    <transition event="conference.unjoined" cond="times == 1"><assign name="times" expr="2"/><join id1="b" id2="a"/></transition>
    <transition event="conference.unjoined"><log expr="'over'"/></transition>
    <transition event="connection.disconnected" cond="event$.connectionid == b"><log expr="'b gone'"/><dialogstart connectionid="a" src="'null://?text=Your partner has gone.'" type="'audio/wav'"/></transition>
    <transition event="dialog.exit"><exit/></transition>
  </eventprocessor>
</ccxml>`))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("again")
	callee.Hangup()
	s.WaitLog("b gone")
	s.WaitLog("over")
	s.Must(caller.WaitHeard(s.Context(), "Your partner has gone."))
	s.WaitIdle()
	if _, err := caller.WaitEnded(s.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a document says of its call to the far end goes out in the INVITE: aai
// (CAL-4), and headers that begin with x- (VX-8).
func TestInviteHeaders(t *testing.T) {
	s := sitetest.New(t, sitetest.WithToken("headers.ccxml"))
	s.Switch.Callee("200", switchsim.Answers{})
	s.Transitions("headers.ccxml", `
<transition event="ccxml.loaded"><createcall dest="'tel:200'" aai="'account 42, &quot;gold&quot;'" hints="{headers: {'X-Account': 42}}"/></transition>
<transition event="connection.connected"><log expr="'aai ' + event$.connection.aai"/></transition>
<transition event="connection.*"><exit/></transition>`)
	s.StartToken("")
	s.WaitLog(`aai account 42, "gold"`)
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	for name, want := range map[string]string{
		"sip_h_User-to-User": "6163636f756e742034322c2022676f6c6422;encoding=hex",
		"sip_h_X-Account":    "42",
	} {
		if got := s.Switch.Variable(callee.UUID(), name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	callee.Hangup()
	s.WaitIdle()
}
