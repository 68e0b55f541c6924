package callcontrol

import (
	"context"

	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// voice is a connection that is heard in a conference while it hears something
// else. A leg of FreeSWITCH cannot be a member of a room and listen to another leg
// at the same time; so a stand-in is in the room, and listens to the connection.
type voice struct {
	of    *leg
	order *order
	quiet bool // the document knows of the join already
	begun bool // the stand-in listens, or is about to
	over  bool // it is not to begin any more, and nothing is to be told of it
	left  bool // the connection's membership was given up

	presence  *presence // of the connection in the conference, nil before it is heard there
	headcount int       // members of the conference when it came, the connection among them
}

// voice gives what the leg is there for as a stand-in that listens to a connection,
// nil for any other leg.
func (l *leg) voice() *voice {
	if l.standIn == nil {
		return nil
	}
	return l.standIn.voice
}

// voiceIn finds the stand-in by which a conference hears the leg, nil for none.
func (l *leg) voiceIn(id string) *leg {
	for _, other := range byKey(l.control.legs) {
		if v := other.voice(); v != nil && v.of == l && !v.left && other.standIn.conference == id {
			return other
		}
	}
	return nil
}

// isHeardByVoice tells whether any conference hears the leg by a stand-in.
func (l *leg) isHeardByVoice() bool {
	for _, other := range byKey(l.control.legs) {
		if v := other.voice(); v != nil && v.of == l && !v.left {
			return true
		}
	}
	return false
}

// lendVoice lets a conference hear a leg that stays where it is. With quiet set the
// leg was a member until now, and the document is only told if it cannot go on. The
// stand-in counts from now on, so that it can be taken back before the registry has
// answered.
func (c *control) lendVoice(l *leg, id string, o *order, muted, quiet bool) {
	if c.givesUp(id) {
		if !quiet { // else it was told that the membership is over
			o.fail(c, errGivenUp.Error())
		}
		l.takePresence().ends(c)
		return
	}
	m, attached := c.member(l.id, l.machine, o), c.holds(id)
	m.ByVoice = true
	entry := &o.entry
	if quiet { // it was let in before
		entry = nil
	}
	giveBack, err := c.reserveConference(id)
	if err != nil {
		o.fail(c, err.Error())
		l.takePresence().ends(c)
		return
	}
	v := &voice{of: l, order: o, quiet: quiet, presence: l.takePresence()}
	s := &standIn{conference: id, voice: v}
	if muted {
		s.muted = true
	}
	speaker := c.newStandIn(s)
	inOrder(c, func(ctx context.Context) (admission, error) {
		return c.enterRegistry(ctx, id, m, entry)
	}, func(held admission, err error) {
		giveBack()
		c.holdAsked(held.Conference, err, attached)
		if v.over { // taken back meanwhile, with the membership
			return
		}
		var node *freeswitch.Node
		if err == nil {
			node, err = c.controller.nodes.PickOn(l.machine) // where it can listen to the connection
		}
		if err != nil {
			v.fail(c, err.Error())
			c.leaveVoice(speaker)
			speaker.hangUp("NORMAL_CLEARING")
			return
		}
		s.room, s.node, s.settings, v.headcount = held.Room, held.Node, &held.Settings, held.headcount
		c.placeStandIn(speaker, node)
	}, func(ctx context.Context) {
		c.leaveNow(ctx, id, l.id)
		c.detach(ctx, id)
	})
}

// speaks lets a stand-in that has come to our socket listen to its connection.
func (c *control) speaks(l *leg) {
	v := l.voice()
	if v.over || !v.of.isConnected() {
		l.hangUp("NORMAL_CLEARING")
		return
	}
	v.begun = true
	if v.headcount == 1 {
		c.furnish(l.standIn.presence())
	}
	if !v.quiet {
		c.awaitJoin(l, v.order)
	}
	c.eavesdrop(l, v.of, v.order)
	if v.quiet { // others may have been told that the join is over
		effect := interpreter.JoinEffect{A: endpoint(v.order.ID1), B: endpoint(v.order.ID2), Duplex: interpreter.Half}
		v.order.in(c, func(other *control) {
			if other != c {
				other.session.Apply(effect)
			}
		})
	}
}

// presence is that of a connection which the stand-in lets be heard.
func (s *standIn) presence() *presence {
	return &presence{room: s.room, machine: s.node, order: s.voice.order, settings: s.settings}
}

// isHeard notes that the conference hears the connection by the stand-in.
func (v *voice) isHeard(c *control, s *standIn) {
	if v.presence == nil { // else it was there before
		v.presence = s.presence()
		v.presence.begins(c)
	}
}

// joinedAgain changes the join of a voice that is heard already.
func (v *voice) joinedAgain(l *leg, o *order) {
	v.order, l.place.order, v.presence.order = o, o, o
}

// fail tells the document that a conference cannot hear a connection, or not any
// more.
func (v *voice) fail(c *control, reason string) {
	switch {
	case v.over:
	case v.quiet:
		v.order.fell(c, "")
	default:
		v.order.fail(c, reason)
	}
	v.over = true
}

// isTold tells whether the document knows of the join; l is the stand-in.
func (v *voice) isTold(l *leg) bool { return v.quiet || v.begun && l.joinPending == nil }

// giveUp answers the join of a voice that is to end before it is heard.
func (v *voice) giveUp(c *control, l *leg) {
	if v.over || v.isTold(l) {
		return
	}
	v.quiet = true
	v.order.fail(c, "the connection was joined with the conference in another way, or unjoined, before it was heard there")
}

// endVoice takes a stand-in out of its conference.
func (c *control) endVoice(l *leg, tell bool) {
	v := l.voice()
	v.giveUp(c, l)
	c.leaveVoice(l)
	switch {
	case v.begun && l.joinPending == nil:
		l.place.silent = !tell
	case tell && !v.over:
		v.order.fell(c, "")
	}
	l.joinDone(joinFails)
	v.over = true
	l.hangUp("NORMAL_CLEARING")
}

// replaceVoice ends a stand-in since its connection is to be in the conference in
// another way.
func (c *control) replaceVoice(l *leg) {
	v := l.voice()
	v.of.keepPresence(v.presence)
	v.presence = nil
	c.endVoice(l, false)
}

// leaveVoice gives up the membership that a connection has by a stand-in.
func (c *control) leaveVoice(l *leg) {
	if v := l.voice(); !v.left {
		v.left = true
		c.leaveConference(l.standIn.conference, v.of.id)
		v.presence.ends(c)
	}
}

// voiceGone ends the stand-ins of a leg that has ended; the document is told before
// it hears of that (BRG-12).
func (c *control) voiceGone(l *leg) {
	v := l.voice()
	c.leaveVoice(l)
	switch {
	case !v.begun:
		v.fail(c, "the call has ended")
	case l.joinPending != nil:
		l.place.running = "" // it need not come home
		c.joinFailed(l, l.joinPending, "the call has ended")
	case l.place.kind == listening: // else it has noticed, and told
		l.tellLeft()
	}
	v.over, l.place.silent = true, true
	l.hangUp("NORMAL_CLEARING")
}

// voiceEnded takes the end of a stand-in.
func (c *control) voiceEnded(l *leg, reason string) {
	c.leaveVoice(l)
	if v := l.voice(); !v.begun {
		v.fail(c, reason)
	}
}
