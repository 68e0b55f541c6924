package main

import (
	"context"
	"sync"

	"ccxmld/clock"
)

// box is where one goroutine puts things for another one, which waits for them by the
// clock.
type box[T any] struct {
	come *clock.Waiter

	mu     sync.Mutex
	things []T
}

func newBox[T any](c clock.Clock) *box[T] { return &box[T]{come: clock.NewWaiter(c)} }

func (b *box[T]) put(thing T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.things = append(b.things, thing)
	b.come.Wake()
}

// next waits for the next thing.
func (b *box[T]) next(ctx context.Context) (thing T, err error) {
	for {
		b.mu.Lock()
		if len(b.things) > 0 {
			thing, b.things = b.things[0], b.things[1:]
			b.mu.Unlock()
			return thing, nil
		}
		b.mu.Unlock()
		if ctx.Err() != nil {
			return thing, context.Cause(ctx)
		}
		b.come.WaitContext(ctx)
	}
}
