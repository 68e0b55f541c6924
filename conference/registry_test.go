package conference_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ccxmld/conference"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// TestMain finds goroutines that are left; that of go-redis which tries a server that is
// gone ends a second after its client.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// byHand is a clock that tells the time and calls nothing: a test renews by hand.
type byHand struct{}

func (byHand) Now() time.Time { return time.Now() }

func (byHand) AfterFunc(time.Duration, func()) (stop func() bool) { return func() bool { return true } }

// registry opens a registry for a controller on a store of its own.
func registry(t testing.TB, url, controller string) (*conference.Registry, *sessionstore.Store) {
	t.Helper()
	return registryOn(t, sessionstore.Options{URL: url, Lease: 15 * time.Second, Clock: byHand{}}, controller)
}

func registryOn(t testing.TB, o sessionstore.Options, controller string) (*conference.Registry, *sessionstore.Store) {
	t.Helper()
	store, err := sessionstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r, err := conference.NewRegistry(store, conference.Options{Controller: controller})
	if err != nil {
		t.Fatal(err)
	}
	return r, store
}

func create(t testing.TB, r *conference.Registry, name, session string) (conference.Conference, bool) {
	t.Helper()
	c, created, err := r.CreateOrGet(t.Context(), name, session, "node1", conference.Limits{}, conference.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return c, created
}

func join(t testing.TB, r *conference.Registry, id, connection string) int {
	t.Helper()
	n, err := r.Join(t.Context(), id, conference.Member{Connection: connection, Session: "s-" + connection, Node: "node1"})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func leave(t testing.TB, r *conference.Registry, id, connection string) int {
	t.Helper()
	left, err := r.Leave(t.Context(), id, connection)
	if err != nil {
		t.Fatal(err)
	}
	return left.Size
}

func detach(t testing.TB, r *conference.Registry, id, session string) bool {
	t.Helper()
	_, destroyed, err := r.Detach(t.Context(), id, session)
	if err != nil {
		t.Fatal(err)
	}
	return destroyed
}

func renew(t testing.TB, r *conference.Registry) conference.Renewal {
	t.Helper()
	found, err := r.Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func names(t testing.TB, r *conference.Registry) string {
	t.Helper()
	var list []string
	for c, err := range r.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c.Name)
	}
	return strings.Join(list, " ")
}

func TestTwoControllersShareAConference(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		first, created := create(t, a, "1234", "s1")
		if !created || first.ID != "conference:1234" || first.Owner != "a" || first.Node != "node1" {
			t.Fatalf("created %v: %+v", created, first)
		}
		second, created := create(t, b, "1234", "s2")
		if created || second != first {
			t.Fatalf("created %v: %+v, want %+v", created, second, first)
		}
		if n := join(t, a, first.ID, "c1"); n != 1 {
			t.Errorf("size %d, want 1", n)
		}
		if n := join(t, b, first.ID, "c2"); n != 2 {
			t.Errorf("size %d, want 2", n)
		}
		if n := join(t, b, first.ID, "c2"); n != 2 {
			t.Errorf("the same leg counts twice: %d", n)
		}
		members, err := a.Members(t.Context(), first.ID)
		if err != nil || len(members) != 2 || members[1].Controller != "b" || members[1].Session != "s-c2" || members[1].Joined.IsZero() {
			t.Errorf("members = %+v, %v", members, err)
		}
		if n := leave(t, a, first.ID, "c1"); n != 1 {
			t.Errorf("size %d, want 1", n)
		}
		if detach(t, a, first.ID, "s1") {
			t.Error("destroyed although s2 is attached")
		}
		if !detach(t, b, first.ID, "s2") {
			t.Error("the last one out does not destroy")
		}
		if _, err := a.Get(t.Context(), first.ID); !errors.Is(err, conference.ErrNotFound) {
			t.Errorf("Get = %v", err)
		}
		again, created := create(t, b, "1234", "s3")
		if !created || again.Epoch <= first.Epoch || again.Room == first.Room || again.ID != first.ID {
			t.Errorf("created again %v: %+v, before: %+v", created, again, first)
		}
	})
}

func TestExactlyOneCreatesAndOneDestroys(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		registries := make([]*conference.Registry, 2)
		for i := range registries {
			registries[i], _ = registry(t, server.URL, string(rune('a'+i)))
		}
		const n = 24
		for round := range 3 {
			var created, destroyed atomic.Int32
			var all, wg sync.WaitGroup
			all.Add(n)
			rooms := make([]string, n)
			for i := range n {
				wg.Go(func() {
					r, session := registries[i%2], fmt.Sprint("s", i)
					c, first, err := r.CreateOrGet(t.Context(), "room", session, "node1", conference.Limits{}, conference.Settings{})
					all.Done()
					if err != nil {
						t.Error(err)
						return
					}
					rooms[i] = c.Room
					if first {
						created.Add(1)
					}
					if _, err := r.Join(t.Context(), c.ID, conference.Member{Connection: session}); err != nil {
						t.Error(err)
					}
					all.Wait() // everybody is in before the first leaves
					if _, err := r.Leave(t.Context(), c.ID, session); err != nil {
						t.Error(err)
					}
					_, last, err := r.Detach(t.Context(), c.ID, session)
					if err != nil {
						t.Error(err)
					}
					if last {
						destroyed.Add(1)
					}
				})
			}
			wg.Wait()
			if created.Load() != 1 || destroyed.Load() != 1 {
				t.Errorf("round %d: created %d times, destroyed %d times", round, created.Load(), destroyed.Load())
			}
			for _, room := range rooms {
				if room != rooms[0] {
					t.Errorf("round %d: rooms %s and %s", round, room, rooms[0])
				}
			}
		}
		if registries[0].Held()+registries[1].Held() != 0 {
			t.Error("something is still held")
		}
	})
}

// Places that are reserved for talkers are kept from listeners, and the other way
// round, also without Redis.
func TestReservedPlaces(t *testing.T) {
	enter := func(r *conference.Registry, id, connection string, listens bool) error {
		_, err := r.Join(t.Context(), id, conference.Member{Connection: connection, Node: "node1", Listens: listens})
		return err
	}
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		limits := conference.Limits{MaxMembers: 5, Talkers: 2, Listeners: 1}
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		c, _, err := a.CreateOrGet(t.Context(), "hall", "s", "node1", limits, conference.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			at         *conference.Registry
			connection string
			listens    bool
			want       error
		}{
			{a, "l1", true, nil}, {b, "l2", true, nil}, {a, "l3", true, nil},
			{b, "l4", true, conference.ErrReserved}, // two places are the talkers'
			{b, "t1", false, nil},
			{a, "l3", true, nil}, // is in already
			{a, "l3", false, nil},
			{a, "l3", true, nil},
			{b, "t1", true, conference.ErrReserved}, // leaves a talker's place to a listener
			{a, "t2", false, nil},
			{b, "t3", false, conference.ErrFull},
			{a, "l1", false, nil}, // three talkers, two listeners
			{a, "l2", false, nil}, // four and one
			{a, "l3", false, conference.ErrReserved},
		} {
			if err := enter(step.at, c.ID, step.connection, step.listens); !errors.Is(err, step.want) {
				t.Errorf("%s, listens %v: %v, want %v", step.connection, step.listens, err, step.want)
			}
		}
	})
}

// Without Redis, a controller goes by the members that it has.
func TestReservedPlacesWithoutRedis(t *testing.T) {
	server := redistest.Real(t)
	r, _ := registry(t, server.URL, "a")
	c, _, err := r.CreateOrGet(t.Context(), "hall", "s", "", conference.Limits{MaxMembers: 3, Talkers: 1, Listeners: 1}, conference.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	for _, step := range []struct {
		member conference.Member
		want   error
	}{
		{conference.Member{Connection: "l1", Node: "node1", Listens: true}, nil},
		{conference.Member{Connection: "l2", Node: "node2", Listens: true}, conference.ErrNode},
		{conference.Member{Connection: "l2", Node: "node1", Listens: true}, nil},
		{conference.Member{Connection: "l3", Node: "node1", Listens: true}, conference.ErrReserved},
		{conference.Member{Connection: "t1", Node: "node1"}, nil},
		{conference.Member{Connection: "t2", Node: "node1"}, conference.ErrFull},
	} {
		if _, err := r.Join(t.Context(), c.ID, step.member); !errors.Is(err, step.want) {
			t.Errorf("%+v: %v, want %v", step.member, err, step.want)
		}
	}
}

// A conference whose creator had no connection is where its first member is.
func TestNodeOfFirstMember(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		c, _, err := a.CreateOrGet(t.Context(), "x", "s", "", conference.Limits{}, conference.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		join(t, b, c.ID, "c1")
		if held, err := a.Get(t.Context(), c.ID); err != nil || held.Node != "node1" {
			t.Errorf("%+v, %v", held, err)
		}
		if _, err := a.Join(t.Context(), c.ID, conference.Member{Connection: "c2", Node: "node2"}); !errors.Is(err, conference.ErrNode) {
			t.Errorf("a connection on another node: %v", err)
		}
	})
}

func TestLimits(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		c, _, err := a.CreateOrGet(t.Context(), "small", "s", "node1", conference.Limits{MaxMembers: 2}, conference.Settings{})
		if err != nil || c.Limits != (conference.Limits{MaxMembers: 2}) {
			t.Fatalf("%+v, %v", c, err)
		}
		join(t, a, c.ID, "c1")
		join(t, a, c.ID, "c2")
		if _, err := a.Join(t.Context(), c.ID, conference.Member{Connection: "c3"}); !errors.Is(err, conference.ErrFull) {
			t.Errorf("Join = %v, want full", err)
		}
		join(t, a, c.ID, "c2")
		leave(t, a, c.ID, "c1")
		join(t, a, c.ID, "c3")
	})
}

func TestAttachAndJoinByID(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		c, _ := create(t, a, "", "s1")
		if c.Name != "" || !strings.HasPrefix(c.ID, "conference:") {
			t.Errorf("unnamed: %+v", c)
		}
		if n := join(t, b, c.ID, "guest"); n != 1 { // b is not attached
			t.Errorf("size %d", n)
		}
		got, err := b.Attach(t.Context(), c.ID, "s2")
		if err != nil || got != c {
			t.Errorf("Attach = %+v, %v", got, err)
		}
		for _, id := range []string{"", "conference:", "conference:nobody", "x", "conference:{}", "conference:" + strings.Repeat("x", 1<<20)} {
			if _, err := b.Attach(t.Context(), id, "s2"); !errors.Is(err, conference.ErrNotFound) {
				t.Errorf("Attach(%.20q) = %v", id, err)
			}
			if _, err := b.Join(t.Context(), id, conference.Member{Connection: "c"}); !errors.Is(err, conference.ErrNotFound) {
				t.Errorf("Join(%.20q) = %v", id, err)
			}
			if _, _, err := b.Detach(t.Context(), id, "s2"); !errors.Is(err, conference.ErrNotFound) {
				t.Errorf("Detach(%.20q) = %v", id, err)
			}
		}
		if b.Held() != 1 {
			t.Errorf("%d held, want 1: what was refused stays", b.Held())
		}
	})
}

func TestDeadControllerIsCleanedUp(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		dies, _ := registry(t, server.URL, "dies")
		lives, _ := registry(t, server.URL, "lives")
		shared, _ := create(t, dies, "shared", "s1")
		create(t, lives, "shared", "s2")
		join(t, dies, shared.ID, "c1")
		join(t, lives, shared.ID, "c2")
		alone, _ := create(t, dies, "alone", "s3")
		var ended []conference.Ended
		for range 4 { // what is held of conferences lasts for two leases
			server.Advance(t, 9*time.Second)
			found := renew(t, lives)
			ended = append(ended, found.Ended...)
		}
		if len(ended) != 1 || ended[0].Room != alone.Room || ended[0].Node != alone.Node {
			t.Errorf("%+v have ended, want %+v: its room is to be cleared", ended, alone)
		}
		c, err := lives.Get(t.Context(), shared.ID)
		if err != nil || c.Owner != "lives" || c.Epoch <= shared.Epoch || c.Room != shared.Room {
			t.Errorf("after the owner died: %+v, %v; before: %+v", c, err, shared)
		}
		if sessions, err := lives.Sessions(t.Context(), shared.ID); err != nil || len(sessions) != 1 || sessions["s2"] != "lives" {
			t.Errorf("sessions = %v, %v", sessions, err)
		}
		if members, err := lives.Members(t.Context(), shared.ID); err != nil || len(members) != 1 || members[0].Connection != "c2" {
			t.Errorf("members = %v, %v", members, err)
		}
		if got := names(t, lives); got != "shared" {
			t.Errorf("conferences = %q, want the dead one's own gone", got)
		}
		if again, created := create(t, lives, "alone", "s4"); !created || again.Epoch <= alone.Epoch {
			t.Errorf("the dead one's name is not free: %v", created)
		}
		if !detach(t, lives, shared.ID, "s2") {
			t.Error("the last living one out does not destroy")
		}
	})
}

// The controller was only stopped for a while: it gets back what it held, and
// gives way where its conference was created again.
func TestStalledControllerComesBack(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		kept, _ := create(t, a, "kept", "s1")
		create(t, b, "kept", "s2")
		join(t, a, kept.ID, "c1")
		lost, _ := create(t, a, "lost", "s1")
		join(t, a, lost.ID, "c1")
		for range 4 { // what is held of conferences lasts for two leases
			server.Advance(t, 9*time.Second)
			renew(t, b)
		}
		newer, created := create(t, b, "lost", "s3")
		if !created {
			t.Fatal("the name was not free")
		}
		found := renew(t, a)
		if len(found.Ended) != 0 || len(found.Yielded) != 1 || found.Yielded[0].Old.Room != lost.Room ||
			found.Yielded[0].New.Room != newer.Room || len(found.Yielded[0].Members) != 1 || len(found.Yielded[0].Sessions) != 1 {
			t.Errorf("found %+v", found)
		}
		if sessions, _ := b.Sessions(t.Context(), kept.ID); sessions["s1"] != "a" || sessions["s2"] != "b" {
			t.Errorf("sessions = %v", sessions)
		}
		if sessions, _ := b.Sessions(t.Context(), lost.ID); len(sessions) != 1 || sessions["s3"] != "b" {
			t.Errorf("sessions of the newer = %v", sessions)
		}
	})
}

func TestWithoutRedis(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, store := registry(t, server.URL, "a")
		running, _ := create(t, a, "running", "s1")
		create(t, a, "running", "s2")
		join(t, a, running.ID, "c1")
		ending, _ := create(t, a, "ending", "s3")
		join(t, a, ending.ID, "c3")
		server.Stop(t)
		if err := store.Client().Ping(t.Context()).Err(); err == nil || store.Healthy() {
			t.Fatal("redis is still there")
		}

		if _, _, err := a.CreateOrGet(t.Context(), "new", "s", "node1", conference.Limits{}, conference.Settings{}); !errors.Is(err, conference.ErrUnavailable) {
			t.Errorf("a new shared name: %v", err)
		}
		private, created := create(t, a, "", "s9")
		if !created || private.Room == "" || private.ID == "" {
			t.Errorf("unnamed: %v %+v", created, private)
		}
		if _, created := create(t, a, "running", "s4"); created {
			t.Error("a running one was created again")
		}
		if n := join(t, a, running.ID, "c2"); n != 2 {
			t.Errorf("size %d, want 2", n)
		}
		if n := leave(t, a, running.ID, "c1"); n != 1 {
			t.Errorf("size %d, want 1", n)
		}
		detach(t, a, running.ID, "s1")
		detach(t, a, ending.ID, "s3")
		if _, err := a.Renew(t.Context()); !errors.Is(err, conference.ErrUnavailable) {
			t.Errorf("Renew = %v", err)
		}

		server.Start(t) // empty
		redistest.Eventually(t, "the store sees that redis is back", func() bool {
			return store.Probe(t.Context()) == nil && store.Healthy()
		})
		found := renew(t, a)
		found.Ended = append(found.Ended, renew(t, a).Ended...)
		if c, err := a.Get(t.Context(), running.ID); err != nil || c.Room != running.Room || c.Epoch != running.Epoch {
			t.Errorf("the running one is not restored: %+v, %v", c, err)
		}
		if _, err := a.Get(t.Context(), private.ID); err != nil {
			t.Errorf("the unnamed one is not registered: %v", err)
		}
		sessions, _ := a.Sessions(t.Context(), running.ID)
		members, _ := a.Members(t.Context(), running.ID)
		if len(sessions) != 2 || sessions["s1"] != "" || len(members) != 1 || members[0].Connection != "c2" {
			t.Errorf("sessions %v, members %v", sessions, members)
		}
		// c3 never left the room of the one that ended.
		leave(t, a, ending.ID, "c3")
		if got := names(t, a); strings.Contains(got, "ending") {
			t.Errorf("conferences = %q", got)
		}
	})
}

// TestEverythingExpires: whatever is done with conferences, nothing stays for ever
// but the index.
func TestEverythingExpires(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, store := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		check := func(what string) {
			t.Helper()
			if forever := redistest.Forever(t, server); len(forever) > 0 && !slices.Equal(forever, []string{"ccxml:conferences"}) {
				t.Errorf("after %s, without an end: %q", what, forever)
			}
		}
		c, _ := create(t, a, "x", "s1")
		create(t, b, "x", "s2")
		check("attaching")
		join(t, a, c.ID, "c1")
		join(t, b, c.ID, "c2")
		check("joining")
		locked := true
		if err := a.Change(t.Context(), c.ID, conference.Settings{Locked: &locked}); err != nil {
			t.Fatal(err)
		}
		check("changing")
		leave(t, a, c.ID, "c1")
		detach(t, a, c.ID, "s1")
		check("leaving")
		renew(t, b)
		check("a renewal")
		server.Stop(t)
		join(t, b, c.ID, "c3")
		server.Start(t)
		if err := store.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("coming back")
		leave(t, b, c.ID, "c2")
		leave(t, b, c.ID, "c3")
		detach(t, b, c.ID, "s2")
		check("the end")
	})
}

// The operation that finds out that Redis is away goes on as those that know it.
func TestWhoFindsRedisAwayGoesOn(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		for name, operation := range map[string]func(*conference.Registry, conference.Conference) error{
			"attaching by name": func(a *conference.Registry, _ conference.Conference) error {
				c, created, err := a.CreateOrGet(t.Context(), "running", "s2", "node1", conference.Limits{}, conference.Settings{})
				if err == nil && (created || c.Room == "") {
					err = fmt.Errorf("%+v, created: %v", c, created)
				}
				return err
			},
			"attaching by id": func(a *conference.Registry, c conference.Conference) error {
				_, err := a.Attach(t.Context(), c.ID, "s2")
				return err
			},
			"creating one without a name": func(a *conference.Registry, _ conference.Conference) error {
				c, err := a.CreateUnnamed(t.Context(), "7f", "s2", "node1", conference.Limits{}, conference.Settings{})
				if err == nil && (c.ID != "conference:7f" || c.Room == "") {
					err = fmt.Errorf("%+v", c)
				}
				return err
			},
			"joining": func(a *conference.Registry, c conference.Conference) error {
				_, err := a.Join(t.Context(), c.ID, conference.Member{Connection: "c2"})
				return err
			},
			"reading": func(a *conference.Registry, c conference.Conference) error {
				_, err := a.Get(t.Context(), c.ID)
				return err
			},
			"changing": func(a *conference.Registry, c conference.Conference) error {
				locked := true
				return a.Change(t.Context(), c.ID, conference.Settings{Locked: &locked})
			},
		} {
			t.Run(name, func(t *testing.T) {
				a, store := registry(t, server.URL, "a")
				c, _ := create(t, a, "running", "s1")
				if !store.Healthy() {
					t.Fatal("Redis is not there")
				}
				server.Stop(t)
				if err := operation(a, c); err != nil {
					t.Error(err)
				}
				if store.Healthy() {
					t.Error("the operation did not find out")
				}
				if err := operation(a, c); err != nil {
					t.Errorf("once it is known: %v", err)
				}
				server.Start(t)
			})
		}
	})
}

// The last session leaves while Redis refuses to write, and keeps its data.
func TestEndWhileAwayIsReported(t *testing.T) {
	server := redistest.Real(t)
	a, store := registry(t, server.URL, "a")
	c, _ := create(t, a, "x", "s1")
	join(t, a, c.ID, "c1")
	replicas := func(n string) {
		t.Helper()
		if err := server.Client().ConfigSet(t.Context(), "min-replicas-to-write", n).Err(); err != nil {
			t.Fatal(err)
		}
	}
	replicas("1")
	if detach(t, a, c.ID, "s1") {
		t.Error("said to be destroyed although Redis could not tell")
	}
	if _, _, err := a.CreateOrGet(t.Context(), "new", "s", "node1", conference.Limits{}, conference.Settings{}); !errors.Is(err, conference.ErrUnavailable) {
		t.Errorf("a new shared name: %v", err)
	}
	replicas("0")
	if err := store.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := renew(t, a)
	if len(found.Ended) != 1 || found.Ended[0].Room != c.Room {
		t.Errorf("found %+v, want the end of %s", found, c.Room)
	}
	if _, created := create(t, a, "x", "s2"); !created {
		t.Error("the name is not free")
	}
}

func TestTooMany(t *testing.T) {
	server := redistest.Mini(t)
	_, store := registry(t, server.URL, "a")
	r, err := conference.NewRegistry(store, conference.Options{Controller: "a", MaxHeld: 1})
	if err != nil {
		t.Fatal(err)
	}
	create(t, r, "one", "s")
	if _, _, err := r.CreateOrGet(t.Context(), "two", "s", "node1", conference.Limits{}, conference.Settings{}); !errors.Is(err, conference.ErrTooMany) {
		t.Errorf("CreateOrGet = %v", err)
	}
}

// A controller that gives up one session or member of several still holds the rest:
// it stays the owner, and its lease goes on.
func TestControllerHoldsTheRest(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		c, _ := create(t, a, "1234", "s1")
		create(t, a, "1234", "s2")
		create(t, b, "1234", "s3")
		join(t, a, c.ID, "c1")
		owner := func(after, want string) {
			t.Helper()
			if c, err := b.Get(t.Context(), c.ID); err != nil || c.Owner != want {
				t.Errorf("after %s the owner is %q (%v), want %q", after, c.Owner, err, want)
			}
		}
		leave(t, a, c.ID, "c1")
		owner("leave", "a")
		detach(t, a, c.ID, "s1")
		owner("detach", "a")
		detach(t, a, c.ID, "s2")
		owner("the last detach", "b")
	})
}
