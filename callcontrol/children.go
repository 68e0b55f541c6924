package callcontrol

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"ccxmld/clock"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/peer"
)

// creation is a session that another one creates, by <createccxml>.
type creation struct {
	session    string // its id
	parent     string
	tree       string                   // what the session counts for
	document   interpreter.FetchRequest // its URI is absolute
	parameters []interpreter.Pair
	fetched    *interpreter.Document // what document has brought here already; nil for none
}

// maxCreating bounds the sessions that one session waits for.
const maxCreating = 100

// CreateSession starts a session for this one (interpreter.Sessions). What is
// sent to it waits until it is there.
func (c *control) CreateSession(r interpreter.CreateRequest, done func(error)) {
	c.whenOurs(func(err error) {
		if err != nil {
			c.session.Do(func() { done(err) })
			return
		}
		c.createSession(r, done)
	})
}

func (c *control) createSession(r interpreter.CreateRequest, done func(error)) {
	n := creation{
		session: r.SessionID, parent: c.record.ID, tree: cmp.Or(c.by.tree, c.record.ID),
		document: r.Document, parameters: r.Parameters, fetched: r.Fetched,
	}
	where, _ := r.Hints["controller"].(string)
	if c.creating >= maxCreating {
		c.session.Do(func() { done(fmt.Errorf("%d sessions are being created already", maxCreating)) })
		return
	}
	c.creating++
	created := func(err error) {
		c.session.Do(func() { c.creating-- })
		done(err)
	}
	if !c.controller.peers.InOrder(n.session, func(ctx context.Context) {
		if !c.mayAct(ctx) {
			created(errTaken)
			return
		}
		created(c.controller.create(ctx, n, where))
	}) {
		c.session.Do(func() { created(ErrClosed) })
	}
}

// create starts a session here, or where it is to be; on another controller also
// when this one is out of sessions.
func (c *Controller) create(ctx context.Context, n creation, where string) error {
	uri, err := fetch.Resolve(n.document.Base, n.document.URI)
	if err != nil {
		return err
	}
	n.document.URI, n.document.Base = uri, ""
	if where != "" && where != c.options.ID {
		return c.peers.Create(ctx, where, c.forPeer(n))
	}
	err = c.createHere(ctx, n)
	if where == "" && errors.Is(err, ErrOutOfSessions) {
		return c.peers.CreateElsewhere(ctx, c.forPeer(n), err)
	}
	return err
}

// createHere gets the document and runs it. It returns when the document is
// initialised, and Redis knows of the session.
func (c *Controller) createHere(ctx context.Context, n creation) error {
	by := origin{tree: cmp.Or(n.tree, n.parent), parent: n.parent}
	if err := c.reserve(by); err != nil {
		return err
	}
	document := n.fetched
	if document == nil {
		var err error
		if document, err = c.documents.ForChild(c.context, n.document); err != nil {
			c.unreserve(by)
			return err
		}
	}
	child := &child{parent: n.parent, begun: clock.NewPromise[error](c.options.Clock)}
	control := c.newControl(beginning{
		id: n.session, document: document, mode: interpreter.Created, values: interpreter.Values(n.parameters), child: child, by: by,
	})
	if err := c.begin(control); err != nil {
		return err
	}
	if err := child.begun.Wait(); err != nil {
		return err
	}
	if store := c.options.Store; store.Healthy() {
		ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, publishTimeout)
		defer cancel()
		if err := store.Flush(ctx); err != nil {
			c.log.Warn("other controllers do not know of a new session yet", "session", n.session, "error", err)
		}
	}
	return nil
}

// child is what a session knows of the one that created it.
type child struct {
	parent  string
	begun   *clock.Promise[error] // gets nil when the document is initialised, or why it is not
	started bool                  // it was
}

// start notes that the document is initialised. It runs in the session's goroutine.
func (b *child) start() {
	b.started = true
	b.begun.Keep(nil)
}

// childEnded tells of a child's end: whoever waits for its beginning, else to the
// parent, after ccxml.created.
func (c *Controller) childEnded(id string, child *child, ending interpreter.Ending) {
	if !child.started {
		reason := ending.Reason
		if reason == "" {
			reason = "the session ended before its document was initialised"
		}
		child.begun.Keep(errors.New(reason))
		return
	}
	c.peers.Exited(peer.Exit{Parent: child.parent, Session: id, Ending: peer.Ending(ending)})
}
