package callcontrol

import (
	"context"
	"sync"

	"ccxmld/clock"
)

// lines bring what is meant for sessions that are not at hand: on another
// controller, or still being created. What is for one session goes in the order
// in which it came, and waits while the session is created (CCX-5); different
// sessions do not wait for each other. A line has a goroutine while there is
// something in it.
type lines struct {
	mu      sync.Mutex
	waiting map[string][]func(context.Context) // by session id
	closed  bool
}

// maxLine bounds what waits for one session.
const maxLine = 1000

// add lets f wait for its turn in a session's line. It reports false when the
// line is full, or the controller has ended.
func (l *lines) add(c *Controller, session string, f func(context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, runs := l.waiting[session]
	if l.closed || len(line) >= maxLine {
		return false
	}
	if l.waiting == nil {
		l.waiting = make(map[string][]func(context.Context))
	}
	l.waiting[session] = append(line, f)
	if !runs {
		clock.GoIn(&c.directory, c.options.Clock, func() { l.run(c.directoryDone, session) })
	}
	return true
}

// busy tells whether something waits for a session, or is on its way to it.
func (l *lines) busy(session string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, runs := l.waiting[session]
	return runs
}

// close keeps the lines from taking any more.
func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

func (l *lines) run(ctx context.Context, session string) {
	for {
		l.mu.Lock()
		line := l.waiting[session]
		if len(line) == 0 {
			delete(l.waiting, session)
			l.mu.Unlock()
			return
		}
		l.waiting[session] = nil
		l.mu.Unlock()
		for _, f := range line {
			f(ctx)
		}
	}
}
