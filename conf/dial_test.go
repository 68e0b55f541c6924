package conf_test

import (
	"errors"
	"strings"
	"testing"

	"ccxmld/conf"
)

func dial(t testing.TB, routes string) conf.Dial {
	t.Helper()
	return load(t, conf.Source{Flags: flags(t, "--dial-routes="+routes)}).Dial
}

func TestDialString(t *testing.T) {
	d := dial(t, `
- {match: 'tel:\+1(\d{3})(\d{7})', dial: 'sofia/gateway/us/$1/${2}0$$', callerid: "+14075550100"}
- {match: 'tel:9.*', dial: 'user/${number}'}
- {match: 'sips?:[^@]*@inside\.example\.org(:\d+)?', dial: 'sofia/internal/${user}@${host}'}
- {match: 'sip:outside\.example\.org', dial: 'sofia/external/${user}@${host}'}
- {match: '(sip):plain@host', dial: 'loopback/${destination}/x'}
`)
	for _, c := range []struct {
		destination, want, callerID string
		err                         error
	}{
		{"tel:+18005551212", "sofia/gateway/us/800/55512120$", "+14075550100", nil},
		{"TEL:+1-(800).555-1212;phone-context=example.org", "sofia/gateway/us/800/55512120$", "+14075550100", nil},
		{"+1 800 555 1212", "sofia/gateway/us/800/55512120$", "+14075550100", nil},
		{"tel:911", "user/911", "", nil},
		{"9*#", "user/9*#", "", nil},
		{"sip:alice@inside.example.org:5070;transport=tcp?Subject=x", "sofia/internal/alice@inside.example.org:5070", "", nil},
		{"SIPS:alice@inside.example.org", "sofia/internal/alice@inside.example.org", "", nil},
		{"sip:plain@host", "loopback/sip:plain@host/x", "", nil},
		{"tel:4072223333", "", "", conf.ErrNoRoute},
		{"sip:alice@evil.example.org", "", "", conf.ErrNoRoute},
		{"sip:alice@inside.example.org.evil.example", "", "", conf.ErrNoRoute},
		{"sip:outside.example.org", "", "", conf.ErrDestination}, // the route needs a user
		{"tel:9,execute_on_answer=x", "", "", conf.ErrDestination},
		{"tel:9${api}", "", "", conf.ErrDestination},
		{"tel:9\r\n\r\nexit", "", "", conf.ErrDestination},
		{"sip:a,b@inside.example.org", "", "", conf.ErrDestination},
		{"sip:a|b@inside.example.org", "", "", conf.ErrDestination},
		{"sip:[x=y]a@inside.example.org", "", "", conf.ErrDestination},
		{"sip:a@inside.example.org@inside.example.org", "", "", conf.ErrDestination},
		{"sip:a b@inside.example.org", "", "", conf.ErrDestination},
		{"mailto:a@inside.example.org", "", "", conf.ErrDestination},
		{"tel:", "", "", conf.ErrDestination},
		{"sip:", "", "", conf.ErrDestination},
		{"", "", "", conf.ErrDestination},
		{"tel:" + strings.Repeat("9", 600), "", "", conf.ErrDestination},
	} {
		t.Run(c.destination, func(t *testing.T) {
			got, err := d.String(c.destination)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if got.Text != c.want || got.CallerID != c.callerID {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestNoDialRoutes(t *testing.T) {
	if _, err := load(t, conf.Source{}).Dial.String("tel:1"); !errors.Is(err, conf.ErrNoRoute) {
		t.Errorf("got %v", err)
	}
}

// FuzzDialString: whatever a document dials, nothing with a meaning to
// FreeSWITCH gets out of it into a dial string.
func FuzzDialString(f *testing.F) {
	for _, seed := range []string{"tel:+1(407)222-3333", "sip:a@b:5060;x=y?z", "9", "sip:{a=b}c@d", "sips:%00@h"} {
		f.Add(seed)
	}
	d := dial(f, `[{match: 'tel:(.*)', dial: '$1'}, {match: 'sips?:(.*)', dial: '${user}@${host}/$1'}]`)
	f.Fuzz(func(t *testing.T, uri string) {
		got, err := d.String(uri)
		if (err == nil) != (got.Text != "") {
			t.Errorf("%q with error %v", got.Text, err)
		}
		if strings.ContainsAny(got.Text, "{}[]<>|,&^'\"$\\ \r\n\t\x00") {
			t.Errorf("%q became %q", uri, got.Text)
		}
	})
}

func TestDocumentRoutes(t *testing.T) {
	c := load(t, conf.Source{Flags: flags(t, `--documents-routes=[
		{destination: '1\d|99', context: public, uri: 'http://h/a'},
		{destination: '1\d', uri: 'http://h/b'}, {context: 'in.*', uri: 'http://h/c'}]`)})
	for _, r := range []struct{ destination, context, want string }{
		{"12", "public", "http://h/a"},
		{"99", "public", "http://h/a"},
		{"12", "other", "http://h/b"},
		{"123", "public", ""}, // a pattern is for the whole number
		{"999", "public", ""}, // also around an alternative
		{"123", "inside", "http://h/c"},
		{"", "", ""},
	} {
		got, ok := c.Documents.URI(r.destination, r.context)
		if got != r.want || ok != (r.want != "") {
			t.Errorf("%s in %s: %q %v, want %q", r.destination, r.context, got, ok, r.want)
		}
	}
}
