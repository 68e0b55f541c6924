package conference_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"ccxmld/conference"
	"ccxmld/sessionstore/redistest"
)

// joinFar joins a connection that is on node2.
func joinFar(t testing.TB, r *conference.Registry, id, connection string) {
	t.Helper()
	if _, err := r.Join(t.Context(), id, conference.Member{Connection: connection, Node: "node2", Reaches: true}); err != nil {
		t.Fatal(err)
	}
}

// reach asks for the cascade of node2.
func reach(t testing.TB, r *conference.Registry, id, offered, lost string) (c conference.Cascade, mine bool, instead string) {
	t.Helper()
	c, mine, instead, err := r.Reach(t.Context(), id, "node2", offered, lost)
	if err != nil {
		t.Fatal(err)
	}
	return c, mine, instead
}

// TestOneCascade: of many who join at the same moment through several controllers, one is to
// make the cascade, and the others have the same one. It is unneeded once, with the last
// member there.
func TestOneCascade(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		const controllers = 4
		home, _ := registry(t, server.URL, "home")
		room, _ := create(t, home, "1234", "s1")
		var all []*conference.Registry
		for i := range controllers {
			r, _ := registry(t, server.URL, fmt.Sprint("c", i))
			if _, err := r.Attach(t.Context(), room.ID, fmt.Sprint("s-", i)); err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		var mu sync.Mutex
		var makers []string
		ids := map[string]bool{}
		var running sync.WaitGroup
		for i, r := range all {
			running.Go(func() {
				joinFar(t, r, room.ID, fmt.Sprint("leg", i))
				offered := fmt.Sprint("call", i)
				c, mine, _ := reach(t, r, room.ID, offered, "")
				mu.Lock()
				defer mu.Unlock()
				ids[c.ID] = true
				if mine {
					makers = append(makers, offered)
				}
				if c.Up {
					t.Error("it is up before it was made")
				}
			})
		}
		running.Wait()
		if len(makers) != 1 || len(ids) != 1 || !ids[makers[0]] {
			t.Fatalf("%v are to make it, of %v", makers, ids)
		}
		made := conference.Cascade{Node: "node2", ID: makers[0], Room: room.Room}
		for _, r := range all { // only the id counts
			r.Cascaded(t.Context(), room.ID, made, true)
		}
		if c, mine, _ := reach(t, all[3], room.ID, "another", ""); !c.Up || mine || c.ID != made.ID {
			t.Errorf("later: %+v, mine %v", c, mine)
		}
		var told []string
		for i, r := range all {
			left, err := r.Leave(t.Context(), room.ID, fmt.Sprint("leg", i))
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, left.Unneeded.ID)
		}
		if want := []string{"", "", "", made.ID}; !slices.Equal(told, want) {
			t.Errorf("unneeded: %v, want %v", told, want)
		}
	})
}

// TestNodeIsNotReached: without a way to the conference's node nobody joins from another.
func TestNodeIsNotReached(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		r, _ := registry(t, server.URL, "a")
		room, _ := create(t, r, "x", "s")
		if _, err := r.Join(t.Context(), room.ID, conference.Member{Connection: "c", Node: "node2"}); !errors.Is(err, conference.ErrNode) {
			t.Errorf("join: %v", err)
		}
	})
}

// TestCascadeThatIsNotMade: who waits for a cascade makes it where its maker has failed.
func TestCascadeThatIsNotMade(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		r, _ := registry(t, server.URL, "a")
		room, _ := create(t, r, "x", "s")
		joinFar(t, r, room.ID, "leg")
		c, _, _ := reach(t, r, room.ID, "call1", "")
		if r.Cascaded(t.Context(), room.ID, c, false) {
			t.Error("it is wanted although it was not made")
		}
		if c, mine, _ := reach(t, r, room.ID, "call2", ""); !mine || c.ID != "call2" {
			t.Errorf("%+v, mine %v", c, mine)
		}
	})
}

// TestLostCascade: one that is lost is made again by the first who has noticed, and the
// others have that one.
func TestLostCascade(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		room, _ := create(t, a, "x", "s")
		create(t, b, "x", "s2")
		joinFar(t, a, room.ID, "leg1")
		joinFar(t, b, room.ID, "leg2")
		c, _, _ := reach(t, a, room.ID, "call1", "")
		a.Cascaded(t.Context(), room.ID, c, true)
		if c, mine, _ := reach(t, b, room.ID, "call2", "call1"); !mine || c.ID != "call2" {
			t.Errorf("the first: %+v, mine %v", c, mine)
		}
		if c, mine, _ := reach(t, a, room.ID, "call3", "call1"); mine || c.ID != "call2" {
			t.Errorf("the second: %+v, mine %v", c, mine)
		}
		if a.Cascaded(t.Context(), room.ID, c, true) {
			t.Error("the lost one is wanted")
		}
	})
}

// TestCascadeOfADeadController: another controller that has members on the node keeps what
// is up, and makes what is not; where nobody is left on the node, it is unneeded, and told
// so once.
func TestCascadeOfADeadController(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		live, _ := registry(t, server.URL, "live")
		for _, test := range []struct {
			name        string
			up, others  bool
			mine        bool
			id, instead string
			unneeded    int
		}{
			{name: "up", up: true, others: true, id: "call1"},
			{name: "not up", others: true, mine: true, id: "call2", instead: "call1"},
			{name: "nobody", up: true, unneeded: 1},
		} {
			dead, _ := registry(t, server.URL, "dead "+test.name)
			room, _ := create(t, live, test.name, "s1")
			create(t, dead, test.name, "s2")
			if test.others {
				joinFar(t, live, room.ID, "leg1")
			}
			joinFar(t, dead, room.ID, "leg2")
			c, mine, _ := reach(t, dead, room.ID, "call1", "")
			if !mine {
				t.Fatalf("%s: not mine", test.name)
			}
			if test.up {
				dead.Cascaded(t.Context(), room.ID, c, true)
			}
			var told []conference.Cascade
			for range 4 { // what is held of conferences lasts for two leases
				server.Advance(t, 9*time.Second)
				told = append(told, renew(t, live).Unneeded...)
			}
			told = append(told, renew(t, live).Unneeded...)
			if test.others {
				c, mine, instead := reach(t, live, room.ID, "call2", "")
				if c.ID != test.id || mine != test.mine || instead != test.instead || c.Up != test.up {
					t.Errorf("%s: %+v, mine %v, instead %q", test.name, c, mine, instead)
				}
			}
			if len(told) != test.unneeded {
				t.Errorf("%s: unneeded %v", test.name, told)
			}
			for _, u := range told {
				if u.ID != "call1" || u.Node != "node2" || u.Room != room.Room {
					t.Errorf("unneeded: %+v", u)
				}
			}
			detach(t, live, room.ID, "s1")
		}
	})
}

// cascaded is a conference x of session s with a member on another node, whose cascade, call1,
// is up.
func cascaded(t *testing.T, r *conference.Registry) conference.Conference {
	t.Helper()
	room, _ := create(t, r, "x", "s")
	joinFar(t, r, room.ID, "leg")
	c, _, _ := reach(t, r, room.ID, "call1", "")
	r.Cascaded(t.Context(), room.ID, c, true)
	return room
}

// TestEndTellsOfOtherNodes: the end of a conference tells on which nodes it had members.
func TestEndTellsOfOtherNodes(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		r, _ := registry(t, server.URL, "a")
		room := cascaded(t, r)
		was, destroyed, err := r.Detach(t.Context(), room.ID, "s")
		if err != nil || !destroyed || was.Node != "node1" || !slices.Equal(was.Elsewhere, []string{"node2"}) {
			t.Errorf("%+v, destroyed %v, %v", was, destroyed, err)
		}
	})
}

// TestEndForAll: a conference that was ended may be created again at once, and who did not
// hear of that ends nothing.
func TestEndForAll(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		a, _ := registry(t, server.URL, "a")
		b, _ := registry(t, server.URL, "b")
		room, _ := create(t, a, "x", "s1")
		create(t, b, "x", "s2")
		if held, err := a.End(t.Context(), room.ID, room.Room); err != nil || !held {
			t.Fatal(held, err)
		}
		if found := renew(t, b); len(found.Lost) != 1 || found.Lost[0].Room != room.Room || len(renew(t, b).Lost) != 0 {
			t.Errorf("the other controller is told of %+v", found)
		}
		again, created := create(t, a, "x", "s1")
		if !created || again.Room == room.Room {
			t.Errorf("created %v: %+v", created, again)
		}
		if held, err := b.End(t.Context(), room.ID, room.Room); err != nil || held {
			t.Fatal(held, err)
		}
		if _, created := create(t, b, "x", "s3"); created {
			t.Error("the new one was ended by who knew the old one")
		}
	})
}

// TestCascadeAfterRedisWasEmptied: what is held is told again, the cascades too.
func TestCascadeAfterRedisWasEmptied(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		r, store := registry(t, server.URL, "a")
		room := cascaded(t, r)
		if err := store.Client().FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		renew(t, r)
		if c, mine, _ := reach(t, r, room.ID, "call2", ""); mine || c.ID != "call1" || !c.Up {
			t.Errorf("%+v, mine %v", c, mine)
		}
	})
}
