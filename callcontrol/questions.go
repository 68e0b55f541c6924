package callcontrol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
)

// question is what one controller asks another by mail. Its answers come by mail
// too; there may be several, one after the other.
type question struct {
	controller *Controller
	id         string
	answers    chan answer
	wake       *clock.Waiter
}

// answer is what came of a question. Failure is empty on success.
type answer struct {
	Question string `json:"question"`
	Failure  string `json:"failure,omitempty"`
	Full     bool   `json:"full,omitempty"`    // the controller is out of sessions
	Address  string `json:"address,omitempty"` // where the controller waits for a leg
}

const answerKind = "answer"

// maxQuestions bounds how many questions wait for their answers.
const maxQuestions = 1000

var errBusy = errors.New("too many requests to other controllers are under way")

// ask posts a question, by a new id, to a controller. The caller reads its answers
// and then closes it.
func (c *Controller) ask(ctx context.Context, controller, kind, id string, body any) (*question, error) {
	q := &question{controller: c, id: id, answers: make(chan answer, 2), wake: clock.NewWaiter(c.options.Clock)}
	c.mu.Lock()
	if len(c.questions) >= maxQuestions {
		c.mu.Unlock()
		return nil, errBusy
	}
	c.questions[q.id] = q
	c.mu.Unlock()
	if err := c.mail(ctx, controller, kind, q.id, body); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

// answer waits for the next answer. One that tells of a failure is an error.
func (q *question) answer(ctx context.Context, patience time.Duration) (answer, error) {
	timer := clock.Start(q.controller.options.Clock, patience, nil, q.wake.Wake)
	defer timer.Stop()
	for {
		select {
		case a := <-q.answers:
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
			return answer{}, ErrClosed
		case timer.Over():
			return answer{}, fmt.Errorf("the other controller did not answer within %s", patience)
		}
		q.wake.WaitContext(ctx)
	}
}

func (q *question) close() {
	q.controller.mu.Lock()
	defer q.controller.mu.Unlock()
	delete(q.controller.questions, q.id)
}

// reply answers a question that came by mail.
func (c *Controller) reply(ctx context.Context, to sessionstore.Mail, a answer) {
	a.Question = to.ID
	if err := c.mail(ctx, to.From, answerKind, "", a); err != nil {
		c.log.Warn("another controller could not be answered", "controller", to.From, "kind", to.Kind, "error", err)
	}
}

// replyLater answers without waiting for Redis. One controller gets its answers in
// the order in which they were given.
func (c *Controller) replyLater(to sessionstore.Mail, a answer) {
	if !c.lines.add(c, to.From, func(ctx context.Context) { c.reply(ctx, to, a) }) {
		c.log.Warn("another controller could not be answered", "controller", to.From, "kind", to.Kind)
	}
}

// answerCame brings an answer to who waits for it. One that comes twice, or too
// late, is for nobody.
func (c *Controller) answerCame(a answer) {
	c.mu.Lock()
	q := c.questions[a.Question]
	c.mu.Unlock()
	if q == nil {
		c.log.Warn("an answer of another controller came too late", "failure", a.Failure)
		return
	}
	select {
	case q.answers <- a:
		q.wake.Wake()
	default:
	}
}

// mail posts something to another controller.
func (c *Controller) mail(ctx context.Context, controller, kind, id string, body any) error {
	ctx, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.options.Store.Post(ctx, controller, sessionstore.Mail{ID: id, From: c.options.ID, Kind: kind, Body: text})
}

// receiveMail takes what other controllers send.
func (c *Controller) receiveMail(ctx context.Context) {
	err := c.options.Store.Receive(ctx, c.options.ID, func(mail sessionstore.Mail) {
		if err := c.open(mail); err != nil {
			c.log.Warn("mail not understood", "kind", mail.Kind, "from", mail.From, "error", err)
		}
	})
	if err != nil && ctx.Err() == nil {
		c.log.Error("mail from other controllers is not received", "error", err)
	}
}

// open takes in one piece of mail. It must not wait for anything.
func (c *Controller) open(mail sessionstore.Mail) error {
	switch mail.Kind {
	case messageKind:
		return take(mail, c.messageCame)
	case answerKind:
		return take(mail, c.answerCame)
	case createKind:
		return take(mail, func(b birth) { c.createFor(mail, b) })
	case exitKind:
		return take(mail, c.childExited)
	case moveKind:
		return take(mail, func(r relocation) { c.expectLeg(mail, r) })
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

// owner finds the controller that runs a session. The record of a session that
// began a moment ago may not be written yet: one that is not there is looked for
// again after the writer's next turn.
func (c *Controller) owner(ctx context.Context, session string) (string, error) {
	store := c.options.Store
	for again := false; ; again = true {
		owner, ok, err := store.Owner(ctx, session)
		switch {
		case err != nil:
			return "", err
		case ok && owner != c.options.ID:
			return owner, nil
		case ok, again:
			return "", ErrNoSession
		}
		if !clock.Sleep(ctx, c.options.Clock, 2*store.WriteEvery()) {
			return "", ctx.Err()
		}
	}
}
