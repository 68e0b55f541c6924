package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/peer"
)

// handover is what a leg is in while <move> gives it to another session. What
// happens to it meanwhile is for whoever has it in the end.
type handover struct {
	request interpreter.MoveRequest
	done    func(error)
	mark    string             // of the question to the other controller, if it goes to one
	ended   *freeswitch.Hangup // meanwhile
}

// Move gives a connection to another session (interpreter.Sessions).
func (c *control) Move(r interpreter.MoveRequest, done func(error)) {
	l := c.legs[r.Connection.ID]
	if reason := l.unmovable(); reason != "" {
		c.session.Do(func() { done(errors.New(reason)) })
		return
	}
	h := &handover{request: r, done: done, mark: c.controller.newID()}
	l.handover = h
	l.owner.Take(moveAsked, l.log)
	if target := c.controller.control(r.SessionID); target != nil && !c.controller.peers.Busy(r.SessionID) {
		c.handOver(target, l)
		return
	}
	l.route.leave()
	conn, m := l.conn, moveOf(l, r, c.record.ID)
	if !c.controller.peers.InOrder(r.SessionID, func(ctx context.Context) { c.moveFar(ctx, l, h, conn, m) }) {
		c.session.Do(func() {
			c.handedBack(l, fmt.Errorf("%d messages wait for session %s already", peer.MaxQueued, r.SessionID))
		})
	}
}

// unmovable says why a leg cannot be given away now, "" if it can (SND-21). What
// it says of joins and dialogs the document may have asked for a moment ago.
func (l *leg) unmovable() string {
	switch {
	case l == nil:
		return "the call has ended"
	case l.handover != nil:
		return "the connection is being moved already"
	case !l.clearing.Is(notClearing):
		return "the call is being ended"
	case l.state.Is(legWaiting):
		return "the call waits for its turn to be dialled"
	case l.isHeardByVoice() || l.place.kind != alone || l.moving() || len(l.moves) > 0 || l.join != nil:
		return "the connection is joined, or on its way into a join or out of one; unjoin it first"
	case len(l.dialogs) > 0 || !l.playing().Empty():
		return "a dialog runs on the connection, and cannot leave it; end it first"
	}
	return ""
}

// handOverAfterEnd gives a leg to a session of this controller after the end of its own,
// which gave it away with its last breath.
func (c *control) handOverAfterEnd(target *control, l *leg) {
	_ = c.session.Gone().Wait(context.Background()) // which left the leg alone, and always ends
	if l.handover.ended != nil {
		c.controller.forgetLeg(l)
		return
	}
	c.handOver(target, l)
}

// handOver gives a leg to a session of this controller. It runs in the goroutine
// of the session that gives, or after its end; what FreeSWITCH tells meanwhile waits
// in the leg's route, which leads to the giver until all that came before is done
// with.
func (c *control) handOver(target *control, l *leg) {
	h := l.handover
	if h.ended != nil {
		c.handedBack(l, errors.New("the call has ended"))
		return
	}
	delete(c.legs, l.id)
	l.handover = nil
	l.owner.Take(movedHere, l.log)
	l.route.suspend()
	given := target.session.Do(func() {
		err := target.adopt(l, h.request, c.record.ID)
		if !c.session.Do(func() { c.handedOver(target, l, h, err) }) {
			c.handoverFailed(target, l, err)
		}
	})
	if given {
		return
	}
	err := errors.New(unavailable(h.request.SessionID).Reason)
	select {
	case <-c.session.Done():
		c.handoverFailed(target, l, err)
	default:
		c.handedOver(target, l, h, err)
	}
}

// handedOver ends a handover within this controller.
func (c *control) handedOver(target *control, l *leg, h *handover, err error) {
	if err == nil {
		c.forgetConnection(l.id)
		l.bind(target)
	} else {
		c.legs[l.id] = l
		l.bind(c)
	}
	c.session.Do(func() { h.done(err) })
}

// handoverFailed ends a handover whose giver has ended meanwhile. It runs in the
// goroutine of the session that was to get the leg, if there is one.
func (c *control) handoverFailed(target *control, l *leg, err error) {
	if err == nil {
		l.bind(target)
		return
	}
	l.bind(c)
	l.hangUp("NORMAL_CLEARING")
	c.controller.releaseLeg(l)
}

// adopt takes a leg that another session of this controller gives.
func (c *control) adopt(l *leg, r interpreter.MoveRequest, from string) error {
	if err := c.roomForLeg(); err != nil {
		return err
	}
	c.own(l)
	c.save()
	l.nameSession(c.record.ID)
	c.arrived(l, r, from)
	return nil
}

// roomForLeg tells why a session can take no more connections.
func (c *control) roomForLeg() error {
	n := 0
	for _, l := range c.legs {
		if !l.isHidden() {
			n++
		}
	}
	if most := c.controller.limits().Session.Connections; most > 0 && n >= most {
		return fmt.Errorf("session %s has %d connections already", c.record.ID, n)
	}
	return nil
}

// arrived tells the document of a connection that another session gave it, by
// the event that the other moved, or by that of the connection's state. It is
// the first that the document sees of it (SOB-8, SND-22, SND-24).
func (c *control) arrived(l *leg, r interpreter.MoveRequest, from string) {
	connection, state, e := r.Connection, l.connectionState(), r.Event
	if e == nil {
		connection.State = state
		e = stateEvent(l.id, state, interpreter.Field{Name: "info", Value: map[string]any{"movedfrom": from}})
	}
	e.Effect = interpreter.ConnectionEffect{ConnectionID: l.id, New: &connection}
	c.session.Queue(e)
	if l.answerIsUntold() {
		l.connection.Take(connectedEvent, l.log)
	}
	if connection.State != state { // of which the other session has not heard yet
		e := stateEvent(l.id, state)
		e.Effect = interpreter.ConnectionEffect{ConnectionID: l.id, State: state}
		c.session.Queue(e)
	}
}

func stateEvent(id string, state interpreter.ConnectionState, fields ...interpreter.Field) *interpreter.Event {
	return &interpreter.Event{
		Name: "connection." + strings.ToLower(string(state)), Source: id, SourceType: "connection",
		Fields: append(connectionFields(id), fields...),
	}
}

// connectionState is the leg's state as documents know it.
func (l *leg) connectionState() interpreter.ConnectionState {
	switch {
	case l.state.Is(legAlerting):
		return interpreter.Alerting
	case l.isConnected():
		return interpreter.Connected
	}
	return interpreter.Progressing
}

// handedBack ends a handover that failed: the leg stays where it is, and what
// happened to it meanwhile counts.
func (c *control) handedBack(l *leg, err error) {
	h := l.handover
	l.handover = nil
	l.owner.Take(moveFailed, l.log)
	l.route.stay()
	h.done(err) // which the document hears first
	c.session.Do(func() {
		switch {
		case h.ended != nil:
			if l.answerIsUntold() {
				c.tellConnection(l, connectedEvent)
			}
			l.gone(*h.ended)
		case l.answerIsUntold():
			c.connected(l)
		}
	})
}
