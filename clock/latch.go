package clock

import (
	"context"
	"slices"
	"sync"
)

// Latch is something that happens once, for which any number of goroutines wait.
type Latch struct {
	clock Clock
	done  chan struct{}

	mu      sync.Mutex
	open    bool
	waiters []*Waiter // in the order in which they came
}

// NewLatch returns a latch of what has not happened yet.
func NewLatch(c Clock) *Latch { return &Latch{clock: c, done: make(chan struct{})} }

// Open tells that it has happened. Further calls do nothing.
func (l *Latch) Open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open {
		return
	}
	l.open = true
	close(l.done)
	for _, w := range l.waiters {
		w.Wake()
	}
	l.waiters = nil
}

// Opened tells whether it has happened.
func (l *Latch) Opened() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// Done is closed when it happens, for goroutines that the clock does not know of.
func (l *Latch) Done() <-chan struct{} { return l.done }

// Wait waits for it through the clock, until ctx ends.
func (l *Latch) Wait(ctx context.Context) error {
	w := NewWaiter(l.clock)
	if !l.add(w) {
		return nil
	}
	defer l.forget(w)
	for !l.Opened() {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.WaitContext(ctx)
	}
	return nil
}

// add has a waiter woken when it happens; false if it has.
func (l *Latch) add(w *Waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open {
		l.waiters = append(l.waiters, w)
	}
	return !l.open
}

func (l *Latch) forget(w *Waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiters = slices.DeleteFunc(l.waiters, func(other *Waiter) bool { return other == w })
}
