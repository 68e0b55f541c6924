package callcontrol

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"iter"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/peer"
	"ccxmld/sessionstore"
)

// The errors of Inject, besides those of reaching another controller.
var (
	ErrNoSession     = peer.ErrNoSession
	ErrNotInjectable = errors.New("cannot be sent by HTTP")
	ErrNoEvent       = errors.New("the document takes no event without a name")
)

// basicHTTP is the event I/O processor by which HTTP clients and servers send
// events (CCXML 1.0, appendix on basichttp).
const basicHTTP = "basichttp"

// injectable tells why an event may not come from outside, or nil. What the
// interpreter alone says of a session is not for others: ccxml.loaded would run a
// document's beginning again. An operator may ask a document to end, by
// ccxml.kill, but not end it past the document (HTP-11).
func injectable(name string) error {
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "ccxml.") && lower != "ccxml.kill" {
		return fmt.Errorf("the event %s %w", name, ErrNotInjectable)
	}
	return nil
}

// Injection is an event that comes to a session from an HTTP client.
type Injection struct {
	Session    string
	Name       string // "" for a POST that names none, which documents of the drafts take
	Source     string // eventsource, as the client says
	Parameters []interpreter.Pair
}

// Inject brings an event to a session, which may run on another controller: then
// it is on its way once Inject returns. The error wraps ErrNoSession, ErrNoEvent or
// ErrNotInjectable, or tells why the other controller cannot be reached.
func (c *Controller) Inject(ctx context.Context, i Injection) error {
	if err := c.gate.Wait(ctx); err != nil {
		return err
	}
	if i.Name == "" {
		var err error
		if i.Name, err = c.postEvent(ctx, i.Session); err != nil {
			return err
		}
	}
	if err := injectable(i.Name); err != nil {
		return err
	}
	e := peer.Event{Session: i.Session, Source: i.Source, SourceType: basicHTTP, Name: i.Name, Parameters: toPeer(i.Parameters)}
	if session := c.session(i.Session); session != nil {
		if !session.Post(eventOf(e)) {
			return ErrNoSession
		}
		return nil
	}
	return c.peers.Send(ctx, e)
}

// Knows tells whether a secret is that of a session, which may run on another controller.
func (c *Controller) Knows(ctx context.Context, session, secret string) (bool, error) {
	var own string
	if control := c.control(session); control != nil {
		own = control.record.Secret
	} else {
		var err error
		if own, err = c.peers.Secret(ctx, session); err != nil && !errors.Is(err, ErrNoSession) {
			return false, err
		}
	}
	return own != "" && subtle.ConstantTimeCompare([]byte(own), []byte(secret)) == 1, nil
}

// postEvent is what a POST that names no event brings to a session, which may run on
// another controller.
func (c *Controller) postEvent(ctx context.Context, session string) (name string, err error) {
	if control := c.control(session); control != nil {
		name = control.document.Load().PostEvent()
	} else if name, err = c.peers.PostEvent(ctx, session); err != nil {
		return "", err
	}
	if name == "" {
		return "", ErrNoEvent
	}
	return name, nil
}

// List lists the sessions that run here, as Redis has them.
func (c *Controller) List(ctx context.Context) iter.Seq2[sessionstore.Session, error] {
	return c.options.Store.SessionsOf(ctx, c.options.ID)
}

// Started is how many sessions have been started.
func (c *Controller) Started() int64 { return c.started.Load() }
