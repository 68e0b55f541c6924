package clock

import (
	"context"
	"slices"
	"sync"
)

// Semaphore lets so many at a time do something; who comes then waits through the
// clock, first come, first served.
type Semaphore struct {
	clock Clock

	mu      sync.Mutex
	free    int
	waiting []*place
}

// place is where one waits.
type place struct {
	waiter *Waiter
	got    bool
}

// NewSemaphore returns a semaphore for n at a time.
func NewSemaphore(c Clock, n int) *Semaphore { return &Semaphore{clock: c, free: n} }

// Acquire waits for a turn, or the end of ctx, whose error it returns.
func (s *Semaphore) Acquire(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.free > 0 {
		s.free--
		return nil
	}
	p := &place{waiter: NewWaiter(s.clock)}
	s.waiting = append(s.waiting, p)
	for !p.got {
		if err := ctx.Err(); err != nil {
			s.waiting = slices.DeleteFunc(s.waiting, func(other *place) bool { return other == p })
			return err
		}
		s.mu.Unlock()
		p.waiter.WaitContext(ctx)
		s.mu.Lock()
	}
	return nil
}

// Release gives a turn back, to who waits longest.
func (s *Semaphore) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	next := s.waiting[0]
	s.waiting = s.waiting[1:]
	next.got = true
	next.waiter.Wake()
}
