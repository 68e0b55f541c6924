package clock

import (
	"sync/atomic"
	"time"
)

// Timer is a call that is to come after a while. It comes once, and never after
// Stop has returned true: a clock may stop too late, since its call is on its way
// to the goroutine that it is meant for, and the timer then drops it there. A nil
// Timer is one that was never started.
type Timer struct {
	over   atomic.Bool // it has called, or was stopped
	cancel func() bool
}

// Start begins a timer that calls f after d. run brings the call to the goroutine
// that it is meant for, such as a session's; nil leaves it in the clock's. If Stop
// is called in that goroutine, it always comes in time.
func Start(c Clock, d time.Duration, run func(f func()), f func()) *Timer {
	t := &Timer{}
	call := func() {
		if t.over.CompareAndSwap(false, true) {
			f()
		}
	}
	if run == nil {
		t.cancel = c.AfterFunc(d, call)
	} else {
		t.cancel = c.AfterFunc(d, func() { run(call) })
	}
	return t
}

// Over tells whether the call has come, or was stopped. One that was never started is
// over.
func (t *Timer) Over() bool { return t == nil || t.over.Load() }

// Stop prevents the call, and tells whether it has: false if the call has come, if
// the timer was stopped before, or if it was never started.
func (t *Timer) Stop() bool {
	if t == nil || !t.over.CompareAndSwap(false, true) {
		return false
	}
	t.cancel()
	return true
}
