package freeswitch

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
)

// asking is a logger that asks of the nodes whenever it is told
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

// No lock is held while something is logged: a log that stands still keeps one
// goroutine and not all.
func TestLogsWithoutLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all *Nodes
		var said []string
		all = NewNodes(NodesOptions{Owner: deaf{}, Clock: clock.Real(), Logger: slog.New(asking{ask: func() {
			if all != nil {
				all.Status()
				_ = all.On("x")
				for _, n := range all.All() {
					n.health.problem()
				}
			}
		}, said: &said})}, []NodeOptions{{Name: "one", Weight: 1}})
		n := all.All()[0]
		for range failuresInARow {
			n.Failed("CRASH")
		}
		time.Sleep(shortestRest)
		synctest.Wait()
		n.Failed("CRASH")
		n.Worked()
		all.Set(nil)
		all.End(n)
		text := strings.Join(said, "; ")
		for _, words := range []string{"node is passed over", "node is tried again", "node works again", "node", "service"} {
			if !strings.Contains(text, words) {
				t.Errorf("not said: %s; but %s", words, text)
			}
		}
	})
}

// deaf is an owner that nothing is told.
type deaf struct{ Owner }
