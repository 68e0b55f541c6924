package callcontrol

import (
	"errors"
	"fmt"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// unknownEnd is the cause of a call that ended while nobody told us.
const unknownEnd = "UNSPECIFIED"

// legsOn brings f to the sessions of all legs on a node, without waiting.
func (c *Controller) legsOn(n *freeswitch.Node, f func(l *leg)) {
	for _, l := range c.allLegs() {
		l.route.do(func() {
			if !l.isGone() && l.reach() == n {
				f(l)
			}
		})
	}
}

func (c *Controller) allLegs() []*leg {
	c.mu.Lock()
	defer c.mu.Unlock()
	legs := make([]*leg, 0, len(c.legs))
	for _, l := range byKey(c.legs) {
		legs = append(legs, l)
	}
	return legs
}

// resynchronise asks a node whose link is up again for the legs that only the link
// tells of: those that have no socket of their own, and were placed before it came.
func (c *Controller) resynchronise(n *freeswitch.Node, restarted bool) {
	c.legsOn(n, func(l *leg) {
		switch {
		case l.unseen:
			if r := l.control.resumption; r != nil && r.late != nil { // else it is about to ask
				l.inspect(n)
			}
		case l.conn != nil || l.state.Is(legWaiting) || l.arriving != nil:
		case l.calling != nil && !l.calling.linkLost && !l.isEnding():
			// Placed on this link: FreeSWITCH may not have begun with it, and its job
			// tells what comes of it.
		case restarted:
			l.vanished(n, true)
		case l.isEnding():
			n.Kill(l.id, "NORMAL_CLEARING")
		case l.isHoming():
			l.control.fetchHome(l, n)
		default:
			l.look(n)
		}
	})
}

// look asks whether the leg is still there, and how it is.
func (l *leg) look(n *freeswitch.Node) {
	call := l.attempt
	n.Look(l.id, func(state freeswitch.ChannelState, there bool) {
		l.route.do(func() {
			switch {
			case l.isGone() || l.conn != nil || l.reach() != n || l.attempt != call:
			case !there:
				l.vanished(n, false)
			default:
				l.found(state)
			}
		})
	})
}

// found takes the channel of a leg that is there: what the link would have told of it.
func (l *leg) found(state freeswitch.ChannelState) {
	if l.calling != nil {
		l.calling.linkLost = false
	}
	l.log().Info("the call is still there")
	if !l.state.Is(dialled...) {
		return
	}
	switch state {
	case freeswitch.Answered:
		l.control.isPlaced(l)
	case freeswitch.Ringing:
		l.control.progressing(l, false)
	case freeswitch.Early:
		l.control.progressing(l, true)
	}
}

// vanished ends a leg that is not there any more.
func (l *leg) vanished(n *freeswitch.Node, restarted bool) {
	if restarted {
		l.detail = fmt.Sprintf("FreeSWITCH node %s was started anew", n.Name())
		l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
		return
	}
	l.detail = fmt.Sprintf("the call ended while the link to FreeSWITCH node %s was down, which does not say how", n.Name())
	l.gone(freeswitch.Hangup{Cause: l.endUntold()})
}

// reach is the node whose link reaches the leg, nil if there is none.
func (l *leg) reach() *freeswitch.Node {
	if l.node != nil {
		return l.node
	}
	return l.control.controller.nodes.On(l.machine)
}

// reclaim begins to fetch a leg whose socket has ended, though FreeSWITCH did not
// say that it hung up: the connection was cut, or FreeSWITCH is gone. What played
// and whatever the leg was in is over. A leg that was parked comes by itself. It
// reports false if no link reaches the leg.
func (c *control) reclaim(l *leg) bool {
	node := l.reach()
	if node == nil || l.isEnding() || l.handover != nil || l.arriving != nil {
		return false
	}
	const reason = "the leg's socket to FreeSWITCH was lost"
	if l.place.room != "" {
		c.roomRefused(l, l.joinPending, reason)
	}
	if l.joinPending != nil {
		l.place.running = ""
		c.joinFailed(l, l.joinPending, reason)
	}
	c.fetchSoon(l, node)
	l.playing().BreakOff(reason)
	if partner := c.legs[l.place.partner]; partner != nil && l.bridgedTo(partner) && !partner.isHoming() {
		partner.place.silent = true
		c.transferHome(partner, nil)
	}
	return true
}

// fetchHome transfers a leg to our socket over its node's link.
func (c *control) fetchHome(l *leg, n *freeswitch.Node) {
	l.homing.Take(homeFetch, l.log)
	n.Send(esl.Transfer(l.id, false, c.controller.home().Fetch(l.home)...), func(r *esl.Reply, err error) {
		if err == nil {
			err = r.Err()
		}
		if refused := new(esl.CommandError); errors.As(err, &refused) {
			l.route.do(func() {
				if l.isHoming() && l.conn == nil {
					l.detail = "its socket to FreeSWITCH was lost, and the call has ended"
					l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
				}
			})
		}
	})
}

// probe asks for a sign of life on the leg's socket, which is closed if none comes.
func (l *leg) probe() {
	conn := l.conn
	if conn == nil {
		return
	}
	patience := l.after(probeTimeout, func() {
		if l.conn == conn {
			l.log().Warn("the leg's socket is silent")
			_ = conn.Close()
		}
	})
	conn.Send(freeswitch.Exists(l.id), func(*esl.Reply, error) { patience.Stop() })
}
