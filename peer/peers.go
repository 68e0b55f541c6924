package peer

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
)

// Options say of which controller Peers are, and how they work. All must be given.
type Options struct {
	ID         string // of the controller
	Controller Controller
	Store      Store
	Clock      clock.Clock
	NewID      func() string // makes ids of requests
	// Start runs f in a goroutine that the controller waits for before it ends. f gives
	// up when its context ends.
	Start func(f func(context.Context))
	// Closing ends when nobody is to wait for answers any more; its cause is the error.
	Closing context.Context
	Logger  *slog.Logger
}

// Controller is what other controllers ask for. Only CreateSession and
// Operate may wait.
type Controller interface {
	// Deliver brings an event to a session; false if that does not run here.
	Deliver(e Event) bool
	// Runs tells whether a session runs here.
	Runs(session string) bool
	// CreateSession creates a session, and returns when its document is initialised.
	// ErrOutOfSessions lets another controller be asked.
	CreateSession(ctx context.Context, s Session) error
	// ChildExited tells a session, if it runs here, of the end of one that it created.
	ChildExited(e Exit)
	// ExpectLeg prepares for a leg that is sent here. reply is called twice, from any
	// goroutine: with the address at which the leg is waited for, and when it has come;
	// once with a Failure.
	ExpectLeg(m Move, reply func(Answer))
	// Drain has the controller drain, and end then.
	Drain(d Drain)
	// Operate does what an operator asks. The error is an *operator.Error where it is
	// refused. It may wait for a session, until ctx ends.
	Operate(ctx context.Context, o Operation) (json.RawMessage, error)
}

// Store carries the mail and knows who runs what; a [sessionstore.Store] does.
type Store interface {
	Post(ctx context.Context, controller string, m sessionstore.Mail) error
	Receive(ctx context.Context, controller string, handle func(sessionstore.Mail)) error
	Owner(ctx context.Context, session string) (controller string, ok bool, err error)
	Session(ctx context.Context, session string) (record sessionstore.Session, ok bool, err error)
	Controllers(ctx context.Context) ([]sessionstore.Controller, error)
	WriteEvery() time.Duration
}

var (
	// ErrNoSession: no controller runs the session.
	ErrNoSession = errors.New("there is no such session")
	// ErrOutOfSessions: a controller runs as many sessions as it may.
	ErrOutOfSessions error = outOfSessions{}
)

// outOfSessions tells that the session limit is reached.
type outOfSessions struct{}

func (outOfSessions) Error() string { return "out of sessions" }

// OutOfSessions lets HTTP tell this error from others.
func (outOfSessions) OutOfSessions() bool { return true }

// Peers are the other controllers, as one controller sees them.
type Peers struct {
	options Options
	log     *slog.Logger
	queues  queues

	operations atomic.Int64 // under way for other controllers

	mu       sync.Mutex
	requests map[string]*request // that wait for answers, by id
}

// New makes the peers of a controller.
func New(o Options) *Peers {
	return &Peers{options: o, log: o.Logger, queues: queues{start: o.Start}, requests: make(map[string]*request)}
}

// InOrder runs f when all that was given for the session before is done, in a goroutine
// of the controller's. It reports false when too much waits for the session
// (MaxQueued), or after Close.
func (p *Peers) InOrder(session string, f func(context.Context)) bool {
	return p.queues.add(session, f)
}

// Busy tells whether something that was given to InOrder for a session is not done.
func (p *Peers) Busy(session string) bool { return p.queues.busy(session) }

// Close takes no more. What is under way goes on; the controller waits for it.
func (p *Peers) Close() { p.queues.close() }

// Owner finds the other controller that runs a session, or ErrNoSession. The record of
// a session that began a moment ago may not be written yet: one that is not there is
// looked for again after the writer's next turn.
func (p *Peers) Owner(ctx context.Context, session string) (string, error) {
	store := p.options.Store
	for again := false; ; again = true {
		owner, ok, err := store.Owner(ctx, session)
		switch {
		case err != nil:
			return "", err
		case ok && owner != p.options.ID:
			return owner, nil
		case ok, again:
			return "", ErrNoSession
		}
		if !clock.Sleep(ctx, p.options.Clock, 2*store.WriteEvery()) {
			return "", ctx.Err()
		}
	}
}

// sendTo brings something to a session: here, if that takes it, else to the controller that
// runs it. Sessions change their controllers, and those die: one that is not where Redis
// says is looked for again until somebody has claimed it.
func (p *Peers) sendTo(ctx context.Context, session string, here func() bool, kind string, body any) error {
	store, begun := p.options.Store, p.options.Clock.Now()
	ctx, cancel := clock.WithTimeout(ctx, p.options.Clock, sendTimeout)
	defer cancel()
	for again := false; ; again = true {
		if here() {
			return nil
		}
		owner, ok, err := store.Owner(ctx, session)
		switch {
		case err != nil:
			return err
		case ok && owner != p.options.ID:
			err = p.postFor(ctx, owner, session, kind, "", body)
			if !errors.Is(err, sessionstore.ErrNoController) {
				return err
			}
		case !ok && again:
			return ErrNoSession
		default:
			err = ErrNoSession
		}
		if clock.Since(p.options.Clock, begun) > claimTimeout {
			return err
		}
		if !clock.Sleep(ctx, p.options.Clock, 2*store.WriteEvery()) {
			return ctx.Err()
		}
	}
}

// post puts something for it into another controller's mailbox.
func (p *Peers) post(ctx context.Context, controller, kind, id string, body any) error {
	return p.postFor(ctx, controller, "", kind, id, body)
}

// postFor is post, for a session.
func (p *Peers) postFor(ctx context.Context, controller, session, kind, id string, body any) error {
	ctx, cancel := clock.WithTimeout(ctx, p.options.Clock, sendTimeout)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return p.options.Store.Post(ctx, controller, sessionstore.Mail{ID: id, From: p.options.ID, Kind: kind, Session: session, Body: text})
}

// Receive takes what other controllers send, until ctx ends.
func (p *Peers) Receive(ctx context.Context) {
	err := p.options.Store.Receive(ctx, p.options.ID, func(mail sessionstore.Mail) {
		if err := p.receive(mail); err != nil {
			p.log.Warn("mail not understood", "kind", mail.Kind, "from", mail.From, "error", err)
		}
	})
	if err != nil && ctx.Err() == nil {
		p.log.Error("mail from other controllers is not received", "error", err)
	}
}

// receive takes in one piece of mail. It must not wait for anything.
func (p *Peers) receive(mail sessionstore.Mail) error {
	switch mail.Kind {
	case eventKind:
		return take(mail, p.delivered)
	case answerKind:
		return take(mail, p.answered)
	case createKind:
		return take(mail, func(s Session) { p.createFor(mail, s) })
	case exitKind:
		return take(mail, p.childExited)
	case moveKind:
		return take(mail, func(m Move) {
			p.options.Controller.ExpectLeg(m, func(a Answer) { p.replyLater(mail, a) })
		})
	case drainKind:
		return take(mail, p.options.Controller.Drain)
	case operateKind:
		return take(mail, func(o Operation) { p.operateFor(mail, o) })
	}
	return errors.New("this kind is not known here; do the controllers run different versions?")
}

// take reads the body of mail.
func take[T any](mail sessionstore.Mail, f func(T)) error {
	var body T
	if err := json.Unmarshal(mail.Body, &body); err != nil {
		return err
	}
	f(body)
	return nil
}
