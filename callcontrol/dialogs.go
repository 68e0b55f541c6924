package callcontrol

import (
	"context"
	"log/slog"
	"slices"

	"ccxmld/dialog"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// The directions of media (DLG-7).
const (
	directionBoth     = "both"
	directionTransmit = "dialogtransmit"
	directionReceive  = "dialogreceive"
)

// StartDialog starts a dialog on a leg (interpreter.Dialogs). The bridge between
// the two takes the place of what the leg was joined to, unless the dialog plays
// beside it, or only listens.
func (c *control) StartDialog(r interpreter.DialogRequest) {
	if r.Prepared {
		p := c.prepared[r.DialogID]
		switch {
		case p == nil:
			c.dialogNotStarted(r, "its preparation has failed, or its connection has ended")
			return
		case !p.ready(): // prepared starts it (DLG-14)
			p.start = &r
			return
		}
		r = p.startedBy(r)
	}
	server, err := c.browserOf(r)
	if err == nil {
		_, err = endsWithController(r)
	}
	if err != nil {
		c.discard(r.DialogID)
		c.dialogNotStarted(r, err.Error())
		return
	}
	if c.starting == nil {
		c.starting = make(map[string]interpreter.DialogRequest, 1)
	}
	c.starting[r.DialogID] = r
	if r.ConferenceID != "" {
		c.startConferenceDialog(r)
		return
	}
	l := c.legs[r.ConnectionID]
	reason := ""
	switch {
	case l == nil || !l.canPlay():
		reason = "the connection is gone"
	case l.handover != nil:
		reason = "the connection is being moved to another session"
	}
	switch {
	case reason != "":
		c.cannotStart(r, reason)
	case server == "" && (r.Beside || onlyListens(r) || dialog.InBackground(r.Hints)):
		c.startDialog(l, r, "")
	default:
		l.endDialogs()
		m := &move{legs: []*leg{l}, run: func() {
			l.endDialogs() // of those that came meanwhile
			c.startDialog(l, r, server)
		}}
		if server == "" && r.MediaDirection != "" && r.MediaDirection != directionBoth {
			m.needless = func() bool { l.leaveFor(r.MediaDirection); return false }
		}
		m.queue()
	}
}

// onlyListens tells whether a dialog takes digits, and needs its leg for nothing
// else.
func onlyListens(r interpreter.DialogRequest) bool {
	return r.MediaDirection == directionReceive && !dialog.Records(r.Type)
}

// claim takes a dialog from those whose leg is on its way. It reports false for one
// that is not among them any more: it was terminated meanwhile.
func (c *control) claim(dialogID string) bool {
	_, starting := c.starting[dialogID]
	delete(c.starting, dialogID)
	return starting
}

// cannotStart gives up a dialog that has no leg.
func (c *control) cannotStart(r interpreter.DialogRequest, reason string) {
	if c.claim(r.DialogID) {
		c.discard(r.DialogID)
		c.dialogNotStarted(r, reason)
	}
}

// startDialog starts a dialog on a leg that it can have: here, or on a server.
func (c *control) startDialog(l *leg, r interpreter.DialogRequest, server string) {
	p := c.prepared[r.DialogID]
	switch {
	case r.Prepared && p == nil: // its end was told while the leg was on its way
		delete(c.starting, r.DialogID)
		return
	case !l.canPlay():
		c.cannotStart(r, "the connection is gone")
		return
	case !c.claim(r.DialogID):
		return
	}
	delete(c.prepared, r.DialogID)
	if l.state.Is(legAlerting) {
		l.send(freeswitch.PreAnswer(), nil)
	}
	if c.dialogs == nil {
		c.dialogs = make(map[string]*leg, 1)
	}
	c.dialogs[r.DialogID] = l
	d := &legDialog{
		leg: l, id: r.DialogID, request: r, beside: r.Beside || onlyListens(r) || dialog.InBackground(r.Hints),
		mute: r.MediaDirection == directionReceive, deaf: r.MediaDirection == directionTransmit,
	}
	l.dialogs = append(l.dialogs, d)
	request := dialogRequest(r)
	request.IOProcessors = c.ioProcessors()
	request.Call, request.Session = l.call, c.record.ID
	if l.standIn == nil { // else it is of a conference
		request.Connection = l.id
	}
	events := c.dialogEvents(l, r, func() { d.told = true })
	if server != "" {
		if p != nil && p.dialog != nil { // prepared to run here
			p.dialog.Discard()
		}
		d.beside, d.mute, d.deaf = false, false, false
		d.dialog = c.startBrowser(l, r, server, events)
	} else if p != nil && p.dialog != nil {
		d.dialog = p.dialog.Start(request, d, c.session.Do, events)
	} else {
		d.dialog = c.controller.options.Dialogs.Start(request, d, c.session.Do, events)
	}
}

// dialogEvents tells the document of a dialog; started is called beside dialog.started.
func (c *control) dialogEvents(l *leg, r interpreter.DialogRequest, started func()) dialog.Events {
	return dialog.Events{
		Started: func() {
			started()
			if c.startsAgain(r.DialogID) {
				c.session.Apply(interpreter.DialogEffect{DialogID: r.DialogID, State: interpreter.DialogStarted})
				return
			}
			c.queueDialog("dialog.started", r, interpreter.DialogStarted)
		},
		NotStarted: func(reason string) {
			c.forgetDialog(l, r.DialogID)
			c.dialogNotStarted(r, reason)
		},
		Exited: func(result dialog.Result) {
			c.forgetDialog(l, r.DialogID)
			c.dialogExited(r, result)
		},
		Disconnect: func(values dialog.Values) {
			c.queueDialog("dialog.disconnect", r, "", interpreter.Field{Name: "values", Value: values.Object()})
		},
		Transfer: func(t dialog.Transfer) { c.queueDialog("dialog.transfer", r, "", transferFields(t)...) },
		TerminateTransfer: func(reason string) {
			c.queueDialog("dialog.terminatetransfer", r, "", interpreter.Field{Name: "reason", Value: reason})
		},
		User: func(event string, values dialog.Values) {
			c.queueDialog(event, r, "", interpreter.Field{Name: "values", Value: values.Object()})
		},
	}
}

// transferFields are those of dialog.transfer (DEV-5). The specification spells the
// URI in two ways.
func transferFields(t dialog.Transfer) []interpreter.Field {
	return []interpreter.Field{
		{Name: "type", Value: t.Type}, {Name: "uri", Value: t.URI}, {Name: "URI", Value: t.URI},
		{Name: "maxtime", Value: optional(t.MaxTime)}, {Name: "connecttimeout", Value: optional(t.ConnectTimeout)},
		{Name: "aai", Value: optional(t.AAI)}, {Name: "values", Value: map[string]any{}},
	}
}

func dialogRequest(r interpreter.DialogRequest) dialog.Request {
	return dialog.Request{
		ID: r.DialogID, Source: r.Source, Base: r.Base, Type: r.Type, MediaDirection: r.MediaDirection,
		Namelist: dialogPairs(r.Namelist), Parameters: dialogPairs(r.Parameters), Method: r.Method, Enctype: r.Enctype,
		MaxAge: r.MaxAge, MaxStale: r.MaxStale, Hints: r.Hints,
	}
}

func dialogPairs(pairs []interpreter.Pair) []dialog.Pair {
	list := make([]dialog.Pair, len(pairs))
	for i, pair := range pairs {
		list[i] = dialog.Pair(pair)
	}
	return list
}

// TerminateDialog ends a dialog (interpreter.Dialogs).
func (c *control) TerminateDialog(r interpreter.TerminateRequest) {
	if request, starting := c.starting[r.DialogID]; starting { // its leg is on its way
		delete(c.starting, r.DialogID)
		c.discard(r.DialogID)
		c.queueDialog("dialog.started", request, interpreter.DialogStarted)
		c.dialogExited(request, dialog.Result{})
	} else if p := c.discard(r.DialogID); p != nil { // DLG-23
		c.dialogExited(p.request, dialog.Result{})
	} else if d := c.findDialog(r.DialogID); d != nil {
		d.dialog.Terminate(r.Immediate)
	}
}

func (c *control) findDialog(id string) *legDialog {
	l := c.dialogs[id]
	if l == nil {
		return nil
	}
	for _, d := range l.dialogs {
		if d.id == id && d.dialog != nil {
			return d
		}
	}
	return nil
}

// dialogOf gives the dialog among two endpoints, nil if there is none.
func (c *control) dialogOf(id1, id2 string) *legDialog {
	if d := c.findDialog(id1); d != nil {
		return d
	}
	return c.findDialog(id2)
}

func (c *control) forgetDialog(l *leg, id string) {
	delete(c.dialogs, id)
	l.dialogs = slices.DeleteFunc(l.dialogs, func(d *legDialog) bool { return d.id == id })
	if l.standIn != nil {
		l.hangUp("NORMAL_CLEARING")
	}
}

func (c *control) queueDialog(name string, r interpreter.DialogRequest, state interpreter.DialogState, fields ...interpreter.Field) {
	c.session.Queue(&interpreter.Event{
		Name: name, Source: r.DialogID, SourceType: "dialog",
		Fields: append([]interpreter.Field{
			{Name: "dialogid", Value: r.DialogID},
			{Name: "connectionid", Value: optional(r.ConnectionID)},
			{Name: "conferenceid", Value: optional(r.ConferenceID)},
		}, fields...),
		Effect: interpreter.DialogEffect{DialogID: r.DialogID, State: state},
	})
}

// optional gives undefined for what is not there.
func optional(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (c *control) dialogNotStarted(r interpreter.DialogRequest, reason string) {
	if c.startsAgain(r.DialogID) {
		c.dialogExited(r, dialog.Result{Reason: controllerLost + ": " + reason})
		return
	}
	c.controller.options.Metrics.DialogEnded("failed")
	c.log().Warn("dialog not started", "connection", r.ConnectionID, "dialog", r.DialogID, "src", r.Source, "reason", reason)
	c.queueDialog("error.dialog.notstarted", r, interpreter.DialogEnded, interpreter.Field{Name: "reason", Value: reason})
}

// dialogExited tells the document what a dialog returned. The dialects have the
// values by name on the event too.
func (c *control) dialogExited(r interpreter.DialogRequest, result dialog.Result) {
	outcome := "done"
	if result.Reason != "" {
		outcome = "early"
	}
	c.controller.options.Metrics.DialogEnded(outcome)
	fields := []interpreter.Field{{Name: "values", Value: result.Values.Object()}}
	if result.Reason != "" {
		level := slog.LevelWarn
		if result.Reason == takenAway { // as the document wanted it
			level = slog.LevelDebug
		}
		c.log().Log(context.Background(), level, "dialog ended early",
			"connection", r.ConnectionID, "dialog", r.DialogID, "src", r.Source, "reason", result.Reason)
		fields = append(fields, interpreter.Field{Name: "reason", Value: result.Reason})
	}
	for name, value := range byKey(result.Values.Object()) {
		fields = append(fields, interpreter.Field{Name: name, Value: value})
	}
	c.queueDialog("dialog.exit", r, interpreter.DialogEnded, fields...)
}
