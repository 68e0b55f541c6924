package sessionstore_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/sessionstore"
)

// miniredis does not age its keys by itself: the store's ticker has to.
func TestLeasesExpireInTheEmbeddedRedis(t *testing.T) {
	c := newClock()
	s := open(t, options("", c))
	other := open(t, options(s.EmbeddedURL(), newClock()))
	err := other.Register(t.Context(), sessionstore.Controller{ID: "dies"})
	if err != nil {
		t.Fatal(err)
	}
	other.SaveSession(sampleSession("s"))
	flush(t, other)

	c.Advance(14 * time.Second)
	if list, err := s.Controllers(t.Context()); err != nil || len(list) != 1 || !list[0].Alive {
		t.Fatalf("controllers = %+v, %v; want it alive", list, err)
	}
	c.Advance(2 * time.Second)
	if list, err := s.Controllers(t.Context()); err != nil || len(list) != 1 || list[0].Alive {
		t.Fatalf("controllers = %+v, %v; want it dead", list, err)
	}
	c.Advance(10 * time.Minute)
	if _, ok, err := s.Session(t.Context(), "s"); ok || err != nil {
		t.Errorf("Session = %v, %v; want it expired", ok, err)
	}
	if got, want := s.Client().Time(t.Context()).Val(), c.Now(); !got.Equal(want) {
		t.Errorf("the time that scripts see is %v, the clock says %v", got, want)
	}
}

func TestEmbeddedRedisSaysSo(t *testing.T) {
	var log bytes.Buffer
	o := options("", newClock())
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, o)
	if !s.Healthy() {
		t.Error("the embedded redis does not answer")
	}
	if !strings.Contains(log.String(), "redis-cli -p ") {
		t.Errorf("the log does not say where it is: %s", log.String())
	}
}

// TestEmbeddedRedisAsksForPassword: other users of the machine do not get in; who reads
// the log does, with the line that stands there.
func TestEmbeddedRedisAsksForPassword(t *testing.T) {
	var log bytes.Buffer
	o := options("", newClock())
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	said := regexp.MustCompile(`REDISCLI_AUTH=(\w+) redis-cli -p (\d+)`)
	var passwords []string
	for range 2 {
		open(t, o)
		line := said.FindStringSubmatch(log.String())
		if line == nil {
			t.Fatalf("the log has no redis-cli line: %s", log.String())
		}
		log.Reset()
		passwords = append(passwords, line[1])
		for password, in := range map[string]bool{"": false, "guess": false, line[1]: true} {
			client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + line[2], Password: password, MaxRetries: -1})
			err := client.Set(t.Context(), "key", "value", 0).Err()
			if (err == nil) != in {
				t.Errorf("with the password %q: %v", password, err)
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if passwords[0] == passwords[1] || len(passwords[0]) < 20 {
		t.Errorf("passwords that can be guessed: %q", passwords)
	}
}
