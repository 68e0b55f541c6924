package sessionstore_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ccxmld/clock"
	"ccxmld/clock/clocktest"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// TestMain finds goroutines that are left; that of go-redis which tries a server that is
// gone ends a second after its client.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// newClock returns a time that only a test moves: advancing it does what is due
// before it returns.
func newClock() *clock.Manual {
	return clock.NewManual(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
}

const writeEvery = 200 * time.Millisecond

func options(url string, c clock.Clock) sessionstore.Options {
	return sessionstore.Options{URL: url, Lease: 15 * time.Second, WriteEvery: writeEvery, Clock: clocktest.Of(c)}
}

func open(t testing.TB, o sessionstore.Options) *sessionstore.Store {
	t.Helper()
	s, err := sessionstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a second close in tests that close it themselves
	return s
}

// controller opens a store with a registered controller, whose writer runs only
// when the test ticks its clock.
func controller(t testing.TB, url, id string) (*sessionstore.Store, *clock.Manual) {
	t.Helper()
	c := newClock()
	s := open(t, options(url, c))
	err := s.Register(t.Context(), sessionstore.Controller{
		ID: id, Host: "host-" + id, PID: 4711, Version: "1.0", Address: "10.0.0.1:8084", Started: c.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func flush(t testing.TB, s *sessionstore.Store) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func sampleSession(id string) sessionstore.Session {
	return sessionstore.Session{
		ID: id, Document: "file:///etc/ccxmld/outbound.ccxml", PostEvent: "http.post", State: "dialing", Parent: "p1",
		Startup: "newsession", Token: sessionstore.Fingerprint("secret"),
		Started:     time.Date(2026, 11, 21, 12, 0, 0, 123e6, time.UTC),
		Connections: []string{"c1", "c2"}, Dialogs: []string{"d1"}, Conferences: []string{"conference:x"},
	}
}

func TestSessionRoundTrip(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		b, _ := controller(t, server.URL, "b")
		want := sampleSession("s1")
		a.SaveSession(want)
		flush(t, a)

		got, ok, err := b.Session(t.Context(), "s1")
		if err != nil || !ok {
			t.Fatalf("Session = %v, %v", ok, err)
		}
		if got.Controller != "a" || got.State != "dialing" || got.Document != want.Document || got.PostEvent != want.PostEvent ||
			!got.Started.Equal(want.Started) || !slices.Equal(got.Connections, want.Connections) ||
			!slices.Equal(got.Dialogs, want.Dialogs) || !slices.Equal(got.Conferences, want.Conferences) ||
			got.Parent != "p1" || got.Startup != "newsession" || got.Token != want.Token {
			t.Errorf("read %+v, wrote %+v", got, want)
		}
		if owner, ok, err := b.Owner(t.Context(), "s1"); owner != "a" || !ok || err != nil {
			t.Errorf("Owner = %q, %v, %v", owner, ok, err)
		}

		want.State, want.Connections = "done", nil
		a.SaveSession(want)
		flush(t, a)
		got, _, _ = b.Session(t.Context(), "s1")
		if got.State != "done" || len(got.Connections) != 0 {
			t.Errorf("after a change: %+v", got)
		}

		a.EndSession("s1")
		flush(t, a)
		if _, ok, err := b.Session(t.Context(), "s1"); ok || err != nil {
			t.Errorf("an ended session is still there: %v, %v", ok, err)
		}
		if a.Stats().Live != 0 {
			t.Errorf("an ended session is still in the table: %+v", a.Stats())
		}
	})
}

func TestSessionsOfAllControllers(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		b, _ := controller(t, server.URL, "b")
		want := map[string]string{}
		for i := range 600 { // more than one pipeline
			id := "s" + string(rune('A'+i%26)) + strings.Repeat("x", i/26)
			store, owner := a, "a"
			if i%2 == 1 {
				store, owner = b, "b"
			}
			store.SaveSession(sampleSession(id))
			want[id] = owner
		}
		flush(t, a)
		flush(t, b)
		for session, err := range a.Sessions(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if want[session.ID] != session.Controller {
				t.Errorf("session %s is listed for %q, belongs to %q", session.ID, session.Controller, want[session.ID])
			}
			delete(want, session.ID)
		}
		if len(want) != 0 {
			t.Errorf("%d sessions are not listed", len(want))
		}
		for range a.Sessions(t.Context()) {
			break // an early end must be harmless
		}
	})
}

// A short session must cost Redis nothing, and repeated saves one write.
func TestWritesAreCoalesced(t *testing.T) {
	server := redistest.Real(t)
	a, _ := controller(t, server.URL, "a")
	if err := server.Client().ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	a.SaveSession(sampleSession("short"))
	a.EndSession("short")
	for i := range 10 {
		s := sampleSession("long")
		s.State = strings.Repeat("i", i)
		a.SaveSession(s)
	}
	flush(t, a)
	s := sampleSession("long")
	s.State = strings.Repeat("i", 9)
	a.SaveSession(s) // changes nothing
	flush(t, a)
	a.EndSession("never begun")
	flush(t, a)

	stats, err := server.Client().Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stats, "cmdstat_hset:calls=1,") {
		t.Errorf("want exactly one HSET:\n%s", stats)
	}
	if strings.Contains(stats, "cmdstat_del:") {
		t.Errorf("a session that was never written was deleted:\n%s", stats)
	}
}

func TestHostileIDs(t *testing.T) {
	server := redistest.Mini(t)
	a, _ := controller(t, server.URL, "a")
	for _, id := range []string{"", "a}b", "{", "a b", "a\nb", "é", strings.Repeat("x", 1<<20)} {
		a.SaveSession(sampleSession(id))
		if _, ok, err := a.Session(t.Context(), id); ok || err != nil {
			t.Errorf("Session(%.20q) = %v, %v", id, ok, err)
		}
		if _, ok, err := a.Owner(t.Context(), id); ok || err != nil {
			t.Errorf("Owner(%.20q) = %v, %v", id, ok, err)
		}
	}
	if got := a.Stats(); got.Live != 0 || got.Dropped != 7 {
		t.Errorf("stats = %+v, want all dropped", got)
	}
}

func TestTableIsBounded(t *testing.T) {
	server := redistest.Mini(t)
	c := newClock()
	o := options(server.URL, c)
	o.MaxSessions = 2
	s := open(t, o)
	for _, id := range []string{"1", "2", "3", "1"} {
		s.SaveSession(sampleSession(id))
	}
	if got := s.Stats(); got.Live != 2 || got.Dropped != 1 {
		t.Errorf("stats = %+v, want 2 live and 1 dropped", got)
	}
}

func TestLeases(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, aClock := controller(t, server.URL, "a")
		b, _ := controller(t, server.URL, "b")
		a.SaveSession(sampleSession("of-a"))
		b.SaveSession(sampleSession("of-b"))
		flush(t, a)
		flush(t, b)
		alive := func() map[string]bool {
			t.Helper()
			list, err := a.Controllers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m := map[string]bool{}
			for _, c := range list {
				m[c.ID] = c.Alive
			}
			return m
		}
		if got := alive(); !got["a"] || !got["b"] {
			t.Fatalf("alive = %v, want both", got)
		}
		// Only a goes on renewing.
		for range 2 {
			server.Advance(t, 9*time.Second)
			aClock.Advance(9 * time.Second)
		}
		if got := alive(); !got["a"] || got["b"] || len(got) != 2 {
			t.Fatalf("alive = %v, want a alive and b dead", got)
		}
		if _, ok, _ := a.Session(t.Context(), "of-b"); !ok {
			t.Error("the record of a dead controller's session is gone before a survivor can read it")
		}
		for range 65 { // ten minutes after its last renewal
			server.Advance(t, 9*time.Second)
			aClock.Advance(9 * time.Second)
		}
		if got := alive(); len(got) != 1 || !got["a"] {
			t.Errorf("alive = %v, want b forgotten", got)
		}
		if _, ok, _ := a.Session(t.Context(), "of-b"); ok {
			t.Error("the record of a dead controller's session does not expire")
		}
		if _, ok, _ := a.Session(t.Context(), "of-a"); !ok {
			t.Error("the record of a living controller's session expired")
		}
	})
}

// Controller details are what an operator reads.
func TestControllerRecord(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, c := controller(t, server.URL, "a")
		list, err := a.Controllers(t.Context())
		want := sessionstore.Controller{
			ID: "a", Host: "host-a", PID: 4711, Version: "1.0", Address: "10.0.0.1:8084",
			Started: c.Now(), Renewed: c.Now(), Alive: true,
		}
		if err == nil && len(list) == 1 {
			want.Instance = list[0].Instance // see TestInstances
		}
		if err != nil || len(list) != 1 || list[0] != want {
			t.Errorf("controllers = %+v, %v; want %+v", list, err, want)
		}
		if err := a.Register(t.Context(), sessionstore.Controller{ID: "again"}); err == nil {
			t.Error("a second controller was registered")
		}
	})
}

func TestCloseLeavesNothingOfAnIdleController(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		a.SaveSession(sampleSession("s"))
		flush(t, a)
		a.EndSession("s") // written by Close
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if keys := server.Client().Keys(t.Context(), "*").Val(); len(keys) != 0 {
			t.Errorf("left in redis: %q", keys)
		}
		if err := a.Flush(t.Context()); err != sessionstore.ErrClosed {
			t.Errorf("Flush after Close = %v", err)
		}
	})
}

func TestCloseKeepsLiveSessionsForASurvivor(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		b, _ := controller(t, server.URL, "b")
		a.SaveSession(sampleSession("s"))
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := b.Session(t.Context(), "s"); !ok || err != nil {
			t.Errorf("Session = %v, %v", ok, err)
		}
		list, err := b.Controllers(t.Context())
		if err != nil || len(list) != 2 || list[0].Alive {
			t.Errorf("controllers = %+v, %v; want a listed as dead", list, err)
		}
	})
}

// Redis goes away and comes back empty: nothing blocks, and all is written again.
func TestRedisAwayAndBackEmpty(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, c := controller(t, server.URL, "a")
		a.SaveSession(sampleSession("before"))
		flush(t, a)
		c.Advance(2 * time.Second) // leases are renewed
		server.Stop(t)
		a.SaveSession(sampleSession("during"))
		if err := a.Flush(t.Context()); err == nil {
			t.Fatal("Flush without Redis succeeded")
		}
		if a.Healthy() {
			t.Error("healthy without Redis")
		}
		server.Start(t)
		c.Advance(2 * time.Second) // what it has lost is not missed until the next renewal
		if !a.Healthy() {
			t.Error("not healthy although Redis is back")
		}
		for _, id := range []string{"before", "during"} {
			if _, ok, err := a.Session(t.Context(), id); !ok || err != nil {
				t.Errorf("Session(%s) = %v, %v", id, ok, err)
			}
		}
		if list, err := a.Controllers(t.Context()); err != nil || len(list) != 1 || !list[0].Alive {
			t.Errorf("controllers = %+v, %v", list, err)
		}
	})
}

func TestOpenWithoutRedis(t *testing.T) {
	server := redistest.Real(t)
	server.Stop(t)
	a, c := controller(t, server.URL, "a")
	if a.Healthy() {
		t.Fatal("healthy without Redis")
	}
	a.SaveSession(sampleSession("s"))
	server.Start(t)
	c.Advance(2 * time.Second)
	if _, ok, err := a.Session(t.Context(), "s"); !ok || err != nil || !a.Healthy() {
		t.Errorf("after redis came: %v, %v, healthy %v", ok, err, a.Healthy())
	}
}

// A Redis that is there but refuses to write counts as away, whatever it answers to
// those who read, and is back when it takes what is written.
func TestARedisThatRefusesToWriteIsAway(t *testing.T) {
	server := redistest.Real(t)
	a, c := controller(t, server.URL, "a")
	ctx, redis := t.Context(), server.Client()
	port := server.URL[strings.LastIndexByte(server.URL, ':')+1:]
	for _, refusal := range []struct {
		name     string
		on, off  []any
		duration int // seconds until it is back
	}{
		{"NOREPLICAS", []any{"CONFIG", "SET", "min-replicas-to-write", "1"}, []any{"CONFIG", "SET", "min-replicas-to-write", "0"}, 2},
		{"OOM", []any{"CONFIG", "SET", "maxmemory", "1"}, []any{"CONFIG", "SET", "maxmemory", "0"}, 5},
		{"READONLY", []any{"REPLICAOF", "127.0.0.1", port}, []any{"REPLICAOF", "NO", "ONE"}, 5},
	} {
		t.Run(refusal.name, func(t *testing.T) {
			if err := redis.Do(ctx, refusal.on...).Err(); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				c.Advance(time.Second)
				if a.Healthy() {
					t.Error("healthy although Redis accepts no writes")
				}
				if _, _, err := a.Session(ctx, "s"); err != nil {
					t.Error(err)
				}
				if a.Healthy() {
					t.Error("healthy since it can be read")
				}
			}
			if err := redis.Do(ctx, refusal.off...).Err(); err != nil {
				t.Fatal(err)
			}
			for range refusal.duration {
				c.Advance(time.Second)
			}
			if !a.Healthy() {
				t.Error("not healthy although Redis accepts writes again")
			}
			c.Advance(11 * time.Second) // it is steady
		})
	}
}

// TestAQuietRedisIsProbed: that Redis is away is known within a second or two,
// though nobody asks it for anything.
func TestAQuietRedisIsProbed(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, c := controller(t, server.URL, "a")
		server.Stop(t)
		c.Advance(time.Second)
		c.Advance(time.Second)
		if a.Healthy() {
			t.Error("nobody has noticed")
		}
		server.Start(t)
	})
}

// TestEverythingExpires: whatever is written, nothing stays for ever but the index of
// controllers, also if the process is killed right after.
func TestEverythingExpires(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		controller(t, server.URL, "b")
		a.SaveSession(sampleSession("s1"))
		a.PutText("h", []byte("text"))
		a.SaveState("s1", 1, []byte("state"), []string{"h"})
		flush(t, a)
		if err := a.Post(t.Context(), "b", sessionstore.Mail{Kind: "send", Session: "s1", Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		if forever := redistest.Forever(t, server); !slices.Equal(forever, []string{"ccxml:controllers"}) {
			t.Errorf("without an end: %q", forever)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := controller(t, server.URL, "a")
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					id := string(rune('a'+g)) + strings.Repeat("i", i)
					a.SaveSession(sampleSession(id))
					if i%10 == 0 {
						if err := a.Flush(context.Background()); err != nil {
							t.Error(err)
						}
					}
					if i%2 == 0 {
						a.EndSession(id)
					}
				}
			})
		}
		wg.Wait()
		flush(t, a)
		n := 0
		for _, err := range a.SessionsOf(t.Context(), "a") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 8*25 || a.Stats().Live != n {
			t.Errorf("%d sessions in redis, %d in the table, want %d", n, a.Stats().Live, 8*25)
		}
	})
}
