package callcontrol

import (
	"slices"

	"ccxmld/dialog"
	"ccxmld/interpreter"
)

// legDialog is a dialog on a leg. It is the dialog's channel: what plays on a leg in
// FreeSWITCH plays to whoever the leg is bridged to as well, so a dialog whose leg
// was taken elsewhere plays nothing.
type legDialog struct {
	leg      *leg
	id       string
	beside   bool // does not take the place of the leg's bridges
	mute     bool // only listens: what it plays is not heard (DLG-7)
	deaf     bool // only plays: it gets no digits
	detached bool // the leg was taken elsewhere
	dialog   dialog.Dialog
	request  interpreter.DialogRequest
	told     bool // dialog.started

	joining bool     // the leg is on its way back to the dialog
	waiting []func() // for it to come
}

var _ dialog.Channel = (*legDialog)(nil)

// Execute runs an application on the leg (dialog.Channel). A dialog that has no
// media takes the leg back if that is alone again, or is about to be.
func (d *legDialog) Execute(app, argument string, started func(), done func(dialog.Completion)) {
	again := func() {
		if d.leg.control.findDialog(d.id) == d {
			d.Execute(app, argument, started, done)
		}
	}
	switch {
	case d.mute && app != "record" && !d.leg.isGone():
		d.leg.control.session.Do(func() {
			if started != nil {
				started()
			}
			if done != nil {
				done(dialog.Completion{Response: "FILE PLAYED", Elapsed: -1})
			}
		})
	case !d.detached || d.leg.isGone():
		d.leg.Execute(app, argument, started, done)
	case d.joining:
		d.waiting = append(d.waiting, again)
	case d.leg.isHoming():
		d.leg.atHome = append(d.leg.atHome, again)
	case d.leg.isFree():
		d.attach()
		d.leg.Execute(app, argument, started, done)
	default:
		d.await(again, func() {
			done(dialog.Completion{Response: "the dialog has no media; join it with its connection again", Elapsed: -1})
		})
	}
}

// await waits for a leg that is joined elsewhere to come home: a page that gives up
// its transfer goes on before its document has ended the call.
func (d *legDialog) await(home, failed func()) {
	over := false
	once := func(f func()) func() {
		return func() {
			if !over {
				over = true
				f()
			}
		}
	}
	d.leg.atHome = append(d.leg.atHome, once(home))
	d.leg.after(homeTimeout, once(failed))
}

// Break ends what plays (dialog.Channel).
func (d *legDialog) Break() {
	if !d.detached && !(d.mute && d.beside) {
		d.leg.Break()
	}
}

// Recognize has FreeSWITCH listen to speech (dialog.Channel).
func (d *legDialog) Recognize(argument string, heard func(dialog.Recognition)) {
	if !d.detached {
		d.leg.recognize(argument, heard)
	}
}

// Background mixes a file under what the party hears (dialog.Channel).
func (d *legDialog) Background(file string, on bool, done func(error)) {
	d.leg.background(file, on, done)
}

// Exists asks whether a path is there on the leg's machine (dialog.Channel).
func (d *legDialog) Exists(path string, told func(bool)) { d.leg.exists(path, told) }

// attach gives the dialog its leg back.
func (d *legDialog) attach() {
	d.detached = false
	d.leg.control.session.Apply(interpreter.DialogEffect{DialogID: d.id, State: interpreter.DialogStarted})
}

// takenAway is the reason that a dialog exits with when it loses its leg. The
// specification has it go on without media (DLG-18), but a prompt lives on the
// leg here.
const takenAway = "its connection was taken by a join or by another dialog"

// detach takes the leg from the dialog, which ends with it unless it waits for a
// transfer.
func (d *legDialog) detach() {
	if !d.detached { // the dialog breaks off what plays while it still has the leg
		d.detached = d.dialog.Detached(takenAway)
	}
}

// endDialogs ends the leg's dialogs that do not play beside its bridges: their
// bridge falls with a join (DLG-18).
func (l *leg) endDialogs() {
	for _, d := range slices.Clone(l.dialogs) {
		if !d.beside {
			d.detach()
		}
	}
}

// isFree tells whether a dialog can have the leg.
func (l *leg) isFree() bool {
	return l.canPlay() && l.place.kind == alone && !l.moving() && len(l.moves) == 0 &&
		!slices.ContainsFunc(l.dialogs, func(d *legDialog) bool { return !d.detached && !d.beside })
}

// dialogTakes gives a digit to the dialog that was started last, of those that do
// not only play, and reports whether it listens for any.
func (l *leg) dialogTakes(digit string) bool {
	for _, d := range slices.Backward(l.dialogs) {
		if !d.deaf {
			return d.dialog.Digit(digit)
		}
	}
	return false
}

// joinDialog bridges a dialog with its connection again.
func (c *control) joinDialog(d *legDialog, r interpreter.JoinRequest) {
	l := d.leg
	if r.ID1 != l.id && r.ID2 != l.id {
		c.queueJoinError("error.conference.join", r.ID1, r.ID2,
			"a dialog can be joined with the connection that it was started on, and with no other")
		return
	}
	joined := func() { (&order{JoinRequest: r, issuer: c}).made(c) }
	if !d.detached { // JOIN-11
		joined()
		return
	}
	l.endDialogs()
	d.joining = true
	m := &move{legs: []*leg{l}, run: func() {
		d.joining = false
		switch {
		case !l.isConnected():
			c.queueJoinError("error.conference.join", r.ID1, r.ID2, "the connection is gone")
		case c.findDialog(d.id) == nil:
			c.queueJoinError("error.conference.join", r.ID1, r.ID2, "the dialog has ended")
		default:
			d.detached = false
			joined()
		}
		waiting := d.waiting
		d.waiting = nil
		for _, again := range waiting {
			again()
		}
	}}
	m.queue()
}

// unjoinDialog takes the bridge between a dialog and its leg away (UNJ-3).
func (c *control) unjoinDialog(d *legDialog, r interpreter.UnjoinRequest) {
	if d.detached || r.ID1 != d.leg.id && r.ID2 != d.leg.id {
		c.queueJoinError("error.conference.unjoin", r.ID1, r.ID2, "the two are not joined")
		return
	}
	c.queueUnjoined(r.ID1, r.ID2, "")
	d.detach()
}

// sendDialog gives an event to a dialog of the session (SND-6).
func (c *control) sendDialog(r interpreter.SendRequest) interpreter.SendResult {
	d := c.findDialog(r.Target)
	if d == nil {
		return interpreter.SendResult{Failure: "failed", Reason: "the dialog has not started yet"}
	}
	if err := d.dialog.Send(dialog.Message{Name: r.Event, Parameters: dialogPairs(r.Parameters)}); err != nil {
		return interpreter.SendResult{Failure: "failed", Reason: err.Error()}
	}
	return interpreter.SendResult{}
}
