package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/operator"
	"ccxmld/peer"
)

// ask has one controller do what an operator asks, and gives what it says.
func ask[T any](ctx context.Context, a *API, controller, name, session string, argument any) (result T, err error) {
	o := peer.Operation{Name: name, Session: session, By: by(ctx).Name}
	if argument != nil {
		if o.Argument, err = json.Marshal(argument); err != nil {
			return result, err
		}
	}
	answer, err := a.options.Site.Operate(ctx, controller, o)
	if err != nil || len(answer) == 0 {
		return result, err
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return result, operator.Errorf(operator.Unavailable, "what controller %s says is not understood; does it run another version? %v", controller, err)
	}
	return result, nil
}

// lookAgainAfter is how long after a session was found nowhere it is looked for again: one
// that has begun, or has changed its controller, a moment ago is not in Redis as it is yet.
const lookAgainAfter = 250 * time.Millisecond

// askOwner asks the controller that runs a session.
func askOwner[T any](ctx context.Context, a *API, session, name string, argument any) (result T, err error) {
	for again := false; ; again = true {
		result, err = ask[T](ctx, a, a.options.Site.ID(), name, session, argument)
		if operator.KindOf(err) != operator.NotFound {
			return result, err
		}
		owner, ok, ownerErr := a.options.Site.Owner(ctx, session)
		if ownerErr != nil {
			return result, operator.Errorf(operator.Unavailable, "which controller runs session %s is not known: %v", session, ownerErr)
		}
		if ok && owner != a.options.Site.ID() {
			if result, err = ask[T](ctx, a, owner, name, session, argument); operator.KindOf(err) != operator.NotFound {
				return result, err
			}
		}
		if again || !clock.Sleep(ctx, a.options.Clock, lookAgainAfter) {
			return result, err
		}
	}
}

// answer is what one controller has said, or why it has not.
type answer[T any] struct {
	controller string
	result     T
	err        error
}

// askAll asks all controllers that live, at the same time.
func askAll[T any](ctx context.Context, a *API, name string, argument any) ([]answer[T], error) {
	controllers, err := a.options.Site.Controllers(ctx)
	if err != nil { // Redis is away: this one is known
		a.options.Logger.Warn("an operator is told of this controller alone", "error", err)
	}
	ids := []string{a.options.Site.ID()}
	for _, c := range controllers {
		if c.Alive && !slices.Contains(ids, c.ID) {
			ids = append(ids, c.ID)
		}
	}
	var asking clock.Group
	var mu sync.Mutex
	var answers []answer[T]
	for _, id := range ids {
		asking.Go(a.options.Clock, func() {
			result, err := ask[T](ctx, a, id, name, "", argument)
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, answer[T]{id, result, err})
		})
	}
	if err := asking.Wait(ctx, a.options.Clock); err != nil {
		return nil, operator.Errorf(operator.Unavailable, "the controllers have not all answered: %v", err)
	}
	slices.SortFunc(answers, func(x, y answer[T]) int { return cmp.Compare(x.controller, y.controller) })
	return answers, nil
}

// askFor asks all controllers for something that one of them has, such as a call.
func askFor[T any](ctx context.Context, a *API, name string, argument any) (result T, err error) {
	if result, err = ask[T](ctx, a, a.options.Site.ID(), name, "", argument); operator.KindOf(err) != operator.NotFound {
		return result, err
	}
	answers, allErr := askAll[T](ctx, a, name, argument)
	if allErr != nil {
		return result, allErr
	}
	var unreachable error
	for _, one := range answers {
		switch operator.KindOf(one.err) {
		case operator.NotFound:
		case operator.Unavailable:
			unreachable = errors.Join(unreachable, one.err)
		default:
			return one.result, one.err
		}
	}
	if unreachable != nil { // it may be there
		return result, operator.Errorf(operator.Unavailable, "%v", unreachable)
	}
	return result, err
}
