package callcontrol

import (
	"context"
	"errors"
	"sync/atomic"

	"ccxmld/clock"
)

// A controller that was stopped for longer than its lease may have lost its sessions to
// others. Before it says anything to FreeSWITCH or anybody, it asks whose they are: until
// then its gate is closed. Commands on the sockets of legs wait behind it, the links refuse
// theirs as if they were down, and the sessions do nothing.

// newGate makes the gate of a controller whose sessions others may claim, else none. Another
// one takes none before a lease is over, of which two thirds are left when this one is
// renewed next.
func (c *Controller) newGate() *clock.Gate {
	if !c.IsDurable() {
		return nil
	}
	return clock.NewGate(c.options.Clock, c.options.Store.Lease()/3, func() { c.work.Go(c.options.Clock, c.wasStopped) })
}

// Gate is closed after this process was stopped for so long that others may have its
// sessions, until it knows which they have. It is nil where nobody takes sessions over.
func (c *Controller) Gate() *clock.Gate { return c.gate }

// wasStopped finds out which sessions are still this controller's, drops the others, and
// opens the gate.
func (c *Controller) wasStopped() {
	c.log.Warn("this process was stopped; it asks which of its sessions are its own still, before it does anything", "sessions", c.Sessions())
	ctx, cancel := clock.WithTimeout(c.directoryDone, c.options.Clock, confirmTimeout)
	err := c.retake(ctx)
	cancel()
	if err != nil {
		c.log.Error("redis does not tell which sessions are its own still: FreeSWITCH is asked", "error", err)
		c.askForLegs()
	}
	ctx, cancel = clock.WithTimeout(c.directoryDone, c.options.Clock, confirmTimeout)
	defer cancel()
	if err := c.dropping.Wait(ctx, c.options.Clock); err != nil {
		c.log.Error("sessions that others have are not dropped in time", "error", err)
	}
	c.log.Info("this process goes on", "sessions", c.Sessions())
	c.gate.Open()
	for _, node := range c.nodes.All() {
		node.GoOn()
	}
}

// askForLegs drops sessions whose legs have the mark of another process in FreeSWITCH. It
// returns when the nodes have told of all, or had enough time for that.
func (c *Controller) askForLegs() {
	ctx, cancel := clock.WithTimeout(c.directoryDone, c.options.Clock, confirmTimeout)
	defer cancel()
	answers := clock.NewWaiter(c.options.Clock)
	var left atomic.Int64
	for _, l := range c.allLegs() {
		for _, node := range c.nodes.All() {
			if !node.Up() {
				continue
			}
			left.Add(1)
			node.AskVariable(l.id, instanceVariable, func(instance string) {
				if owner := l.route.owner(); owner != nil && instance != "" && instance != c.instance {
					c.Lost(owner.record.ID)
				}
				left.Add(-1)
				answers.Wake()
			})
		}
	}
	for left.Load() > 0 && ctx.Err() == nil {
		answers.WaitContext(ctx)
	}
}

// retake asks Redis until it answers or ctx ends: its connections may have ended while this
// process was stopped.
func (c *Controller) retake(ctx context.Context) error {
	for {
		err := c.options.Store.Retake(ctx)
		if err == nil || !clock.Sleep(ctx, c.options.Clock, confirmAgain) {
			return err
		}
	}
}

// afterStop calls f now, or, if this process was stopped, a moment after it goes on: a
// timer is due by then of what FreeSWITCH has answered long ago, and that is read first.
func (c *Controller) afterStop(f func()) {
	if !c.gate.Hold(func() { c.after(settlesAfter, f) }) {
		f()
	}
}

// errTaken is the outcome of what a session has asked for that another controller has.
var errTaken = errors.New("another controller has the session")

// mayAct waits until what the session has asked for may go out, and reports false if
// another controller has the session.
func (c *control) mayAct(ctx context.Context) bool {
	return c.controller.gate.Wait(ctx) == nil && !c.taken.Load()
}
