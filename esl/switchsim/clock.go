package switchsim

import (
	"slices"
	"sort"
	"sync"
	"time"
)

// Clock is the time a [Switch] lives in. All methods must be safe for
// concurrent use.
type Clock interface {
	// Now returns the present.
	Now() time.Time
	// AfterFunc calls f, in whatever goroutine, once d has passed.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that a [Clock] is going to make.
type Timer interface {
	// Stop keeps the call from being made and reports whether it did.
	Stop() bool
}

// RealClock returns the clock on the wall.
func RealClock() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }
func (realClock) AfterFunc(d time.Duration, f func()) Timer {
	return time.AfterFunc(d, f)
}

// ScaledClock returns a clock that runs factor times as fast as the wall's,
// starting now. A prompt of two seconds takes 20 ms at factor 100.
func ScaledClock(factor float64) Clock {
	if factor <= 0 {
		factor = 1
	}
	return scaledClock{start: time.Now(), factor: factor}
}

type scaledClock struct {
	start  time.Time
	factor float64
}

func (c scaledClock) Now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.factor))
}

func (c scaledClock) AfterFunc(d time.Duration, f func()) Timer {
	return time.AfterFunc(time.Duration(float64(d)/c.factor), f)
}

// ManualClock is a clock that moves only when told to. It is safe for
// concurrent use.
type ManualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer // in order of time
}

// NewManualClock returns a clock that stands at start.
func NewManualClock(start time.Time) *ManualClock { return &ManualClock{now: start} }

// Now returns the time the clock stands at.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc calls f from within the [ManualClock.Advance] that passes d from
// now.
func (c *ManualClock) AfterFunc(d time.Duration, f func()) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{clock: c, when: c.now.Add(d), call: f}
	after := sort.Search(len(c.timers), func(i int) bool { return c.timers[i].when.After(t.when) })
	c.timers = slices.Insert(c.timers, after, t)
	return t
}

// Advance moves the clock by d and makes the calls that fall due on the way,
// one after the other, in order of time, each at its own time.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	target := c.now.Add(d)
	for len(c.timers) > 0 && !c.timers[0].when.After(target) {
		t := c.timers[0]
		c.timers = slices.Delete(c.timers, 0, 1)
		if t.when.After(c.now) {
			c.now = t.when
		}
		c.mu.Unlock()
		t.call()
		c.mu.Lock()
	}
	c.now = target
	c.mu.Unlock()
}

type manualTimer struct {
	clock *ManualClock
	when  time.Time
	call  func()
}

// Stop implements [Timer].
func (t *manualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	at := slices.Index(t.clock.timers, t)
	if at < 0 {
		return false
	}
	t.clock.timers = slices.Delete(t.clock.timers, at, at+1)
	return true
}
