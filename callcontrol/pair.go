package callcontrol

import "strings"

// A pair is two legs of different sessions that hear each other. A bridge would
// take a leg that belongs to another session's goroutine out of what it does
// there; so each session takes its own leg to a room that nobody else knows, when
// the leg is free, and out of it when the other one has left.

// pairRoom names a room that only two legs are in.
func pairRoom(id string) string { return "ccxmld-pair-" + strings.ReplaceAll(id, "-", "") }

// enterPair takes this session's leg of a pair to the room.
func (c *control) enterPair(l, other *leg, room string, o *order) {
	possible := func() bool {
		reason := c.notJoinable(l)
		if reason != "" && !o.broken.Load() {
			l.tellPair(other, room, o)
			o.fail(c, reason)
		}
		return reason == "" && !o.broken.Load()
	}
	if !possible() {
		return
	}
	m := &move{legs: []*leg{l}, needless: func() bool {
		again := l.place.pair == other && l.place.kind == inConference // JOIN-11
		if again {
			l.place.order = o
			l.pairEntered(o)
		}
		return again
	}, run: func() {
		if possible() {
			l.joinPending = o
			c.enterRoom(l, place{partner: other.id, order: o, room: room, pair: other})
		}
	}}
	m.queue()
}

// pairEntered notes that the leg is in the room. The join is made when both are.
func (l *leg) pairEntered(o *order) {
	if o.arrived.Add(1) == 2 {
		o.made(l.control)
	}
}

// tellPair tells the session of the pair's other leg that this one does not come
// to the room, or has left it. What there is to tell documents, this one's session
// tells.
func (l *leg) tellPair(other *leg, room string, o *order) {
	o.broken.Store(true)
	other.route.do(func() {
		if other.place.room != room {
			return
		}
		other.place.silent = true
		if other.joinPending == o {
			other.joinDone()
			other.place.kind = inConference
		}
		if !other.moving() {
			other.control.bringHome(other)
		}
	})
}
