package clock_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
)

func TestManualKeepsOrder(t *testing.T) {
	c := clock.NewManual(time.Unix(0, 0))
	var order []string
	c.AfterFunc(2*time.Second, func() { order = append(order, "b") })
	c.AfterFunc(time.Second, func() {
		order = append(order, "a")
		c.AfterFunc(time.Second, func() { order = append(order, "c") })
	})
	stop := c.AfterFunc(time.Second, func() { order = append(order, "never") })
	if !stop() || stop() {
		t.Error("a timer can be stopped once")
	}
	c.Advance(3 * time.Second)
	if got := strings.Join(order, ""); got != "abc" || !c.Now().Equal(time.Unix(3, 0)) {
		t.Errorf("order %q at %v", got, c.Now())
	}
}

// mailbox is a goroutine's, which the test plays: calls wait until it opens them.
type mailbox struct {
	mu      sync.Mutex
	waiting []func()
}

func (m *mailbox) put(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(m.waiting, f)
}

func (m *mailbox) open() {
	m.mu.Lock()
	waiting := m.waiting
	m.waiting = nil
	m.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

// TestTimerKnowsThatItWasStopped: a call that is on its way when its timer is
// stopped does not come.
func TestTimerKnowsThatItWasStopped(t *testing.T) {
	for name, c := range map[string]func() clock.Clock{
		"in time":  func() clock.Clock { return clock.Real() },
		"too late": func() clock.Clock { return clock.Late(clock.Real()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var box mailbox
				calls := 0
				timer := clock.Start(c(), time.Second, box.put, func() { calls++ })
				time.Sleep(2 * time.Second) // it has fired, and its call waits
				if !timer.Stop() || timer.Stop() {
					t.Error("a timer whose call has not come can be stopped, once")
				}
				early := clock.Start(c(), time.Second, box.put, func() { calls++ })
				if !early.Stop() {
					t.Error("a timer that runs can be stopped")
				}
				time.Sleep(2 * time.Second)
				if box.open(); calls != 0 {
					t.Errorf("%d calls of timers that were stopped", calls)
				}
				last := clock.Start(c(), time.Second, box.put, func() { calls++ })
				time.Sleep(2 * time.Second)
				if box.open(); calls != 1 || last.Stop() {
					t.Errorf("%d calls of one timer, which cannot be stopped any more", calls)
				}
				if none := (*clock.Timer)(nil); none.Stop() {
					t.Error("a timer that was never started was stopped")
				}
			})
		})
	}
}

// TestLateClockCallsAllTheSame: it is what the tests of timers go by.
func TestLateClockCallsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		stop := clock.Late(clock.Real()).AfterFunc(time.Hour, func() { calls++ })
		if stop() {
			t.Error("a stop came in time")
		}
		synctest.Wait()
		stop()
		time.Sleep(2 * time.Hour)
		if calls != 1 {
			t.Errorf("%d calls, want one, at once", calls)
		}
	})
}

// TestEvery: it does not call while it calls, and its stop waits for that.
func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Duration
		began := time.Now()
		stop := clock.Every(clock.Real(), time.Second, func() {
			calls = append(calls, time.Since(began))
			time.Sleep(500 * time.Millisecond)
		})
		time.Sleep(2*time.Second + 700*time.Millisecond)
		stop() // in the second call
		stop()
		if len(calls) != 2 || calls[0] != time.Second || calls[1] != 2500*time.Millisecond {
			t.Errorf("called after %v", calls)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("stop returned after %v, the call under way takes until 3s", took)
		}
		time.Sleep(time.Minute)
		if len(calls) != 2 {
			t.Errorf("%d calls, some of them after the stop", len(calls))
		}
	})
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if !clock.Sleep(ctx, clock.Real(), 59*time.Second) {
			t.Error("a sleep was broken off by nothing")
		}
		if clock.Sleep(ctx, clock.Real(), 2*time.Second) {
			t.Error("a sleep outlasted its context")
		}
	})
}

func TestWithTimeout(t *testing.T) {
	c := clock.NewManual(time.Unix(0, 0))
	ctx, cancel := clock.WithTimeout(t.Context(), c, time.Second)
	defer cancel()
	c.Advance(999 * time.Millisecond)
	if ctx.Err() != nil {
		t.Error("the context ended too early")
	}
	c.Advance(time.Millisecond)
	if <-ctx.Done(); context.Cause(ctx) != context.DeadlineExceeded {
		t.Errorf("the context ended with %v", context.Cause(ctx))
	}
}
