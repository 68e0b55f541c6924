package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ccxmld/clock"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/peer"
)

// The errors that Start reports besides those of fetching and compiling.
var (
	ErrOutOfSessions = peer.ErrOutOfSessions
	ErrClosed        = errors.New("the controller is shutting down")
)

// reserve takes a place among the sessions. Some of them only incoming calls get.
func (c *Controller) reserve(a origin) error {
	if c.limits().Strain != nil {
		if err := c.limits().Strain.Err(); err != nil {
			c.log.Error("no new session is taken", "reason", err)
			return fmt.Errorf("%w: %w", ErrOutOfSessions, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := len(c.sessions) + c.reserved
	switch kept := c.limits().Sessions * c.limits().ForCalls / 100; {
	case c.closing:
		return ErrClosed
	case c.draining && a.parent == "":
		return ErrDraining
	case taken >= c.limits().Sessions:
		return ErrOutOfSessions
	case !a.call && taken >= c.limits().Sessions-kept:
		return fmt.Errorf("%w: %d run, and the other %d places are kept for incoming calls (limits.percent_for_calls)", ErrOutOfSessions, taken, kept)
	}
	if err := c.admit(a); err != nil {
		return err
	}
	c.reserved++
	return nil
}

func (c *Controller) unreserve(a origin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reserved--
	c.leave(a)
	c.noteIdle()
}

// StartRequest asks for a session that no call brings (CCXML 1.0, external).
type StartRequest struct {
	URI    string
	Values []interpreter.Pair // session.values
	Token  string             // a fingerprint of the token, for the store
	Ended  func()             // called when the session has ended; may be nil

	// Requester is the address that names the document, "" where a token does. What
	// it creates is bounded as a tree of sessions is.
	Requester string

	// Method is how the document is asked for, "" for GET, and Timeout how long
	// that may take, 0 for the usual time.
	Method  string
	Timeout time.Duration
}

// Start gets the document and starts a session. It waits for the document, and
// returns the session's id.
func (c *Controller) Start(ctx context.Context, r StartRequest) (string, error) {
	var by origin
	if r.Requester != "" {
		by.tree = addressTree(r.Requester)
	}
	if err := c.gate.Wait(ctx); err != nil {
		return "", err
	}
	if err := c.reserve(by); err != nil {
		return "", err
	}
	document, err := c.documents.ForCall(ctx, fetch.Request{URI: r.URI, Method: r.Method, Timeout: r.Timeout})
	if err != nil {
		c.unreserve(by)
		return "", err
	}
	control := c.newControl(beginning{document: document, mode: interpreter.External, values: values(r.Values), token: r.Token, by: by})
	control.whenEnded = r.Ended
	if err := c.begin(control); err != nil {
		return "", err
	}
	return control.session.ID(), nil
}

func values(pairs []interpreter.Pair) map[string]any {
	object := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		object[pair.Name] = pair.Value
	}
	return object
}

// begin registers a session and starts it. It gives the reserved place back.
func (c *Controller) begin(control *control, first ...*interpreter.Event) error {
	if lifetime := c.limits().Lifetime; lifetime > 0 {
		control.ends = c.options.Clock.Now().Add(lifetime)
	}
	if err := c.register(control); err != nil {
		return err
	}
	c.options.Metrics.SessionStarted(control.record.Startup)
	control.session.Do(control.save) // a leg of its own may be at work there already
	control.session.Start(first...)
	return nil
}

// register notes a session that runs here. It gives the reserved place back.
func (c *Controller) register(control *control) error {
	c.mu.Lock()
	c.reserved--
	if c.closing {
		c.leave(control.by)
		c.noteIdle()
		c.mu.Unlock()
		return ErrClosed
	}
	c.sessions[control.session.ID()] = control
	c.mu.Unlock()
	c.started.Add(1)
	if !control.ends.IsZero() {
		control.lifetime = c.after(control.ends.Sub(c.options.Clock.Now()), func() {
			control.session.End(fmt.Sprintf("it lived longer than %s", c.options.Clock.Now().Sub(control.record.Started).Round(time.Second)))
		})
	}
	return nil
}

// session finds a session that runs here.
func (c *Controller) session(id string) *interpreter.Session {
	if control := c.control(id); control != nil {
		return control.session
	}
	return nil
}

// control finds what a session that runs here has.
func (c *Controller) control(id string) *control {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions[id]
}

func (c *Controller) forgetSession(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if control := c.sessions[id]; control != nil {
		c.leave(control.by)
	}
	delete(c.sessions, id)
	c.noteIdle()
}

// noteIdle wakes WaitIdle. c.mu is held.
func (c *Controller) noteIdle() {
	if len(c.sessions)+c.reserved == 0 {
		open(&c.idle)
	}
}

// WaitIdle waits until no session runs, or until ctx ends.
func (c *Controller) WaitIdle(ctx context.Context) error {
	c.mu.Lock()
	if len(c.sessions)+c.reserved == 0 {
		c.mu.Unlock()
		return nil
	}
	idle := latch(&c.idle, c.options.Clock)
	c.mu.Unlock()
	return idle.Wait(ctx)
}

// latch gives what those wait for who want to know of the next time, and open tells
// them. The latch belongs to the holder of a lock.
func latch(l **clock.Latch, c clock.Clock) *clock.Latch {
	if *l == nil {
		*l = clock.NewLatch(c)
	}
	return *l
}

func open(l **clock.Latch) {
	if *l != nil {
		(*l).Open()
		*l = nil
	}
}
