package fetch

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"ccxmld/clock"
)

// slots bound the transfers under way, in all and from each host, so that a host
// that is slow to answer takes only its share. Who finds none waits, first come,
// first served.
type slots struct {
	clock   clock.Clock
	all     *clock.Semaphore
	perHost int
	waiting int // that may wait for the share of one host

	mu    sync.Mutex
	hosts map[string]*host // those from which something is fetched
}

// host is the share of one host.
type host struct {
	slots *clock.Semaphore
	users int // that have a slot, or wait for one
}

func newSlots(o Options) *slots {
	return &slots{
		clock: o.Clock, all: clock.NewSemaphore(o.Clock, o.MaxConcurrent), perHost: min(o.MaxConcurrent, o.MaxPerHost),
		waiting: o.MaxWaiting, hosts: make(map[string]*host),
	}
}

// take waits for a slot; release gives it back.
func (s *slots) take(ctx context.Context, u *url.URL, timeout time.Duration) (release func(), failed *Error) {
	name := hostPort(u)
	h := s.enter(name)
	if h == nil {
		return nil, failure(u.String(), nil, "%d requests to %s wait already", s.waiting, u.Host)
	}
	if err := h.slots.Acquire(ctx); err != nil {
		s.leave(name, h)
		return nil, outOfTime(ctx, u, timeout, err, "to "+u.Host)
	}
	if err := s.all.Acquire(ctx); err != nil {
		h.slots.Release()
		s.leave(name, h)
		return nil, outOfTime(ctx, u, timeout, err, "to many hosts")
	}
	return func() {
		s.all.Release()
		h.slots.Release()
		s.leave(name, h)
	}, nil
}

// outOfTime is the failure of a request that never was sent.
func outOfTime(ctx context.Context, u *url.URL, timeout time.Duration, err error, where string) *Error {
	if errors.Is(context.Cause(ctx), errTimedOut) {
		return failure(u.String(), errTimedOut, "timed out after %v behind the requests before it %s", timeout, where)
	}
	return transportFailure(ctx, u.String(), timeout, err)
}

func (s *slots) enter(name string) *host {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[name]
	if h == nil {
		h = &host{slots: clock.NewSemaphore(s.clock, s.perHost)}
		s.hosts[name] = h
	}
	if h.users >= s.perHost+s.waiting {
		return nil
	}
	h.users++
	return h
}

func (s *slots) leave(name string, h *host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(s.hosts, name)
	}
}
