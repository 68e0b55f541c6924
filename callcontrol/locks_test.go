package callcontrol

import (
	"context"
	"log/slog"
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
// call back at once.
func TestAudienceOrders(t *testing.T) {
	var a audiences
	var order []int
	for i := range 3 {
		a.orders.put(func() {
			order = append(order, i)
			a.hears("room")
			a.orders.put(func() { order = append(order, i+10) })
			a.orders.run() // by whoever is at it
		})
	}
	a.orders.run()
	a.orders.run()
	for i, want := range []int{0, 1, 2, 10, 11, 12} {
		if order[i] != want {
			t.Fatalf("order %v", order)
		}
	}
}
