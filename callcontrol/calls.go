package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// Accept answers a call (interpreter.Telephony).
func (c *control) Accept(r interpreter.AcceptRequest) {
	l := c.legs[r.ConnectionID]
	if l == nil || !l.state.Is(legAlerting) {
		c.operationFailed("connection.accept.failed", r.ConnectionID, "the call is not alerting any more")
		return
	}
	if err := l.prepareAnswer(r.Hints); err != nil {
		c.operationFailed("connection.accept.failed", r.ConnectionID, err.Error())
		return
	}
	if l.answered {
		l.whenSubscribed(func() { l.control.answered(l) })
		return
	}
	answer := freeswitch.AnswerInTurn()
	if !l.playing().Empty() { // which the application would wait for
		answer = freeswitch.Answer(l.id)
	}
	l.send(answer, func(err error) {
		l.control.operationFailed("connection.accept.failed", r.ConnectionID, err.Error())
	})
	c.expectAnswer(l)
}

// answered takes the answer of an inbound leg, or of one with early media.
func (c *control) answered(l *leg) {
	if l.take(legAnswers) != tellConnected {
		return
	}
	l.callTimer.Stop()
	if l.handover == nil { // else who gets it is told
		c.connected(l)
	}
}

// answerIsUntold tells whether the leg is connected, and its document does not know yet.
func (l *leg) answerIsUntold() bool {
	return l.isConnected() && !l.isHidden() && !l.connection.Is(connectionConnected)
}

// Reject refuses a call (interpreter.Telephony). A reason that is a SIP status
// is what the caller gets.
func (c *control) Reject(r interpreter.RejectRequest) {
	l := c.legs[r.ConnectionID]
	if l == nil || !l.state.Is(legAlerting) {
		c.operationFailed("connection.reject.failed", r.ConnectionID, "the call is not alerting any more")
		return
	}
	if err := l.setHeaders(freeswitch.AnswerHeaderPrefix, r.Hints); err != nil {
		c.operationFailed("connection.reject.failed", r.ConnectionID, err.Error())
		return
	}
	l.clearing.Take(clearAsked, l.log)
	l.playing().Silence()
	l.failure = r.Reason
	if l.failure == "" {
		l.failure = "rejected"
	}
	if status, ok := rejectStatus(r.Reason); ok && !l.answered {
		l.send(freeswitch.Respond(status), func(error) { l.hangUp("CALL_REJECTED") })
		// Only SIP has an answer of its own: a leg of another kind is hung up.
		c.after(refusalTimeout, func() { l.hangUp("CALL_REJECTED") })
		return
	}
	l.hangUp("CALL_REJECTED")
}

// Disconnect hangs a call up (interpreter.Telephony).
func (c *control) Disconnect(r interpreter.DisconnectRequest) {
	l := c.legs[r.ConnectionID]
	if l == nil { // its final event is already queued
		return
	}
	if err := l.setHeaders(freeswitch.ByeHeaderPrefix, r.Hints); err != nil {
		l.log().Warn("the call is hung up without the headers that its document asked for", "error", err)
	}
	if !l.isConnected() {
		l.failure = r.Reason
		if l.failure == "" {
			l.failure = "disconnected"
		}
	}
	l.hangUp("NORMAL_CLEARING")
}

// operationFailed tells the document that something it asked of a connection
// could not be done; the connection's state stays.
func (c *control) operationFailed(event, connectionID, reason string) {
	c.session.Queue(&interpreter.Event{
		Name: event, Source: connectionID, SourceType: "connection",
		Fields: append(connectionFields(connectionID), interpreter.Field{Name: "reason", Value: reason}),
	})
}
