package peer

import (
	"context"
	"errors"
	"fmt"

	"ccxmld/sessionstore"
)

// Create asks a controller to create a session, and waits until it has.
func (p *Peers) Create(ctx context.Context, controller string, s Session) error {
	r, err := p.ask(ctx, controller, createKind, p.options.NewID(), s)
	if err != nil {
		return fmt.Errorf("on controller %s: %w", controller, err)
	}
	defer r.close()
	if _, err = r.answer(createTimeout + s.Document.Timeout); err != nil {
		return fmt.Errorf("on controller %s: %w", controller, err)
	}
	return nil
}

// CreateElsewhere lets the first other controller that can take the session create it.
// full is why it is not created here.
func (p *Peers) CreateElsewhere(ctx context.Context, s Session, full error) error {
	controllers, err := p.options.Store.Controllers(ctx)
	if err != nil {
		return fmt.Errorf("this controller is %w, and others are not known: %w", full, err)
	}
	tried := 0
	for _, other := range controllers {
		if !other.Alive || other.ID == p.options.ID {
			continue
		}
		tried++
		err := p.Create(ctx, other.ID, s)
		if !errors.Is(err, ErrOutOfSessions) && !errors.Is(err, sessionstore.ErrNoController) {
			return err
		}
	}
	if tried == 0 {
		return fmt.Errorf("%w, and there is no other controller; raise limits.sessions", full)
	}
	return fmt.Errorf("%w, as are the %d other controllers", full, tried)
}

// createFor creates a session that another controller asks for. The same request
// that comes again is not for another session.
func (p *Peers) createFor(mail sessionstore.Mail, s Session) {
	if p.options.Controller.Runs(s.ID) || p.Busy(s.ID) {
		return
	}
	p.InOrder(s.ID, func(ctx context.Context) {
		var a Answer
		if err := p.options.Controller.CreateSession(ctx, s); err != nil {
			a.Failure, a.Full = err.Error(), errors.Is(err, ErrOutOfSessions)
		}
		p.reply(ctx, mail, a)
	})
}

// Exited brings the end of a session to its parent, here or wherever that is by then, after
// all that was given for the session before.
func (p *Peers) Exited(e Exit) {
	if !p.InOrder(e.Session, func(ctx context.Context) { p.tellParent(ctx, e) }) {
		p.parentUntold(e, errNotTaken)
	}
}

func (p *Peers) tellParent(ctx context.Context, e Exit) {
	err := p.sendExit(ctx, e)
	if errors.Is(err, sessionstore.ErrMailTooLong) {
		e.Ending = Ending{Reason: "what the session returned is too long to be sent to another controller"}
		err = p.sendExit(ctx, e)
	}
	if err != nil && !errors.Is(err, sessionstore.ErrNoController) && !errors.Is(err, ErrNoSession) {
		p.parentUntold(e, err)
	}
}

// sendExit brings the end of a session to its parent, wherever that is by now.
func (p *Peers) sendExit(ctx context.Context, e Exit) error {
	return p.sendTo(ctx, e.Parent, func() bool { return p.hereToTell(e) }, exitKind, e)
}

// hereToTell tells a parent of its child's end, if it runs here.
func (p *Peers) hereToTell(e Exit) bool {
	if !p.options.Controller.Runs(e.Parent) {
		return false
	}
	p.options.Controller.ChildExited(e)
	return true
}

// childExited takes the end of a session that another controller has created. It comes
// after the answer to its creation, which may still be on its way to the parent.
func (p *Peers) childExited(e Exit) {
	if !p.InOrder(e.Session, func(ctx context.Context) { p.tellParent(ctx, e) }) {
		p.parentUntold(e, errNotTaken)
	}
}

func (p *Peers) parentUntold(e Exit, err error) {
	p.log.Warn("a parent could not be told of its child's end", "session", e.Session, "parent", e.Parent, "error", err)
}
