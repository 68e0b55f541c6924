package peer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
)

// request is what one controller asks of another by mail. Its answers come by mail
// too; there may be several, one after the other.
type request struct {
	peers   *Peers
	id      string
	answers chan Answer
	wake    *clock.Waiter
}

// maxRequests bounds how many requests wait for their answers.
const maxRequests = 1000

var errBusy = errors.New("too many requests to other controllers are under way")

// ask posts a request, by a new id, to a controller. The caller reads its answers
// and then closes it.
func (p *Peers) ask(ctx context.Context, controller, kind, id string, body any) (*request, error) {
	r := &request{peers: p, id: id, answers: make(chan Answer, 2), wake: clock.NewWaiter(p.options.Clock)}
	p.mu.Lock()
	if len(p.requests) >= maxRequests {
		p.mu.Unlock()
		return nil, errBusy
	}
	p.requests[r.id] = r
	p.mu.Unlock()
	if err := p.post(ctx, controller, kind, r.id, body); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// answer waits for the next answer. One that tells of a failure is an error.
func (r *request) answer(timeout time.Duration) (Answer, error) {
	ctx := r.peers.options.Closing
	timer := clock.Start(r.peers.options.Clock, timeout, nil, r.wake.Wake)
	defer timer.Stop()
	for {
		select {
		case a := <-r.answers:
			switch {
			case a.Full:
				return a, ErrOutOfSessions
			case a.Failure != "":
				return a, errors.New(a.Failure)
			}
			return a, nil
		default:
		}
		switch {
		case ctx.Err() != nil:
			return Answer{}, context.Cause(ctx)
		case timer.Over():
			return Answer{}, fmt.Errorf("the other controller did not answer within %s", timeout)
		}
		r.wake.WaitContext(ctx)
	}
}

func (r *request) close() {
	r.peers.mu.Lock()
	defer r.peers.mu.Unlock()
	delete(r.peers.requests, r.id)
}

// reply answers a request that came by mail.
func (p *Peers) reply(ctx context.Context, to sessionstore.Mail, a Answer) {
	a.Request = to.ID
	if err := p.post(ctx, to.From, answerKind, "", a); err != nil {
		p.log.Warn("another controller could not be answered", "controller", to.From, "kind", to.Kind, "error", err)
	}
}

// replyLater answers without waiting for Redis. One controller gets its answers in
// the order in which they were given.
func (p *Peers) replyLater(to sessionstore.Mail, a Answer) {
	if !p.queues.add(to.From, func(ctx context.Context) { p.reply(ctx, to, a) }) {
		p.log.Warn("another controller could not be answered", "controller", to.From, "kind", to.Kind, "error", errNotTaken)
	}
}

// answered brings an answer to who waits for it. One that comes twice, or too late, is
// for nobody.
func (p *Peers) answered(a Answer) {
	p.mu.Lock()
	r := p.requests[a.Request]
	p.mu.Unlock()
	if r == nil {
		p.log.Warn("an answer of another controller came too late", "failure", a.Failure)
		return
	}
	select {
	case r.answers <- a:
		r.wake.Wake()
	default:
	}
}
