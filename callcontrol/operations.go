package callcontrol

import (
	"context"
	"encoding/json"
	"maps"

	"ccxmld/clock"
	"ccxmld/operator"
	"ccxmld/peer"
)

// Operation does what an operator asks. What it gives is told as JSON; nil is nothing.
type Operation func(ctx context.Context, o peer.Operation) (any, error)

// operations are those that this controller knows, by their names.
func (c *Controller) operations() map[string]Operation {
	all := map[string]Operation{
		operator.ListSessions: WithArgument(c.listSessions),
		operator.ShowSession:  c.showSession,
		operator.EndSession:   withSession(c, c.endSession),
		operator.SendEvent:    withSession(c, c.sendEvent),
		operator.ListCalls:    WithArgument(c.listCalls),
		operator.ShowCall:     withCall(c, c.showCall),
		operator.HangUp:       withCall(c, c.hangUpCall),
		operator.Transfer:     withCall(c, c.transferCall),
		operator.RecordCall:   withCall(c, c.recordCall),
		operator.SendDigits:   withCall(c, c.sendDigits),
		operator.ListNodes:    func(context.Context, peer.Operation) (any, error) { return c.listNodes(), nil },
		operator.SetNode:      WithArgument(c.setNode),
		operator.ShowLoad:     func(context.Context, peer.Operation) (any, error) { return c.Load(), nil },
		operator.Drain:        c.drainAsked,
	}
	maps.Copy(all, c.conferenceOperations())
	maps.Copy(all, c.options.Operations)
	return all
}

// Operate does what an operator asks (peer.Controller).
func (c forPeers) Operate(ctx context.Context, o peer.Operation) (json.RawMessage, error) {
	run, known := c.operate[o.Name]
	if !known {
		return nil, operator.Errorf(operator.Invalid, "controller %s does not know the operation %s; does it run another version?", c.options.ID, o.Name)
	}
	result, err := run(ctx, o)
	if err != nil || result == nil {
		return nil, err
	}
	return json.Marshal(result)
}

// Operate has a controller, this one too, do what an operator asks. The error is an
// *operator.Error where it is refused.
func (c *Controller) Operate(ctx context.Context, controller string, o peer.Operation) (json.RawMessage, error) {
	return c.peers.Operate(ctx, controller, o)
}

// argument reads what an operation takes.
func argument[T any](o peer.Operation) (a T, err error) {
	if len(o.Argument) == 0 {
		return a, nil
	}
	if err := json.Unmarshal(o.Argument, &a); err != nil {
		return a, operator.Errorf(operator.Invalid, "%s: %v", o.Name, err)
	}
	return a, nil
}

// WithArgument is an operation on the controller, by what it takes.
func WithArgument[T any](do func(context.Context, T) (any, error)) Operation {
	return func(ctx context.Context, o peer.Operation) (any, error) {
		a, err := argument[T](o)
		if err != nil {
			return nil, err
		}
		return do(ctx, a)
	}
}

// withSession is an operation in the goroutine of a session that runs here.
func withSession[T any](c *Controller, do func(*control, T, string) error) Operation {
	return func(ctx context.Context, o peer.Operation) (any, error) {
		a, err := argument[T](o)
		if err != nil {
			return nil, err
		}
		control := c.control(o.Session)
		if control == nil {
			return nil, noSession(o.Session)
		}
		return nil, inSessionOf(ctx, control, func() (err error) { return do(control, a, o.By) })
	}
}

// withCall is an operation on a call of a session that runs here.
func withCall[T interface{ CallID() string }](c *Controller, do func(*leg, T, string) (any, error)) Operation {
	return func(ctx context.Context, o peer.Operation) (result any, err error) {
		a, err := argument[T](o)
		if err != nil {
			return nil, err
		}
		id := a.CallID()
		control := c.controlOf(id)
		if control == nil {
			return nil, noCall(id)
		}
		err = inSessionOf(ctx, control, func() (err error) {
			l := control.legs[id]
			if l == nil || l.isHidden() {
				return noCall(id)
			}
			result, err = do(l, a, o.By)
			return err
		})
		return result, err
	}
}

// controlOf finds what the session of a call has; nil where none here has it.
func (c *Controller) controlOf(call string) *control {
	l := c.findLeg(call)
	if l == nil {
		return nil
	}
	return l.route.owner()
}

func noSession(id string) error {
	return operator.Errorf(operator.NotFound, "there is no session %s", id)
}

func noCall(id string) error { return operator.Errorf(operator.NotFound, "there is no call %s", id) }

// inSessionOf runs f in a session's goroutine and waits for it, for as long as an operator
// waits.
func inSessionOf(ctx context.Context, c *control, f func() error) error {
	ctx, cancel := clock.WithTimeout(ctx, c.controller.options.Clock, askTimeout)
	defer cancel()
	done := clock.NewLatch(c.controller.options.Clock)
	var err error
	if !c.session.Do(func() { err = f(); done.Open() }) {
		return noSession(c.record.ID)
	}
	if done.Wait(ctx) != nil {
		return operator.Errorf(operator.Unavailable, "session %s is busy with a script, or with what it waits for", c.session.ID())
	}
	return err
}

func (c *Controller) listNodes() []operator.Node {
	nodes := []operator.Node{}
	for _, status := range c.nodes.Status() {
		node := operator.Node{Name: status.Name, Controller: c.options.ID, Address: status.Address, Up: status.Err == nil, Weight: status.Weight, Drained: status.Drained}
		if status.Err != nil {
			node.Reason = status.Err.Error()
		}
		nodes = append(nodes, node)
	}
	return nodes
}

func (c *Controller) setNode(_ context.Context, r operator.NodeRequest) (any, error) {
	node := c.nodes.Named(r.Name)
	if node == nil {
		return nil, operator.Errorf(operator.NotFound, "controller %s has no node %s", c.options.ID, r.Name)
	}
	if node.SetDrained(r.Drained) {
		node.Log().Warn("an operator takes the node out of service for outbound calls, or puts it back", "drained", r.Drained)
	}
	return nil, nil
}

// Load is what the controller has to do.
func (c *Controller) Load() operator.Load {
	return operator.Load{Sessions: c.Sessions(), Calls: c.Connections(), Started: c.Started(), Draining: c.isDraining()}
}

func (c *Controller) drainAsked(_ context.Context, o peer.Operation) (any, error) {
	forPeers{c}.Drain(peer.Drain{By: o.By})
	return nil, nil
}
