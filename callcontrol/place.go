package callcontrol

import (
	"slices"
	"strings"

	"ccxmld/conference"
	"ccxmld/freeswitch"
)

// placeKind is where a leg's media goes.
type placeKind int

const (
	alone        placeKind = iota // parked, or playing
	inConference                  // a member of a room
	inBridge                      // bridged to another leg
	listening                     // hears another leg, which does not hear it
)

// place is where a leg is. A leg is in one place at a time.
type place struct {
	kind      placeKind
	partner   string               // the id of the conference or the other connection
	order     *order               // the join that brought it there
	room      string               // FreeSWITCH's name of the conference
	home      string               // the FreeSWITCH that the conference is on, by its own name
	settings  *conference.Settings // of a conference that has any
	headcount int                  // members of the conference when it came, it among them
	member    string               // the leg's number in the room
	muted     bool                 // as a member: not heard
	deaf      bool                 // as a member: does not hear
	running   string               // the id of the application that keeps it there: conference or eavesdrop
	pair      *leg                 // the partner in a room of two, of another session
	pairRoom  *pairRoom            // there
	heardOn   bool                 // it leaves the room and is heard there by a stand-in
	silent    bool                 // its end is not reported
}

func (p place) takesOut(digit string) bool {
	return p.kind != alone && p.order.TermDigits != "" && strings.Contains(p.order.TermDigits, digit)
}

// left notes that the leg is alone again, and tells the document unless a call
// without join events made the join.
func (l *leg) left() {
	was := l.place
	if was.kind != alone {
		l.leftRoom()
		if l.joinState.Take(joinEnds, l.log) == tellUnjoin {
			l.tellLeft()
		}
	}
	l.place = place{}
	l.termDigit = ""
	l.unbindDigits()
	if l.voice() != nil && !l.isGone() { // it is there for nothing else
		l.hangUp("NORMAL_CLEARING")
	}
}

// tellLeftOnce sees to it that the end of the leg's join is not told once more. That it
// leaves because a document asked for it, is told in any case.
func (l *leg) tellLeftOnce() {
	if !l.place.order.unjoins {
		l.place.silent = true
	}
}

// tellLeft tells the sessions that the leg's join is over.
func (l *leg) tellLeft() {
	switch o := l.place.order; {
	case !l.place.silent && !o.implicit:
		o.fell(l.control, l.termDigit)
	default:
		o.fellSilently(l.control)
	}
}

// leftRoom gives up the leg's membership in its conference.
func (l *leg) leftRoom() {
	switch {
	case l.place.room == "":
	case l.unpaired:
		l.unpaired = false
	case l.place.pair != nil:
		l.leavePair()
	default:
		l.control.leaveConference(l.place.partner, l.id)
		if !l.place.heardOn {
			l.presence().ends(l.control)
		}
	}
}

// gone notes that the leg is hung up. The document is told of its bridges, then
// of the leg, then of the dialogs that end with it (DEV-17) and of what waited
// for it in vain.
func (l *leg) gone(h freeswitch.Hangup) {
	if !l.isGone() {
		l.takeUp()
	}
	switch {
	case l.isGone():
		return
	case l.handover != nil:
		if l.owner.Take(moveHungUp, l.log) == keepItsEnd {
			l.handover.ended = &h
		}
		return
	case l.control.goesOnTo(l, h), l.control.triesElsewhere(l, h):
		return
	}
	was := l.state.State()
	l.ended = &h
	l.end(legHungUp, func() { l.control.legEnded(l, was, h) })
}

// end takes the leg out of the session, which does not have it any more. tell
// tells the document of it, after its bridges and before its dialogs.
func (l *leg) end(how legInput, tell func()) {
	l.take(how)
	l.stopTimers()
	l.unfollow()
	if l.place.room != "" && l.joinPending != nil {
		l.control.roomRefused(l, l.joinPending, "the call has ended")
	}
	l.control.joinFailed(l, l.joinPending, "the call has ended")
	l.control.partnerGone(l)
	l.left()
	l.control.controller.forgetLeg(l)
	tell()
	l.endPlaying()
	l.control.discardFor(l.id)
	for _, m := range slices.Clone(l.moves) {
		m.advance()
	}
}

// endPlaying tells what plays on the leg, or waits to, that it is gone.
func (l *leg) endPlaying() {
	l.playing().End()
	for _, d := range slices.Clone(l.dialogs) {
		d.dialog.HungUp()
	}
	l.runAtHome()
}
