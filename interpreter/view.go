package interpreter

import (
	"cmp"
	"slices"
	"time"

	"ccxmld/script"
)

// View is what a session is at a moment, for people who look at it.
type View struct {
	Document    string // the URI of the one that it is in
	State       string // value of the state variable
	Connections []Connection
	Dialogs     []Dialog
	Conferences []Conference
	Media       []Edge
	Variables   []script.Shown
	Waiting     int        // events in the queue
	Sends       []ViewSend // with a delay, in the order in which they are due
}

// ViewSend is a message that waits for its delay.
type ViewSend struct {
	ID, Event, Target string
	Due               time.Time
}

// View tells what the session is. It runs nothing of the document. It may only be called
// in the session's goroutine, from Do.
func (s *Session) View() (v View) {
	v = View{State: s.state, Waiting: s.queue.len(), Media: slices.Clone(s.media.edges)}
	if s.document != nil {
		v.Document = s.document.URI
	}
	for _, c := range s.connections.all() {
		v.Connections = append(v.Connections, *c)
	}
	for _, d := range s.dialogs.all() {
		v.Dialogs = append(v.Dialogs, *d)
	}
	for _, c := range s.conferences.all() {
		v.Conferences = append(v.Conferences, *c)
	}
	if s.runtime != nil {
		v.Variables = s.runtime.Show(carriedScopes...)
	}
	for id, send := range s.sends {
		v.Sends = append(v.Sends, ViewSend{id, send.request.Event, send.request.Target, send.due})
	}
	slices.SortFunc(v.Sends, func(a, b ViewSend) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return v
}
