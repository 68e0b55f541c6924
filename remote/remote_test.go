package remote_test

import (
	"net/netip"
	"testing"

	"ccxmld/remote"
)

func TestCounted(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7:1234":             "192.0.2.7",
		"[::ffff:192.0.2.7]:1234":    "192.0.2.7",
		"[2001:db8:1:2:3::4]:80":     "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::9]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":          "fe80::/64",
		"[::1]:80":                   "loopback",
		"127.0.0.1:80":               "loopback",
		"127.9.8.7:80":               "loopback",
		"[::ffff:127.0.0.1]:80":      "loopback",
		"[::2]:80":                   "::/64",
		"pipe":                       "pipe",
		"":                           "",
	} {
		if got := remote.Counted(text); got != want {
			t.Errorf("%q counts for %q, want %q", text, got, want)
		}
	}
}

// TestWithin: an IPv4 address in IPv6 and one with a zone are in the networks that they
// are in without.
func TestWithin(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fe80::/64")}
	for text, want := range map[string][2]bool{
		"192.0.2.7:1":          {false, true},
		"[::ffff:192.0.2.7]:1": {false, true},
		"[fe80::1%eth0]:1":     {false, true},
		"[fe80:0:0:1::1%1]:1":  {false, false},
		"198.51.100.1:1":       {false, false},
		"127.0.0.9:1":          {true, false},
		"[::1]:1":              {true, false},
		"[::ffff:127.0.0.1]:1": {true, false},
		"192.0.2.7":            {false, false},
		"evil:1":               {false, false},
		"":                     {false, false},
	} {
		if loopback, listed := remote.Within(text, networks); loopback != want[0] || listed != want[1] {
			t.Errorf("%q: %v, %v", text, loopback, listed)
		}
	}
}
