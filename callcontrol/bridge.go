package callcontrol

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ccxmld/clock"
	"ccxmld/esl"
)

// bridge connects two legs by uuid_bridge. Both leave what they were in first.
func (c *control) bridge(a, b *leg, o *order) {
	if c.legs[b.id] != b { // it was moved meanwhile, or has ended
		c.joinPair(a, b, o)
		return
	}
	if reason := c.notBridgeable(a, b); reason != "" {
		o.fail(c, reason)
		return
	}
	m := &move{legs: []*leg{a, b}, needless: func() bool {
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
			a.send(esl.API("uuid_setvar", l.id, "bridge_filter_dtmf", strconv.FormatBool(l.clamps)), nil)
		}
	}
	a.notBridged, b.notBridged = "", ""
	a.send(esl.API("uuid_bridge", a.id, b.id), func(err error) { c.joinFailed(a, o, err.Error()) })
}

// awaitJoin notes that a leg is on its way into a bridge.
func (c *control) awaitJoin(l *leg, o *order) {
	l.joinPending = o
	l.joinTimer = l.after(joinPatience, func() { l.control.joinLate(l, o) })
}

// joinLate gives a join up for which FreeSWITCH takes too long. The two are brought
// home: it may have bridged them without our hearing of it, or do so still.
func (c *control) joinLate(l *leg, o *order) {
	if l.joinPending != o {
		return
	}
	var started []*leg // by uuid_bridge; joinFailed brings home who listens
	for _, id := range []string{o.ID1, o.ID2} {
		if other := c.legs[id]; !o.Half && other != nil && other.joinPending == o {
			started = append(started, other)
		}
	}
	c.joinFailed(l, o, fmt.Sprintf("FreeSWITCH did not bridge within %s", joinPatience))
	if len(started) < 2 {
		return
	}
	started[0].notBridged, started[1].notBridged = started[1].id, started[0].id
	for _, other := range started {
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
		case l.state != legConnected:
			return fmt.Sprintf("connection %s is %s; a join needs one that is connected", l.id, l.state)
		}
	}
	return ""
}

// bridged takes CHANNEL_BRIDGE, which comes on one of the two legs.
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
		l.joinDone()
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
		if l == nil {
			continue
		}
		l.log().Warn("FreeSWITCH bridged after the join had failed; that is undone", "with", l.notBridged)
		l.notBridged = ""
		if !l.homing {
			c.bringHome(l)
		}
	}
}

// joinDone ends the wait for a join.
func (l *leg) joinDone() {
	l.joinTimer.Stop()
	l.joinPending = nil
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
		other.joinDone()
		if l.state == legGone && other != l {
			c.bringHome(other) // FreeSWITCH may have bridged them, and told it on the other socket
		} else {
			c.session.Do(other.nextMove)
		}
	}
	l.joinDone()
	if l.place.running != "" && l.place.room == "" && l.state != legGone {
		c.bringHome(l)
	}
	if o.implicit && l.state == legGone {
		return // the end of the call says it all (CAL-5)
	}
	o.fail(c, reason)
}

// unbridged takes CHANNEL_UNBRIDGE. Mostly a hangup follows, and partnerGone
// brings the survivor home, or the legs are on their way home already; what is
// left was ended by somebody else.
func (c *control) unbridged(aID, bID string) {
	for _, pair := range [][2]string{{aID, bID}, {bID, aID}} {
		l := c.legs[pair[0]]
		if l == nil || l.place.kind != inBridge || l.place.partner != pair[1] {
			continue
		}
		was := l.place.order
		l.after(strandedAfter, func() {
			if l.state != legGone && l.place.kind == inBridge && l.place.order == was && !l.homing && l.joinPending == nil {
				l.control.bringApartHome(l)
			}
		})
	}
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
		if !other.homing {
			c.bringHome(other)
		}
	}
}

// bringApartHome transfers a leg to our socket whose bridge is no more. Its partner
// comes by itself, since FreeSWITCH need not know any more that the two belong together.
func (c *control) bringApartHome(l *leg) {
	if partner := c.legs[l.place.partner]; partner != nil && l.bridgedTo(partner) && !l.place.silent {
		partner.place.silent = true // one conference.unjoined is enough
	}
	c.transferHome(l, nil)
}

// bringHome transfers a leg, and its partner in a bridge, to our socket. The leg
// is alone when it has come.
func (c *control) bringHome(l *leg) {
	partner := c.legs[l.place.partner]
	if partner != nil && (!l.bridgedTo(partner) || partner.state == legGone) {
		partner = nil
	}
	c.transferHome(l, partner)
}

// transferHome transfers a leg to our socket, and the partner to which it is bridged
// with it; nil for none.
func (c *control) transferHome(l, partner *leg) {
	both := partner != nil
	wait := c.awaitHome(l)
	var partnersWait *clock.Timer
	if both {
		partner.place.silent = true
		partnersWait = c.awaitHome(partner)
	}
	home := c.controller.home()
	if l.moved || both && partner.moved { // see away
		home = append(home, home...)
	}
	astray := func(l *leg, wait *clock.Timer) func(error) {
		return func(err error) {
			switch node := l.reach(); {
			case hasHungUp(err): // which its last event will say
			case wasCut(err) && node != nil && l.homing && l.state != legGone:
				c.fetchHome(l, node)
			default:
				c.strayed(l, wait, err.Error())
			}
		}
	}
	l.send(esl.Transfer(l.id, both, home...), func(err error) {
		astray(l, wait)(err)
		if both && partner.homing && partner.state != legGone {
			partner.send(esl.Transfer(partner.id, false, home...), astray(partner, partnersWait))
		}
	})
}

// hasHungUp tells whether a command was refused since the leg is no more.
func hasHungUp(err error) bool {
	return errors.Is(err, esl.ErrDisconnected) || strings.Contains(err.Error(), "No such channel")
}

// wasCut tells whether a command had no answer since the socket has ended.
func wasCut(err error) bool {
	return !errors.As(err, new(*esl.CommandError))
}

// awaitHome begins to wait for a leg, and gives the wait's timer, by which strayed
// knows it.
func (c *control) awaitHome(l *leg) *clock.Timer {
	l.homing = true
	l.socketTimer.Stop()
	var wait *clock.Timer
	wait = l.after(homePatience, func() {
		l.control.strayed(l, wait, fmt.Sprintf("it did not come within %s", homePatience))
	})
	l.socketTimer = wait
	return wait
}

// strayed deals with a leg that did not come home: it is beyond our control, so
// it has to end. A wait that is over is for nobody.
func (c *control) strayed(l *leg, wait *clock.Timer, reason string) {
	if !l.homing || l.socketTimer != wait || l.state == legGone {
		return
	}
	l.log().Error("the leg did not come back to our socket; check esl.advertise", "reason", reason, "advertise", c.controller.options.Advertise)
	l.homing = false
	l.socketTimer.Stop()
	if l.conn == nil {
		l.kill("NORMAL_TEMPORARY_FAILURE")
		l.gone(hangup{cause: "NETWORK_OUT_OF_ORDER"})
		return
	}
	l.hangUp("NORMAL_TEMPORARY_FAILURE")
}

// cameHome takes a leg that is alone in its socket again.
func (c *control) cameHome(l *leg) {
	l.homing = false
	l.socketTimer.Stop()
	l.left()
	l.runAtHome()
	if l.browser != nil {
		l.browser.apart()
	}
	c.goOnListening(l)
	l.nextMove()
}
