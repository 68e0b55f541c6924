package callcontrol

import (
	"fmt"
	"strings"
	"time"

	"ccxmld/esl"
	"ccxmld/interpreter"
)

// joinPatience is how long a join may take to happen in FreeSWITCH before it
// counts as failed.
const joinPatience = 10 * time.Second

// Join bridges two endpoints (interpreter.Telephony).
func (c *control) Join(r interpreter.JoinRequest) { c.join(r, false) }

// join makes a bridge. An implicit one, which createcall's joinid asks for, has no
// join event of its own.
func (c *control) join(r interpreter.JoinRequest, implicit bool) {
	a, b := c.legs[r.ID1], c.legs[r.ID2]
	conference := ""
	switch {
	case interpreter.IsConferenceID(r.ID1):
		conference = r.ID1
	case interpreter.IsConferenceID(r.ID2):
		conference = r.ID2
	}
	d := c.dialogOf(r.ID1, r.ID2)
	switch {
	case d != nil:
		c.joinDialog(d, r)
	case a != nil && b != nil && !r.Half:
		c.bridge(a, b, r, implicit)
	case a != nil && conference == r.ID2, b != nil && conference == r.ID1:
		l := a
		if l == nil {
			l = b
		}
		c.joinConference(l, conference, r, implicit)
	default:
		c.queueJoinError("error.conference.join", r.ID1, r.ID2,
			"this kind of join is not supported: it takes two connections in full duplex, or a connection and a conference")
	}
}

// bridge connects two legs by uuid_bridge. Both leave what they were in first.
func (c *control) bridge(a, b *leg, r interpreter.JoinRequest, implicit bool) {
	if reason := c.notJoinable(a, b); reason != "" {
		c.queueJoinError("error.conference.join", r.ID1, r.ID2, reason)
		return
	}
	m := &move{legs: []*leg{a, b}, needless: func() bool {
		again := a.bridgedTo(b) // JOIN-11
		if again {
			c.queueJoined(a.endpoint(), b.endpoint(), r, implicit)
		}
		return again
	}, run: func() { c.startBridge(a, b, &r, implicit) }}
	m.queue()
}

func (c *control) startBridge(a, b *leg, r *interpreter.JoinRequest, implicit bool) {
	if reason := c.notJoinable(a, b); reason != "" {
		c.queueJoinError("error.conference.join", r.ID1, r.ID2, reason)
		return
	}
	for _, l := range []*leg{a, b} {
		l.endDialogs()
		c.awaitJoin(l, r, implicit)
	}
	a.send(esl.API("uuid_bridge", a.id, b.id), func(err error) { c.joinFailed(a, err.Error()) })
}

// awaitJoin notes that a leg is on its way into a bridge.
func (c *control) awaitJoin(l *leg, r *interpreter.JoinRequest, implicit bool) {
	l.joinPending, l.implicit = r, implicit
	l.joinDeadline = c.after(joinPatience, func() { c.joinFailed(l, fmt.Sprintf("FreeSWITCH did not bridge within %s", joinPatience)) })
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
	if a == nil || b == nil || a.joinPending == nil || b.joinPending == nil {
		return
	}
	r := *a.joinPending
	for _, pair := range [][2]*leg{{a, b}, {b, a}} {
		l, partner := pair[0], pair[1]
		l.place = place{kind: inBridge, partner: partner.id, id1: r.ID1, id2: r.ID2, termDigits: r.TermDigits, implicit: l.implicit}
		l.joinDone()
	}
	c.queueJoined(c.legs[r.ID1].endpoint(), c.legs[r.ID2].endpoint(), r, a.implicit)
	a.nextMove()
	b.nextMove()
}

// joinDone ends the wait for a join.
func (l *leg) joinDone() {
	if l.joinDeadline != nil {
		l.joinDeadline()
		l.joinDeadline = nil
	}
	l.joinPending = nil
}

// joinFailed ends the wait for a join that did not happen.
func (c *control) joinFailed(l *leg, reason string) {
	if l.joinPending == nil {
		return
	}
	r := l.joinPending
	for _, id := range []string{r.ID1, r.ID2} {
		other := c.legs[id]
		if other == nil || other.joinPending != r {
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
	if l.implicit && l.state == legGone {
		return // the end of the call says it all (CAL-5)
	}
	c.queueJoinError("error.conference.join", r.ID1, r.ID2, reason)
}

// strandedAfter is how long a bridge may be gone before its legs are brought
// home, when neither has hung up and nothing was asked of them.
const strandedAfter = time.Second

// unbridged takes CHANNEL_UNBRIDGE. Mostly a hangup follows, and partnerGone
// brings the survivor home, or the legs are on their way home already; what is
// left was ended by somebody else.
func (c *control) unbridged(aID, bID string) {
	c.after(strandedAfter, func() {
		for _, id := range []string{aID, bID} {
			if l := c.legs[id]; l != nil && l.place.kind == inBridge && !l.homing && l.joinPending == nil {
				c.bringHome(l)
			}
		}
	})
}

// partnerGone frees the other leg of a bridge when one is gone.
func (c *control) partnerGone(l *leg) {
	if l.place.kind != inBridge {
		return
	}
	partner := c.legs[l.place.partner]
	if partner == nil || !l.bridgedTo(partner) {
		return
	}
	partner.place.implicit = true // one conference.unjoined is enough
	if !partner.homing {
		c.bringHome(partner)
	}
}

// bringHome transfers a leg, and its partner in a bridge, to our socket. The leg
// is alone when it has come.
func (c *control) bringHome(l *leg) {
	partner := c.legs[l.place.partner]
	both := partner != nil && l.bridgedTo(partner) && partner.state != legGone
	c.awaitHome(l)
	if both {
		partner.place.implicit = true
		c.awaitHome(partner)
	}
	home := c.controller.home()
	if l.moved || both && partner.moved { // see away
		home = append(home, home...)
	}
	l.send(esl.Transfer(l.id, both, home...), func(err error) {
		c.strayed(l, err.Error())
		if both {
			c.strayed(partner, err.Error())
		}
	})
}

// homePatience is how long a leg may take to come to our socket again.
const homePatience = 5 * time.Second

func (c *control) awaitHome(l *leg) {
	l.homing = true
	l.stopTimer = c.after(homePatience, func() { c.strayed(l, fmt.Sprintf("it did not come within %s", homePatience)) })
}

// strayed deals with a leg that did not come home: it is beyond our control, so
// it has to end.
func (c *control) strayed(l *leg, reason string) {
	if !l.homing || l.state == legGone {
		return
	}
	l.log().Error("the leg did not come back to our socket; check esl.advertise", "reason", reason, "advertise", c.controller.options.Advertise)
	l.homing = false
	l.stopTimer()
	if l.conn == nil {
		l.gone(hangup{cause: "NETWORK_OUT_OF_ORDER"})
		return
	}
	l.hangUp("NORMAL_TEMPORARY_FAILURE")
}

// cameHome takes a leg that is alone in its socket again.
func (c *control) cameHome(l *leg) {
	l.homing = false
	l.stopTimer()
	l.left()
	l.runAtHome()
	l.nextMove()
}

// Unjoin takes the bridge between two endpoints away (interpreter.Telephony).
func (c *control) Unjoin(r interpreter.UnjoinRequest) {
	l, partner := c.legs[r.ID1], r.ID2
	if l == nil {
		l, partner = c.legs[r.ID2], r.ID1
	}
	if d := c.dialogOf(r.ID1, r.ID2); d != nil {
		c.unjoinDialog(d, r)
		return
	}
	if l == nil || l.place.kind == alone || l.place.partner != partner {
		c.queueJoinError("error.conference.unjoin", r.ID1, r.ID2, "the two are not joined")
		return
	}
	l.place.id1, l.place.id2, l.place.implicit = r.ID1, r.ID2, false
	l.leave()
}

// queueJoined tells the document that two endpoints are bridged.
func (c *control) queueJoined(a, b interpreter.Endpoint, r interpreter.JoinRequest, implicit bool) {
	duplex := interpreter.Full
	if r.Half {
		duplex = interpreter.Half
	}
	effect := interpreter.JoinEffect{A: a, B: b, Duplex: duplex, Implicit: implicit}
	if implicit {
		c.session.Apply(effect)
		return
	}
	c.session.Queue(&interpreter.Event{
		Name: "conference.joined", Source: c.session.ID(), SourceType: "ccxml",
		Fields: []interpreter.Field{{Name: "id1", Value: r.ID1}, {Name: "id2", Value: r.ID2}},
		Effect: effect,
	})
}

func (c *control) queueUnjoined(id1, id2, termDigit string) {
	fields := []interpreter.Field{{Name: "id1", Value: id1}, {Name: "id2", Value: id2}}
	if termDigit != "" {
		fields = append(fields, interpreter.Field{Name: "termdigit", Value: termDigit})
	}
	for _, id := range []string{id1, id2} {
		if interpreter.IsConferenceID(id) {
			fields = append(fields, interpreter.Field{Name: "conferenceid", Value: id})
		} else if strings.TrimSpace(id) != "" && c.legs[id] != nil {
			fields = append(fields, interpreter.Field{Name: "connectionid", Value: id})
		}
	}
	c.session.Queue(&interpreter.Event{
		Name: "conference.unjoined", Source: c.session.ID(), SourceType: "ccxml", Fields: fields,
		Effect: interpreter.UnjoinEffect{A: id1, B: id2},
	})
}

func (c *control) queueJoinError(name, id1, id2, reason string) {
	c.session.Queue(&interpreter.Event{
		Name: name, Source: c.session.ID(), SourceType: "ccxml",
		Fields: []interpreter.Field{{Name: "id1", Value: id1}, {Name: "id2", Value: id2}, {Name: "reason", Value: reason}},
	})
}
