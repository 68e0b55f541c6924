package callcontrol

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
)

// asking is a logger that asks a controller of its nodes whenever it is told
// something, as one that stands still would keep others from.
type asking struct {
	slog.Handler
	ask  func()
	said *[]string
}

func (a asking) Handle(_ context.Context, r slog.Record) error {
	*a.said = append(*a.said, r.Message)
	a.ask()
	return nil
}

func (a asking) Enabled(context.Context, slog.Level) bool { return true }
func (a asking) WithAttrs([]slog.Attr) slog.Handler       { return a }
func (a asking) WithGroup(string) slog.Handler            { return a }

// askedController is a controller with one node, which nothing reaches, and whose log
// asks of it.
func askedController() (c *Controller, said *[]string) {
	c, said = &Controller{options: Options{Clock: clock.Real()}, legs: make(map[string]*leg)}, new([]string)
	c.log = slog.New(asking{ask: func() {
		c.Nodes()
		for _, n := range c.nodes.all() {
			n.name()
		}
	}, said: said})
	c.nodes.list = []*Node{newNode(c, NodeOptions{Name: "one", Weight: 1})}
	return c, said
}

func saidOf(t *testing.T, said []string, words ...string) {
	t.Helper()
	all := strings.Join(said, "; ")
	for _, text := range words {
		if !strings.Contains(all, text) {
			t.Errorf("not said: %s; but %s", text, all)
		}
	}
}

// No lock is held while something is logged: a log that stands still keeps one
// goroutine and not all.
func TestLogsWithoutLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, said := askedController()
		n := c.nodes.list[0]
		for range failuresInARow {
			n.health.failed("CRASH")
		}
		time.Sleep(shortestRest)
		synctest.Wait()
		n.health.failed("CRASH")
		n.health.worked()
		c.SetNodes([]NodeOptions{{Name: "two"}})
		time.Sleep(retireAfter)
		synctest.Wait()
		saidOf(t, *said, "node is passed over", "node is tried again", "node works again", "node is new", "node gets no more calls")
	})
}

// What the links are told of rooms is told in order, and with no lock: telling may
// call back at once. What has changed while a link is told of one room is kept by room:
// however many conferences come and go meanwhile, nothing grows.
func TestAudienceChanges(t *testing.T) {
	c, _ := askedController()
	a, session := &c.audiences, &control{controller: c}
	var told []string
	add := func(rooms ...string) {
		for _, room := range rooms {
			a.add(session, &roster{room: room})
		}
	}
	drop := func(room string) { a.remove(a.rooms[room].listeners[0].roster) }
	first := true
	a.tells = true // as if a link were being told
	add("b", "a", "c")
	drop("c")
	a.tells = false
	a.tellEach(func(at roomOn, heard bool) {
		told = append(told, fmt.Sprintf("%s on %s %t", at.room, at.node.options.Name, heard))
		if a.hears(at.room) != heard {
			t.Errorf("%s: heard is %t", at.room, !heard)
		}
		if !first {
			return
		}
		first = false
		for range 100 {
			add("d")
			drop("d")
			add("b")
			drop("a")
			add("a")
		}
		drop("a")
		if rooms, changes := len(a.rooms), len(a.changes); rooms != 2 || changes != 2 {
			t.Errorf("%d rooms, %d changes", rooms, changes)
		}
	})
	if want := []string{"a on one true", "b on one true", "a on one false"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	for range len(a.rooms["b"].listeners) {
		drop("b")
	}
	if rooms, changes := len(a.rooms), len(a.changes); rooms+changes > 0 || a.tells {
		t.Errorf("%d rooms and %d changes are left", rooms, changes)
	}
}
