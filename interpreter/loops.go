package interpreter

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"ccxmld/clock"
)

// loops notices what would go on for ever: errors whose handlers make more of them,
// and events that bring one another about as fast as the machine can. A session's
// scripts are bounded elsewhere; these are the loops between its transitions.
type loops struct {
	inRow  int          // error events with nothing between them
	errors clock.Window // error events, of errorTime

	pace *rate.Limiter // of events
	rest *clock.Timer
	told bool
	last *transition // that handled an event
}

const (
	// errorTime is the time in which so many error events, with whatever between
	// them, are a loop.
	errorTime = 10 * time.Second
	// burst is how many seconds' worth of events a session may handle at once.
	burst = 3
	// shortRest is how long a session that handles too many events stands still.
	shortRest = 10 * time.Millisecond
)

// guardErrors ends a session that does nothing but handle errors, or handles too
// many in a short time (EVT-27).
func (s *Session) guardErrors(e *Event, name string, t *transition) {
	if !isError(name) {
		s.loops.inRow = 0
		return
	}
	l := &s.loops
	l.inRow++
	switch n := l.errors.Count(s.options.Clock.Now(), errorTime); {
	case l.inRow >= s.limits.Errors:
		s.end(Ending{Reason: because(fmt.Sprintf("%d error events in a row; the last was %s%s", l.inRow, e.Name, handledBy(t)), e)})
	case n >= 2*s.limits.Errors: // which are no more than an application may meet, with others between them
		s.end(Ending{Reason: because(fmt.Sprintf("%d error events within %s; the last was %s%s", n, errorTime, e.Name, handledBy(t)), e)})
	}
}

func handledBy(t *transition) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf(", handled by the transition at %s", t.position)
}

// mayHandle tells whether the session may handle its next event now. One that
// handles more than Limits.Events a second for long is slowed to that: whatever its
// events do, it then takes little from others.
func (s *Session) mayHandle() bool {
	l := &s.loops
	if l.rest != nil {
		return false
	}
	if l.pace.AllowN(s.options.Clock.Now(), 1) {
		return true
	}
	if !l.told {
		l.told = true
		s.log().Warn("session is slowed: its events bring more events about than it may handle", "document", s.lastHandled(),
			"events_per_second", s.limits.Events, "do", "look for transitions that send to their own session or start what ends at once; or raise limits.events_per_second")
	}
	l.rest = s.after(shortRest, func() { s.loops.rest = nil })
	return false
}

// lastHandled is the place of the transition that handled an event last.
func (s *Session) lastHandled() string {
	if s.loops.last == nil {
		return s.document.URI
	}
	return s.loops.last.position.String()
}
