package callcontrol

import (
	"ccxmld/callcontrol/documents"
	"ccxmld/dialog"
	"ccxmld/interpreter"
)

// preparedDialog is a dialog that is prepared, or is being prepared, and has not
// started.
type preparedDialog struct {
	request interpreter.DialogRequest
	dialog  *dialog.Preparation // nil for one of an external server, which is ready once it is told of
	told    bool
	start   *interpreter.DialogRequest // what was asked for before it was ready (DLG-14)
}

// ready tells whether the dialog can be started.
func (p *preparedDialog) ready() bool { return p.told && (p.dialog == nil || p.dialog.Ready()) }

// startedBy gives the request of a prepared dialog as it is started: where, in
// which direction and with which hints is said then.
func (p *preparedDialog) startedBy(r interpreter.DialogRequest) interpreter.DialogRequest {
	started := p.request
	started.DialogID, started.Prepared, started.Beside = r.DialogID, true, r.Beside
	started.ConnectionID, started.ConferenceID, started.MediaDirection = r.ConnectionID, r.ConferenceID, r.MediaDirection
	if r.Hints != nil {
		started.Hints = r.Hints
	}
	return started
}

// PrepareDialog gets what a dialog needs to start (interpreter.Dialogs).
func (c *control) PrepareDialog(r interpreter.DialogRequest) {
	if c.prepared == nil {
		c.prepared = make(map[string]*preparedDialog, 1)
	}
	p := &preparedDialog{request: r}
	c.prepared[r.DialogID] = p
	if server, err := c.browserOf(r); server != "" || err != nil {
		c.session.Do(func() {
			if c.prepared[r.DialogID] == p {
				c.dialogPrepared(p, err)
			}
		})
		return
	}
	request := dialogRequest(r)
	page, is := documents.PageOf(c.record.Document)
	request.Intake = is && r.Source == page
	p.dialog = c.controller.options.Dialogs.Prepare(request, c.session.Do, func(err error) { c.dialogPrepared(p, err) })
}

// dialogPrepared tells the document what came of a preparation, and starts the
// dialog if it was asked for meanwhile.
func (c *control) dialogPrepared(p *preparedDialog, err error) {
	if err != nil {
		c.dialogNotPrepared(p, err.Error())
		return
	}
	if !p.told {
		p.told = true
		c.queueDialog("dialog.prepared", p.request, interpreter.DialogPrepared)
	}
	if p.start != nil {
		c.StartDialog(*p.start)
	}
}

func (c *control) dialogNotPrepared(p *preparedDialog, reason string) {
	c.discard(p.request.DialogID)
	c.log().Warn("dialog not prepared", "dialog", p.request.DialogID, "src", p.request.Source, "reason", reason)
	c.queueDialog("error.dialog.notprepared", p.request, interpreter.DialogNotPrepared, interpreter.Field{Name: "reason", Value: reason})
	if p.start != nil {
		p.start.Source = p.request.Source
		c.dialogNotStarted(*p.start, "its preparation has failed: "+reason)
	}
}

// discard throws a prepared dialog away and gives it, nil if there is none.
func (c *control) discard(id string) *preparedDialog {
	p := c.prepared[id]
	if p != nil {
		if p.dialog != nil {
			p.dialog.Discard()
		}
		delete(c.prepared, id)
	}
	return p
}

// discardFor throws away what was prepared for a connection that has ended, and
// tells the document.
func (c *control) discardFor(connectionID string) {
	const reason = "the connection has ended"
	for id, p := range byKey(c.prepared) {
		switch {
		case p.start != nil && p.start.ConnectionID == connectionID, p.start == nil && p.request.ConnectionID == connectionID:
		default:
			continue
		}
		if p.ready() {
			c.discard(id)
			c.dialogExited(p.request, dialog.Result{Reason: reason})
		} else {
			c.dialogNotPrepared(p, reason)
		}
	}
}
