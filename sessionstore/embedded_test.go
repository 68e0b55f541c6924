package sessionstore_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ccxmld/sessionstore"
)

// miniredis does not age its keys by itself: the store's ticker has to.
func TestLeasesExpireInTheEmbeddedRedis(t *testing.T) {
	c := newClock()
	s := open(t, options("", c))
	other := open(t, options("redis://"+s.Address(), newClock()))
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
	c.Advance(60 * time.Second)
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
	if !strings.Contains(log.String(), s.Address()) || !strings.Contains(log.String(), "redis-cli -p ") {
		t.Errorf("the log does not say where it is: %s", log.String())
	}
}
