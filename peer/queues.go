package peer

import (
	"context"
	"fmt"
	"sync"
)

// queues hold what is for sessions that are not at hand, and answers for other
// controllers. What is for one goes in the order in which it came, and what is for a
// session waits while that is created (CCX-5); different ones do not wait for each
// other. A queue has a goroutine while there is something in it.
type queues struct {
	start   func(func(context.Context))
	mu      sync.Mutex
	waiting map[string][]func(context.Context) // by the id of a session or controller
	closed  bool
}

// MaxQueued bounds what waits in one queue.
const MaxQueued = 1000

// errNotTaken: a queue did not take something.
var errNotTaken = fmt.Errorf("%d messages wait for it already, or the controller is shutting down", MaxQueued)

// add lets f wait for its turn in the queue for an id. It reports false when the queue
// is full, or the controller has ended.
func (q *queues) add(id string, f func(context.Context)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	queue, runs := q.waiting[id]
	if q.closed || len(queue) >= MaxQueued {
		return false
	}
	if q.waiting == nil {
		q.waiting = make(map[string][]func(context.Context))
	}
	q.waiting[id] = append(queue, f)
	if !runs {
		q.start(func(ctx context.Context) { q.run(ctx, id) })
	}
	return true
}

// busy tells whether something is in a queue, or was taken from it and is not done.
func (q *queues) busy(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, runs := q.waiting[id]
	return runs
}

// close keeps the queues from taking any more.
func (q *queues) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *queues) run(ctx context.Context, id string) {
	for {
		q.mu.Lock()
		queue := q.waiting[id]
		if len(queue) == 0 {
			delete(q.waiting, id)
			q.mu.Unlock()
			return
		}
		q.waiting[id] = nil
		q.mu.Unlock()
		for _, f := range queue {
			f(ctx)
		}
	}
}
