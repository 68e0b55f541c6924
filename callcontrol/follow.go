package callcontrol

import (
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// A leg that another controller had, and that is bridged or in a conference, stays where
// it is: fetching it to our socket would take it out of there. Its node's link tells of it
// and takes its commands, until its join is over and it is fetched.

// follow has the link of the leg's node tell of it. Whether it has ended before the link
// told of it, the node is asked.
func (l *leg) follow(n *freeswitch.Node) {
	l.follows = n
	n.Follow(l.id)
	n.Exists(l.id, func(there bool) {
		if !there {
			l.route.do(func() { l.after(strandedAfter, func() { l.endedUntold(n) }) }) // the link may tell, and of the cause
		}
	})
}

// endedUntold ends a leg that FreeSWITCH has no more, if nothing has told of that.
func (l *leg) endedUntold(n *freeswitch.Node) {
	if l.follows == n && !l.isGone() {
		l.gone(freeswitch.Hangup{Cause: l.endUntold()})
	}
}

// unfollow is the opposite of follow, for a leg that has come to our socket or is gone.
func (l *leg) unfollow() {
	if l.follows != nil {
		l.follows.Unfollow(l.id)
		l.follows = nil
	}
}

// sendOver gives a command to the link of the node that tells of the leg.
func (l *leg) sendOver(n *freeswitch.Node, cmd esl.Command, failed func(error)) {
	n.Send(cmd.On(l.id), func(r *esl.Reply, err error) { l.refused(cmd, r, err, failed) })
}

// ChannelTold takes what a link tells of a leg that has no socket.
func (c nodeOwner) ChannelTold(n *freeswitch.Node, channel string, e *esl.Event) {
	if l := c.findLeg(channel); l != nil {
		freeswitch.Tell(channelOwner{l, c.Controller, nil}, e)
	}
}

// fetchSoon begins to wait for a leg without a socket, which comes by itself if it has
// nothing to do, and is fetched else.
func (c *control) fetchSoon(l *leg, n *freeswitch.Node) {
	mark := c.controller.newID()
	c.awaitHome(l, mark, homeSocketEnds)
	l.after(fetchAfter, func() {
		if l.comes(mark) && l.conn == nil && n.Up() { // else resynchronise does
			l.control.fetchHome(l, n)
		}
	})
}

// aloneAgain has a leg fetched that has left its join and has no socket.
func (l *leg) aloneAgain() {
	if l.follows != nil && l.conn == nil && !l.isGone() && !l.isHoming() {
		l.control.fetchSoon(l, l.follows)
	}
}
