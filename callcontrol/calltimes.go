package callcontrol

import (
	"cmp"
	"time"

	"ccxmld/metrics"
)

// callTimes are when a call has come how far; zero for what has not happened.
type callTimes struct {
	Began    time.Time `json:"began,omitzero"`    // it came in, or was placed
	Rang     time.Time `json:"rang,omitzero"`     // the far end rings, or sends early media
	Answered time.Time `json:"answered,omitzero"` // as the document may know it
}

// isCall tells whether the leg is a call that counts: no stand-in, and no call to a VoiceXML
// server.
func (l *leg) isCall() bool { return !l.isHidden() && l.connection.State() != "" }

// direction is who called whom.
func (l *leg) direction() metrics.Direction {
	if l.incoming {
		return metrics.In
	}
	return metrics.Out
}

// note notes how far the call has come by an input.
func (l *leg) note(input legInput) {
	m, now := l.controller.options.Metrics, l.controller.options.Clock.Now()
	switch l.state.State() {
	case legRinging, legMedia, legEarly:
		if l.times.Rang.IsZero() {
			l.times.Rang = now
			m.CallRang(l.direction(), now.Sub(l.times.Began))
		}
	case legConnected:
		if l.times.Answered.IsZero() {
			l.times.Answered = now
			m.CallAnswered(l.direction(), now.Sub(l.times.Began))
		}
	case legGone:
		if input != legMovedAway { // else it goes on elsewhere
			l.noteEnd(now)
		}
	}
}

// noteEnd counts the call's end.
func (l *leg) noteEnd(now time.Time) {
	if l.times.Answered.IsZero() {
		l.controller.options.Metrics.CallEnded(l.direction(), cmp.Or(l.outcome, "cancelled"), 0)
		return
	}
	l.controller.options.Metrics.CallEnded(l.direction(), "answered", now.Sub(l.times.Answered))
}
