package callcontrol

import (
	"ccxmld/freeswitch"
)

// await waits again for what a leg waits for in the states that it was restored in.
func (l *leg) await() {
	c := l.control
	clock := c.controller.options.Clock
	if l.state.Is(legWaiting, legDialing, legRinging, legMedia, legAttachingEarly, legEarly) && !l.answerBy.IsZero() {
		l.callTimer = l.after(l.answerBy.Sub(clock.Now()), func() { l.control.callTimedOut(l) })
	}
	switch {
	case l.state.Is(legWaiting) && l.calling != nil && !l.isEnding():
		c.whenItsTurn(l, l.calling.job)
	case l.state.Is(legAttaching, legAttachingEarly):
		l.expectSocket()
	}
	switch {
	case l.isGone():
	case l.isEnding():
		l.expectHangup(1, l.cause)
	case l.isRedirected():
		l.redirectTimer = l.stayed(referTimeout)
	}
	if l.isHoming() {
		l.expectHome(l.home, 1)
	}
	if l.arriving != nil {
		l.expectArrival()
	}
	switch o := l.joinPending; {
	case l.joinState.Is(joinPending) && o != nil && l.place.room != "":
		l.expectRoom(o, l.place.room)
	case l.joinState.Is(joinPending) && o != nil:
		l.expectJoin(o)
	case l.joinState.Is(joinLeaving):
		l.expectLeave()
	case l.joinState.Is(joinApart):
		l.expectReason()
	}
	if m := l.place.pairRoom; m != nil && l.joinState.Is(joined) {
		l.expectPartner()
	}
}

// resume takes what FreeSWITCH says of a leg that was restored: what its controller was
// not told. there is false if FreeSWITCH does not have it.
func (c *control) resume(l *leg, now freeswitch.Channel, there bool) {
	if l.conn == nil && !l.socket.Is(noSocket) {
		l.socket.Take(socketEnds, l.log)
	}
	if !there {
		l.gone(freeswitch.Hangup{Cause: l.endUntold()})
		return
	}
	l.machine = now.Machine
	if now.State == freeswitch.Answered && l.state.Is(legAlerting, legEarly) && !l.answered {
		c.answered(l)
	}
	l.found(now.State)
	c.resumeJoin(l, now)
}

// endUntold is the cause of a call that ended while nobody was told how.
func (l *leg) endUntold() string {
	if l.isEnding() {
		return l.usualEnd()
	}
	return unknownEnd
}

// resumeJoin takes where FreeSWITCH has a leg: a join was made, or is over.
func (c *control) resumeJoin(l *leg, now freeswitch.Channel) {
	p := l.place
	switch {
	case l.isHoming(): // wherever it is
	case p.kind == inBridge && now.Partner != p.partner:
		c.stranded(l)
	case p.kind == inConference && now.Room != p.room:
		c.departed(l, freeswitch.RoomEvent{Room: p.room, Member: p.member})
	case p.kind == listening && now.Hears != p.partner:
		c.heard(l, p.running)
	case now.Partner != "" && (l.joinPending != nil || now.Partner == l.notBridged):
		c.bridged(l.id, now.Partner)
	case now.Room != "" && (l.joinPending != nil && now.Room == p.room || now.Room == l.notEntered):
		c.entered(l, freeswitch.RoomEvent{Room: now.Room, Member: now.Member})
	case l.joinPending != nil && now.Hears != "" && now.Hears == p.partner:
		c.hearing(l)
	}
}
