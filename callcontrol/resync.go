package callcontrol

import (
	"errors"
	"fmt"
	"strings"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// unknownEnd is the cause of a call that ended while nobody told us.
const unknownEnd = "UNSPECIFIED"

// cameUp takes a link that is up, for the first time or again: the node says who
// it is, is told to hang up what it is owed, and then what we have there is looked
// for. It runs in the link's reader goroutine.
func (n *Node) cameUp() {
	n.mu.Lock()
	owed := n.owed
	n.owed = make(map[string]string)
	n.mu.Unlock()
	for id, cause := range byKey(owed) {
		n.kill(id, cause)
	}
	var machine string
	n.link.Send(esl.API("switchname"), func(r *esl.Reply, err error) {
		if err == nil && r.Err() == nil {
			machine = r.Text
		}
	})
	n.link.Send(esl.API("global_getvar", "core_uuid"), func(r *esl.Reply, err error) {
		if err != nil { // it is down again
			return
		}
		n.mu.Lock()
		restarted := n.core != "" && n.core != r.Text
		n.machine, n.core = machine, r.Text
		n.mu.Unlock()
		n.beenUp.Open()
		n.controller.resynchronise(n, restarted)
		n.controller.lookForCascades(n)
		n.reconcile(n.controller.options.Conferences.HeldOn(machine))
	})
}

// legsOn brings f to the sessions of all legs on a node, without waiting.
func (c *Controller) legsOn(n *Node, f func(l *leg)) {
	c.mu.Lock()
	legs := make([]*leg, 0, len(c.legs))
	for _, l := range byKey(c.legs) {
		legs = append(legs, l)
	}
	c.mu.Unlock()
	for _, l := range legs {
		l.route.do(func() {
			if l.state != legGone && l.reach() == n {
				f(l)
			}
		})
	}
}

// resynchronise asks a node whose link is up again for the legs that only the link
// tells of: those that have no socket of their own, and were placed before it came.
func (c *Controller) resynchronise(n *Node, restarted bool) {
	if restarted {
		n.log.Warn("FreeSWITCH has been started anew; its calls are gone")
	}
	c.legsOn(n, func(l *leg) {
		switch {
		case l.conn != nil || l.waiting || l.arriving != nil:
		case l.calling != nil && !l.calling.adrift && !l.ending:
			// Placed on this link: FreeSWITCH may not have begun with it, and its job
			// tells what comes of it.
		case restarted:
			l.vanished(n, true)
		case l.ending:
			n.kill(l.id, "NORMAL_CLEARING")
		case l.homing:
			l.control.fetchHome(l, n)
		default:
			l.look(n)
		}
	})
}

// look asks whether the leg is still there, and how it is.
func (l *leg) look(n *Node) {
	call := l.attempt
	n.link.Send(esl.API("uuid_dump", l.id), func(r *esl.Reply, err error) {
		if err != nil { // the link is down again
			return
		}
		l.route.do(func() {
			switch {
			case l.state == legGone || l.conn != nil || l.reach() != n || l.attempt != call:
			case r.Err() != nil:
				l.vanished(n, false)
			default:
				l.found(r.Text)
			}
		})
	})
}

// found takes the channel of a leg that is there, as uuid_dump shows it: what the
// link would have told of it.
func (l *leg) found(dump string) {
	if l.calling != nil {
		l.calling.adrift = false
	}
	l.log().Info("the call is still there")
	if l.state != legDialing {
		return
	}
	switch {
	case hasLine(dump, "Answer-State: answered"):
		l.control.awaitAttach(l)
	case hasLine(dump, "Channel-Call-State: RINGING"):
		l.control.progressing(l, false)
	case hasLine(dump, "Channel-Call-State: EARLY"):
		l.control.progressing(l, true)
	}
}

func hasLine(text, line string) bool {
	for one := range strings.Lines(text) {
		if strings.TrimSpace(one) == line {
			return true
		}
	}
	return false
}

// vanished ends a leg that is not there any more.
func (l *leg) vanished(n *Node, restarted bool) {
	if restarted {
		l.detail = fmt.Sprintf("FreeSWITCH node %s was started anew", n.options.Name)
		l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
		return
	}
	l.detail = fmt.Sprintf("the call ended while the link to FreeSWITCH node %s was down, which does not say how", n.options.Name)
	cause := unknownEnd
	if l.ending {
		cause = l.usualEnd()
	}
	l.gone(freeswitch.Hangup{Cause: cause})
}

// reach is the node whose link reaches the leg, nil if there is none.
func (l *leg) reach() *Node {
	if l.node != nil {
		return l.node
	}
	return l.control.controller.nodes.on(l.machine)
}

// reclaim begins to fetch a leg whose socket has ended, though FreeSWITCH did not
// say that it hung up: the connection was cut, or FreeSWITCH is gone. What played
// and whatever the leg was in is over. A leg that was parked comes by itself. It
// reports false if no link reaches the leg.
func (c *control) reclaim(l *leg) bool {
	node := l.reach()
	if node == nil || l.ending || l.handover != nil || l.arriving != nil {
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
	mark := c.controller.newID()
	c.awaitHome(l, mark)
	l.breakOff(reason)
	if partner := c.legs[l.place.partner]; partner != nil && l.bridgedTo(partner) && !partner.homing {
		partner.place.silent = true
		c.transferHome(partner, nil)
	}
	l.after(fetchAfter, func() {
		if l.comes(mark) && l.conn == nil && node.link.Up() { // else resynchronise does
			l.control.fetchHome(l, node)
		}
	})
	return true
}

// breakOff ends what plays on the leg, or waits to.
func (l *leg) breakOff(reason string) {
	for len(l.playing) > 0 {
		l.completed(l.playing[0].id, broken(reason))
	}
}

// fetchHome transfers a leg to our socket over its node's link.
func (c *control) fetchHome(l *leg, n *Node) {
	l.fetching = true
	n.link.Send(esl.Transfer(l.id, false, c.controller.fetched(l.home)...), func(r *esl.Reply, err error) {
		if err == nil {
			err = r.Err()
		}
		if refused := new(esl.CommandError); errors.As(err, &refused) {
			l.route.do(func() {
				if l.homing && l.conn == nil {
					l.detail = "its socket to FreeSWITCH was lost, and the call has ended"
					l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
				}
			})
		}
	})
}

// wentDown asks the legs of a node, on their own sockets, whether it is still
// there, if its link stays down. A machine that has lost its power closes no
// socket.
func (n *Node) wentDown(reason error) {
	c := n.controller
	if !errors.Is(reason, esl.ErrClosed) { // else we ended it
		n.log.Error("FreeSWITCH is not reached any more", "error", reason, "connections", c.Connections(), "do", esl.Remedy(reason))
	}
	c.after(probeAfter, func() {
		if !n.link.Up() {
			c.legsOn(n, (*leg).probe)
		}
	})
}

// probe asks for a sign of life on the leg's socket, which is closed if none comes.
func (l *leg) probe() {
	conn := l.conn
	if conn == nil {
		return
	}
	patience := l.after(probePatience, func() {
		if l.conn == conn {
			l.log().Warn("the leg's socket is silent")
			_ = conn.Close()
		}
	})
	conn.Send(esl.API("uuid_exists", l.id), func(*esl.Reply, error) { patience.Stop() })
}
