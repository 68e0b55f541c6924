package clock

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Gate is where a process waits that was stopped for longer than it may be (SIGSTOP, a
// machine that was suspended): what it knows may be over, and whoever has to act first
// asks how things are. It is open as long as the process runs. Everything that acts on
// others looks at it before; the first one that finds that too much time has passed, be it
// a timer or the reader of a connection, closes it. A nil Gate is always open.
type Gate struct {
	clock  Clock
	most   time.Duration
	closed func()
	start  time.Time
	until  atomic.Int64 // nanoseconds after start: it is open without another look; closedGate if it is closed

	mu      sync.Mutex
	waiting []func() // in the order in which they came
}

const closedGate = math.MinInt64

// NewGate returns a gate for a process that may be stopped for up to most. closed is called
// in a goroutine of its own each time that the gate has closed: it finds out how things are,
// and calls Open then.
func NewGate(c Clock, most time.Duration, closed func()) *Gate {
	g := &Gate{clock: c, most: most, closed: closed, start: c.Now()}
	g.until.Store(int64(most))
	return g
}

// Watch notes that the process runs, again and again, until stop is called.
func (g *Gate) Watch() (stop func()) {
	return Every(g.clock, g.most/watchesGate, func() {
		if g.IsOpen() {
			g.runs()
		}
	})
}

// watchesGate is how often it is noted that a process runs in the time that it may be
// stopped.
const watchesGate = 5

// runs notes that the process runs.
func (g *Gate) runs() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until.Load() != closedGate {
		g.until.Store(int64(Since(g.clock, g.start) + g.most))
	}
}

// IsOpen tells whether the process may act.
func (g *Gate) IsOpen() bool {
	if g == nil {
		return true
	}
	until := g.until.Load()
	if until != closedGate && int64(Since(g.clock, g.start)) <= until {
		return true
	}
	return g.isOpenStill(until)
}

// isOpenStill closes the gate if nobody has noted since that the process runs.
func (g *Gate) isOpenStill(until int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch now := g.until.Load(); {
	case now == closedGate:
		return false
	case now != until:
		return true
	}
	g.until.Store(closedGate)
	Go(g.clock, g.closed)
	return false
}

// Hold reports true if the gate is closed; f is called when it opens, then, in the goroutine
// that opens it. f must not wait.
func (g *Gate) Hold(f func()) bool {
	if g.IsOpen() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until.Load() != closedGate { // it has opened meanwhile
		return false
	}
	g.waiting = append(g.waiting, f)
	return true
}

// Do calls f now, or when the gate opens.
func (g *Gate) Do(f func()) {
	if !g.Hold(f) {
		f()
	}
}

// Wait waits through the clock until the gate is open, or ctx ends, which is its error.
func (g *Gate) Wait(ctx context.Context) error {
	if g.IsOpen() {
		return nil
	}
	open := NewLatch(g.clock)
	g.Do(open.Open)
	return open.Wait(ctx)
}

// Open opens the gate, and calls what was held.
func (g *Gate) Open() {
	g.mu.Lock()
	g.until.Store(int64(Since(g.clock, g.start) + g.most))
	waiting := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}
