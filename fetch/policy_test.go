package fetch

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestPolicy(t *testing.T) {
	p, err := newPolicy(Options{Allow: []string{"http://good.example/apps/", "https://Good.example", "http://pbx.example:8080/a", "file:///srv/apps"}})
	if err != nil {
		t.Fatal(err)
	}
	for uri, allowed := range map[string]bool{
		"http://good.example/apps/x.ccxml?a=b":     true,
		"http://GOOD.example:80/apps":              true,
		"http://good.example./apps/x":              true,
		"http://good.example/apps//x":              true,
		"https://good.example/anything":            true,
		"https://good.example:443":                 true,
		"http://pbx.example:8080/a/b":              true,
		"file:///srv/apps/x.ccxml":                 true,
		"file://localhost/srv/apps/x.ccxml":        true,
		"http://good.example/appsx":                false,
		"http://good.example/":                     false,
		"http://good.example/apps/../secret":       false,
		"http://good.example/apps/%2e%2e/secret":   false,
		"http://good.example/apps/..%2fsecret":     false,
		"http://good.example/apps/..%5Csecret":     false,
		"http://good.example/apps/%2e%2E%2fsecret": false,
		"http://good.example.evil/apps/x":          false,
		"http://good.example/apps/..;/secret":      false,
		"http://good.example/apps/..;a=b/secret":   false,
		"http://good.example/apps/..%3b/secret":    false,
		"http://good.example/apps/..%253B/secret":  false,
		"http://good.example/apps/.;/x":            false,
		"http://good.example/apps/%252e%252e/x":    false,
		"http://good.example/apps/%25252e./x":      false,
		"http://good.example/apps/..%252fsecret":   false,
		"http://good.example/apps/..%255csecret":   false,
		"http://good.example/apps/..\\secret":      false,
		"http://good.example/apps/..":              false,
		"http://good.example/apps/a;b=..;c/x":      true,
		"http://good.example/apps/...;/x":          true,
		"http://good.example/apps/a..b/100%25":     true,
		"file:///srv/apps/..;/x":                   false,
		"file:///srv/apps/%252e%252e/x":            false,
		"http://good.example@evil/apps/x":          false,
		"http://evil@good.example/apps/x":          false,
		"http://good.example:81/apps/x":            false,
		"http://evil/http://good.example/apps/":    false,
		"http://evil#@good.example/apps/":          false,
		"http://evil\\@good.example/apps/":         false,
		"http:good.example/apps/":                  false,
		"//good.example/apps/x":                    false,
		"ftp://good.example/apps/x":                false,
		"file:///srv/appsx":                        false,
		"file:///srv/apps/../../etc/passwd":        false,
		"file:///etc/passwd":                       false,
		"file://evil/srv/apps/x":                   false,
		"gopher:///srv/apps":                       false,
	} {
		u, err := parseURI(uri)
		if err != nil {
			if allowed {
				t.Errorf("%s: %v", uri, err)
			}
			continue
		}
		if reason := p.check(u); (reason == "") != allowed {
			t.Errorf("%s: %q", uri, reason)
		}
	}
	for _, bad := range []string{"ftp://x/", "http://u@h/", "http://h/?q", "x", "file://host/x", "http://h/%2e%2e"} {
		if _, err := newPolicy(Options{Allow: []string{bad}}); err == nil {
			t.Errorf("%s is taken as a prefix", bad)
		}
	}
}

func TestAddresses(t *testing.T) {
	const never, unnamed, always = 0, 1, 2
	for address, when := range map[string]int{
		"169.254.169.254": never, "::ffff:169.254.169.254": never, "64:ff9b::a9fe:a9fe": never, "fe80::1": never,
		"fd00:ec2::254": never, "100.100.100.200": never, "0.0.0.0": never, "::": never, "224.0.0.1": never,
		"255.255.255.255": never, "ff02::1": never, "168.63.129.16": never,
		"127.0.0.1": unnamed, "::1": unnamed, "10.1.2.3": unnamed, "192.168.1.1": unnamed, "172.16.0.1": unnamed,
		"fc00::1": unnamed, "100.64.0.1": unnamed, "::ffff:10.0.0.1": unnamed, "0.1.2.3": unnamed,
		"93.184.216.34": always, "2606:4700::1111": always,
	} {
		a := netip.MustParseAddr(address)
		if got := refusedAddress(a, true) == ""; got != (when != never) {
			t.Errorf("%s for a named host: allowed is %v", address, got)
		}
		if got := refusedAddress(a, false) == ""; got != (when == always) {
			t.Errorf("%s for any host: allowed is %v", address, got)
		}
	}
}

// FuzzPolicy checks that what is allowed is on the host and below the path, as
// net/url reads what we would send.
func FuzzPolicy(f *testing.F) {
	for _, uri := range []string{"http://good.example/apps/x", "http://good.example/apps/..%2f", "http://good.example@evil/apps/", "http://good.example/apps/%252e%252e/x", "http://good.example\\.evil/apps"} {
		f.Add(uri)
	}
	p, err := newPolicy(Options{Allow: []string{"http://good.example/apps/"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		u, err := parseURI(uri)
		if err != nil || p.check(u) != "" {
			return
		}
		sent, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q is allowed and then no URI: %v", uri, err)
		}
		resolved := sent.JoinPath() // Removes dot segments.
		if strings.TrimSuffix(strings.ToLower(sent.Hostname()), ".") != "good.example" ||
			resolved.Path != "/apps" && !strings.HasPrefix(resolved.Path, "/apps/") || sent.User != nil {
			t.Fatalf("%q is allowed: %v", uri, resolved)
		}
	})
}

func TestResolve(t *testing.T) {
	for _, test := range []struct{ base, reference, want string }{
		{"http://h/a/b.ccxml", "c.wav", "http://h/a/c.wav"},
		{"http://h/a/b.ccxml?x=1", "?y=2", "http://h/a/b.ccxml?y=2"},
		{"http://h/a/b.ccxml", "/c/../d", "http://h/d"},
		{"http://h/a/b.ccxml", "../../../d", "http://h/d"},
		{"http://h/a/", "someFile.wav?text=This is, raw. text", "http://h/a/someFile.wav?text=This%20is,%20raw.%20text"},
		{"http://h/a/", "f.wav?text=100% \"sûr\"", "http://h/a/f.wav?text=100%25%20%22s%C3%BBr%22"},
		{"http://h/a/", "f.wav?text=already%20escaped", "http://h/a/f.wav?text=already%20escaped"},
		{"http://h/a/", "f.wav?text=press # now, or #", "http://h/a/f.wav?text=press%20%23%20now,%20or%20%23"},
		{"http://h/a/", "d.vxml?x=1#form", "http://h/a/d.vxml?x=1#form"},
		{"file:///srv/my apps/x.ccxml", "y z.wav", "file:///srv/my%20apps/y%20z.wav"},
		{"http://h/a/", "null://?text=Hello you", "null://?text=Hello%20you"},
		{"", "http://h/x y", "http://h/x%20y"},
	} {
		if got, err := Resolve(test.base, test.reference); err != nil || got != test.want {
			t.Errorf("Resolve(%q, %q) is %q, %v; want %q", test.base, test.reference, got, err, test.want)
		}
	}
	for _, reference := range []string{"x.wav", "http://[::1", "", "//h/x"} {
		if got, err := Resolve("", reference); err == nil {
			t.Errorf("Resolve(\"\", %q) is %q", reference, got)
		}
	}
}
