package processors

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// place is which place an account has.
type place uint8

const (
	none     place = iota
	common         // for all
	reserved       // for those that have taken little yet
	given          // none, and it needs none: it was given up
)

// A Gate gives places to work that lasts. It is safe for concurrent use.
type Gate struct {
	places  int
	alone   bool         // one processor is all there is
	waiting atomic.Int32 // in all queues

	mu       sync.Mutex
	common   int // places taken
	reserved bool
	// queues are in the order in which accounts came; of the large ones that which
	// is so first.
	queues [len(spentAtMost) + 1][]*Account
	served int
	closed bool
	// due is when what large accounts have allocated is due at their rate, and alarm says
	// that they are looked at again.
	due   time.Time
	alarm bool
}

// waiter is what the gate knows of an account.
type waiter struct {
	place place
	call  chan struct{} // closed when it gets one; nil while it does not wait
}

// spentAtMost is what accounts in one queue have spent: those that have spent less go
// first. One of the queues is for those that are large.
var spentAtMost = [...]time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 0, time.Second}

const large = 2

// bytesPerSecond is what all large accounts together may allocate for long, and burst at
// once: the collector of garbage needs processors for it, and has others help.
const (
	bytesPerSecond = 64 << 20
	burst          = 32 << 20
)

// everyOther is how often the last queue is served first: less goes first, and yet no
// account waits for ever.
const everyOther = 4

// breath is for how long the only processor is left to others between two turns. To
// yield it would not do: the network is looked at when nothing can run.
const breath = 200 * time.Microsecond

// NewGate returns a gate that leaves half of the processors free, where there are several.
func NewGate() *Gate {
	n := runtime.GOMAXPROCS(0)
	return &Gate{places: max(1, n/2), alone: n == 1}
}

// Close ends all waits, as if their time were up: what still goes on may end.
func (g *Gate) Close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for n := range g.queues {
		for len(g.queues[n]) > 0 {
			g.remove(n, 0)
		}
	}
}

// Account opens an account. That of a nil Gate is nil.
func (g *Gate) Account() *Account {
	if g == nil {
		return nil
	}
	return &Account{gate: g}
}

// wanted tells whether somebody waits for a place.
func (g *Gate) wanted() bool { return g.alone || g.waiting.Load() > 0 }

// enter takes a place for an account, once there is one. It gives up after a time.
func (g *Gate) enter(a *Account, n int, most time.Duration) place {
	if g.alone {
		time.Sleep(breath)
	}
	call := g.queue(a, n)
	if call != nil {
		timer := time.NewTimer(most)
		defer timer.Stop()
		select {
		case <-call:
		case <-timer.C:
		}
	}
	return g.got(a)
}

// queue lets an account wait, unless there is a place at once or it needs none.
func (g *Gate) queue(a *Account, n int) (call <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.wait.place == given || g.closed {
		return nil
	}
	a.wait.call = make(chan struct{})
	queue := &g.queues[n]
	at := len(*queue)
	if n == large {
		at, _ = slices.BinarySearchFunc(*queue, a, func(one, other *Account) int { return one.first.Compare(other.first) })
	}
	*queue = slices.Insert(*queue, at, a)
	g.waiting.Add(1)
	call = a.wait.call
	g.serve()
	return call
}

// got is the place that an account has, which waits no longer.
func (g *Gate) got(a *Account) place {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(a)
	return a.wait.place
}

// forget takes an account out of the queue in which it waits, if it does.
func (g *Gate) forget(a *Account) {
	for n := range g.queues {
		if a.wait.call == nil {
			return
		}
		if i := slices.Index(g.queues[n], a); i >= 0 {
			g.remove(n, i)
		}
	}
}

// remove takes an account out of a queue.
func (g *Gate) remove(n, i int) *Account {
	a := g.queues[n][i]
	g.queues[n] = slices.Delete(g.queues[n], i, i+1)
	g.waiting.Add(-1)
	close(a.wait.call)
	a.wait.call = nil
	return a
}

// serve gives free places to those that wait.
func (g *Gate) serve() {
	for g.common < g.places {
		n := g.next()
		if n < 0 {
			return
		}
		g.common++
		g.served++
		g.remove(n, 0).wait.place = common
	}
	if !g.reserved && len(g.queues[0]) > 0 {
		g.reserved = true
		g.remove(0, 0).wait.place = reserved
	}
}

// next is the queue whose turn it is; -1 for none.
func (g *Gate) next() int {
	found := -1
	for n, queue := range g.queues {
		if len(queue) == 0 || n == large && !g.overdue() {
			continue
		}
		found = n
		if g.served%everyOther != everyOther-1 {
			break
		}
	}
	return found
}

// leave gives back the place of an account.
func (g *Gate) leave(a *Account, allocated int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if allocated > 0 {
		if least := time.Now().Add(-takes(burst)); g.due.Before(least) {
			g.due = least
		}
		g.due = g.due.Add(takes(allocated))
	}
	g.free(a, none)
}

// takes is how long it takes until bytes are due.
func takes(bytes int64) time.Duration {
	return time.Duration(float64(bytes) / bytesPerSecond * float64(time.Second))
}

// overdue tells whether what large accounts have allocated is due; if not, they are
// looked at again when it is.
func (g *Gate) overdue() bool {
	wait := time.Until(g.due)
	if wait <= 0 {
		return true
	}
	if !g.alarm {
		g.alarm = true
		time.AfterFunc(wait, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.alarm = false
			g.serve()
		})
	}
	return false
}

func (g *Gate) abandon(a *Account) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(a)
	g.free(a, given)
}

func (g *Gate) free(a *Account, then place) {
	switch a.wait.place {
	case common:
		g.common--
	case reserved:
		g.reserved = false
	case given:
		return
	case none:
	}
	a.wait.place = then
	g.serve()
}
