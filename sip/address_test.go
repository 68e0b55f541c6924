package sip_test

import (
	"fmt"
	"testing"

	"ccxmld/sip"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"sip:a@b":                         "|sip|a|b",
		"SIP:a@b:5060;transport=tcp?X=y":  "|sip|a|b:5060",
		"sips:a@b":                        "|sips|a|b",
		"sip:b":                           "|sip||b",
		"tel:+1-407;phone-context=x":      "|tel|+1407|",
		"TEL:(407) 222.33":                "|tel|40722233|",
		"+1 407 222":                      "|tel|+1407222|",
		"sip:+1407;phone-context=x@b":     "|sip|+1407|b",
		`"Alice" <sip:100@x>`:             "Alice|sip|100|x",
		`Alice B. <sips:100@x;p=1>;tag=3`: "Alice B.|sips|100|x",
		`"A \"q\" <x>, \\" <sip:1@h>`:     `A "q" <x>, \|sip|1|h`,
		`<tel:+1-407>`:                    "|tel|+1407|",
		`Zoë <1>`:                         "Zoë|tel|1|",
		`"" <sip:a@b>`:                    "|sip|a|b",
		`sip:a@b;tag=1`:                   "|sip|a|b",
		"sip:[::1]:5060":                  "|sip||[::1]:5060",
		"":                                "error",
		"alice":                           "error",
		"http://x":                        "error",
		"sip:":                            "error",
		"tel:":                            "error",
		"sip:a:secret@h":                  "error",
		`"unclosed <sip:a@b>`:             "error",
		`"Alice"`:                         "error",
		`Alice <sip:a@b`:                  "error",
		`Alice`:                           "error",
	} {
		a, err := sip.Parse(text)
		got := fmt.Sprintf("%s|%s|%s|%s", a.Name, a.Scheme, a.User, a.Host)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %s, want %s (%v)", text, got, want, err)
		}
	}
	if a, _ := sip.Parse(`"A" <sip:a@b?Reason=x%3Bcause%3D302>;Reason="user-busy";privacy=full`); a.Parameters["reason"] != "user-busy" ||
		a.Parameters["privacy"] != "full" || a.Headers.Get("Reason") != "x;cause=302" || a.URI != "sip:a@b" {
		t.Errorf("%+v", a)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`"A" <sip:a@b?X=y>;tag=3`, "tel:+1-407;phone-context=x", "sip:a:b@[::1]:5;q", `"\`, "<>", "sip:@", "sips:;@:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := sip.Parse(text)
		if err == nil && a.User == "" && a.Host == "" {
			t.Errorf("%q is %+v", text, a)
		}
	})
}
