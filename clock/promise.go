package clock

import "sync"

// Promise is a value that one goroutine waits for and another one brings, once.
type Promise[T any] struct {
	come *Waiter

	mu    sync.Mutex
	kept  bool
	value T
}

// NewPromise returns a promise that is not kept yet.
func NewPromise[T any](c Clock) *Promise[T] { return &Promise[T]{come: NewWaiter(c)} }

// Keep brings the value; only the first one counts.
func (p *Promise[T]) Keep(value T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.kept {
		p.kept, p.value = true, value
		p.come.Wake()
	}
}

// Wait waits for the value.
func (p *Promise[T]) Wait() T {
	for {
		p.mu.Lock()
		kept, value := p.kept, p.value
		p.mu.Unlock()
		if kept {
			return value
		}
		p.come.Wait()
	}
}
