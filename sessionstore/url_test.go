package sessionstore_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"ccxmld/sessionstore"
)

func TestURLChoosesTheClient(t *testing.T) {
	// Nothing listens there: what matters is which client is made.
	for _, test := range []struct{ url, want string }{
		{"redis://127.0.0.1:1/2", "single"},
		{"redis://user:p%40ss@127.0.0.1:1", "single"},
		{"unix:///nonexistent/redis.sock?db=1", "single"},
		{"redis-cluster://127.0.0.1:1,127.0.0.1:2", "cluster"},
		{"redis-cluster://127.0.0.1:1", "cluster"},
		{"redis-sentinel://user:pw@127.0.0.1:1,127.0.0.1:2/mymaster?db=3", "sentinel"},
	} {
		s := open(t, options(test.url, newClock()))
		got := "cluster"
		if c, ok := s.Client().(*redis.Client); ok {
			got = "single"
			if c.Options().Addr == "FailoverClient" {
				got = "sentinel"
			}
		}
		if got != test.want {
			t.Errorf("%s makes a client for %s, want %s", test.url, got, test.want)
		}
		if s.Healthy() {
			t.Errorf("%s: healthy although nothing listens", test.url)
		}
	}
}

func TestBadURLs(t *testing.T) {
	for _, url := range []string{
		"localhost:6379", "http://localhost", "redis://:secret@host:port", "redis://host/secret",
		"redis://:secret@host?nonsense=1", "redis-sentinel://:secret@host:1", "redis-sentinel:///name",
		"redis-cluster://:secret@host:1/3", "redis-cluster://host:1,,host:2", "redis-cluster://a?%zz",
		"redis://:sec\x7fret@host",
	} {
		s, err := sessionstore.Open(t.Context(), sessionstore.Options{URL: url})
		if err == nil {
			_ = s.Close()
			t.Errorf("%q is accepted", url)
			continue
		}
		if strings.Contains(err.Error(), ":secret@") {
			t.Errorf("the error gives the password away: %v", err)
		}
	}
}

func TestBadPrefix(t *testing.T) {
	for _, prefix := range []string{"a{b}", "a b", "*", strings.Repeat("x", 200)} {
		s, err := sessionstore.Open(t.Context(), sessionstore.Options{Prefix: prefix})
		if err == nil {
			_ = s.Close()
			t.Errorf("prefix %q is accepted", prefix)
		}
	}
}

func FuzzURL(f *testing.F) {
	f.Add("redis-sentinel://u:p@h:1,h:2/name?db=1")
	f.Add("redis-cluster://h:1,h:2")
	f.Add("unix://x")
	f.Fuzz(func(t *testing.T, url string) {
		if o, err := sessionstore.ClientOptions(url, ""); err == nil && len(o.Addrs) == 0 {
			t.Errorf("%q gives a client without an address", url)
		}
	})
}
