package clock

import (
	"context"
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

// After starts a timer that closes the channel it returns.
func After(c Clock, d time.Duration) (<-chan struct{}, *Timer) {
	over := make(chan struct{})
	return over, Start(c, d, nil, func() { close(over) })
}

// Sleep waits, and tells whether the time passed before ctx ended.
func Sleep(ctx context.Context, c Clock, d time.Duration) bool {
	over, timer := After(c, d)
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// WithTimeout returns a context that ends after a while, with
// [context.DeadlineExceeded] as its cause. Its Err is context.Canceled then unless
// c is the clock on the wall, the only one that the context package knows.
func WithTimeout(ctx context.Context, c Clock, d time.Duration) (context.Context, context.CancelFunc) {
	if c == Real() {
		return context.WithTimeout(ctx, d)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := Start(c, d, nil, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() {
		timer.Stop()
		cancel(context.Canceled)
	}
}
