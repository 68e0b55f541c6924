package peer

import (
	"context"

	"ccxmld/clock"
	"ccxmld/sessionstore"
)

// Send brings an event to the controller that runs its session, this one if it does by
// then. It is on its way once Send returns. The error wraps ErrNoSession, or tells why that
// controller cannot be reached.
func (p *Peers) Send(ctx context.Context, e Event) error {
	return p.sendTo(ctx, e.Session, func() bool { return p.options.Controller.Deliver(e) }, eventKind, e)
}

// PostEvent is what a POST without an event's name is to a session of another
// controller, "" for nothing. The error wraps ErrNoSession, or tells why the session's
// record cannot be read.
func (p *Peers) PostEvent(ctx context.Context, session string) (string, error) {
	record, err := p.record(ctx, session)
	return record.PostEvent, err
}

// Secret is that of a session of another controller, by which it may be sent events by HTTP.
// The error wraps ErrNoSession, or tells why the session's record cannot be read.
func (p *Peers) Secret(ctx context.Context, session string) (string, error) {
	record, err := p.record(ctx, session)
	return record.Secret, err
}

// record reads what Redis has of a session of another controller.
func (p *Peers) record(ctx context.Context, session string) (sessionstore.Session, error) {
	ctx, cancel := clock.WithTimeout(ctx, p.options.Clock, sendTimeout)
	defer cancel()
	if _, err := p.Owner(ctx, session); err != nil {
		return sessionstore.Session{}, err
	}
	record, ok, err := p.options.Store.Session(ctx, session)
	if err == nil && !ok {
		err = ErrNoSession
	}
	return record, err
}

// delivered takes an event from another controller. A session that is not here may have
// been claimed by another one meanwhile, or by this one, which has not made it again yet.
func (p *Peers) delivered(e Event) {
	if !p.Busy(e.Session) && p.options.Controller.Deliver(e) {
		return
	}
	taken := p.InOrder(e.Session, func(ctx context.Context) {
		if err := p.Send(ctx, e); err != nil {
			p.log.Warn("message for a session that is gone", "session", e.Session, "event", e.Name, "sender", e.Source, "error", err)
		}
	})
	if !taken {
		p.log.Warn("a message for a session is lost", "session", e.Session, "event", e.Name, "sender", e.Source, "error", errNotTaken)
	}
}
