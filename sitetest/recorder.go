package sitetest

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

// Recorder keeps lines: of what a session's observer is told, or of a log.
type Recorder struct {
	clock   clock.Clock
	mu      sync.Mutex
	lines   []string
	waiters []*clock.Waiter
	stops   map[string]*clock.Latch // for what sessions wait where they log it
}

var _ interpreter.Observer = (*Recorder)(nil)

// NewRecorder makes an empty recorder.
func NewRecorder(c clock.Clock) *Recorder {
	return &Recorder{clock: c, stops: make(map[string]*clock.Latch)}
}

// Add adds a line.
func (r *Recorder) Add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	for _, w := range r.waiters {
		w.Wake()
	}
	r.waiters = nil
}

// EventHandled implements interpreter.Observer: "event NAME (REASON)".
func (r *Recorder) EventHandled(_ string, e *interpreter.Event, _ *script.Position) {
	line := "event " + e.Name
	if reason := e.String("reason"); reason != "" {
		line += " (" + reason + ")"
	}
	r.Add(line)
}

// Logged implements interpreter.Observer: "log LABEL TEXT".
func (r *Recorder) Logged(_, label, text string) {
	line := strings.TrimSpace("log " + label + text)
	r.mu.Lock()
	stop := r.stops[line]
	r.mu.Unlock()
	r.Add(line)
	if stop != nil {
		_ = stop.Wait(context.Background())
	}
}

// HoldAt lets the session that logs a text wait there until it is told to go on.
func (r *Recorder) HoldAt(text string) (goOn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stop := clock.NewLatch(r.clock)
	r.stops["log "+text] = stop
	return stop.Open
}

// StateChanged implements interpreter.Observer: "state NAME".
func (r *Recorder) StateChanged(_, state string) { r.Add("state " + state) }

// SessionEnded implements interpreter.Observer; it is not recorded.
func (r *Recorder) SessionEnded(string, string, interpreter.Ending) {}

// Reset drops all lines.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = nil
}

// Lines gives all lines so far.
func (r *Recorder) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

// Wait waits until there is a line that begins like this.
func (r *Recorder) Wait(ctx context.Context, line string) error {
	return r.await(ctx, line, strings.HasPrefix)
}

// WaitText waits until there is a line that contains a text.
func (r *Recorder) WaitText(ctx context.Context, text string) error {
	return r.await(ctx, text, strings.Contains)
}

func (r *Recorder) await(ctx context.Context, text string, matches func(line, text string) bool) error {
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

// Has tells whether there was a line that contains a text.
func (r *Recorder) Has(text string) bool {
	return slices.ContainsFunc(r.Lines(), func(line string) bool { return strings.Contains(line, text) })
}

// Count tells how many lines begin like this.
func (r *Recorder) Count(beginning string) (n int) {
	for _, line := range r.Lines() {
		if strings.HasPrefix(line, beginning) {
			n++
		}
	}
	return n
}
