package clock

import (
	"context"
	"sync"
)

// scheduler is a clock that has to know who is at work, as Virtual.
type scheduler interface {
	Clock
	Go(f func())
	Leave()
	Join()
	pause() (end func())
	wait(w *Waiter)
	wake(w *Waiter)
}

// schedulerOf gives the clock that has to know who is at work, nil if c is none.
func schedulerOf(c Clock) scheduler {
	if outer, ok := c.(interface{ unwrap() Clock }); ok {
		c = outer.unwrap()
	}
	s, _ := c.(scheduler)
	return s
}

// Go runs f in a goroutine of its own. Packages that go by a clock start their
// goroutines by it, since the clock may have to know who is at work.
func Go(c Clock, f func()) {
	if s := schedulerOf(c); s != nil {
		s.Go(f)
		return
	}
	go f()
}

// GoIn is Go for a goroutine that a group waits for.
func GoIn(group *sync.WaitGroup, c Clock, f func()) {
	group.Add(1)
	Go(c, func() {
		defer group.Done()
		f()
	})
}

// Await calls f, which waits for others in a way of which the clock does not know.
// Time may pass meanwhile.
func Await(c Clock, f func()) {
	if s := schedulerOf(c); s != nil {
		s.Leave()
		defer s.Join()
	}
	f()
}

// AwaitNow is Await while no time passes: for what ends without any, such as goroutines
// whose connections are closed.
func AwaitNow(c Clock, f func()) {
	if s := schedulerOf(c); s != nil {
		defer s.pause()()
	}
	Await(c, f)
}

// Waiter is where one goroutine waits for others. It remembers a wake that came
// before the wait, and one only; so whoever waits looks at what he waits for in a
// loop.
type Waiter struct {
	scheduler scheduler     // nil: the clock does not care
	signal    chan struct{} // room for one

	// Of the scheduler, under its lock.
	waiting, woken bool
}

// NewWaiter returns a waiter for one goroutine.
func NewWaiter(c Clock) *Waiter {
	return &Waiter{signal: make(chan struct{}, 1), scheduler: schedulerOf(c)}
}

// Wait waits until Wake is called, or was since the last Wait.
func (w *Waiter) Wait() {
	if w.scheduler != nil {
		w.scheduler.wait(w)
		return
	}
	<-w.signal
}

// WaitContext is Wait until ctx ends.
func (w *Waiter) WaitContext(ctx context.Context) {
	stop := context.AfterFunc(ctx, w.Wake)
	defer stop()
	defer endingOf(ctx).add(w)()
	if ctx.Err() == nil {
		w.Wait()
	}
}

// Wake ends a wait, this one or the next. It may be called from any goroutine.
func (w *Waiter) Wake() {
	if w.scheduler != nil {
		w.scheduler.wake(w)
		return
	}
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

func (v *Virtual) wait(w *Waiter) {
	v.mu.Lock()
	if w.woken {
		w.woken = false
		v.mu.Unlock()
		return
	}
	w.waiting = true
	v.atWork--
	v.next()
	v.mu.Unlock()
	<-w.signal // with which it is at work again
}

func (v *Virtual) wake(w *Waiter) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !w.waiting {
		w.woken = true
		return
	}
	w.waiting = false
	v.enter(v.now, func() { w.signal <- struct{}{} })
}
