package clock

import (
	"sync/atomic"
	"time"
)

// Late returns a clock that goes by c and whose stop always comes too late: the
// call arrives all the same, at once, as one does that was on its way already.
// Whoever has his timers by [Start] does not notice. It is for tests.
func Late(c Clock) Clock { return late{c} }

type late struct{ Clock }

func (c late) unwrap() Clock { return c.Clock }

func (c late) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	var called atomic.Bool
	once := func() {
		if called.CompareAndSwap(false, true) {
			f()
		}
	}
	cancel := c.Clock.AfterFunc(d, once)
	return func() bool {
		cancel()
		if !called.Load() {
			c.Clock.AfterFunc(0, once)
		}
		return false
	}
}
