package callcontrol

import (
	"slices"
	"testing"

	"ccxmld/interpreter"
)

// Where a call was diverted from, by the headers of its INVITE (CON-4).
func TestRedirectsOf(t *testing.T) {
	type redirects = []interpreter.Redirect
	for name, c := range map[string]struct {
		header, value string
		want          redirects
	}{
		"no header":           {"X-Other", "sip:a@b", nil},
		"empty":               {"Diversion", " , ", nil},
		"in any case":         {"diversion", "<sip:a@b>", redirects{{URI: "sip:a@b", Reason: "unknown"}}},
		"without brackets":    {"Diversion", "sip:a@b;reason=no-answer", redirects{{URI: "sip:a@b", Reason: "no reply"}}},
		"an open bracket":     {"Diversion", "<sip:a@b;reason=user-busy", nil},
		"a comma in brackets": {"Diversion", "<sip:a,b@c>, <sip:d@e>", redirects{{URI: "sip:d@e", Reason: "unknown"}, {URI: "sip:a,b@c", Reason: "unknown"}}},
		"an open quote":       {"Diversion", `"A, <sip:a@b>, <sip:c@d>`, nil},
		"the last one first": {"Diversion", `<sip:c@d;x=1>;reason="unconditional", "A, \<" <sip:a@b>;reason=User-Busy;privacy=off;screen=no`, redirects{
			{URI: "sip:a@b", Reason: "user busy", Presentation: "off", Screening: "no"},
			{URI: "sip:c@d;x=1", Reason: "deflection immediate response"}}},
		"history, not diverted": {"History-Info", "<sip:a@b>;index=1", nil},
		"history": {"History-Info", "<sip:a@b?Reason=SIP%3Bcause%3D408%3Btext%3D%22late%22&Privacy=none>;index=1, <sip:c@d;cause=302>;index=1.1, <sip:e@f;cause=486>;index=1.2", redirects{
			{URI: "sip:a@b", Reason: "no reply"}, {URI: "sip:c@d;cause=302", Reason: "user busy"}}},
		"history that is garbled": {"History-Info", "<sip:a@b?Reason=%zz>;index=1, <sip:c@d>", redirects{{URI: "sip:a@b", Reason: "unknown"}}},
	} {
		got := redirectsOf([]interpreter.Pair{{Name: "From", Value: "<sip:x@y>"}, {Name: c.header, Value: c.value}})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// aai goes to the far end, and comes from it, in User-to-User (CAL-4).
func TestAAI(t *testing.T) {
	for _, aai := range []string{"hello; world=1", `quotes " and, commas`, "Grüße", "a"} {
		if got := aaiOf(userToUser(aai)); got != aai {
			t.Errorf("%q: %q by %s", aai, got, userToUser(aai))
		}
	}
	for header, want := range map[string]string{
		"":                             "",
		"0468656c6c6f":                 "hello",
		"68656c6c6f;encoding=HEX":      "hello",
		"0068656c6c6f;purpose=x":       "hello",
		`"plain text";encoding=text`:   "plain text",
		"not hex":                      "not hex",
		"ff00;encoding=hex":            "ff00",
		"04;encoding=hex;content=text": "",
	} {
		if got := aaiOf(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
