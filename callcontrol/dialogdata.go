package callcontrol

import (
	"fmt"

	"ccxmld/dialog"
	"ccxmld/interpreter"
)

// dialogData is a dialog as it is written down: what it was asked for, and what its
// document was told of it. What it has played and heard is not in it.
type dialogData struct {
	Request interpreter.DialogRequest  `json:"request"`
	Stage   dialogStage                `json:"stage"`
	Told    bool                       `json:"told,omitempty"`  // dialog.prepared, or dialog.started
	Start   *interpreter.DialogRequest `json:"start,omitempty"` // of one that is to start when it is prepared
}

// dialogStage is how far a dialog is.
type dialogStage string

const (
	dialogPrepared dialogStage = "prepared" // or about to be
	dialogStarting dialogStage = "starting" // its leg is on its way
	dialogRunning  dialogStage = "running"
)

// dialogsData writes the session's dialogs down.
func (c *control) dialogsData() (list []dialogData) {
	for id, p := range byKey(c.prepared) {
		start := p.start
		if r, starting := c.starting[id]; starting {
			start = &r
		}
		list = append(list, dialogData{Request: p.request, Stage: dialogPrepared, Told: p.told, Start: start})
	}
	for _, r := range byKey(c.starting) {
		if c.prepared[r.DialogID] == nil {
			list = append(list, dialogData{Request: r, Stage: dialogStarting})
		}
	}
	for _, l := range byKey(c.legs) {
		for _, d := range l.dialogs { // the last one gets the digits
			list = append(list, dialogData{Request: d.request, Stage: dialogRunning, Told: d.told})
		}
	}
	return list
}

// takeOverHint says what becomes of a dialog whose controller was lost.
const takeOverHint = "takeover"

// controllerLost is the reason that a dialog exits with when it cannot go on elsewhere, or
// is not to.
const controllerLost = "controller"

// endsWithController tells whether a dialog is to exit when its controller is lost.
func endsWithController(r interpreter.DialogRequest) (bool, error) {
	switch value, given := hint(r.Hints, takeOverHint); {
	case !given, value == "restart":
		return false, nil
	case value == "exit":
		return true, nil
	default:
		return false, fmt.Errorf("the hint %s is %.60q; expected restart or exit", takeOverHint, fmt.Sprint(value))
	}
}

// resumeDialogs starts the dialogs of a session that was taken over again, or tells the
// document that they have ended.
func (c *control) resumeDialogs(list []dialogData) {
	for _, d := range list {
		switch ends, _ := endsWithController(d.Request); {
		case d.Stage == dialogPrepared:
			c.PrepareDialog(d.Request)
			if p := c.prepared[d.Request.DialogID]; p != nil {
				p.told, p.start = d.Told, d.Start
			}
		case d.Stage == dialogRunning && (ends || c.isOnServer(d.Request)):
			c.dialogExited(d.Request, dialog.Result{Reason: controllerLost})
		default:
			if d.Told {
				c.startAgain(d.Request)
			} else {
				c.StartDialog(unprepared(d.Request))
			}
		}
	}
}

// isOnServer tells whether a dialog runs on a VoiceXML server, which has lost its call.
func (c *control) isOnServer(r interpreter.DialogRequest) bool {
	server, err := c.browserOf(r)
	return server != "" || err != nil
}

// unprepared is the request of a dialog that says all that it needs to start.
func unprepared(r interpreter.DialogRequest) interpreter.DialogRequest {
	r.Prepared = false
	return r
}

// startAgain starts a dialog of which the document was told that it has started.
func (c *control) startAgain(r interpreter.DialogRequest) {
	if c.again == nil {
		c.again = make(map[string]bool, 1)
	}
	c.again[r.DialogID] = true
	c.StartDialog(unprepared(r))
}

// startsAgain tells whether a dialog starts or fails to, of which the document was told
// that it has started.
func (c *control) startsAgain(id string) bool {
	again := c.again[id]
	delete(c.again, id)
	return again
}
