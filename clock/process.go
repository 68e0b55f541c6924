package clock

import (
	"slices"
	"sync"
	"time"
)

// Process is the clock of one process of several that share a virtual time. It can be
// paused, as by SIGSTOP: what is to happen in the process meanwhile, a timer, bytes that
// have come, happens when it goes on, in the order in which it was due, while the time of
// the others passes.
type Process struct {
	scheduler

	mu     sync.Mutex
	paused bool
	due    []func() // what was to happen meanwhile
}

// NewProcess returns the clock of a process that goes by v.
func NewProcess(v *Virtual) *Process { return &Process{scheduler: v} }

// Pause stops the process. What it is at right now, it still does.
func (p *Process) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
}

// Resume lets the process go on.
func (p *Process) Resume() { p.resume(func([]func()) {}) }

// ResumeInReverse is Resume where what was due last happens first: a process that is woken
// has no say in that.
func (p *Process) ResumeInReverse() { p.resume(slices.Reverse) }

func (p *Process) resume(order func([]func())) {
	p.mu.Lock()
	due := p.due
	p.paused, p.due = false, nil
	p.mu.Unlock()
	order(due)
	for _, f := range due {
		f()
	}
}

// waits keeps f for Resume; false if the process runs.
func (p *Process) waits(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused {
		p.due = append(p.due, f)
	}
	return p.paused
}

// AfterFunc implements [Clock].
func (p *Process) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return p.scheduler.AfterFunc(d, func() {
		if !p.waits(func() { p.scheduler.AfterFunc(0, f) }) {
			f()
		}
	})
}

// Go runs f in a goroutine of its own, as [Virtual.Go] does.
func (p *Process) Go(f func()) { p.AfterFunc(0, f) }

func (p *Process) wake(w *Waiter) {
	if !p.waits(func() { p.scheduler.wake(w) }) {
		p.scheduler.wake(w)
	}
}
