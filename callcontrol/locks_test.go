package callcontrol

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
	"ccxmld/freeswitch"
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
	c.bounds.Store(new(Limits))
	c.log = slog.New(asking{ask: func() { c.Nodes() }, said: said})
	c.options.Nodes = []freeswitch.NodeOptions{{Name: "one", Weight: 1}}
	c.nodes = c.newNodes()
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
		c.SetNodes([]freeswitch.NodeOptions{{Name: "two"}})
		time.Sleep(retireAfter)
		synctest.Wait()
		saidOf(t, *said, "node is new", "node gets no more calls")
	})
}
