package callcontrol

import (
	"maps"
	"testing"

	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// The outcome of an outbound call, by the SIP status or, without one, by the
// cause (docs/design.md).
func TestFailureReason(t *testing.T) {
	for _, c := range []struct {
		status int
		cause  string
		want   string
	}{
		{404, "NO_ROUTE_DESTINATION", reasonBadNumber},
		{484, "INVALID_NUMBER_FORMAT", reasonBadNumber},
		{500, "NORMAL_TEMPORARY_FAILURE", reasonBadNumber},
		{403, "CALL_REJECTED", reasonUnreachable},
		{501, "SERVICE_NOT_IMPLEMENTED", reasonUnreachable},
		{503, "NORMAL_TEMPORARY_FAILURE", reasonUnreachable},
		{599, "NORMAL_UNSPECIFIED", reasonUnreachable},
		{480, "NO_USER_RESPONSE", reasonBusy},
		{486, "USER_BUSY", reasonBusy},
		{603, "CALL_REJECTED", reasonBusy},
		{408, "RECOVERY_ON_TIMER_EXPIRE", reasonTimedOut},
		{410, "NUMBER_CHANGED", reasonUnknown},
		{600, "USER_BUSY", reasonUnknown},
		{302, "NORMAL_UNSPECIFIED", reasonUnknown},
		{487, "NO_ANSWER", reasonTimedOut}, // our own CANCEL
		{487, "ORIGINATOR_CANCEL", reasonTimedOut},
		{200, "NORMAL_CLEARING", reasonUnknown},
		{0, "NO_ANSWER", reasonTimedOut},
		{0, "USER_BUSY", reasonBusy},
		{0, "INVALID_GATEWAY", reasonUnreachable},
		{0, "CHAN_NOT_IMPLEMENTED", reasonUnreachable},
		{0, "UNALLOCATED_NUMBER", reasonBadNumber},
		{0, "NETWORK_OUT_OF_ORDER", reasonUnreachable},
		{0, "NEVER_HEARD_OF", reasonUnknown},
		{0, "", reasonUnknown},
	} {
		if got := failureReason(freeswitch.Hangup{Status: c.status, Cause: c.cause}); got != c.want {
			t.Errorf("%d %s: %s, want %s", c.status, c.cause, got, c.want)
		}
	}
}

func TestTrigger(t *testing.T) {
	for _, c := range []struct {
		disposition string
		weAsked     bool
		want        string
	}{
		{"recv_bye", false, "remote"},
		{"recv_bye", true, "remote"}, // both at once: the BYE came first
		{"recv_cancel", false, "remote"},
		{"recv_refuse", true, "remote"},
		{"send_bye", false, "local"},
		{"send_cancel", false, "local"},
		{"send_refuse", false, "local"},
		{"", true, "local"},
		{"", false, "remote"},
	} {
		if got := triggerOf(freeswitch.Hangup{Disposition: c.disposition}, c.weAsked); got != c.want {
			t.Errorf("%q, asked %v: %s, want %s", c.disposition, c.weAsked, got, c.want)
		}
	}
}

func TestRejectStatus(t *testing.T) {
	for reason, want := range map[string]string{
		"486": "486", "600": "600", "busy": "486", "badnumber": "404", "notfound": "404", "forbidden": "403", "unavailable": "480",
		"": "", "200": "", "399": "", "700": "", "4e2": "", "486 ": "", "closed": "", "-486": "",
	} {
		got, ok := rejectStatus(reason)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %v", reason, got, ok)
		}
	}
}

func TestCallerOf(t *testing.T) {
	for callerID, want := range map[string]string{
		"": "|", "4075550100": "4075550100|", " tel:+1-407-555 ": "+1407555|", "sip:alice.b@example.org": "alice.b|",
		"tel:+1-407;phone-context=x": "+1407|", `"Alice" <sip:100@x>`: "100|Alice", "sips:100@x": "100|", "SIP:100@x:5061;transport=tls": "100|",
		"Alice B. <tel:+1-407>": "+1407|Alice B.", `"A \"q\" \\ <b>" <sip:100@x>`: "100|A 'q'  b", "sip:+1407;phone-context=x@h": "+1407|",
		"*67#": "*67#|", "(407) 555": "407555|", "alice": "alice|", "Zoë <1>": "1|Zoë", "\"A\r\nX: y\" <sip:1@h>": "1|AX: y",
		"a,b=c}{d|e&park()\r\n": "|", "sip:a b@c": "|", "Alice <sip:100@x": "|", "undefined <nil>": "|", "sip:x": "|",
	} {
		number, name := callerOf(callerID)
		if got := number + "|" + name; got != want {
			t.Errorf("%q: %q, want %q", callerID, got, want)
		}
	}
}

// TestHintsThatAreNone: what is undefined is not sent as a text that says so.
func TestHintsThatAreNone(t *testing.T) {
	variables := map[string]string{}
	hints := interpreter.Hints{"callername": nil, "codecs": nil, "mediatimeout": nil, "privacy": nil, "headers": map[string]any{"x-a": nil, "x-b": []any{1}}}
	if err := hintVariables(hints, variables); err != nil || len(variables) > 0 {
		t.Errorf("%v, %v", variables, err)
	}
	if err := hintVariables(interpreter.Hints{"CallerName": `Alice "A" <x>`}, variables); err != nil || variables["origination_caller_id_name"] != "Alice 'A' x" {
		t.Errorf("%v, %v", variables, err)
	}
	for _, name := range []any{"", map[string]any{}, []any{}} {
		if err := hintVariables(interpreter.Hints{"callername": name}, variables); err == nil {
			t.Errorf("%v is taken for a name", name)
		}
	}
}

func TestHintHeaders(t *testing.T) {
	hints := interpreter.Hints{"headers": map[string]any{
		"X-Account": "42", "x-n": 7, "Route": "sip:evil", "x-": "no name", "Xtra": "no", "": "none",
	}}
	want := map[string]string{"X-Account": "42", "x-n": "7"}
	if got := hintHeaders(hints); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, hints := range []interpreter.Hints{nil, {}, {"headers": "x-a: b"}, {"headers": nil}} {
		if got := hintHeaders(hints); len(got) != 0 {
			t.Errorf("%v: %v", hints, got)
		}
	}
}

func TestIsLegID(t *testing.T) {
	for id, want := range map[string]bool{
		"0c8fe5a1-2f7f-4a5c-9c9e-6a4b3a2d1f00": true, "my_own.id": true, "": false, "a b": false, "a\nexit": false, "a;b": false,
		"0c8fe5a1-2f7f-4a5c-9c9e-6a4b3a2d1f00x": false, "ä": false,
	} {
		if isLegID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

// A call that was answered while it was moved has ended in the ordinary way where its
// last event is lost.
func TestUsualEnd(t *testing.T) {
	for _, state := range legStates.States() {
		want := "ORIGINATOR_CANCEL"
		if state == legConnected {
			want = "NORMAL_CLEARING"
		}
		l, ending := bare(state), bare(state)
		ending.clearing = clearings.At(clearing)
		if got := l.usualEnd(); got != want {
			t.Errorf("a call that is %s: %s", state, got)
		}
		if got := ending.usualEnd(); got != "NORMAL_CLEARING" {
			t.Errorf("a call that is %s and told to hang up: %s", state, got)
		}
	}
	moved := newSession(t).newLeg("a", legAlerting)
	moved.handover, moved.owner = new(handover), ownerStates.At(legBeingMoved)
	moved.control.answered(moved)
	if got := moved.usualEnd(); got != "NORMAL_CLEARING" {
		t.Errorf("a call that was answered while it was moved: %s", got)
	}
}
