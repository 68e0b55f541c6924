package callcontrol

import (
	"fmt"

	"ccxmld/freeswitch"
)

// bridge connects two legs. Both leave what they were in first.
func (c *control) bridge(a, b *leg, o *order) {
	if c.legs[b.id] != b { // it was moved meanwhile, or has ended
		c.joinPair(a, b, o)
		return
	}
	if reason := c.notBridgeable(a, b); reason != "" {
		o.fail(c, reason)
		return
	}
	m := &move{legs: []*leg{a, b}, order: o, needless: func() bool {
		again := a.bridgedTo(b) // JOIN-11
		if again {
			a.place.order, b.place.order = o, o
			o.made(c)
		}
		return again
	}, run: func() { c.startBridge(a, b, o) }}
	m.queue()
}

func (c *control) startBridge(a, b *leg, o *order) {
	if reason := c.notBridgeable(a, b); reason != "" {
		o.fail(c, reason)
		return
	}
	for _, l := range []*leg{a, b} {
		if o.browser == nil { // which is a dialog itself
			l.endDialogs()
		}
		c.awaitJoin(l, o)
		if l.clamps != o.ClampDigits {
			l.clamps = o.ClampDigits
			// On the same socket as the bridge, which reads it when it begins.
			a.send(freeswitch.ClampDigits(l.id, l.clamps), nil)
		}
	}
	a.notBridged, b.notBridged = "", ""
	a.send(freeswitch.Bridge(a.id, b.id), func(err error) { c.joinFailed(a, o, err.Error()) })
}

// awaitJoin notes that a leg is on its way into a bridge.
func (c *control) awaitJoin(l *leg, o *order) {
	l.beginJoin(o)
	l.expectJoin(o)
}

// expectJoin gives a join up that takes too long.
func (l *leg) expectJoin(o *order) {
	l.joinTimer = l.after(joinTimeout, func() { l.control.joinTimedOut(l, o) })
}

// joinTimedOut gives a join up for which FreeSWITCH takes too long. The two are brought
// home: it may have bridged them without our hearing of it, or do so still.
func (c *control) joinTimedOut(l *leg, o *order) {
	if l.joinPending != o {
		return
	}
	var started []*leg // of a bridge; joinFailed brings home who listens
	for _, id := range []string{o.ID1, o.ID2} {
		if other := c.legs[id]; !o.Half && other != nil && other.joinPending == o {
			started = append(started, other)
		}
	}
	c.joinFailed(l, o, fmt.Sprintf("FreeSWITCH did not bridge within %s", joinTimeout))
	if len(started) < 2 {
		return
	}
	started[0].notBridged, started[1].notBridged = started[1].id, started[0].id
	for _, other := range started {
		other.joinState.Take(joinTimesOut, other.log)
		c.bringHome(other)
	}
}

// bridgedTo tells whether two legs are in one bridge.
func (l *leg) bridgedTo(other *leg) bool {
	return l.place.kind == inBridge && l.place.partner == other.id &&
		other.place.kind == inBridge && other.place.partner == l.id
}

// notJoinable says why two legs cannot be bridged, "" if they can (JOIN-10).
func (c *control) notJoinable(legs ...*leg) string {
	for _, l := range legs {
		switch {
		case l.handover != nil:
			return fmt.Sprintf("connection %s is being moved to another session", l.id)
		case !l.isConnected():
			return fmt.Sprintf("connection %s is %s; a join needs one that is connected", l.id, l.state.State())
		}
	}
	return ""
}

// bridged takes the beginning of a bridge, which is told on one of the two legs.
func (c *control) bridged(aID, bID string) {
	a, b := c.legs[aID], c.legs[bID]
	for _, pair := range [][2]*leg{{a, b}, {b, a}} {
		if l := pair[0]; l != nil && (l.notBridged == aID || l.notBridged == bID) {
			c.undoBridge(l, pair[1])
			return
		}
	}
	if a == nil || b == nil || a.joinPending == nil || a.joinPending != b.joinPending {
		return
	}
	o := a.joinPending
	for _, pair := range [][2]*leg{{a, b}, {b, a}} {
		l, partner := pair[0], pair[1]
		l.place = place{kind: inBridge, partner: partner.id, order: o, silent: o.merge}
		l.joinDone(joinMade)
	}
	if o.merge {
		c.makeIndependent(a, b, o)
		return
	}
	a.keepTogether()
	b.keepTogether()
	o.made(c)
	a.nextMove()
	b.nextMove()
}

// undoBridge ends a bridge that FreeSWITCH has made after the join counts as failed.
// The other one may be gone.
func (c *control) undoBridge(legs ...*leg) {
	for _, l := range legs {
		if l == nil || l.joinState.Take(joinComesLate, l.log) != undoJoin {
			continue
		}
		l.log().Warn("FreeSWITCH bridged after the join had failed; that is undone", "with", l.notBridged)
		l.notBridged = ""
		if !l.isHoming() {
			c.bringHome(l)
		}
	}
}

// beginJoin begins the wait for a join.
func (l *leg) beginJoin(o *order) {
	l.joinPending = o
	l.joinState.Take(joinBegins, l.log)
}

// joinDone ends the wait for a join, if there is one: it is made, or has failed.
func (l *leg) joinDone(how joinInput) {
	l.joinTimer.Stop()
	if l.joinPending != nil {
		l.joinPending = nil
		l.joinState.Take(how, l.log)
	}
}

// joinFailed ends the wait for a join that did not happen. Word of a join that is
// not waited for any more, or of none, is for nobody.
func (c *control) joinFailed(l *leg, o *order, reason string) {
	if o == nil || l.joinPending != o {
		return
	}
	for _, id := range []string{o.ID1, o.ID2} {
		other := c.legs[id]
		if other == nil || other.joinPending != o {
			continue
		}
		other.joinDone(joinFails)
		if l.isGone() && other != l {
			c.bringHome(other) // FreeSWITCH may have bridged them, and told it on the other socket
		} else {
			c.session.Do(other.nextMove)
		}
	}
	l.joinDone(joinFails)
	l.takePresence().ends(c)
	if l.place.running != "" && l.place.room == "" && !l.isGone() {
		c.bringHome(l)
	}
	if o.implicit && l.isGone() {
		return // the end of the call says it all (CAL-5)
	}
	o.fail(c, reason)
}

// partnerGone frees the legs that heard one that is gone.
func (c *control) partnerGone(l *leg) {
	for _, other := range byKey(c.legs) {
		if v := other.voice(); v != nil && v.of == l {
			c.voiceGone(other)
			continue
		}
		if other == l || other.place.partner != l.id {
			continue
		}
		switch other.place.kind {
		case inBridge:
			if other.place.order.unjoins { // and was on its way out; see bringHome
				other.tellLeft()
			}
			other.place.silent = true // one conference.unjoined is enough
		case listening:
			other.tellLeft() // before the document hears of the end of the call (BRG-12)
			other.place.silent = true
		default:
			continue
		}
		if !other.isHoming() {
			c.bringHome(other)
		}
	}
}
