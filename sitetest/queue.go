package sitetest

import (
	"context"
	"sync"

	"ccxmld/clock"
)

// Queue hands things from one goroutine to another, which waits for them by the clock.
// It has no bound.
type Queue[T any] struct {
	come *clock.Waiter

	mu     sync.Mutex
	things []T
}

// NewQueue makes an empty queue.
func NewQueue[T any](c clock.Clock) *Queue[T] { return &Queue[T]{come: clock.NewWaiter(c)} }

// Put adds a thing.
func (q *Queue[T]) Put(thing T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.things = append(q.things, thing)
	q.come.Wake()
}

// Next takes the next thing, and waits until there is one.
func (q *Queue[T]) Next(ctx context.Context) (thing T, err error) {
	for {
		q.mu.Lock()
		if len(q.things) > 0 {
			thing, q.things = q.things[0], q.things[1:]
			q.mu.Unlock()
			return thing, nil
		}
		q.mu.Unlock()
		if ctx.Err() != nil {
			return thing, context.Cause(ctx)
		}
		q.come.WaitContext(ctx)
	}
}
