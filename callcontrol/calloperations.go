package callcontrol

import (
	"cmp"
	"context"
	"strings"
	"time"

	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/operator"
	"ccxmld/sessionstore"
)

// call is a call of the session. A connection that is over has no leg any more.
func (c *control) call(x interpreter.Connection) operator.Call {
	call := operator.Call{
		ID: x.ID, Session: c.record.ID, SessionBegan: c.record.Started.UTC(), Controller: c.controller.options.ID, State: string(x.State),
		Direction: "out", Local: x.Local, Remote: x.Remote,
	}
	if x.Originator != "" && x.Originator == x.Remote {
		call.Direction = "in"
	}
	if call.State == "" { // placed, and nothing heard of it
		call.State = string(interpreter.Progressing)
	}
	l := c.legs[x.ID]
	if l == nil {
		return call
	}
	call.Node, call.With, call.Recording = l.machine, l.place.partner, l.recording
	call.Began, call.Rang, call.Answered = shownTime(l.notes.Began), shownTime(l.notes.Rang), shownTime(l.notes.Answered)
	if call.Node == "" && l.node != nil {
		call.Node = l.node.Machine()
	}
	return call
}

// shownTime is a time as JSON has it, nil for none.
func shownTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (c *Controller) listCalls(ctx context.Context, r operator.Sessions) (any, error) {
	found, more := c.page(r, func(s sessionstore.Session) bool {
		return len(s.Connections) > 0 && strings.Contains(s.Document, r.Document)
	})
	page := operator.Page[operator.Call]{Items: []operator.Call{}, Last: r.After, More: more}
	for _, s := range found {
		for _, call := range c.callsOf(ctx, s) {
			if (r.State == "" || call.State == r.State) && (r.Node == "" || call.Node == r.Node) &&
				(strings.Contains(call.Local, r.Number) || strings.Contains(call.Remote, r.Number)) {
				page.Items = append(page.Items, call)
			}
		}
		page.Last = operator.Cursor{Began: s.Started, ID: s.ID}
	}
	return page, nil
}

// callsOf are the calls of a session. One that is busy does not say how they are.
func (c *Controller) callsOf(ctx context.Context, s sessionstore.Session) (calls []operator.Call) {
	if control := c.control(s.ID); control != nil {
		var told []operator.Call
		err := inSessionOf(ctx, control, func() error {
			for _, connection := range control.session.View().Connections {
				told = append(told, control.call(connection))
			}
			return nil
		})
		if err == nil {
			return told
		}
	}
	for _, id := range s.Connections {
		calls = append(calls, operator.Call{ID: id, Session: s.ID, SessionBegan: s.Started.UTC(), Controller: s.Controller, State: "UNKNOWN", Direction: "unknown"})
	}
	return calls
}

func (c *Controller) showCall(l *leg, _ operator.CallRequest, _ string) (any, error) {
	for _, connection := range l.control.session.View().Connections {
		if connection.ID == l.id {
			return l.control.call(connection), nil
		}
	}
	return nil, noCall(l.id)
}

func (c *Controller) hangUpCall(l *leg, r operator.HangUpRequest, by string) (any, error) {
	cause := cmp.Or(r.Cause, "NORMAL_CLEARING")
	if !freeswitch.IsCause(cause) {
		return nil, operator.Errorf(operator.Invalid, "%q is no cause of FreeSWITCH, such as NORMAL_CLEARING or USER_BUSY", cause)
	}
	l.log().Warn("an operator hangs up the call", "by", by, "cause", cause)
	if !l.isConnected() {
		l.failure = "disconnected"
	}
	l.hangUp(cause)
	return nil, nil
}

func (c *Controller) transferCall(l *leg, r operator.TransferRequest, by string) (any, error) {
	switch {
	case l.conn == nil || !l.state.Is(legAlerting) && !l.isConnected():
		return nil, operator.Errorf(operator.Conflict, "call %s is not a caller's that waits for its answer, nor answered and at hand", l.id)
	case l.isRedirected():
		return nil, operator.Errorf(operator.Conflict, "call %s is being transferred already", l.id)
	}
	l.log().Warn("an operator transfers the call", "by", by, "to", r.To)
	l.control.Redirect(interpreter.RedirectRequest{ConnectionID: l.id, Destination: r.To})
	return nil, nil
}

func (c *Controller) recordCall(l *leg, r operator.RecordRequest, by string) (any, error) {
	if !l.isConnected() {
		return nil, operator.Errorf(operator.Conflict, "call %s is not answered", l.id)
	}
	file, err := l.control.Record(interpreter.RecordRequest{ConnectionID: l.id, On: r.On, Tag: r.Tag})
	if err != nil {
		return nil, operator.Errorf(operator.Conflict, "call %s cannot be recorded: %v", l.id, err)
	}
	l.log().Info("an operator turns the recording of the call on or off", "by", by, "on", r.On, "file", file)
	return operator.Recording{File: file}, nil
}

func (c *Controller) sendDigits(l *leg, r operator.DigitsRequest, by string) (any, error) {
	switch {
	case !interpreter.AreDigits(r.Digits):
		return nil, operator.Errorf(operator.Invalid, "%q cannot be sent; expected digits, A to D, * and #, and w or W for a pause", r.Digits)
	case !l.isConnected():
		return nil, operator.Errorf(operator.Conflict, "call %s is not answered", l.id)
	}
	if err := l.control.SendDigits(l.id, r.Digits); err != nil {
		return nil, operator.Errorf(operator.Conflict, "call %s takes no digits: %v", l.id, err)
	}
	l.log().Info("an operator sends digits to the far end", "by", by)
	return nil, nil
}
