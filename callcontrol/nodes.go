package callcontrol

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// nodeOwner is the controller as its nodes know it. Its methods run in the reader
// goroutines of the nodes' links.
type nodeOwner struct{ *Controller }

var _ freeswitch.Owner = nodeOwner{}

func (c *Controller) newNodes() *freeswitch.Nodes {
	o := &c.options
	var answered func(string, time.Duration)
	if o.Metrics != nil {
		answered = o.Metrics.CommandAnswered
	}
	return freeswitch.NewNodes(freeswitch.NodesOptions{
		ID: o.ID, Owner: nodeOwner{c}, Clock: o.Clock, Random: o.Random, Logger: c.log, Dial: o.LinkDial, Gate: c.gate,
		Answered: answered, OriginatesPerSecond: c.limits().OriginatesPerSecond, OriginatesWaiting: c.limits().OriginatesWaiting,
	}, o.Nodes)
}

// Nodes tells of each configured node how it is.
func (c *Controller) Nodes() []freeswitch.NodeStatus { return c.nodes.Status() }

// WaitNodes waits until the link to each node has been up, or until ctx ends.
func (c *Controller) WaitNodes(ctx context.Context) error { return c.nodes.Wait(ctx) }

// SetNodes replaces the nodes while the controller runs. A node that is there
// already, by name, address and password, keeps its link and takes its new weight.
// One that is not there any more gets no calls, and its link ends when no call needs
// it.
func (c *Controller) SetNodes(options []freeswitch.NodeOptions) {
	added, removed := c.nodes.Set(options)
	for _, node := range added {
		node.Log().Info("node is new", "address", node.Address())
	}
	for _, node := range removed {
		node.Log().Info("node gets no more calls; its link ends when no call needs it")
		c.retire(node)
	}
}

// retire ends the link of a node that was taken out, once no leg and no coupling has
// needed it for a while.
func (c *Controller) retire(n *freeswitch.Node) {
	var needed atomic.Bool
	c.legsOn(n, func(l *leg) {
		if l.conn == nil {
			needed.Store(true)
		}
	})
	c.mu.Lock()
	running := c.running()
	c.mu.Unlock()
	for _, control := range running {
		control.session.Do(func() {
			if slices.ContainsFunc(control.couplings, func(s *coupling) bool { return s.node == n }) {
				needed.Store(true)
			}
		})
	}
	c.after(retireAfter, func() {
		if needed.Load() {
			c.retire(n)
			return
		}
		c.nodes.End(n)
	})
}

// NodeUp looks for what we have on a node whose link is up.
func (c nodeOwner) NodeUp(n *freeswitch.Node, restarted bool) {
	c.resynchronise(n, restarted)
	c.lookForCouplings(n)
	if restarted {
		c.endConferencesOf(n)
	}
	c.reconcile(n, c.options.Conferences.HeldOn(n.Machine()))
}

// NodeDown asks the legs of a node, on their own sockets, whether it is still there, if
// its link stays down. A machine that has lost its power closes no socket.
func (c nodeOwner) NodeDown(n *freeswitch.Node, reason error) {
	if !errors.Is(reason, esl.ErrClosed) { // else we ended it
		n.Log().Error("FreeSWITCH is not reached any more", "error", reason, "connections", c.Connections(), "do", esl.Remedy(reason))
	}
	c.after(probeAfter, func() {
		if !n.Up() {
			c.legsOn(n, (*leg).probe)
		}
	})
}

// Progressing takes what a link tells of an outbound leg that has no socket yet.
func (c nodeOwner) Progressing(n *freeswitch.Node, channel string, media bool) {
	if l := c.findLeg(channel); l != nil {
		l.route.do(func() {
			if l.node == n {
				l.control.progressing(l, media)
			}
		})
	}
}

// HungUp takes the end of a leg that has no socket, or of a coupling.
func (c nodeOwner) HungUp(n *freeswitch.Node, channel string, h freeswitch.Hangup) {
	l := c.findLeg(channel)
	if l == nil {
		if !c.couplingHungUp(channel, h.Cause) && !c.cascadeHungUp(channel, h.Cause) {
			c.forgetReleased(channel)
		}
		return
	}
	told := l.route.do(func() {
		if l.node == n { // else it is of an attempt that was given up
			l.hungUp.Store(true)
			l.gone(h)
		}
	})
	if !told {
		l.forgotten(c.Controller)
	}
}
