package callcontrol

import (
	"context"
	"errors"
	"fmt"

	"github.com/percipia/eslgo/command"

	"ccxmld/esl"
	"ccxmld/interpreter"
	"ccxmld/sessionstore"
)

// relocation is a leg on its way to a session of another controller. It is what
// the two tell each other of it.
type relocation struct {
	Session    string                      `json:"session"`    // that gets it
	From       string                      `json:"from"`       // the session that gives it
	Connection interpreter.Connection      `json:"connection"` // as the giver's document saw it
	State      interpreter.ConnectionState `json:"state"`      // of the leg itself
	Answered   bool                        `json:"answered"`   // by the dialplan
	Event      *movedEvent                 `json:"event,omitempty"`
}

const moveKind = "move"

// movedEvent is the event that is moved with a leg.
type movedEvent struct {
	Name       string         `json:"name"`
	ID         string         `json:"id"`
	Source     string         `json:"source"`
	SourceType string         `json:"sourcetype"`
	Fields     map[string]any `json:"fields"`
}

func relocationOf(l *leg, r interpreter.MoveRequest, from string) relocation {
	to := relocation{Session: r.SessionID, From: from, Connection: r.Connection, State: l.connectionState(), Answered: l.answered}
	if e := r.Event; e != nil {
		to.Event = &movedEvent{Name: e.Name, ID: e.ID, Source: e.Source, SourceType: e.SourceType, Fields: make(map[string]any, len(e.Fields))}
		for _, field := range e.Fields {
			to.Event.Fields[field.Name] = field.Value
			if pairs, ok := field.Value.([]interpreter.Pair); ok {
				to.Event.Fields[field.Name] = interpreter.Values(pairs)
			}
		}
	}
	return to
}

// request is what <move> asked for, as the controller that gets the leg has it.
func (r relocation) request() interpreter.MoveRequest {
	request := interpreter.MoveRequest{SessionID: r.Session, Connection: r.Connection}
	if e := r.Event; e != nil {
		request.Event = &interpreter.Event{Name: e.Name, ID: e.ID, Source: e.Source, SourceType: e.SourceType}
		for name, value := range byKey(e.Fields) {
			request.Event.Fields = append(request.Event.Fields, interpreter.Field{Name: name, Value: value})
		}
	}
	return request
}

// moveFar gives a leg to a session that was not at hand when it was moved: it was
// being created here, or another controller runs it. It runs in the line of that
// session, whose goroutine is neither session's.
func (c *control) moveFar(ctx context.Context, l *leg, h *handover, conn *esl.Conn, r relocation) {
	if near := c.controller.control(r.Session); near != nil {
		if !c.session.Do(func() { c.giveTo(near, l) }) {
			c.bequeath(near, l)
		}
		return
	}
	l.route.stay()
	sent, err := c.sendLeg(ctx, l, h, conn, r)
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
	kill := esl.API("uuid_kill", l.id, "NORMAL_CLEARING")
	switch {
	case conn != nil:
		conn.Send(kill, nil)
	case l.node != nil:
		l.node.kill(l.id, "NORMAL_CLEARING")
	}
	c.controller.forgetLeg(l)
}

// sendLeg sends a leg to the controller of its new session: that one is asked to
// wait for it, the leg is transferred to its socket, and it tells when the leg
// has come. sent reports that the leg was sent off, whatever became of it.
func (c *control) sendLeg(ctx context.Context, l *leg, h *handover, conn *esl.Conn, r relocation) (sent bool, err error) {
	controller, err := c.controller.owner(ctx, r.Session)
	switch {
	case errors.Is(err, ErrNoSession):
		return false, errors.New(unavailable(r.Session).Reason)
	case err != nil:
		return false, err
	case conn == nil || r.State == interpreter.Progressing:
		return false, errors.New("a call that was placed here and is not answered yet can only be moved to a session of this controller")
	}
	q, err := c.controller.ask(ctx, controller, moveKind, h.question, r)
	if err != nil {
		return false, err
	}
	defer q.close()
	ready, err := q.answer(c.controller.context, 2*arrivalPatience)
	if err != nil {
		return false, err
	}
	// A refusal, or the leg's return to us, counts as the other's answer.
	l.sendTo(conn, esl.Transfer(l.id, false, c.controller.away(ready.Address)...), func(err error) {
		c.controller.answerCame(answer{Question: h.question, Failure: err.Error()})
	})
	_, err = q.answer(c.controller.context, 2*arrivalPatience)
	return true, err
}

// away brings a leg to another controller's socket. The action stands there
// twice, since the leg leaves the first one if our socket, which it has left,
// ends before the call does. If nobody listens there, the leg comes back.
func (c *Controller) away(address string) []esl.App {
	there := esl.App{Name: "socket", Arg: address + " async full"}
	return append([]esl.App{there, there}, c.home()...)
}

// cameBack notes that a leg which was sent to another controller is in our socket
// again.
func (c *control) cameBack(l *leg) {
	l.handover.returned = true
	c.controller.answerCame(answer{Question: l.handover.question, Failure: "FreeSWITCH does not reach the other controller; check its esl.advertise"})
}

// moved ends a handover to another controller.
func (c *control) moved(l *leg, sent bool, err error) {
	h := l.handover
	if err != nil {
		c.handedBack(l, err)
		if sent && !h.returned && h.ended == nil {
			c.bringHome(l) // wherever it is
		}
		return
	}
	l.handover = nil
	delete(c.legs, l.id)
	c.forgetConnection(l.id)
	l.moveTo(legGone)
	c.controller.forgetLeg(l)
	if l.conn != nil {
		letGo(l.conn)
	}
	h.done(nil)
}

// letGo keeps a socket that its leg has left. It must stay open, since closing it
// would end the leg's new socket action too; it ends with the leg.
func letGo(conn *esl.Conn) {
	conn.SetHandler(func(*esl.Event) {})
	conn.SetEndHandler(func(error) {})
	conn.Send(command.DisableEvents{}, nil)
	conn.Send(command.Linger{}, nil)
}

// arrival is a leg that another controller sends here.
type arrival struct {
	relocation
	mail     sessionstore.Mail // that announced it, and is answered
	answered bool              // the call is, by now
}

// expectLeg prepares for a leg that another controller is about to send.
func (c *Controller) expectLeg(mail sessionstore.Mail, r relocation) {
	target := c.control(r.Session)
	if target == nil || !target.session.Do(func() { target.expect(mail, r) }) {
		c.replyLater(mail, answer{Failure: unavailable(r.Session).Reason})
	}
}

// expect makes a leg that is still to come, and tells the other controller where
// to send it.
func (c *control) expect(mail sessionstore.Mail, r relocation) {
	id := r.Connection.ID
	err := c.roomForLeg()
	if err == nil && (!isLegID(id) || c.controller.findLeg(id) != nil) {
		err = fmt.Errorf("connection %q is there already", id)
	}
	if err != nil {
		c.controller.replyLater(mail, answer{Failure: err.Error()})
		return
	}
	l := &leg{
		id: id, control: c, logger: c.controller.log, state: legAlerting, call: callOf(&r.Connection),
		answered: r.Answered, moved: true, arriving: &arrival{relocation: r, mail: mail},
	}
	if r.State == interpreter.Connected {
		l.state = legConnected
	}
	if c.legs == nil {
		c.legs = make(map[string]*leg, 1)
	}
	c.legs[id] = l
	l.bind(c)
	c.controller.addLeg(l)
	l.socketTimer = l.after(arrivalPatience, func() { c.stayedAway(l) })
	c.controller.replyLater(mail, answer{Address: c.controller.options.Advertise})
}

// stayedAway gives up waiting for a leg.
func (c *control) stayedAway(l *leg) {
	if l.arriving == nil {
		return
	}
	l.log().Error("a leg that another controller sent did not come; check esl.advertise", "advertise", c.controller.options.Advertise)
	c.controller.replyLater(l.arriving.mail, answer{Failure: fmt.Sprintf("the leg did not come within %s", arrivalPatience)})
	l.arriving = nil
	delete(c.legs, l.id)
	l.moveTo(legGone)
	c.controller.forgetLeg(l)
}

// settle takes a leg that has come from another controller.
func (c *control) settle(l *leg) {
	a := l.arriving
	l.arriving = nil
	l.socketTimer.Stop()
	if a.answered && !a.Answered && l.state == legAlerting { // while it was on its way
		l.moveTo(legConnected)
	}
	c.own(l)
	c.save()
	c.arrived(l, a.request(), a.From)
	c.controller.replyLater(a.mail, answer{})
}
