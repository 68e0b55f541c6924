package remote_test

import (
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
		"[::1]:80":                   "::/64",
		"pipe":                       "pipe",
		"":                           "",
	} {
		if got := remote.Counted(text); got != want {
			t.Errorf("%q counts for %q, want %q", text, got, want)
		}
	}
}
