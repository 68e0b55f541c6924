package clock

import (
	"sync"
	"time"
)

// Every calls f after each d, in the clock's goroutine, one call at a time: the
// next d begins when f has returned. stop ends it and waits for a call under way,
// so f must not call it. stop may be called more than once.
func Every(c Clock, d time.Duration, f func()) (stop func()) {
	r := &repetition{clock: c, every: d, call: f, calling: make(chan struct{}, 1)}
	r.next()
	return r.stop
}

type repetition struct {
	clock Clock
	every time.Duration
	call  func()

	calling chan struct{} // full while call runs

	mu    sync.Mutex
	timer *Timer
	over  bool
}

func (r *repetition) next() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.timer = Start(r.clock, r.every, nil, r.tick)
	}
}

func (r *repetition) tick() {
	r.calling <- struct{}{}
	defer func() { <-r.calling }()
	if !r.stopped() {
		r.call()
		r.next()
	}
}

func (r *repetition) stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

func (r *repetition) stop() {
	r.mu.Lock()
	r.over = true
	r.timer.Stop()
	r.mu.Unlock()
	r.calling <- struct{}{} // a call under way ends first
	<-r.calling
}
