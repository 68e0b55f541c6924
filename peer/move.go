package peer

import "context"

// Move sends a leg to a controller: that one is asked to wait for it, transfer is
// called with the address where it does, and Move returns when it says that the leg
// has come. sent reports that transfer was called, whatever became of the leg.
func (p *Peers) Move(ctx context.Context, controller, id string, m Move, transfer func(address string)) (sent bool, err error) {
	r, err := p.ask(ctx, controller, moveKind, id, m)
	if err != nil {
		return false, err
	}
	defer r.close()
	ready, err := r.answer(moveTimeout)
	if err != nil {
		return false, err
	}
	transfer(ready.Address)
	_, err = r.answer(moveTimeout)
	return true, err
}

// MoveFailed ends the Move of that id: the leg could not be transferred, or came back.
// It counts as the other controller's answer.
func (p *Peers) MoveFailed(id, reason string) {
	p.answered(Answer{Request: id, Failure: reason})
}
