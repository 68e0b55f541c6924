package callcontrol

import (
	"errors"
	"fmt"
	"strings"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// calling is one attempt to place a call on a node. Word of an attempt that is
// over comes to nobody.
type calling struct {
	job      esl.Originate
	tried    []*freeswitch.Node // before this one
	failed   []string
	placed   bool // FreeSWITCH is told of it, or about to be
	linkLost bool // the link has dropped, and whether FreeSWITCH has the call is not known
}

// notPlaced takes a job that brought no result.
func (c *control) notPlaced(l *leg, err error) {
	call := l.calling
	if invalid := new(esl.InvalidError); errors.As(err, &invalid) { // of a caller id or a header
		l.log().Warn("originate failed", "error", err)
		l.failure, l.detail, l.calling = reasonUnknown, err.Error(), nil
		l.gone(freeswitch.Hangup{Cause: "NORMAL_UNSPECIFIED"})
		return
	}
	if call == nil || !inFlight(err) {
		if inFlight(err) {
			l.node.Kill(l.id, "ORIGINATOR_CANCEL")
		}
		l.log().Warn("originate failed", "error", err)
		l.detail = err.Error()
		l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
		return
	}
	// The call may be there, and come to our socket; or resynchronise finds out.
	l.log().Warn("the link dropped while a call was placed", "error", err)
	call.linkLost = true
	l.after(adriftTimeout, func() {
		if l.calling == call && call.linkLost {
			l.detail = fmt.Sprintf("the link to FreeSWITCH node %s was lost", l.node.Name())
			l.node.Kill(l.id, "ORIGINATOR_CANCEL")
			l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
		}
	})
}

// inFlight tells whether a command was under way when its link dropped: it may
// have been obeyed. A link that was down already returns ErrLinkDown as it is.
func inFlight(err error) bool {
	return errors.Is(err, esl.ErrLinkDown) && err != esl.ErrLinkDown
}

// triesElsewhere judges the node of a call that has failed before it was answered,
// and places the call on another node if it was the node's fault. It reports
// whether it has.
func (c *control) triesElsewhere(l *leg, h freeswitch.Hangup) bool {
	call := l.calling
	if call == nil || !l.state.Is(dialled...) || l.isEnding() {
		return false
	}
	if !h.FaultOfNode() {
		if h.Cause != unknownEnd {
			l.node.Worked()
		}
		return false
	}
	l.node.Failed(h.Cause)
	failed := append(call.failed, l.node.Name()+": "+h.Cause)
	if l.connection.Is(connectionProgressing, connectionEarly) || l.browser != nil { // which is needed where its connection is
		return false
	}
	next, err := c.controller.nodes.Pick(append(call.tried, l.node)...)
	if err != nil {
		if len(failed) > 1 {
			l.detail = "the call was tried on several FreeSWITCH nodes (" + strings.Join(failed, "; ") + ")"
		}
		return false
	}
	l.log().Warn("call is tried on another node", "cause", h.Cause, "next", next.Name())
	l.failure, l.detail = "", ""
	l.take(legRetried)
	l.calling = &calling{job: call.job, tried: append(call.tried, l.node), failed: failed}
	l.attempt = l.calling
	l.node = next
	c.whenItsTurn(l, call.job)
	return true
}

// strange tells whether a leg that comes to our socket is an earlier attempt of
// the call, from a node that was given up.
func (l *leg) strange(machine string) bool {
	return l.attempt != nil && l.attempt.isOver(machine, l.node.Machine())
}

// isOver tells whether what comes from a machine is of another attempt than the one on
// the machine of now, which is "" where it is not known.
func (c *calling) isOver(machine, now string) bool {
	return len(c.tried) > 0 && now != "" && machine != now
}
