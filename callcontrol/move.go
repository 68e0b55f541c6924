package callcontrol

import (
	"slices"

	"ccxmld/freeswitch"
)

// move is something that needs legs which are alone: a join, or a dialog that
// takes the place of one. The moves of a leg come one after the other, in the
// order in which the document asked for them. One with two legs waits for its
// turn on both; all wait in the same order, so that none waits for ever.
type move struct {
	legs  []*leg
	order *order // the join, nil for something else
	// needless, which may be nil, reports that the legs are where they shall be,
	// or cannot be moved, and has told the document so.
	needless func() bool
	run      func() // looks itself whether the legs are still there
	over     bool
}

// queue lets a move wait for its turn, or runs it at once.
func (m *move) queue() {
	for _, l := range m.legs {
		l.moves = append(l.moves, m)
	}
	m.advance()
}

// advance runs the move if its legs are ready for it, and else sees to it that
// they will be.
func (m *move) advance() {
	switch {
	case m.over || !m.isPossible() && m.finish(m.run):
	case !m.isNext() || m.legsMove():
	case m.needless != nil && m.needless():
		m.finish(nil)
	default:
		for _, l := range m.legs {
			if !m.over {
				l.vacate()
			}
		}
		if !m.over && !m.legsMove() {
			m.finish(m.run)
		}
	}
}

// isPossible tells whether all the legs are still there.
func (m *move) isPossible() bool {
	return !slices.ContainsFunc(m.legs, func(l *leg) bool { return l.isGone() })
}

// isNext tells whether it is the move's turn on all its legs.
func (m *move) isNext() bool {
	return !slices.ContainsFunc(m.legs, func(l *leg) bool { return l.moves[0] != m })
}

// legsMove tells whether a leg is on its way to somewhere, or has just come.
func (m *move) legsMove() bool {
	return slices.ContainsFunc(m.legs, func(l *leg) bool { return l.moving() || l.socket.Is(socketSubscribing, socketSubscribed) })
}

// finish ends the move by run, which may be nil, and gives the next ones their
// turn. It reports true.
func (m *move) finish(run func()) bool {
	m.over = true
	for _, l := range m.legs {
		l.moves = slices.DeleteFunc(l.moves, func(other *move) bool { return other == m })
	}
	if run != nil {
		run()
	}
	for _, l := range m.legs {
		l.nextMove()
	}
	return true
}

// nextMove gives the leg's next move its turn.
func (l *leg) nextMove() {
	if len(l.moves) > 0 {
		l.moves[0].advance()
	}
}

// moving tells whether the leg is on its way into a bridge or conference, out of
// one, or to our socket with its early media.
func (l *leg) moving() bool {
	return l.isHoming() || l.joinState.Is(joinPending, joinLeaving) || l.comesEarly()
}

// vacate takes the leg out of what it is in, silently: its input goes to
// something else (BRG-7).
func (l *leg) vacate() {
	if l.place.kind != alone && !l.moving() {
		l.place.silent = true
		l.leave()
	}
}

// leave takes the leg out of its conference or bridge.
func (l *leg) leave() {
	switch {
	case l.moving():
	case l.place.kind == inConference:
		l.joinState.Take(joinLeaves, l.log)
		l.expectLeave()
		running := l.place.running
		l.send(freeswitch.Room(l.place.room).Kick(l.place.member), func(error) {
			if l.joinState.Is(joinLeaving) && l.place.running == running {
				l.joinState.Take(joinStays, l.log)
				l.control.bringHome(l)
			}
		})
	case l.place.kind != alone:
		l.control.bringHome(l)
	}
}
