package callcontrol

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// A pair is two legs of different sessions that hear each other. A bridge would
// take a leg that belongs to another session's goroutine out of what it does
// there; so each session takes its own leg to a room that nobody else knows, when
// the leg is free, and out of it when the other one has left.

// pairRoom names a room that only two legs are in.
func pairRoom(id string) string { return "ccxmld-pair-" + strings.ReplaceAll(id, "-", "") }

// meeting is a pair's room, which the two sessions share. Each join has its own, so
// that two legs which are joined again cannot miss each other in two rooms.
type meeting struct {
	room  string
	order *order
	came  atomic.Int32 // how many of the two; far below 0 when it is over
}

// over is below 0 with whatever comes still.
const over = -10

// end ends the meeting, and tells how many had come; below 0 if it was over before,
// and whoever ended it has told of that.
func (m *meeting) end() int32 { return m.came.Swap(over) }

func (m *meeting) isOver() bool { return m.came.Load() < 0 }

// enterPair takes this session's leg of a pair to the room.
func (c *control) enterPair(l, other *leg, m *meeting) {
	possible := func() bool {
		reason := c.notJoinable(l)
		if reason != "" && m.end() >= 0 {
			m.tell(other)
			m.order.fail(c, reason)
		}
		return reason == "" && !m.isOver()
	}
	if !possible() {
		return
	}
	(&move{legs: []*leg{l}, run: func() {
		if possible() {
			l.joinPending = m.order
			c.enterRoom(l, place{partner: other.id, order: m.order, room: m.room, pair: other, meeting: m})
		}
	}}).queue()
}

// pairEntered notes that the leg is in the room. The join is made when both are.
func (l *leg) pairEntered() {
	if m := l.place.meeting; m.came.Add(1) == 2 {
		m.order.made(l.control)
	}
}

// leavePair notes that the leg does not come to the pair's room, or has left it.
// What there is to tell documents of that, the session of the first one tells.
func (l *leg) leavePair() {
	m := l.place.meeting
	came := m.end()
	if came >= 0 {
		m.tell(l.place.pair)
	}
	if came == 2 {
		return
	}
	switch {
	case l.joinPending != m.order: // joinFailed tells else
		if came >= 0 {
			m.order.fail(l.control, fmt.Sprintf("connection %s left before %s came", l.id, l.place.pair.id))
		}
	case came < 0:
		l.joinDone()
	}
	l.hush()
}

// tell tells the session of one of the two that the other does not come to the
// room, or has left it.
func (m *meeting) tell(l *leg) {
	l.route.do(func() {
		if l.place.meeting != m {
			return
		}
		l.hush()
		if l.joinPending == m.order {
			l.joinDone()
			l.place.kind = inConference
		}
		if !l.moving() {
			l.control.bringHome(l)
		}
	})
}
