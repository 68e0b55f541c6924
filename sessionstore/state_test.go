package sessionstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// TestSaveStateNow: Redis has the state and its text when it returns, in one round trip;
// those that wait meanwhile share the next one.
func TestSaveStateNow(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, b := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
		a.PutText("h", []byte("text"))
		save := func(id, state string) {
			t.Helper()
			if err := a.SaveStateNow(t.Context(), id, 1, []byte(state), []string{"h"}); err != nil {
				t.Error(err)
			}
		}
		save("s0", "zero") // the server learns the script
		counted := countTrips(a.Store)
		a.SaveSession(sampleSession("s1"))
		save("s1", "one")
		save("s1", "two")
		if n := counted.all.Load(); n != 2 {
			t.Errorf("%d round trips for two", n)
		}
		hold := make(chan struct{})
		counted.hold.Store(&hold)
		var all sync.WaitGroup
		all.Go(func() { save("s2", "first") })
		redistest.Eventually(t, "the first is under way", func() bool { return counted.all.Load() == 3 })
		for i := range 20 {
			all.Go(func() { save(fmt.Sprint("many", i), "state") })
		}
		redistest.Eventually(t, "the others wait", func() bool { return a.Stats().Waiting == 20 })
		counted.hold.Store(nil)
		close(hold)
		all.Wait()
		if n := counted.all.Load(); n != 4 {
			t.Errorf("%d round trips, want 4", n)
		}
		if got := b.claim(t, "s1", "a"); string(got.State) != "two" || got.Session.State != "dialing" {
			t.Errorf("claimed: %+v", got)
		}
		if got := b.claim(t, "many7", "a"); string(got.State) != "state" {
			t.Errorf("claimed: %+v", got)
		}
		if text, ok, err := b.Text(t.Context(), "h"); string(text) != "text" || !ok || err != nil {
			t.Errorf("the text: %q %v %v", text, ok, err)
		}
		a.EndSession("s0")
		if err := a.SaveStateNow(t.Context(), "s0", 1, []byte("late"), nil); err == nil || errors.Is(err, sessionstore.ErrLost) {
			t.Errorf("the state of an ended session: %v", err)
		}
		server.Stop(t)
		if err := a.SaveStateNow(t.Context(), "s2", 1, []byte("lost"), nil); err == nil {
			t.Error("saved without Redis")
		}
		if a.Healthy() {
			t.Error("healthy without Redis")
		}
		server.Start(t)
		a.clock.Advance(2 * time.Second)
		if got := b.claim(t, "s2", "a"); string(got.State) != "lost" {
			t.Errorf("after Redis is back: %+v", got)
		}
	})
}

// TestStatesAreRenewed: states and texts live as long as their sessions, and are written
// again where Redis has lost one of them.
func TestStatesAreRenewed(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, b := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
		a.PutText("h", []byte("text"))
		a.SaveSession(sampleSession("s"))
		a.SaveState("s", 1, []byte("state"), []string{"h"})
		flush(t, a.Store)
		pass := func(d time.Duration) {
			t.Helper()
			for range d / (10 * time.Second) {
				server.Advance(t, 10*time.Second)
				a.clock.Advance(10 * time.Second)
			}
		}
		there := func(when string) {
			t.Helper()
			if keys := append(keysOf(t, server, "session:{s}"), keysOf(t, server, "text")...); !slices.Equal(keys,
				[]string{"ccxml:session:{s}", "ccxml:session:{s}:state", "ccxml:text:h"}) {
				t.Errorf("%s: %q", when, keys)
			}
			if ids := a.ids(t, "a"); !slices.Equal(ids, []string{"s"}) {
				t.Errorf("%s: the set is %q", when, ids)
			}
		}
		pass(20 * time.Minute) // twice as long as they last
		there("after 20 minutes")
		for _, key := range []string{"ccxml:session:{s}", "ccxml:session:{s}:state", "ccxml:text:h", "ccxml:controller:{a}:sessions"} {
			if err := server.Client().Del(t.Context(), key).Err(); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
			there("without " + key)
		}
		if err := server.Client().Del(t.Context(), "ccxml:session:{s}").Err(); err != nil {
			t.Fatal(err)
		}
		a.SaveState("s", 1, []byte("newer"), []string{"h"})
		flush(t, a.Store)
		there("a state was written without its record")
		got := b.claim(t, "s", "a")
		if text, _, err := b.Text(t.Context(), "h"); string(text) != "text" || string(got.State) != "newer" || got.Document == "" || err != nil {
			t.Errorf("claimed %+v with %q, %v", got, text, err)
		}
	})
}

// jumping is a clock whose time can jump, as it does for a process that was stopped.
type jumping struct {
	*clock.Manual
	ahead time.Duration
}

func (j *jumping) Now() time.Time { return j.Manual.Now().Add(j.ahead) }

// TestAControllerThatWasStopped asks at once, when it goes on after its lease is over,
// whose its sessions are.
func TestAControllerThatWasStopped(t *testing.T) {
	server := redistest.Mini(t)
	b, c := newDurable(t, server.URL, "b"), &jumping{Manual: newClock()}
	o := options(server.URL, c)
	var lost []string
	o.Lost = func(id string) { lost = append(lost, id) }
	a := open(t, o)
	if err := a.Register(t.Context(), sessionstore.Controller{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"s1", "s2"} {
		a.SaveSession(sampleSession(id))
	}
	flush(t, a)
	c.Advance(time.Second) // leases are renewed
	b.claim(t, "s2", "a")
	c.Advance(2 * time.Second)
	if len(lost) != 0 {
		t.Fatalf("lost already: %q", lost)
	}
	c.ahead = 16 * time.Second
	c.Advance(writeEvery)
	if !slices.Equal(lost, []string{"s2"}) {
		t.Errorf("lost: %q", lost)
	}
}

// TestAStateThatIsTooLarge is not written, takes the older one away, and is said once.
func TestAStateThatIsTooLarge(t *testing.T) {
	server := redistest.Mini(t)
	c := newClock()
	o := options(server.URL, c)
	var log bytes.Buffer
	o.MaxState, o.Logger = 100, slog.New(slog.NewTextHandler(&log, nil))
	a, b := open(t, o), newDurable(t, server.URL, "b")
	if err := a.Register(t.Context(), sessionstore.Controller{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("x"), 101)
	a.SaveState("s", 1, []byte("small"), []string{"h"})
	flush(t, a)
	for range 3 {
		a.SaveState("s", 1, large, []string{"h"})
		flush(t, a)
	}
	if err := a.SaveStateNow(t.Context(), "s", 1, large, nil); !errors.Is(err, sessionstore.ErrStateTooLarge) {
		t.Errorf("saved: %v", err)
	}
	if n := strings.Count(log.String(), "too large"); n != 1 || a.Stats().TooLarge != 4 {
		t.Errorf("said %d times: %s", n, &log)
	}
	if keys := keysOf(t, server, ":state"); len(keys) != 0 {
		t.Errorf("the older one is still there: %q", keys)
	}
	a.SaveState("s", 1, []byte("small again"), nil)
	flush(t, a)
	if got := b.claim(t, "s", "a"); string(got.State) != "small again" {
		t.Errorf("claimed: %+v", got)
	}
}

// TestStatesThatCannotBeRead: whatever lies in Redis, the session is claimed without a
// state.
func TestStatesThatCannotBeRead(t *testing.T) {
	server := redistest.Mini(t)
	a, b := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
	for i, packed := range []string{"d", "dgarbage", "z", "\x00"} {
		id := fmt.Sprint("s", i)
		a.SaveState(id, 1, []byte("state"), nil)
		flush(t, a.Store)
		if err := server.Client().Set(t.Context(), "ccxml:session:{"+id+"}:state", packed, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		if got := b.claim(t, id, "a"); got.State != nil {
			t.Errorf("%q: %q", packed, got.State)
		}
		if err := server.Client().Set(t.Context(), "ccxml:text:"+id, packed, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Text(t.Context(), id); err == nil {
			t.Errorf("the text %q was read", packed)
		}
	}
}

// TestLargeStatesGoApart: many large states make several requests, not one that Redis has
// no room for.
func TestLargeStatesGoApart(t *testing.T) {
	a := newDurable(t, redistest.Real(t).URL, "a")
	flush(t, a.Store)
	counted := countTrips(a.Store)
	for i := range 8 {
		a.SaveState(fmt.Sprint("s", i), 1, bytes.Repeat([]byte("x"), 3<<20), nil)
	}
	flush(t, a.Store)
	if n := counted.all.Load(); n < 4 || n > 5 { // the server may have to learn the script
		t.Errorf("%d round trips for 24 MiB", n)
	}
}
