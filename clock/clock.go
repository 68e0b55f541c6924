package clock

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Clock is a source of time. Its methods may be called from any goroutine.
type Clock interface {
	// Now tells the time.
	Now() time.Time
	// AfterFunc calls f in its own goroutine after d. stop prevents it, and
	// tells whether it came in time; where it did not, f is running, or will.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Real returns the clock on the wall.
func Real() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// Or returns c, or the clock on the wall if c is nil.
func Or(c Clock) Clock {
	if c == nil {
		return Real()
	}
	return c
}

// Since returns how long ago a time was.
func Since(c Clock, then time.Time) time.Duration { return c.Now().Sub(then) }

// After starts a timer that closes the channel it returns. It is for goroutines that
// a clock does not know of (see [Virtual]), which may wait for several things.
func After(c Clock, d time.Duration) (<-chan struct{}, *Timer) {
	over := make(chan struct{})
	return over, Start(c, d, nil, func() { close(over) })
}

// Sleep waits, and tells whether the time passed before ctx ended.
func Sleep(ctx context.Context, c Clock, d time.Duration) bool {
	w := NewWaiter(c)
	over := false
	timer := Start(c, d, nil, w.Wake)
	defer timer.Stop()
	for !over && ctx.Err() == nil {
		w.WaitContext(ctx)
		over = timer.Over()
	}
	return over
}

// WithTimeout returns a context that ends after a while, with
// [context.DeadlineExceeded] as its cause. Its Err is context.Canceled then unless
// c is the clock on the wall, the only one that the context package knows.
func WithTimeout(ctx context.Context, c Clock, d time.Duration) (context.Context, context.CancelFunc) {
	return WithTimeoutCause(ctx, c, d, context.DeadlineExceeded)
}

// WithTimeoutCause is WithTimeout with another cause.
func WithTimeoutCause(ctx context.Context, c Clock, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	if c == Real() {
		return context.WithTimeoutCause(ctx, d, cause)
	}
	ctx, end := WithCancelCause(ctx)
	timer := Start(c, d, nil, func() { end(cause) })
	return ctx, func() {
		timer.Stop()
		end(context.Canceled)
	}
}

// WithCancel returns a context that who waits through the clock is woken by when it is
// cancelled, before anything else happens. Of those that the context package makes, they
// hear a moment later.
func WithCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := WithCancelCause(ctx)
	return ctx, func() { end(context.Canceled) }
}

// WithCancelCause is WithCancel with a cause.
func WithCancelCause(ctx context.Context) (_ context.Context, end context.CancelCauseFunc) {
	e := &ending{outer: endingOf(ctx)}
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, endingKey{}, e))
	return ctx, func(cause error) {
		cancel(cause)
		e.wake()
	}
}

// ending is who waits for the end of a context, to be woken by who ends it: the
// context package would tell them in a goroutine that no clock knows of.
type ending struct {
	outer *ending

	mu      sync.Mutex
	waiters []*Waiter // in the order in which they came
}

type endingKey struct{}

func endingOf(ctx context.Context) *ending {
	e, _ := ctx.Value(endingKey{}).(*ending)
	return e
}

func (e *ending) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.waiters {
		w.Wake()
	}
}

// add has a waiter woken at the end of the context, or of those around it. remove
// ends that.
func (e *ending) add(w *Waiter) (remove func()) {
	for one := e; one != nil; one = one.outer {
		one.mu.Lock()
		one.waiters = append(one.waiters, w)
		one.mu.Unlock()
	}
	return func() {
		for one := e; one != nil; one = one.outer {
			one.mu.Lock()
			one.waiters = slices.DeleteFunc(one.waiters, func(other *Waiter) bool { return other == w })
			one.mu.Unlock()
		}
	}
}
