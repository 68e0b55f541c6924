package clock

import (
	"slices"
	"sync"
	"time"
)

// Manual is a clock that moves only when told to. It is safe for concurrent use.
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer // in order of time
}

type manualTimer struct {
	when time.Time
	call func()
}

// NewManual returns a clock that stands at start.
func NewManual(start time.Time) *Manual { return &Manual{now: start} }

// Now implements [Clock].
func (c *Manual) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc implements [Clock]: f is called by the Advance that passes d from now.
func (c *Manual) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{when: c.now.Add(d), call: f}
	at, _ := slices.BinarySearchFunc(c.timers, t, func(a, b *manualTimer) int {
		if a.when.After(b.when) {
			return 1
		}
		return -1 // behind those of the same time
	})
	c.timers = slices.Insert(c.timers, at, t)
	return func() bool { return c.remove(t) }
}

func (c *Manual) remove(t *manualTimer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.timers, t)
	if at < 0 {
		return false
	}
	c.timers = slices.Delete(c.timers, at, at+1)
	return true
}

// Advance moves the time on. It calls what is due, in order of time, and returns
// when all calls have.
func (c *Manual) Advance(d time.Duration) {
	c.mu.Lock()
	end := c.now.Add(d)
	c.mu.Unlock()
	for t := c.due(end); t != nil; t = c.due(end) {
		t.call()
	}
}

// due moves the time to the first timer until end and takes it out; or to end.
func (c *Manual) due(end time.Time) *manualTimer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 || c.timers[0].when.After(end) {
		c.now = end
		return nil
	}
	t := c.timers[0]
	c.timers = slices.Delete(c.timers, 0, 1)
	c.now = t.when
	return t
}
