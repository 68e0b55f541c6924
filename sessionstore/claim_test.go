package sessionstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// durable is a controller that notes which sessions it has lost.
type durable struct {
	*sessionstore.Store
	clock *clock.Manual

	mu   sync.Mutex
	lost []string
}

func newDurable(t testing.TB, url, id string) *durable {
	t.Helper()
	d := &durable{clock: newClock()}
	o := options(url, d.clock)
	o.Lost = d.note
	d.Store = open(t, o)
	if err := d.Register(t.Context(), sessionstore.Controller{ID: id, Host: "host", PID: 1, Address: "10.0.0.1:8084", Started: d.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	return d
}

// dead lists the controllers whose sessions are to be claimed.
func (d *durable) dead(t testing.TB) ([]sessionstore.Controller, error) {
	t.Helper()
	controllers, err := d.Controllers(t.Context())
	if err != nil {
		return nil, err
	}
	return d.Dead(t.Context(), controllers)
}

func (d *durable) note(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost = append(d.lost, id)
}

func (d *durable) hasLost() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lost)
}

// claim claims a session that must be there.
func (d *durable) claim(t testing.TB, id, from string) sessionstore.Claimed {
	t.Helper()
	claimed, ok, err := d.Claim(t.Context(), id, from)
	if !ok || err != nil {
		t.Fatalf("claim %s from %s: %v %v", id, from, ok, err)
	}
	return claimed
}

// ids are those of a controller's sessions.
func (d *durable) ids(t testing.TB, controller string) []string {
	t.Helper()
	ids, err := d.SessionIDs(t.Context(), controller)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// keysOf are the keys that have a text in them.
func keysOf(t testing.TB, server *redistest.Server, text string) []string {
	t.Helper()
	keys, err := server.Client().Keys(t.Context(), "*"+text+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// TestClaim: a survivor finds a dead controller, takes its session with record, state and
// texts, and writes on; the dead one's set loses it; in the end nothing is left.
func TestClaim(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, b := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
		state := []byte(strings.Repeat(`{"name":"value"}`, 100))
		document := []byte(strings.Repeat("<ccxml/>", 1000))
		a.PutText("h1", document)
		a.PutText("h2", []byte("x"))
		a.PutText("h3", []byte("needed by nobody"))
		a.SaveSession(sampleSession("s1"))
		a.SaveState("s1", 1, []byte("an older one"), nil)
		a.SaveState("s1", 1, state, []string{"h1", "h2"})
		flush(t, a.Store)
		if size := server.Client().StrLen(t.Context(), "ccxml:session:{s1}:state").Val(); size == 0 || size > int64(len(state))/5 {
			t.Errorf("the state of %d bytes takes %d", len(state), size)
		}
		if size := server.Client().StrLen(t.Context(), "ccxml:text:h1").Val(); size == 0 || size > 200 {
			t.Errorf("the text of %d bytes takes %d", len(document), size)
		}
		if dead, err := b.dead(t); err != nil || len(dead) != 0 {
			t.Errorf("dead while all live: %+v %v", dead, err)
		}
		server.Advance(t, 16*time.Second) // both leases are over
		b.clock.Advance(6 * time.Second)
		dead, err := b.dead(t)
		if err != nil || len(dead) != 1 || dead[0].ID != "a" {
			t.Fatalf("dead: %+v %v", dead, err)
		}
		if ids := b.ids(t, "a"); !slices.Equal(ids, []string{"s1"}) {
			t.Errorf("the dead one's sessions: %q", ids)
		}
		got := b.claim(t, "s1", dead[0].Instance)
		if got.ID != "s1" || got.Controller != "b" || got.Epoch != 2 || got.Document != sampleSession("s1").Document ||
			!bytes.Equal(got.State, state) || !slices.Equal(got.Texts, []string{"h1", "h2"}) {
			t.Errorf("claimed: %+v", got)
		}
		for hash, want := range map[string][]byte{"h1": document, "h2": []byte("x")} {
			if text, ok, err := b.Text(t.Context(), hash); !ok || err != nil || !bytes.Equal(text, want) {
				t.Errorf("text %s: %.20q %v %v", hash, text, ok, err)
			}
		}
		if _, ok, err := b.Text(t.Context(), "h3"); ok || err != nil {
			t.Errorf("a text that no session needs is written: %v", err)
		}
		if owner, _, _ := a.Owner(t.Context(), "s1"); owner != "b" {
			t.Errorf("the owner is %q", owner)
		}
		flush(t, b.Store)
		if of, by := b.ids(t, "a"), b.ids(t, "b"); len(of) != 0 || !slices.Equal(by, []string{"s1"}) {
			t.Errorf("the dead one's sessions: %q, the survivor's: %q", of, by)
		}
		if dead, err := b.dead(t); err != nil || len(dead) != 0 {
			t.Errorf("dead and with sessions after the claim: %+v %v", dead, err)
		}
		b.SaveState("s1", 2, []byte("newer"), []string{"h2"})
		flush(t, b.Store)
		c := newDurable(t, server.URL, "c")
		if got := c.claim(t, "s1", "b"); got.Epoch != 3 || string(got.State) != "newer" || !slices.Equal(got.Texts, []string{"h2"}) {
			t.Errorf("claimed from a living one: %+v", got)
		}
		c.EndSession("s1")
		flush(t, c.Store)
		if keys := keysOf(t, server, "s1"); !slices.Equal(keys, []string{"ccxml:session:{s1}"}) {
			t.Errorf("left of the session: %q", keys)
		}
		if fields := server.Client().HGetAll(t.Context(), "ccxml:session:{s1}").Val(); len(fields) != 1 || fields["epoch"] != "3" {
			t.Errorf("left of its record: %v", fields)
		}
		if forever := redistest.Forever(t, server); !slices.Equal(forever, []string{"ccxml:controllers"}) {
			t.Errorf("without an end: %q", forever)
		}
		server.Advance(t, time.Hour)
		if keys := append(keysOf(t, server, "s1"), keysOf(t, server, "text")...); len(keys) != 0 {
			t.Errorf("left after an hour: %q", keys)
		}
	})
}

// TestOneClaims: of many who claim a session at a time, on several controllers and several
// times on each, one gets it.
func TestOneClaims(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		const sessions = 50
		dead := newDurable(t, server.URL, "dead")
		for i := range sessions {
			dead.SaveSession(sampleSession(fmt.Sprint("s", i)))
			dead.SaveState(fmt.Sprint("s", i), 1, []byte{byte(i)}, nil)
		}
		flush(t, dead.Store)
		var won [sessions]atomic.Int32
		var wg sync.WaitGroup
		for _, name := range []string{"a", "b", "c"} {
			d := newDurable(t, server.URL, name)
			for range 4 {
				wg.Go(func() {
					for i := range sessions {
						claimed, ok, err := d.Claim(t.Context(), fmt.Sprint("s", i), "dead")
						if ok {
							won[i].Add(1)
						}
						// Where it is here by now, that is told.
						if err != nil && !strings.Contains(err.Error(), "has not ended here") || ok && (claimed.Epoch != 2 || claimed.Controller != name) {
							t.Errorf("claimed: %+v %v", claimed, err)
						}
					}
				})
			}
			defer func() {
				flush(t, d.Store)
				for _, id := range d.ids(t, name) {
					if owner, _, err := d.Owner(t.Context(), id); owner != name || err != nil {
						t.Errorf("%s is in the set of %s and has the controller %s (%v)", id, name, owner, err)
					}
				}
				if left := d.ids(t, "dead"); len(left) != 0 {
					t.Errorf("the dead one has %d sessions left", len(left))
				}
			}()
		}
		wg.Wait()
		for i := range won {
			if n := won[i].Load(); n != 1 {
				t.Errorf("s%d was claimed %d times", i, n)
			}
		}
	})
}

// TestTheOneBeforeIsRefused: who has lost a session writes nothing of it any more, however
// late, and is told once.
func TestTheOneBeforeIsRefused(t *testing.T) {
	for _, by := range []struct {
		name  string
		write func(t *testing.T, a *durable)
		tells bool
	}{
		{"a record", func(t *testing.T, a *durable) { a.SaveSession(sessionstore.Session{ID: "s1", State: "old"}) }, true},
		{"a state", func(t *testing.T, a *durable) { a.SaveState("s1", 1, []byte("old"), nil) }, true},
		{"a state at once", func(t *testing.T, a *durable) {
			if err := a.SaveStateNow(t.Context(), "s1", 1, []byte("old"), nil); !errors.Is(err, sessionstore.ErrLost) {
				t.Errorf("saved: %v", err)
			}
		}, true},
		{"the end", func(_ *testing.T, a *durable) { a.EndSession("s1") }, false},
		{"the renewal of leases", func(t *testing.T, a *durable) {
			if err := a.Confirm(t.Context()); err != nil {
				t.Error(err)
			}
		}, true},
	} {
		t.Run(by.name, func(t *testing.T) {
			redistest.Each(t, func(t *testing.T, server *redistest.Server) {
				a, b := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
				a.SaveSession(sampleSession("s1"))
				a.SaveState("s1", 1, []byte("old"), nil)
				flush(t, a.Store)
				b.claim(t, "s1", "a")
				b.SaveState("s1", 2, []byte("new"), nil)
				flush(t, b.Store)
				by.write(t, a)
				flush(t, a.Store)
				if by.tells { // else it has ended here, and who says more of it begins another
					a.SaveSession(sessionstore.Session{ID: "s1", State: "older still"})
					a.SaveState("s1", 1, []byte("older still"), nil)
					flush(t, a.Store)
				}
				if lost := a.hasLost(); by.tells != slices.Equal(lost, []string{"s1"}) || len(lost) > 1 {
					t.Errorf("told of the loss of %q", lost)
				}
				a.EndSession("s1")
				if a.Stats().Live != 0 {
					t.Error("a lost session that has ended is still in the table")
				}
				flush(t, a.Store)
				if of := b.ids(t, "a"); len(of) != 0 {
					t.Errorf("the one before has %q in its set", of)
				}
				if len(b.hasLost()) != 0 {
					t.Error("the new one has lost it")
				}
				c := newDurable(t, server.URL, "c")
				if got := c.claim(t, "s1", "b"); string(got.State) != "new" || got.Session.State != "dialing" {
					t.Errorf("read: %+v", got)
				}
				c.EndSession("s1")
				flush(t, c.Store)
				b.SaveState("s1", 2, []byte("late"), nil)
				flush(t, b.Store)
				if _, ok, err := c.Session(t.Context(), "s1"); ok || err != nil || !slices.Equal(b.hasLost(), []string{"s1"}) {
					t.Errorf("who wrote late has made an ended session again: %v %v, lost %q", ok, err, b.hasLost())
				}
			})
		})
	}
}

// TestClaimOfWhatIsNotThere: a session that is over, whose controller is another, that is
// here, and ids that are none.
func TestClaimOfWhatIsNotThere(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, b := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
		a.SaveSession(sampleSession("s1"))
		flush(t, a.Store)
		for _, wrong := range [][2]string{{"s2", "a"}, {"s1", "c"}, {"s1", "a another"}, {"{}", "a"}, {"s1", ""}} {
			if _, ok, err := b.Claim(t.Context(), wrong[0], wrong[1]); ok || err != nil {
				t.Errorf("claim %q: %v %v", wrong, ok, err)
			}
		}
		if _, _, err := a.Claim(t.Context(), "s1", "a"); err == nil {
			t.Error("a session that is here was claimed")
		}
		if _, _, err := open(t, options(server.URL, newClock())).Claim(t.Context(), "s1", "a"); err == nil {
			t.Error("claimed without a controller")
		}
		flush(t, b.Store)
		if ids := b.ids(t, "b"); len(ids) != 0 {
			t.Errorf("in the set of who claimed in vain: %q", ids)
		}
		if got := b.claim(t, "s1", "a"); got.State != nil || len(got.Texts) > 0 {
			t.Errorf("a session without a state: %+v", got)
		}
	})
}

// TestARestartedControllerClaimsItsOwn: with the same id, before a survivor does that has
// seen it dead.
func TestARestartedControllerClaimsItsOwn(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, survivor := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
		a.SaveSession(sampleSession("s1"))
		a.SaveState("s1", 1, []byte("state"), nil)
		flush(t, a.Store)
		server.Advance(t, 16*time.Second)
		survivor.clock.Advance(6 * time.Second)
		dead, err := survivor.dead(t)
		if err != nil || len(dead) != 1 {
			t.Fatalf("dead: %+v %v", dead, err)
		}
		again := newDurable(t, server.URL, "a")
		if ids := again.ids(t, "a"); !slices.Equal(ids, []string{"s1"}) {
			t.Errorf("left of the process before: %q", ids)
		}
		if got := again.claim(t, "s1", "a"); got.Epoch != 2 || string(got.State) != "state" {
			t.Errorf("claimed: %+v", got)
		}
		if _, ok, err := survivor.Claim(t.Context(), "s1", dead[0].Instance); ok || err != nil {
			t.Errorf("a survivor has claimed it from the restarted one: %v %v", ok, err)
		}
		flush(t, survivor.Store)
		flush(t, again.Store)
		if ids := again.ids(t, "a"); !slices.Equal(ids, []string{"s1"}) {
			t.Errorf("its sessions then: %q", ids)
		}
		a.SaveState("s1", 1, []byte("of the process before"), nil)
		flush(t, a.Store)
		if !slices.Equal(a.hasLost(), []string{"s1"}) {
			t.Errorf("the process before has lost %q", a.hasLost())
		}
	})
}

// TestAClaimThatRedisHasLost: a failover forgot it. Who had claimed the session has it still,
// as long as nobody else claims it; of two with the same epoch, the one that Redis knows has
// it.
func TestAClaimThatRedisHasLost(t *testing.T) {
	for _, by := range []string{"a state", "the renewal of leases"} {
		t.Run(by, func(t *testing.T) {
			redistest.Each(t, func(t *testing.T, server *redistest.Server) {
				write := func(s *durable) {
					t.Helper()
					if by == "a state" {
						s.SaveState("s", 2, []byte("by the claim"), nil)
					} else if err := s.Confirm(t.Context()); err != nil {
						t.Fatal(err)
					}
					flush(t, s.Store)
				}
				a, b, c := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b"), newDurable(t, server.URL, "c")
				a.SaveSession(sampleSession("s"))
				a.SaveState("s", 1, []byte("state"), nil)
				flush(t, a.Store)
				record := server.Client().HGetAll(t.Context(), "ccxml:session:{s}").Val()
				restore := func() {
					t.Helper()
					if err := server.Client().HSet(t.Context(), "ccxml:session:{s}", record).Err(); err != nil {
						t.Fatal(err)
					}
				}
				b.claim(t, "s", "a")
				restore()
				write(b)
				if owner, _, _ := c.Owner(t.Context(), "s"); owner != "b" || len(b.hasLost()) != 0 {
					t.Errorf("the owner is %s, lost: %q", owner, b.hasLost())
				}
				restore()
				if got := c.claim(t, "s", "a"); got.Epoch != 2 {
					t.Fatalf("claimed: %+v", got)
				}
				write(b)
				write(c)
				if !slices.Equal(b.hasLost(), []string{"s"}) || len(c.hasLost()) != 0 {
					t.Errorf("lost by the first: %q, by the second: %q", b.hasLost(), c.hasLost())
				}
			})
		})
	}
}

// TestAStateOfANewerVersion is left to a controller that can read it.
func TestAStateOfANewerVersion(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		stores := make(map[string]*sessionstore.Store)
		for name, version := range map[string]int{"new": 2, "old": 1, "newer": 3} {
			o := options(server.URL, newClock())
			o.StateVersion = version
			stores[name] = open(t, o)
			if err := stores[name].Register(t.Context(), sessionstore.Controller{ID: name}); err != nil {
				t.Fatal(err)
			}
		}
		stores["new"].SaveState("s", 1, []byte("state"), nil)
		flush(t, stores["new"])
		if _, ok, err := stores["old"].Claim(t.Context(), "s", "new"); ok || err != nil {
			t.Errorf("claimed by an older one: %v %v", ok, err)
		}
		flush(t, stores["old"])
		for name, want := range map[string]int{"new": 1, "old": 0} {
			if ids, err := stores["old"].SessionIDs(t.Context(), name); len(ids) != want || err != nil {
				t.Errorf("sessions of %s: %q %v", name, ids, err)
			}
		}
		if got, ok, err := stores["newer"].Claim(t.Context(), "s", "new"); !ok || err != nil || string(got.State) != "state" {
			t.Errorf("claimed by a newer one: %+v %v %v", got, ok, err)
		}
	})
}

// TestOneBadKeyHoldsUpNobody: a record that cannot be written, as its key is of another
// kind, keeps none of those from being written that go with it.
func TestOneBadKeyHoldsUpNobody(t *testing.T) {
	server := redistest.Real(t)
	a := newDurable(t, server.URL, "a")
	if err := server.Client().Set(t.Context(), "ccxml:session:{s50}", "garbage", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		a.SaveSession(sampleSession(fmt.Sprint("s", i)))
	}
	if err := a.Flush(t.Context()); err == nil {
		t.Error("the bad key was written")
	}
	if n := len(keysOf(t, server, "session:{")); n != 100 || a.Stats().Waiting != 1 {
		t.Errorf("%d keys, %d wait", n, a.Stats().Waiting)
	}
}

// TestALongRunLeavesNothing: of 1,000 sessions that have lived and ended, half of them
// after a claim, what stays are the controllers, epochs for an hour, and a text that ends
// by itself.
func TestALongRunLeavesNothing(t *testing.T) {
	server := redistest.Real(t)
	a, b := newDurable(t, server.URL, "a"), newDurable(t, server.URL, "b")
	a.PutText("h", []byte("text"))
	for round := range 10 {
		for i := range 100 {
			id := fmt.Sprint("s", round, "-", i)
			a.SaveSession(sampleSession(id))
			a.SaveState(id, 1, []byte("state"), []string{"h"})
		}
		flush(t, a.Store)
		for i := range 100 {
			id := fmt.Sprint("s", round, "-", i)
			if i%2 == 0 {
				b.claim(t, id, "a")
				b.EndSession(id)
			}
		}
		if err := a.Confirm(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			a.EndSession(fmt.Sprint("s", round, "-", i))
		}
		flush(t, a.Store)
		flush(t, b.Store)
	}
	if n := len(keysOf(t, server, "session:{")); n != 500 {
		t.Errorf("%d keys of sessions, want the epochs of those that were claimed", n)
	}
	if live := a.Stats().Live + b.Stats().Live; live != 0 || len(a.hasLost()) != 500 {
		t.Errorf("%d sessions in the tables, %d lost", live, len(a.hasLost()))
	}
	all := func() (others []string) {
		for _, key := range keysOf(t, server, "") {
			if !strings.HasPrefix(key, "ccxml:session:") && !strings.HasSuffix(key, ":lease") { // on a slow machine these are over
				others = append(others, key)
			}
		}
		return others
	}
	if keys := all(); !slices.Equal(keys, []string{
		"ccxml:controller:{a}", "ccxml:controller:{b}", "ccxml:controllers", "ccxml:health", "ccxml:text:h",
	}) {
		t.Errorf("beside them: %q", keys)
	}
	server.Advance(t, time.Hour)
	if keys := keysOf(t, server, ""); !slices.Equal(keys, []string{"ccxml:controllers"}) {
		t.Errorf("after an hour: %q", keys)
	}
}
