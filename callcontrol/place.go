package callcontrol

import (
	"slices"
	"strings"

	"ccxmld/conference"
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
	implicit   bool // made by createcall joinid: no events of its own (CAL-5)
}

func (p place) takesOut(digit string) bool {
	return p.kind != alone && p.termDigits != "" && strings.Contains(p.termDigits, digit)
}

// leave takes the leg out of its conference or bridge, then runs then, which may
// be nil. A leg that is alone is ready at once, and so is one that is gone: then
// has to look.
func (l *leg) leave(then func()) {
	if l.state == legGone || l.isAlone() && len(l.leaving) == 0 {
		if then != nil {
			then()
		}
		return
	}
	if then != nil {
		l.leaving = append(l.leaving, then)
	}
	switch {
	case l.homing || l.joinPending != nil:
	case l.place.kind == inConference:
		l.send(conference.Kick(l.place.room, l.place.member), nil)
	case l.place.kind == inBridge:
		l.control.bringHome(l)
	}
}

// isAlone tells whether the leg is in no bridge or conference, nor on its way
// into one or out of one.
func (l *leg) isAlone() bool {
	return l.place.kind == alone && !l.homing && l.joinPending == nil
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
	l.control.media.Unjoin(l.id, was.partner)
	if !was.implicit {
		l.control.queueUnjoined(was.id1, was.id2, l.termDigit)
	}
	l.termDigit = ""
}

// settle runs what waited for the leg to be alone, in its order. What takes the
// leg away again makes the rest wait once more.
func (l *leg) settle() {
	for len(l.leaving) > 0 && (l.state == legGone || l.isAlone()) {
		then := l.leaving[0]
		l.leaving = l.leaving[1:]
		then()
	}
	if len(l.leaving) > 0 {
		l.leave(nil)
	}
}

// endDialogs ends the leg's dialogs that do not play beside its bridges: their
// bridge falls with a join (DLG-18).
func (l *leg) endDialogs() {
	for _, d := range slices.Clone(l.dialogs) {
		if !d.beside {
			d.dialog.Terminate(true)
		}
	}
}

// gone notes that the leg is hung up. The document is told of its bridges, then
// of the leg, then of the dialogs that end with it (DEV-17) and of what waited
// for it in vain.
func (l *leg) gone(h hangup) {
	if l.state == legGone {
		return
	}
	was := l.state
	l.ended = &h
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
	l.settle()
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
}

// endpoint is the leg in the media graph.
func (l *leg) endpoint() interpreter.Endpoint { return interpreter.Endpoint{ID: l.id} }
