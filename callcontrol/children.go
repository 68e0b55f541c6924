package callcontrol

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"ccxmld/clock"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/sessionstore"
)

// birth is a session that another one creates, by <createccxml>. It is what
// controllers tell each other of it.
type birth struct {
	Session    string                   `json:"session"`
	Parent     string                   `json:"parent"`
	ParentAt   string                   `json:"parentat"` // the controller that runs the parent
	Tree       string                   `json:"tree"`     // what the session counts for
	Document   interpreter.FetchRequest `json:"document"` // its URI is absolute
	Parameters []interpreter.Pair       `json:"parameters"`

	fetched *interpreter.Document // what Document has brought here already; nil for none
}

const createKind = "create"

// maxCreating bounds the sessions that one session waits for.
const maxCreating = 100

// CreateSession starts a session for this one (interpreter.Sessions). What is
// sent to it waits in its line until it is there.
func (c *control) CreateSession(r interpreter.CreateRequest, done func(error)) {
	b := birth{Session: r.SessionID, Parent: c.record.ID, ParentAt: c.controller.options.ID, Tree: cmp.Or(c.by.tree, c.record.ID), Document: r.Document, Parameters: r.Parameters, fetched: r.Fetched}
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
	if !c.controller.lines.add(c.controller, b.Session, func(ctx context.Context) { created(c.controller.create(ctx, b, where)) }) {
		c.session.Do(func() { created(ErrClosed) })
	}
}

// create starts a session here, or where it is to be; on another controller also
// when this one is out of sessions.
func (c *Controller) create(ctx context.Context, b birth, where string) error {
	uri, err := fetch.Resolve(b.Document.Base, b.Document.URI)
	if err != nil {
		return err
	}
	b.Document.URI, b.Document.Base = uri, ""
	if where != "" && where != c.options.ID {
		return c.createAt(ctx, where, b)
	}
	err = c.createHere(ctx, b)
	if where == "" && errors.Is(err, ErrOutOfSessions) {
		return c.createElsewhere(ctx, b, err)
	}
	return err
}

// createHere gets the document and runs it. It returns when the document is
// initialised, and Redis knows of the session.
func (c *Controller) createHere(ctx context.Context, b birth) error {
	by := origin{tree: cmp.Or(b.Tree, b.Parent), parent: b.Parent}
	if err := c.reserve(by); err != nil {
		return err
	}
	document := b.fetched
	if document == nil {
		var err error
		if document, err = c.documents.ForChild(c.context, b.Document); err != nil {
			c.unreserve(by)
			return err
		}
	}
	child := &child{parent: b.Parent, parentAt: b.ParentAt, begun: clock.NewPromise[error](c.options.Clock)}
	control := c.newControl(beginning{
		id: b.Session, document: document, mode: interpreter.Created, values: interpreter.Values(b.Parameters), child: child, by: by,
	})
	if err := c.begin(control); err != nil {
		return err
	}
	if err := child.begun.Wait(); err != nil {
		return err
	}
	if store := c.options.Store; store.Healthy() {
		ctx, cancel := context.WithTimeout(ctx, publishPatience)
		defer cancel()
		if err := store.Flush(ctx); err != nil {
			c.log.Warn("other controllers do not know of a new session yet", "session", b.Session, "error", err)
		}
	}
	return nil
}

// createElsewhere lets the first other controller that can take the session. full is
// why it is not created here.
func (c *Controller) createElsewhere(ctx context.Context, b birth, full error) error {
	controllers, err := c.options.Store.Controllers(ctx)
	if err != nil {
		return fmt.Errorf("this controller is %w, and others are not known: %w", full, err)
	}
	tried := 0
	for _, other := range controllers {
		if !other.Alive || other.ID == c.options.ID {
			continue
		}
		tried++
		err := c.createAt(ctx, other.ID, b)
		if !errors.Is(err, ErrOutOfSessions) && !errors.Is(err, sessionstore.ErrNoController) {
			return err
		}
	}
	if tried == 0 {
		return fmt.Errorf("%w, and there is no other controller; raise limits.sessions", full)
	}
	return fmt.Errorf("%w, as are the %d other controllers", full, tried)
}

// createAt asks a controller to create the session.
func (c *Controller) createAt(ctx context.Context, controller string, b birth) error {
	q, err := c.ask(ctx, controller, createKind, c.newID(), b)
	if err != nil {
		return fmt.Errorf("on controller %s: %w", controller, err)
	}
	defer q.close()
	if _, err = q.answer(c.context, createPatience+b.Document.Timeout); err != nil {
		return fmt.Errorf("on controller %s: %w", controller, err)
	}
	return nil
}

// createFor creates a session that another controller asks for. The same request
// that comes again is not for another session.
func (c *Controller) createFor(mail sessionstore.Mail, b birth) {
	if c.session(b.Session) != nil || c.lines.busy(b.Session) {
		return
	}
	c.lines.add(c, b.Session, func(ctx context.Context) {
		var a answer
		if err := c.createHere(ctx, b); err != nil {
			a.Failure, a.Full = err.Error(), errors.Is(err, ErrOutOfSessions)
		}
		c.reply(ctx, mail, a)
	})
}

// child is what a session knows of the one that created it.
type child struct {
	parent, parentAt string
	begun            *clock.Promise[error] // gets nil when the document is initialised, or why it is not
	started          bool                  // it was
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
	e := exit{Parent: child.parent, Session: id, Ending: ending}
	if !c.lines.add(c, id, func(ctx context.Context) { c.tellParent(ctx, child.parentAt, e) }) {
		c.log.Warn("a parent could not be told of its child's end", "session", id, "parent", child.parent)
	}
}

// exit is the end of a session that another controller's created.
type exit struct {
	Parent  string             `json:"parent"`
	Session string             `json:"session"`
	Ending  interpreter.Ending `json:"ending"`
}

const exitKind = "exit"

// tellParent brings ccxml.exit to the parent, if it still lives (SES-16).
func (c *Controller) tellParent(ctx context.Context, parentAt string, e exit) {
	if parentAt == c.options.ID {
		c.exited(e)
		return
	}
	err := c.mail(ctx, parentAt, exitKind, "", e)
	if errors.Is(err, sessionstore.ErrMailTooLong) {
		e.Ending = interpreter.Ending{Reason: "what the session returned is too long to be sent to another controller"}
		err = c.mail(ctx, parentAt, exitKind, "", e)
	}
	if err != nil && !errors.Is(err, sessionstore.ErrNoController) {
		c.log.Warn("a parent could not be told of its child's end", "session", e.Session, "parent", e.Parent, "error", err)
	}
}

// childExited takes the end of a child on another controller. It waits for
// ccxml.created, which may still be on its way to the parent.
func (c *Controller) childExited(e exit) {
	if !c.lines.add(c, e.Session, func(context.Context) { c.exited(e) }) {
		c.log.Warn("a parent could not be told of its child's end", "session", e.Session, "parent", e.Parent)
	}
}

func (c *Controller) exited(e exit) {
	if parent := c.session(e.Parent); parent != nil {
		parent.Post(interpreter.ExitEvent(e.Session, e.Ending))
	}
}
