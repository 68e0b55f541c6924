package callcontrol

import (
	"fmt"

	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// Early media is what a callee's side plays before the answer: its own ringing
// tone, or why it does not answer. We may do so too, by a dialog. FreeSWITCH gives us
// the leg as soon as there is some, so that it can be bridged while it is PROGRESSING
// (CAL-9, JOIN-10).

// ignoresEarlyMedia tells whether a call is to have none (the hint earlymedia).
func ignoresEarlyMedia(hints interpreter.Hints) bool {
	value, ok := hint(hints, "earlymedia")
	return ok && !isTrue(value)
}

// canPlay tells whether the leg's party hears what is played to it: an incoming
// call may be played to before it is accepted, where the document wants that (the
// hint earlymedia of dialogstart; DLG-16).
func (l *leg) canPlay() bool {
	return l.isConnected() || l.state.Is(legAlerting) && l.clearing.Is(notClearing)
}

// attachedEarly takes a leg that came to our socket with early media.
func (c *control) attachedEarly(l *leg) {
	c.tellProgress(l, l.takesEarly) // which the link has not told of, if the socket was quicker
	c.lookForAnswer(l)
	c.joinEarly(l)
	l.nextMove()
}

// lookForAnswer asks whether the leg is answered by now: what happened between its
// coming and our subscription nobody has told.
func (c *control) lookForAnswer(l *leg) {
	conn := l.conn
	conn.Send(freeswitch.Dump(l.id), func(r *esl.Reply, err error) {
		if err == nil && r.Err() == nil && freeswitch.StateOf(r.Text) == freeswitch.Answered {
			l.from(conn, func() { l.control.answered(l) })
		}
	})
	l.watch()
}

// joinEarly makes the join that createcall asked for, if the other end is a
// connection of the session that can hear the early media now. A conference is
// spared it; other joins are made with the answer.
func (c *control) joinEarly(l *leg) {
	if l.join == nil || l.join.JoinDirection == "callreceive" {
		return
	}
	partner := c.legs[l.join.JoinID]
	if partner == nil || c.notJoinable(partner) != "" {
		return
	}
	c.joinCall(l)
}

// comesEarly tells whether the leg has early media and is on its way to our
// socket.
func (l *leg) comesEarly() bool { return l.state.Is(legMedia, legAttachingEarly) }

// notBridgeable is notJoinable for a bridge, which early media is enough for.
func (c *control) notBridgeable(legs ...*leg) string {
	for _, l := range legs {
		if l.handover == nil && (l.state.Is(legEarly) || l.comesEarly()) {
			continue
		}
		if reason := c.notJoinable(l); reason != "" {
			if l.state.Is(legWaiting, legDialing, legRinging) {
				reason = fmt.Sprintf("connection %s has no early media yet; a join needs one that has some, or is connected", l.id)
			}
			return reason
		}
	}
	if len(legs) == 2 {
		return onTwoNodes(legs[0].machine, legs[1].machine)
	}
	return ""
}

// onTwoNodes says why legs on two machines cannot be joined with each other, "" if they
// are on one, or nothing is known of that.
func onTwoNodes(one, other string) string {
	if one == other || one == "" || other == "" {
		return ""
	}
	return fmt.Sprintf("one connection is on FreeSWITCH %s and the other on %s; join both with a conference instead", one, other)
}
