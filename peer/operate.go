package peer

import (
	"context"
	"encoding/json"
	"errors"

	"ccxmld/operator"
	"ccxmld/sessionstore"
)

// Operation is what an operator asks of a controller, or of a session that it runs.
type Operation struct {
	Name     string          `json:"operation"` // of package operator
	Session  string          `json:"session,omitempty"`
	Argument json.RawMessage `json:"argument,omitempty"`
	By       string          `json:"by"` // who asks, for the log
}

// Operate has a controller, this one too, do what an operator asks. The error is an
// *operator.Error where the controller refused.
func (p *Peers) Operate(ctx context.Context, controller string, o Operation) (json.RawMessage, error) {
	if controller == p.options.ID {
		return p.options.Controller.Operate(ctx, o)
	}
	r, err := p.ask(ctx, controller, operateKind, p.options.NewID(), o)
	if errors.Is(err, sessionstore.ErrNoController) {
		return nil, operator.Errorf(operator.NotFound, "there is no controller %s", controller)
	}
	if err != nil {
		return nil, operator.Errorf(operator.Unavailable, "controller %s: %v", controller, err)
	}
	defer r.close()
	a, err := r.answer(operateTimeout)
	switch {
	case a.Refused != "":
		return nil, operator.Errorf(a.Refused, "%s", a.Failure)
	case err != nil:
		return nil, operator.Errorf(operator.Unavailable, "controller %s: %v", controller, err)
	}
	return a.Result, nil
}

// maxOperations bounds what is done at a time for operators of other controllers.
const maxOperations = 100

// operateFor does what another controller asks for an operator.
func (p *Peers) operateFor(mail sessionstore.Mail, o Operation) {
	if p.operations.Add(1) > maxOperations {
		p.operations.Add(-1)
		p.replyLater(mail, Answer{Failure: "too much that operators ask for is under way", Refused: operator.Unavailable})
		return
	}
	p.options.Start(func(ctx context.Context) {
		defer p.operations.Add(-1)
		a := Answer{}
		var err error
		if a.Result, err = p.options.Controller.Operate(ctx, o); err != nil {
			a = Answer{Failure: err.Error(), Refused: operator.KindOf(err)}
		}
		p.reply(ctx, mail, a)
	})
}
