package interpreter

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"ccxmld/script"
)

// resumption makes a session again of its snapshot.
type resumption struct {
	session     *Session
	connections []*Connection
	dialogs     []*Dialog
	conferences []*Conference
}

// Resume makes a session again of a snapshot. The document in o is the one of the
// snapshot's texts; the session's id, its parent, how it came to be and its values are
// the snapshot's. The scripts of the document are run, so that its functions are there,
// and then its variables get the values that they had; GoOn goes on with it. Until then
// the session is the caller's, and nothing may be left in its mailbox that it would do.
//
// The error says why it cannot be: the snapshot is of a newer version, or is none.
func Resume(o Options, snap Snapshot) (s *Session, err error) {
	switch {
	case snap.Version < 1 || snap.Version > SnapshotVersion:
		return nil, fmt.Errorf("session %s was written in version %d; this ccxmld reads up to version %d, so a newer one has to resume it",
			snap.ID, snap.Version, SnapshotVersion)
	case o.Document == nil:
		return nil, fmt.Errorf("session %s cannot be resumed without its document", snap.ID)
	}
	o.ID, o.Startup, o.ParentID = snap.ID, snap.Startup, snap.ParentID
	if o.Values, err = snap.values(); err != nil {
		return nil, err
	}
	s = NewSession(o)
	s.waits = true
	account := s.options.Account
	account.Begin()
	defer account.End()
	defer func() { // no snapshot ends the process
		if x := recover(); x != nil {
			s, err = nil, fmt.Errorf("session %s cannot be resumed: %v", snap.ID, x)
		}
	}()
	r := &resumption{session: s}
	if err := r.resume(&snap); err != nil {
		return nil, fmt.Errorf("session %s cannot be resumed: %w", snap.ID, err)
	}
	if s.ending != nil {
		return nil, fmt.Errorf("session %s cannot be resumed: %s", snap.ID, s.ending.Reason)
	}
	return s, nil
}

func (snap *Snapshot) values() (map[string]any, error) {
	switch values := snap.Values.value.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return values, nil
	}
	return nil, fmt.Errorf("session %s cannot be resumed: its values are no object", snap.ID)
}

func (r *resumption) resume(snap *Snapshot) (err error) {
	s := r.session
	if r.things(snap); len(snap.Queue) > s.limits.Queue {
		return errors.New(s.tooMany())
	}
	s.state, s.eventCount, s.sendCount, s.loops.inRow = snap.State, snap.Events, snap.Sent, snap.ErrorsRow
	s.began, s.debug.lines = snap.URI, slices.Clone(snap.DebugLog)
	for _, edge := range snap.Media {
		s.media.edges = append(s.media.edges, Edge(edge))
	}
	s.publishSession()
	r.fetches(snap.Fetches)
	r.begin(s.options.Document)
	if err := r.variables(snap); err != nil {
		return err
	}
	for i := range snap.Queue {
		e, err := r.event(&snap.Queue[i])
		if err != nil {
			return err
		}
		s.queue.put(e)
	}
	for _, d := range snap.Sends {
		s.keep(&pendingSend{order: d.Order, delay: time.Duration(d.Delay), due: d.Due, at: d.At.place(), request: d.Request.request()})
	}
	if s.held = snap.Held; snap.Ending != nil {
		over := snap.Ending.ending()
		s.over = &over
	}
	for _, d := range snap.Requests {
		s.requests = append(s.requests, &request{kind: d.Kind, id: d.ID, target: d.Target, at: d.At.place()})
		s.paused = s.paused || d.Kind == gotoRequest
	}
	return nil
}

// things makes what the session has, and what only events and variables show.
func (r *resumption) things(snap *Snapshot) {
	s := r.session
	for i := range snap.Connections {
		c := snap.Connections[i].connection()
		if r.connections = append(r.connections, c); !snap.Connections[i].Gone {
			s.connections.add(c.ID, c)
		}
	}
	for i := range snap.Dialogs {
		d := snap.Dialogs[i].dialog()
		if r.dialogs = append(r.dialogs, d); !snap.Dialogs[i].Gone {
			s.dialogs.add(d.ID, d)
		}
	}
	for _, d := range snap.Conferences {
		c := &Conference{ID: d.ID, Name: d.Name, attached: d.Attached}
		if r.conferences = append(r.conferences, c); !d.Gone {
			s.conferences.add(c.ID, c)
		}
	}
}

// begin runs what the document runs when it is loaded, but for what others would notice
// again. What fails leaves its variables to be restored all the same.
func (r *resumption) begin(d *Document) {
	s := r.session
	s.document = d
	if s.options.Loading != nil {
		s.options.Loading(d)
	}
	s.debug.enabled = d.wantsDebugLog
	s.runtime.OpenScope(transitionScope)
	s.runtime.OpenScope(ccxmlScope)
	s.publishURI(d.URI)
	for _, a := range d.init {
		if _, logs := a.(*logElement); logs {
			continue
		}
		if err := a.run(s); err != nil {
			position, reason := explain(a.element(), err)
			s.log().Warn("what the document runs when it is loaded has failed while its session was resumed",
				"document", position.String(), "element", a.element().tag, "reason", reason)
		}
	}
}

func (r *resumption) variables(snap *Snapshot) error {
	s := r.session
	lost, err := s.runtime.Restore(snap.Variables, script.Carried{Scopes: carriedScopes, Scripts: s.document.made, Hosted: r})
	for _, l := range lost {
		s.log().Warn("a value is not there any more after its session was resumed", "document", s.document.URI, "variable", l.Path, "reason", l.Why)
	}
	s.runtime.OpenScope(transitionScope)
	return err
}

// fetches compiles again what the session had fetched.
func (r *resumption) fetches(list []fetchedData) {
	s := r.session
	for _, d := range list {
		f := &fetched{id: d.ID, done: d.Done, request: d.Request}
		f.result.URI = d.URI
		switch {
		case d.Failure != "":
			f.result.Err = errors.New(d.Failure)
		case len(d.Document) > 0 && slices.Equal(d.Document, s.options.Document.Texts()):
			f.result.Document = s.options.Document
		case len(d.Document) > 0:
			r.recompile(f, d.Document, false)
		case len(d.Script) > 0:
			r.recompile(f, d.Script, true)
		}
		s.fetches = append(s.fetches, f)
	}
}

func (r *resumption) recompile(f *fetched, texts []Text, script bool) {
	s := r.session
	if s.options.Recompile == nil {
		f.result.Err = errors.New("controller: its text did not come along")
		return
	}
	uri := f.result.URI
	var err error
	if f.result, err = s.options.Recompile(texts, script); err != nil {
		s.log().Warn("what a session had fetched is not there any more after it was resumed", "uri", uri, "error", err)
		f.result = FetchResult{URI: uri, Err: fmt.Errorf("controller: %w", err)}
	}
}

// GoOn lets a session go on that Resume has made, in place of Start. It handles what
// waited, then the given events, and then those that were posted since Resume. Requests that the controller before waited for end
// in their error events, delayed sends keep the time at which they are due, and go out at
// once if that is over.
func (s *Session) GoOn(first ...*Event) {
	s.Do(func() {
		if !s.waits {
			return
		}
		s.waits, s.changed = false, true
		if s.logs(slog.LevelInfo) {
			s.log().Info("session goes on", "document", s.document.URI, "state", s.state)
		}
		for _, d := range s.held {
			if err := s.makeAgain(d); err != nil {
				s.log().Warn("what a session has asked for is not made again", "error", err)
			}
		}
		s.held = nil
		for _, r := range slices.Clone(s.requests) {
			if !r.kept {
				s.giveUp(r)
			}
		}
		for _, e := range append(first, s.early...) {
			s.enqueue(e)
		}
		s.early = nil
		s.goOnSending()
		if s.over != nil {
			s.end(*s.over)
		}
	})
}

// goOnSending starts the timers of delayed sends again.
func (s *Session) goOnSending() {
	now := s.options.Clock.Now()
	var late []*pendingSend
	for _, send := range s.pending() {
		if wait := send.due.Sub(now); wait > 0 {
			send.timer = s.after(wait, func() { s.due(send) })
		} else {
			late = append(late, send)
		}
	}
	slices.SortStableFunc(late, func(a, b *pendingSend) int { return a.due.Compare(b.due) })
	for _, send := range late {
		if s.sends[send.request.SendID] == send { // not gone with one before
			s.due(send)
		}
	}
}

// pending are the delayed sends in the order in which they were made.
func (s *Session) pending() []*pendingSend {
	var list []*pendingSend
	for _, send := range s.sends {
		list = append(list, send)
	}
	slices.SortFunc(list, func(a, b *pendingSend) int { return cmp.Compare(a.order, b.order) })
	return list
}
