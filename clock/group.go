package clock

import (
	"context"
	"slices"
	"sync"
)

// Group is goroutines that are waited for together. The zero value is one of none.
type Group struct {
	mu      sync.Mutex
	running int
	waiters []*Waiter // in the order in which they came
}

// Go runs f in a goroutine of the group's, by [Go].
func (g *Group) Go(c Clock, f func()) {
	g.mu.Lock()
	g.running++
	g.mu.Unlock()
	Go(c, func() {
		defer g.done()
		f()
	})
}

func (g *Group) done() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running--; g.running > 0 {
		return
	}
	for _, w := range g.waiters {
		w.Wake()
	}
}

// Wait waits through the clock until all goroutines of the group have returned, or ctx
// ends, which is its error.
func (g *Group) Wait(ctx context.Context, c Clock) error {
	w := NewWaiter(c)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiters = append(g.waiters, w)
	for g.running > 0 {
		if err := ctx.Err(); err != nil {
			g.forget(w)
			return err
		}
		g.mu.Unlock()
		w.WaitContext(ctx)
		g.mu.Lock()
	}
	g.forget(w)
	return nil
}

func (g *Group) forget(w *Waiter) {
	g.waiters = slices.DeleteFunc(g.waiters, func(other *Waiter) bool { return other == w })
}
