package callcontrol

import (
	"slices"
	"strings"

	"ccxmld/dialog"
	"ccxmld/interpreter"
)

// placeKind is where a leg's media goes.
type placeKind int

const (
	alone        placeKind = iota // parked in its socket, or playing
	inConference                  // a member of a room
	inBridge                      // bridged to another leg
)

// place is where a leg is. A leg is in one place at a time.
type place struct {
	kind       placeKind
	partner    string // the id of the conference or the other connection
	id1, id2   string // as <join> named them
	room       string // FreeSWITCH's name of the conference
	member     string // the leg's number in the room
	termDigits string
	leaving    bool // kicked out of the room, but not out yet
	implicit   bool // made by createcall joinid: no events of its own (CAL-5)
}

func (p place) takesOut(digit string) bool {
	return p.kind != alone && p.termDigits != "" && strings.Contains(p.termDigits, digit)
}

// left notes that the leg is alone again, and tells the document unless a call
// without join events made the join.
func (l *leg) left() {
	was := l.place
	l.place = place{}
	if was.kind == alone {
		return
	}
	if was.kind == inConference {
		l.control.leaveConference(was.partner, l.id)
	}
	if !was.implicit {
		l.control.queueUnjoined(was.id1, was.id2, l.termDigit)
	}
	l.termDigit = ""
}

// gone notes that the leg is hung up. The document is told of its bridges, then
// of the leg, then of the dialogs that end with it (DEV-17) and of what waited
// for it in vain.
func (l *leg) gone(h hangup) {
	switch {
	case l.state == legGone:
		return
	case l.handover != nil:
		l.handover.ended = &h
		return
	}
	was := l.state
	l.moveTo(legGone)
	if l.stopTimer != nil {
		l.stopTimer()
	}
	if l.place.room != "" && l.joinPending != nil {
		l.control.roomRefused(l, "the call has ended")
	}
	l.control.joinFailed(l, "the call has ended")
	l.control.partnerGone(l)
	l.left()
	l.control.controller.forgetLeg(l)
	l.control.legEnded(l, was, h)
	l.endPlaying()
	l.control.discardFor(l.id)
	for _, m := range slices.Clone(l.moves) {
		m.advance()
	}
}

// endPlaying tells what plays on the leg, or waits to, that it is gone.
func (l *leg) endPlaying() {
	playing := l.playing
	l.playing = nil
	for _, run := range playing {
		if run.done != nil {
			run.done(dialog.Completion{Elapsed: -1, Gone: true})
		}
	}
	for _, d := range slices.Clone(l.dialogs) {
		d.dialog.HungUp()
	}
	l.runAtHome()
}

// endpoint is the leg in the media graph.
func (l *leg) endpoint() interpreter.Endpoint { return interpreter.Endpoint{ID: l.id} }
