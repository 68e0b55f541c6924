package callcontrol

import (
	"context"
	"errors"
	"fmt"

	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/peer"
)

// moveFar gives a leg to a session that was not at hand when it was moved: it was
// being created here, or another controller runs it. It runs when all that was for
// that session before is done, and in the goroutine of neither session.
func (c *control) moveFar(ctx context.Context, l *leg, h *handover, conn *esl.Conn, m peer.Move) {
	if near := c.controller.control(m.Session); near != nil {
		if !c.session.Do(func() { c.handOver(near, l) }) {
			c.handOverAfterEnd(near, l)
		}
		return
	}
	l.route.stay()
	sent, err := c.sendLeg(ctx, l, h, conn, m)
	switch {
	case c.session.Do(func() { c.moved(l, sent, err) }):
	case err == nil:
		c.controller.forgetLeg(l)
		letGo(conn)
	default:
		c.dropped(l, conn)
	}
}

// dropped hangs up a leg that could not be moved and whose session has ended
// meanwhile.
func (c *control) dropped(l *leg, conn *esl.Conn) {
	kill := freeswitch.Kill(l.id, "NORMAL_CLEARING")
	switch {
	case conn != nil:
		conn.Send(kill, nil)
	case l.node != nil:
		l.node.Kill(l.id, "NORMAL_CLEARING")
	}
	c.controller.forgetLeg(l)
}

// sendLeg sends a leg to the controller of its new session: that one is asked to
// wait for it, the leg is transferred to its socket, and it tells when the leg
// has come. sent reports that the leg was sent off, whatever became of it.
func (c *control) sendLeg(ctx context.Context, l *leg, h *handover, conn *esl.Conn, m peer.Move) (sent bool, err error) {
	controller, err := c.controller.peers.Owner(ctx, m.Session)
	switch {
	case errors.Is(err, ErrNoSession):
		return false, errors.New(unavailable(m.Session).Reason)
	case err != nil:
		return false, err
	case conn == nil || m.State == string(interpreter.Progressing):
		return false, errors.New("a call that was placed here and is not answered yet can only be moved to a session of this controller")
	}
	return c.controller.peers.Move(ctx, controller, h.mark, m, func(address string) {
		// A refusal, or the leg's return to us, counts as the other's answer.
		l.sendTo(conn, esl.Transfer(l.id, false, c.controller.home().Away(address, h.mark)...), func(err error) {
			c.controller.peers.MoveFailed(h.mark, err.Error())
		})
	})
}

// cameBack notes that a leg which was sent to another controller is parked instead.
func (c *control) cameBack(l *leg) {
	if l.owner.Take(moveCameBack, l.log) != askElsewhereNoMore {
		return
	}
	c.controller.peers.MoveFailed(l.handover.mark, "FreeSWITCH does not reach the other controller; check its esl.advertise")
}

// moved ends a handover to another controller.
func (c *control) moved(l *leg, sent bool, err error) {
	h, astray := l.handover, l.owner.Is(legBeingMoved)
	if err != nil {
		c.handedBack(l, err)
		if sent && astray {
			c.bringHome(l) // wherever it is
		}
		return
	}
	delete(c.legs, l.id)
	c.forgetConnection(l.id)
	l.owner.Take(movedElsewhere, l.log)
	l.take(legMovedAway)
	c.controller.forgetLeg(l)
	if l.conn != nil {
		letGo(l.conn)
	}
	h.done(nil)
}

// letGo closes the socket of a leg that has come to another controller's.
func letGo(conn *esl.Conn) {
	conn.SetHandler(func(*esl.Event) {})
	conn.SetEndHandler(func(error) {})
	conn.Send(esl.Exit(), nil)
}

// arrival is a leg that another controller sends here.
type arrival struct {
	move     peer.Move
	reply    func(peer.Answer) // to the controller that sends it
	answered bool              // the call is, by now
}

// expect makes a leg that is still to come, and tells the other controller where
// to send it.
func (c *control) expect(m peer.Move, reply func(peer.Answer)) {
	id, connection := m.Connection.ID, moveRequest(m).Connection
	err := c.roomForLeg()
	if err == nil && (!isLegID(id) || c.controller.findLeg(id) != nil) {
		err = fmt.Errorf("connection %q is there already", id)
	}
	if err != nil {
		reply(peer.Answer{Failure: err.Error()})
		return
	}
	state := legAlerting
	if m.State == string(interpreter.Connected) {
		state = legConnected
	}
	l := c.controller.newLeg(id, state)
	l.connection = connectionStates.At(map[legState]connectionState{legAlerting: connectionAlerting, legConnected: connectionConnected}[state])
	l.control, l.call, l.answered = c, callOf(&connection), m.Answered
	l.owner, l.arriving = ownerStates.At(legArriving), &arrival{move: m, reply: reply}
	if c.legs == nil {
		c.legs = make(map[string]*leg, 1)
	}
	c.legs[id] = l
	l.bind(c)
	c.controller.addLeg(l)
	l.expectArrival()
	reply(peer.Answer{Address: c.controller.options.Advertise})
}

// expectArrival gives a leg up that does not come.
func (l *leg) expectArrival() {
	l.socketTimer = l.after(peer.ArrivalTimeout, func() { l.control.arrivalFailed(l) })
}

// arrivalFailed gives up waiting for a leg.
func (c *control) arrivalFailed(l *leg) {
	if l.arriving == nil {
		return
	}
	l.log().Error("a leg that another controller sent did not come; check esl.advertise", "advertise", c.controller.options.Advertise)
	l.arriving.reply(peer.Answer{Failure: fmt.Sprintf("the leg did not come within %s", peer.ArrivalTimeout)})
	l.arriving = nil
	l.owner.Take(moveNotArriving, l.log)
	delete(c.legs, l.id)
	l.take(legDidNotArrive)
	c.controller.forgetLeg(l)
}

// settle takes a leg that has come from another controller.
func (c *control) settle(l *leg) {
	a := l.arriving
	l.arriving = nil
	if l.owner.Take(moveArrived, l.log) != tellArrived {
		return
	}
	l.socketTimer.Stop()
	if a.answered && !a.move.Answered && l.state.Is(legAlerting) { // while it was on its way
		l.take(legAnswers)
	}
	c.own(l)
	c.save()
	c.arrived(l, moveRequest(a.move), a.move.From)
	a.reply(peer.Answer{})
}
