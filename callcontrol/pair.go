package callcontrol

import (
	"fmt"
	"strings"
	"sync"
)

// A pair is two legs of different sessions that hear each other. A bridge would
// take a leg that belongs to another session's goroutine out of what it does
// there; so each session takes its own leg to a room that nobody else knows, when
// the leg is free, and out of it when the other one has left.

// pairRoomName names a room that only two legs are in.
func pairRoomName(id string) string { return "ccxmld-pair-" + strings.ReplaceAll(id, "-", "") }

// pairRoom is a pair's room, which the two sessions share. Each join has its own, so
// that two legs which are joined again cannot miss each other in two rooms.
type pairRoom struct {
	room  string
	order *order

	mu      sync.Mutex
	machine string // the FreeSWITCH that the first one to look is on
	came    int    // how many of the two
	over    bool
}

// end ends the pairRoom, and tells how many had come; below 0 if it was over before,
// and whoever ended it has told of that.
func (m *pairRoom) end() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return -1
	}
	m.over = true
	return m.came
}

// endUnlessMade ends the pairRoom if the two are not both there. It reports whether
// it did.
func (m *pairRoom) endUnlessMade() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over || m.came == 2 {
		return false
	}
	m.over = true
	return true
}

func (m *pairRoom) isOver() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over
}

// enter counts a leg in, and tells how many there are; 0 if the pairRoom is over.
func (m *pairRoom) enter() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return 0
	}
	m.came++
	return m.came
}

// elsewhere says why a leg on a machine cannot meet the other, "" if it can.
func (m *pairRoom) elsewhere(machine string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.machine == "" {
		m.machine = machine
	}
	return onTwoNodes(m.machine, machine)
}

// joinPair lets two sessions join their legs, or one of them its own if it has come
// to have both.
func (c *control) joinPair(a, b *leg, o *order) {
	m := &pairRoom{room: pairRoomName(c.controller.newID()), order: o}
	for _, pair := range [][2]*leg{{a, b}, {b, a}} {
		l, other := pair[0], pair[1]
		enter := func() { l.control.enterPair(l, other, m) }
		if c.legs[l.id] == l {
			enter()
			continue
		}
		l.route.ask(enter, func() {
			if m.end() >= 0 {
				m.tell(other)
				o.failedElsewhere("the session of connection " + l.id + " has ended")
			}
		})
	}
}

// enterPair takes this session's leg of a pair to the room.
func (c *control) enterPair(l, other *leg, m *pairRoom) {
	possible := func() bool {
		reason := c.notJoinable(l)
		if reason == "" {
			reason = m.elsewhere(l.machine)
		}
		if reason != "" && m.end() >= 0 {
			m.tell(other)
			m.order.fail(c, reason)
		}
		return reason == "" && !m.isOver()
	}
	if !possible() {
		return
	}
	(&move{legs: []*leg{l}, order: m.order, run: func() {
		if possible() {
			l.beginJoin(m.order)
			c.enterRoom(l, place{partner: other.id, order: m.order, room: m.room, pair: other, pairRoom: m})
		}
	}}).queue()
}

// pairEntered notes that the leg is in the room. The join is made when both are.
func (l *leg) pairEntered() {
	switch m := l.place.pairRoom; m.enter() {
	case 2:
		m.order.made(l.control)
	case 1:
		l.expectPartner()
	}
}

// expectPartner gives a pair up of which the second one does not come.
func (l *leg) expectPartner() {
	m := l.place.pairRoom
	l.after(pairTimeout, func() {
		if l.place.pairRoom == m && m.endUnlessMade() {
			m.tell(l.place.pair)
			m.order.fail(l.control, fmt.Sprintf("connection %s did not come within %s", l.place.pair.id, pairTimeout))
			l.control.endMeeting(l)
		}
	})
}

// leavePair notes that the leg does not come to the pair's room, or has left it.
// What there is to tell documents of that, the session of the first one tells.
func (l *leg) leavePair() {
	m := l.place.pairRoom
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
		l.joinDone(joinFails)
	}
	l.tellLeftOnce()
}

// tell tells the session of one of the two that the other does not come to the
// room, or has left it.
func (m *pairRoom) tell(l *leg) {
	l.route.do(func() {
		if l.place.pairRoom == m {
			l.control.endMeeting(l)
		}
	})
}

// endMeeting takes the leg out of the pair's room, or keeps it from coming there.
func (c *control) endMeeting(l *leg) {
	l.tellLeftOnce()
	if l.joinPending == l.place.order {
		l.joinDone(joinMade)
		l.place.kind = inConference
	}
	if !l.moving() {
		c.bringHome(l)
	}
}
