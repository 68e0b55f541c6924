package callcontrol

import (
	"fmt"

	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// listen lets a leg hear another one, of this session or of another on the same
// FreeSWITCH, which does not hear it: a half-duplex join. The other leg stays
// where it is and does not notice; so one leg may have several listeners, also
// while it is bridged, in a conference or in a dialog (BRG-5, BRG-9). FreeSWITCH
// does it by the application eavesdrop, on what the other leg's party says.
func (c *control) listen(l, source *leg, o *order) {
	if reason := c.notJoinable(l); reason != "" {
		o.fail(c, reason)
		return
	}
	legs := []*leg{l}
	if c.legs[source.id] == source && source.comesEarly() {
		legs = append(legs, source)
	}
	var speaks *order // in the conference that it was a member of
	var before *presence
	var muted bool
	m := &move{legs: legs, order: o, needless: func() bool {
		switch {
		case l.place.kind == listening && l.place.partner == source.id: // JOIN-11
			l.place.order, l.place.silent = o, false
			o.made(c)
			return true
		case l.place.kind == inConference && l.place.pair != nil:
			o.fail(c, fmt.Sprintf("connection %s speaks with %s, which another session has; FreeSWITCH cannot let it hear somebody else meanwhile, so unjoin the two first", l.id, l.place.partner))
			return true
		case l.place.kind == inConference && !l.place.order.hearsOnly(l.id) && !l.joinState.Is(joinLeaving): // only its input falls (BRG-6)
			was := l.place.order
			speaks, muted = &order{id: c.orderID(), entry: was.entry, implicit: was.implicit, issuer: was.issuer, legs: was.legs}, l.place.muted
			speaks.ID1, speaks.ID2, speaks.Half = l.place.partner, l.id, true
			speaks.EnterTone, speaks.ExitTone, speaks.Base = was.EnterTone, was.ExitTone, was.Base
			before, l.place.heardOn = l.presence(), true
		}
		l.keepSpeaking(source)
		return false
	}, run: func() {
		c.startListening(l, source, o)
		switch {
		case speaks == nil:
		case l.isConnected():
			l.keepPresence(before)
			c.lendVoice(l, speaks.ID1, speaks, muted, true)
		default: // it has ended before a stand-in could take its place
			before.ends(c)
		}
	}}
	m.queue()
}

// keepSpeaking sees to it that who hears the leg in a bridge goes on hearing it
// when the leg itself turns to another one: only its input falls (BRG-6). The one
// that it turns to does not hear it any more.
func (l *leg) keepSpeaking(source *leg) {
	source.route.do(func() {
		if source.place.kind == listening && source.place.partner == l.id {
			source.vacate()
		}
	})
	l.keepHeard(source.id)
}

// keepHeard sees to it that the leg's partner in a bridge goes on hearing it when
// the leg leaves that, unless the partner is the one whose id is given.
func (l *leg) keepHeard(except string) {
	if l.place.kind != inBridge || l.place.partner == except {
		return
	}
	if partner := l.control.legs[l.place.partner]; partner != nil {
		o := &order{id: l.control.orderID(), implicit: l.place.order.implicit, issuer: l.place.order.issuer, legs: l.place.order.legs}
		o.ID1, o.ID2, o.Half = l.place.order.ID1, l.place.order.ID2, true
		partner.goesOn = o
	}
}

// leaveFor takes the leg out of what it is in for a dialog of one direction. Only
// its input would fall for one that plays, and nothing for one that listens
// (DLG-18); but a member of a conference cannot have other input in FreeSWITCH, and
// a recording needs the leg. That it leaves is told then.
func (l *leg) leaveFor(direction string) {
	switch {
	case l.moving() || l.place.kind == alone:
	case direction == directionTransmit && l.place.kind != inConference:
		l.keepHeard("")
	default:
		l.place.silent = false
		l.leave()
	}
}

// goOnListening lets a leg that came out of a bridge hear its partner of before.
func (c *control) goOnListening(l *leg) {
	o := l.goesOn
	l.goesOn = nil
	if o == nil || len(l.moves) > 0 {
		return
	}
	source := c.legs[o.ID1]
	if source == l {
		source = c.legs[o.ID2]
	}
	if source != nil && source.isConnected() {
		c.eavesdrop(l, source, o)
	}
}

// startListening begins a half-duplex join of a leg that is alone.
func (c *control) startListening(l, source *leg, o *order) {
	reason := c.notJoinable(l)
	mine := c.legs[source.id] == source
	if reason == "" && mine {
		reason = c.notHeard(source, l.machine)
	}
	if reason != "" {
		o.fail(c, reason)
		return
	}
	l.endDialogs()
	c.awaitJoin(l, o)
	if mine {
		c.eavesdrop(l, source, o)
		return
	}
	// Only the session that has the other leg knows how that is.
	machine := l.machine
	answer := func(reason string) {
		l.route.do(func() {
			switch {
			case l.joinPending != o:
			case reason != "":
				l.control.joinFailed(l, o, reason)
			default:
				l.control.eavesdrop(l, source, o)
			}
		})
	}
	source.route.ask(func() { answer(source.control.notHeard(source, machine)) },
		func() { answer("the session of connection " + source.id + " has ended") })
}

// notHeard says why a leg on a machine cannot listen to one of this session, "" if
// it can.
func (c *control) notHeard(source *leg, machine string) string {
	reason := c.notBridgeable(source)
	if reason == "" {
		reason = onTwoNodes(source.machine, machine)
	}
	return reason
}

// eavesdrop runs the application on the leg. It hears what the source's party
// says, and digits are left to us: FreeSWITCH would let some of them change who
// hears whom.
func (c *control) eavesdrop(l, source *leg, o *order) {
	l.bindDigits()
	l.playing().Subscribe()
	l.place = place{partner: source.id, order: o, running: c.controller.newID()}
	if l.joinPending != o { // it goes on hearing what it heard
		l.place.kind = listening
		l.joinState.Take(joinGoesOn, l.log)
	}
	running := l.place.running
	l.send(freeswitch.Eavesdrop(source.id, running), func(err error) {
		c.joinFailed(l, o, err.Error())
		c.heard(l, running) // where it was only to go on
	})
}

// bindDigits has digits told while the leg listens to another one.
func (l *leg) bindDigits() {
	if !l.digitsBound {
		l.digitsBound = true
		l.send(freeswitch.BindDigits(), nil)
	}
}

// unbindDigits lets digits take their usual way again: into a bridge, too.
func (l *leg) unbindDigits() {
	if l.digitsBound && l.isConnected() {
		l.digitsBound = false
		l.send(freeswitch.UnbindDigits(), nil)
	}
}

// hearing notes that the leg hears the other one.
func (c *control) hearing(l *leg) {
	if o := l.joinPending; o != nil && l.place.room == "" {
		l.joinDone(joinMade)
		l.place.kind = listening
		var about []interpreter.Field
		if v := l.voice(); v != nil {
			v.isHeard(c, l.standIn)
			about = []interpreter.Field{{Name: "members", Value: v.headcount}}
		}
		o.made(c, about...)
		l.nextMove()
	}
}

// heard notes that the leg does not hear the other one any more, which is gone.
func (c *control) heard(l *leg, id string) {
	if l.place.kind != listening || l.place.running != id || l.isHoming() {
		return
	}
	l.left()
	l.aloneAgain()
	l.nextMove()
}
