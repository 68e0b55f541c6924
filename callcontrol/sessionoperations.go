package callcontrol

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/operator"
	"ccxmld/peer"
	"ccxmld/sessionstore"
)

// page chooses what a list shows of the sessions that run here: those behind a place, in
// the order of their beginnings.
func (c *Controller) page(r operator.Sessions, matches func(sessionstore.Session) bool) (list []sessionstore.Session, more bool) {
	for _, s := range c.options.Store.Held() {
		if r.After.Before(operator.Cursor{Began: s.Started, ID: s.ID}) && matches(s) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b sessionstore.Session) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	most := min(max(1, r.Limit), maxPage)
	more = len(list) > most
	return list[:min(most, len(list))], more
}

// maxPage bounds one page of a list.
const maxPage = 1000

// matches tells whether a session is one of those that are asked for.
func matches(r operator.Sessions) func(sessionstore.Session) bool {
	return func(s sessionstore.Session) bool {
		return strings.Contains(s.Document, r.Document) && (r.State == "" || s.State == r.State) &&
			(r.Startup == "" || s.Startup == r.Startup) && (r.Token == "" || s.Token == r.Token)
	}
}

func (c *Controller) listSessions(_ context.Context, r operator.Sessions) (any, error) {
	found, more := c.page(r, matches(r))
	page := operator.Page[operator.Session]{Items: []operator.Session{}, Last: r.After, More: more}
	for _, s := range found {
		page.Items = append(page.Items, sessionOf(s))
		page.Last = operator.Cursor{Began: s.Started, ID: s.ID}
	}
	return page, nil
}

func sessionOf(s sessionstore.Session) operator.Session {
	return operator.Session{
		ID: s.ID, Controller: s.Controller, Document: s.Document, State: s.State, Startup: s.Startup, Parent: s.Parent, Token: s.Token,
		Started: s.Started.UTC(), Connections: orEmpty(s.Connections), Dialogs: orEmpty(s.Dialogs), Conferences: orEmpty(s.Conferences),
	}
}

// orEmpty is a list that JSON has as [] where it is empty.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (c *Controller) showSession(ctx context.Context, o peer.Operation) (any, error) {
	control := c.control(o.Session)
	if control == nil {
		return nil, noSession(o.Session)
	}
	var detail operator.SessionDetail
	err := inSessionOf(ctx, control, func() error {
		detail = control.detail()
		return nil
	})
	return detail, err
}

// detail is all that can be seen of the session.
func (c *control) detail() operator.SessionDetail {
	v := c.session.View()
	d := operator.SessionDetail{
		Session: sessionOf(c.record), Calls: []operator.Call{}, Prompts: []operator.Dialog{}, Media: []operator.Media{},
		Variables: []operator.Variable{}, Sends: []operator.Send{}, Events: c.events.list(), Waiting: v.Waiting,
	}
	for _, connection := range v.Connections {
		d.Calls = append(d.Calls, c.call(connection))
	}
	for _, x := range v.Dialogs {
		d.Prompts = append(d.Prompts, operator.Dialog{ID: x.ID, State: string(x.State), With: cmp.Or(x.ConnectionID, x.ConferenceID), Src: x.Source, Type: x.Type})
	}
	for _, edge := range v.Media {
		d.Media = append(d.Media, operator.Media{From: edge.From, To: edge.To})
	}
	for _, x := range v.Variables {
		d.Variables = append(d.Variables, operator.Variable(x))
	}
	for _, x := range v.Sends {
		d.Sends = append(d.Sends, operator.Send{ID: x.ID, Event: x.Event, Target: x.Target, Due: x.Due.UTC()})
	}
	return d
}

// endSession asks the session to end, or ends it.
func (c *Controller) endSession(control *control, e operator.End, by string) error {
	control.log().Warn("an operator ends the session", "by", by, "unconditional", e.Unconditional)
	if e.Unconditional {
		control.session.End("ended by the operator " + by)
		return nil
	}
	return c.post(control, &interpreter.Event{Name: "ccxml.kill", Source: by, SourceType: "operator", Fields: []interpreter.Field{{Name: "reason", Value: "ended by an operator"}}})
}

// sendEvent brings an event to the session.
func (c *Controller) sendEvent(control *control, e operator.Event, by string) error {
	if err := injectable(e.Name); err != nil {
		return operator.Errorf(operator.Invalid, "%v", err)
	}
	var parameters []interpreter.Pair
	for _, p := range e.Parameters {
		parameters = append(parameters, interpreter.Pair(p))
	}
	control.log().Info("an operator sends an event", "by", by, "event", e.Name)
	return c.post(control, eventOf(peer.Event{Session: control.record.ID, Source: by, SourceType: basicHTTP, Name: e.Name, Parameters: toPeer(parameters)}))
}

func (c *Controller) post(control *control, e *interpreter.Event) error {
	if !control.session.Post(e) {
		return noSession(control.record.ID)
	}
	return nil
}
