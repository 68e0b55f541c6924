package callcontrol

import (
	"context"
	"fmt"

	"ccxmld/clock"
	"ccxmld/interpreter"
	"ccxmld/peer"
	"ccxmld/sessionstore"
)

// newPeers makes what the controller knows of the others.
func (c *Controller) newPeers() *peer.Peers {
	return peer.New(peer.Options{
		ID: c.options.ID, Controller: forPeers{c}, Store: gatedMail{c.options.Store, c.gate}, Clock: c.options.Clock, NewID: c.newID,
		Start: func(f func(context.Context)) {
			c.directory.Go(c.options.Clock, func() { f(c.directoryDone) })
		},
		Closing: c.context, Logger: c.log,
	})
}

// gatedMail lets no mail through while the gate of the controller is closed.
type gatedMail struct {
	*sessionstore.Store
	gate *clock.Gate
}

// Post sends mail (peer.Store).
func (g gatedMail) Post(ctx context.Context, controller string, m sessionstore.Mail) error {
	if err := g.gate.Wait(ctx); err != nil {
		return err
	}
	return g.Store.Post(ctx, controller, m)
}

// Receive handles the mail that comes (peer.Store).
func (g gatedMail) Receive(ctx context.Context, controller string, handle func(sessionstore.Mail)) error {
	return g.Store.Receive(ctx, controller, func(m sessionstore.Mail) {
		if g.gate.Wait(ctx) == nil {
			handle(m)
		}
	})
}

// forPeers does what other controllers ask for.
type forPeers struct{ *Controller }

var _ peer.Controller = forPeers{}

// Deliver brings an event to a session (peer.Controller).
func (c forPeers) Deliver(e peer.Event) bool {
	session := c.session(e.Session)
	return session != nil && session.Post(eventOf(e))
}

// Runs tells whether a session runs here (peer.Controller).
func (c forPeers) Runs(session string) bool { return c.session(session) != nil }

// CreateSession creates a session (peer.Controller).
func (c forPeers) CreateSession(ctx context.Context, s peer.Session) error {
	if c.isDraining() {
		return fmt.Errorf("%w: %w", ErrOutOfSessions, ErrDraining)
	}
	return c.createHere(ctx, creation{
		session: s.ID, parent: s.Parent, tree: s.Tree,
		document: interpreter.FetchRequest{
			URI: s.Document.URI, Method: s.Document.Method, Enctype: s.Document.Enctype, Parameters: fromPeer(s.Document.Parameters),
			Timeout: s.Document.Timeout, MaxAge: s.Document.MaxAge, MaxStale: s.Document.MaxStale,
		},
		parameters: fromPeer(s.Parameters),
	})
}

// forPeer is the session as another controller is asked for it. One of a version before
// sessions could be taken over tells the controller that it names of the session's end.
func (c *Controller) forPeer(n creation) peer.Session {
	d := n.document
	return peer.Session{
		ID: n.session, Parent: n.parent, ParentAt: c.options.ID, Tree: n.tree,
		Document: peer.Document{
			URI: d.URI, Method: d.Method, Enctype: d.Enctype, Parameters: toPeer(d.Parameters),
			Timeout: d.Timeout, MaxAge: d.MaxAge, MaxStale: d.MaxStale,
		},
		Parameters: toPeer(n.parameters),
	}
}

// ChildExited brings ccxml.exit to the parent, if it still lives (peer.Controller, SES-16).
func (c forPeers) ChildExited(e peer.Exit) {
	if parent := c.session(e.Parent); parent != nil {
		parent.Post(interpreter.ExitEvent(e.Session, interpreter.Ending(e.Ending)))
	}
}

// ExpectLeg prepares for a leg that another controller is about to send (peer.Controller).
func (c forPeers) ExpectLeg(m peer.Move, reply func(peer.Answer)) {
	target := c.control(m.Session)
	if target == nil || !target.session.Do(func() { target.expect(m, reply) }) {
		reply(peer.Answer{Failure: unavailable(m.Session).Reason})
	}
}

// eventOf is the event that comes from elsewhere.
func eventOf(e peer.Event) *interpreter.Event {
	event := interpreter.MessageEvent(e.ID, e.Source, e.Name, fromPeer(e.Parameters))
	if e.SourceType != "" {
		event.SourceType = e.SourceType
	}
	return event
}

// moveOf is a leg as another controller is told of it.
func moveOf(l *leg, r interpreter.MoveRequest, from string) peer.Move {
	c := r.Connection
	m := peer.Move{
		Session: r.SessionID, From: from, State: string(l.connectionState()), Answered: l.answered,
		Connection: peer.Connection{
			ID: c.ID, State: string(c.State), Local: c.Local, Remote: c.Remote, Originator: c.Originator, AAI: c.AAI,
			Protocol: peer.Protocol{Name: c.Protocol.Name, Version: c.Protocol.Version, Headers: toPeer(c.Protocol.Headers)},
		},
	}
	for _, redirect := range c.Redirects {
		m.Connection.Redirects = append(m.Connection.Redirects, peer.Redirect(redirect))
	}
	if e := r.Event; e != nil {
		m.Event = &peer.MovedEvent{Name: e.Name, ID: e.ID, Source: e.Source, SourceType: e.SourceType, Fields: make(map[string]any, len(e.Fields))}
		for _, field := range e.Fields {
			m.Event.Fields[field.Name] = field.Value
			if pairs, ok := field.Value.([]interpreter.Pair); ok {
				m.Event.Fields[field.Name] = interpreter.Values(pairs)
			}
		}
	}
	return m
}

// moveRequest is what <move> asked for, as the controller that gets the leg has it.
func moveRequest(m peer.Move) interpreter.MoveRequest {
	c := m.Connection
	r := interpreter.MoveRequest{SessionID: m.Session, Connection: interpreter.Connection{
		ID: c.ID, State: interpreter.ConnectionState(c.State), Local: c.Local, Remote: c.Remote, Originator: c.Originator, AAI: c.AAI,
		Protocol: interpreter.Protocol{Name: c.Protocol.Name, Version: c.Protocol.Version, Headers: fromPeer(c.Protocol.Headers)},
	}}
	for _, redirect := range c.Redirects {
		r.Connection.Redirects = append(r.Connection.Redirects, interpreter.Redirect(redirect))
	}
	if e := m.Event; e != nil {
		r.Event = &interpreter.Event{Name: e.Name, ID: e.ID, Source: e.Source, SourceType: e.SourceType}
		for name, value := range byKey(e.Fields) {
			r.Event.Fields = append(r.Event.Fields, interpreter.Field{Name: name, Value: value})
		}
	}
	return r
}

func toPeer(pairs []interpreter.Pair) []peer.Pair {
	if pairs == nil {
		return nil
	}
	list := make([]peer.Pair, len(pairs))
	for i, pair := range pairs {
		list[i] = peer.Pair(pair)
	}
	return list
}

func fromPeer(pairs []peer.Pair) []interpreter.Pair {
	if pairs == nil {
		return nil
	}
	list := make([]interpreter.Pair, len(pairs))
	for i, pair := range pairs {
		list[i] = interpreter.Pair(pair)
	}
	return list
}
