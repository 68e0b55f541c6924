package callcontrol

import (
	"errors"
	"slices"

	"ccxmld/clock"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// A session that was another controller's is made again from what that one wrote. Before
// it goes on, FreeSWITCH says how its legs are by now: that is the truth, and what was
// written a moment older.

// resumption is a session that was made again and has not gone on yet. It belongs to the
// session's goroutine.
type resumption struct {
	control  *control
	restorer *restorer
	data     sessionData
	unseen   int // legs of which FreeSWITCH has not told
	late     *clock.Timer
	goOn     func() // once; nil when it has
}

// makeLegs makes the legs that a session had again. goOn is called once FreeSWITCH has told
// of all of them, or has had enough time for that.
func (c *control) makeLegs(r *restorer, d sessionData, goOn func()) error {
	d = c.prune(d)
	if err := r.legs(c, d); err != nil {
		return err
	}
	c.resumption = &resumption{control: c, restorer: r, data: d, goOn: goOn}
	for _, l := range byKey(c.legs) {
		c.resumption.unseen++
		l.unseen = true
	}
	return nil
}

// start asks FreeSWITCH for the legs, when those of all sessions are made that have to do
// with each other.
func (r *resumption) start() {
	c := r.control
	r.restorer.link(c, r.data)
	c.rejoinConferences()
	r.late = c.after(resumeTimeout, r.end)
	r.endIfSeen()
	for _, l := range byKey(c.legs) {
		if node := l.reach(); l.unseen && node != nil && node.Up() { // else resynchronise does
			l.inspect(node)
		}
	}
}

// prune leaves out what cannot go on: legs to which a dialog with a conference or on a
// VoiceXML server had its way, which are hung up. Such a dialog starts again, or exits.
func (c *control) prune(d sessionData) sessionData {
	var lost []string
	d.Legs = slices.DeleteFunc(slices.Clone(d.Legs), func(l legData) bool {
		is := l.Server != nil || l.StandIn != nil && l.StandIn.Voice == nil
		if is {
			lost = append(lost, l.ID)
			c.killLost(l)
		}
		return is
	})
	for i := range d.Legs {
		if p := d.Legs[i].Join.Place; p != nil && slices.Contains(lost, p.Partner) {
			d.Legs[i].Join = joinData{State: notJoined}
		}
	}
	return d
}

func (c *control) killLost(l legData) {
	node := c.controller.nodes.Named(l.Node)
	if node == nil {
		node = c.controller.nodes.On(l.Machine)
	}
	if node != nil {
		node.Kill(l.ID, "NORMAL_CLEARING")
	}
}

// inspect asks a node for a leg that was made again.
//
// The link tells of the leg from before it is asked, so that nothing is missed that happens
// right after the answer. What it tells before that is in the answer.
func (l *leg) inspect(n *freeswitch.Node) {
	n.Follow(l.id)
	n.Send(freeswitch.Dump(l.id), func(r *esl.Reply, err error) {
		if err != nil { // the link is down; resynchronise asks
			return
		}
		now, there := freeswitch.ChannelOf(r.Text), r.Err() == nil
		l.route.do(func() {
			if l.unseen {
				l.control.seen(l, n, now, there)
			}
		})
	})
}

// seen takes how FreeSWITCH has a leg that was made again.
func (c *control) seen(l *leg, n *freeswitch.Node, now freeswitch.Channel, there bool) {
	l.unseen = false
	defer c.resumption.oneSeen()
	defer func() {
		if l.follows != n {
			n.Unfollow(l.id)
		}
	}()
	if l.state.Is(legWaiting) && !there && (l.attempt == nil || !l.attempt.placed) { // its turn has not come
		l.await()
		return
	}
	if there && now.Session != "" && now.Session != c.record.ID {
		c.isElsewhere(l)
		return
	}
	if there {
		n.Send(freeswitch.SetVariables(l.id, l.marks(c.controller)), nil) // by which a controller that was stopped knows whose it is
	}
	if l.handover != nil { // which the session tells itself
		c.handedBack(l, errors.New(controllerLost))
	}
	if l.state.Is(legWaiting) {
		l.take(legTurnCame)
	}
	c.resume(l, now, there)
	l.await()
	l.endAnalysis()
	switch {
	case l.isGone() || l.conn != nil:
	case l.isEnding():
		l.kill(l.cause)
	case l.state.Is(placing...):
		l.follow(n)
		l.fetchAnswered()
	case l.isHoming():
		c.fetchHome(l, n)
	case l.joinPending != nil:
		c.giveUpJoin(l)
		l.fetchUnlessHoming(n)
	case l.place.kind != alone:
		l.follow(n)
		if l.unpaired {
			c.bringHome(l)
		}
	default:
		c.fetchSoon(l, n)
	}
}

// isElsewhere drops a leg that was moved to another session meanwhile.
func (c *control) isElsewhere(l *leg) {
	c.session.KeepMove(l.id)
	delete(c.legs, l.id)
	c.forgetConnection(l.id)
	l.stopTimers()
	l.take(legReleased)
	c.controller.forgetLeg(l)
	c.session.Moved(l.id, nil)
}

func (l *leg) fetchUnlessHoming(n *freeswitch.Node) {
	if !l.isGone() && !l.isHoming() && l.conn == nil {
		l.control.fetchSoon(l, n)
	}
}

// giveUpJoin ends the wait for a join that FreeSWITCH was told to make, if it was, by a
// controller that is gone. It may still come.
func (c *control) giveUpJoin(l *leg) {
	const reason = "the controller was lost while the join was made"
	o := l.joinPending
	if room := l.place.room; room != "" {
		c.roomRefused(l, o, reason)
		l.notEntered = room
	} else {
		l.place.running = ""
		c.joinFailed(l, o, reason)
		if l.notBridged = o.ID1; o.ID1 == l.id {
			l.notBridged = o.ID2
		}
	}
	l.joinState.Take(joinTimesOut, l.log)
}

// fetchAnswered fetches a leg that is answered and was to come to the socket of a
// controller that is gone.
func (l *leg) fetchAnswered() {
	node := l.follows
	if node == nil || !l.state.Is(legAttaching, legAttachingEarly) {
		return
	}
	l.after(fetchAfter, func() {
		if l.follows == node && l.conn == nil && l.state.Is(legAttaching, legAttachingEarly) {
			mark := l.control.controller.newID()
			node.Send(esl.Transfer(l.id, false, l.control.controller.home().Fetch(mark)...), nil) // expectSocket ends it else
		}
	})
}

// oneSeen counts a leg of which FreeSWITCH has told.
func (r *resumption) oneSeen() {
	r.unseen--
	r.endIfSeen()
}

// endIfSeen lets the session go on if it has begun to ask for its legs and knows of all.
func (r *resumption) endIfSeen() {
	if r.unseen == 0 && r.late != nil {
		r.end()
	}
}

// end lets the session go on.
func (r *resumption) end() {
	goOn := r.goOn
	if goOn == nil {
		return
	}
	r.goOn = nil
	r.late.Stop()
	r.control.expectUnseen()
	r.restorer.orderAgain(r.control, r.data)
	goOn()
}

// expectUnseen ends legs whose FreeSWITCH is not reached for so long that it has hung
// them up.
func (c *control) expectUnseen() {
	for _, l := range byKey(c.legs) {
		if !l.unseen {
			continue
		}
		l.after(unseenTimeout, func() {
			if l.unseen && !l.isGone() {
				l.detail = "its FreeSWITCH was not reached when its session was taken over"
				l.kill("NORMAL_TEMPORARY_FAILURE")
				l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
			}
		})
	}
}

// cameUnseen takes a leg that was made again and comes by itself, before its node was
// asked: it is in nothing any more.
func (c *control) cameUnseen(l *leg, answered bool, home string) {
	now := freeswitch.Channel{ID: l.id, Machine: l.machine, Home: home}
	if answered {
		now.State = freeswitch.Answered
	}
	l.unseen = false
	c.resume(l, now, true)
	l.await()
	l.endAnalysis()
	c.resumption.oneSeen()
}
