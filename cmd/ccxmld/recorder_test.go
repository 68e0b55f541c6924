package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ccxmld/clock"
	"ccxmld/interpreter"
	"ccxmld/script"
)

// recorder keeps what an observer is told, a line each.
type recorder struct {
	clock   clock.Clock
	mu      sync.Mutex
	lines   []string
	waiters []*clock.Waiter
	stops   map[string]*clock.Latch // for what sessions wait where they log it
}

var _ interpreter.Observer = (*recorder)(nil)

func newRecorder(c clock.Clock) *recorder {
	return &recorder{clock: c, stops: make(map[string]*clock.Latch)}
}

func (r *recorder) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	for _, w := range r.waiters {
		w.Wake()
	}
	r.waiters = nil
}

func (r *recorder) EventHandled(_ string, e *interpreter.Event, _ *script.Position) {
	line := "event " + e.Name
	if reason := e.String("reason"); reason != "" {
		line += " (" + reason + ")"
	}
	r.add(line)
}

func (r *recorder) Logged(_, label, text string) {
	line := strings.TrimSpace("log " + label + text)
	r.mu.Lock()
	stop := r.stops[line]
	r.mu.Unlock()
	r.add(line)
	if stop != nil {
		_ = stop.Wait(context.Background())
	}
}

// stop lets the session that logs a text wait there until it is told to go on.
func (r *recorder) stop(text string) (goOn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stop := clock.NewLatch(r.clock)
	r.stops["log "+text] = stop
	return stop.Open
}

func (r *recorder) StateChanged(_, state string) { r.add("state " + state) }

func (r *recorder) SessionEnded(string, string, interpreter.Ending) {}

// forget begins a new record.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = nil
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

// wait waits for a line that begins like this.
func (r *recorder) wait(ctx context.Context, line string) error {
	return r.await(ctx, line, strings.HasPrefix)
}

// waitFor waits for a line that contains a text.
func (r *recorder) waitFor(ctx context.Context, text string) error {
	return r.await(ctx, text, strings.Contains)
}

func (r *recorder) await(ctx context.Context, text string, matches func(line, text string) bool) error {
	w := clock.NewWaiter(r.clock)
	for {
		r.mu.Lock()
		found := slices.ContainsFunc(r.lines, func(line string) bool { return matches(line, text) })
		if !found {
			r.waiters = append(r.waiters, w)
		}
		r.mu.Unlock()
		switch {
		case found:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("never seen: %s", text)
		}
		w.WaitContext(ctx)
	}
}

// has tells whether there was a line that contains a text.
func (r *recorder) has(text string) bool {
	return slices.ContainsFunc(r.all(), func(line string) bool { return strings.Contains(line, text) })
}
