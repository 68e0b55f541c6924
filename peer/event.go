package peer

import (
	"context"

	"ccxmld/clock"
)

// Send brings an event to the controller that runs its session. It is on its way once
// Send returns. The error wraps ErrNoSession, or tells why that controller cannot be
// reached.
func (p *Peers) Send(ctx context.Context, e Event) error {
	ctx, cancel := clock.WithTimeout(ctx, p.options.Clock, sendTimeout)
	defer cancel()
	owner, err := p.Owner(ctx, e.Session)
	if err != nil {
		return err
	}
	return p.post(ctx, owner, eventKind, "", e)
}

// PostEvent is what a POST without an event's name is to a session of another
// controller, "" for nothing. The error wraps ErrNoSession, or tells why the session's
// record cannot be read.
func (p *Peers) PostEvent(ctx context.Context, session string) (string, error) {
	ctx, cancel := clock.WithTimeout(ctx, p.options.Clock, sendTimeout)
	defer cancel()
	if _, err := p.Owner(ctx, session); err != nil {
		return "", err
	}
	record, ok, err := p.options.Store.Session(ctx, session)
	if err == nil && !ok {
		err = ErrNoSession
	}
	return record.PostEvent, err
}

// delivered takes an event from another controller.
func (p *Peers) delivered(e Event) {
	if !p.options.Controller.Deliver(e) {
		p.log.Warn("message for a session that is gone", "session", e.Session, "event", e.Name, "sender", e.Source)
	}
}
