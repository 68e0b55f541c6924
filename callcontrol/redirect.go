package callcontrol

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/sip"
)

// referPoll is how often FreeSWITCH is asked what the far end has answered to a
// REFER, of which there is no event.
const referPoll = 200 * time.Millisecond

// Redirect sends a call elsewhere: by a SIP 302 before it is answered, by REFER
// after (interpreter.Telephony).
func (c *control) Redirect(r interpreter.RedirectRequest) {
	l := c.legs[r.ConnectionID]
	refused := func(reason string) { c.operationFailed("connection.redirect.failed", r.ConnectionID, reason) }
	switch {
	case l == nil || l.conn == nil || !l.state.Is(legAlerting) && !l.isConnected():
		refused("the call is gone")
		return
	case l.isRedirected():
		refused("the call is being redirected already")
		return
	}
	destination := r.Destination
	if to, err := sip.Parse(destination); err == nil && to.Scheme == "tel" {
		destination = "sip:" + to.User + "@" + l.host()
	}
	if err := esl.CheckDestination(destination); err != nil {
		refused(err.Error())
		return
	}
	prefix := freeswitch.AnswerHeaderPrefix
	if l.isConnected() {
		prefix = freeswitch.HeaderPrefix
	}
	if err := l.setHeaders(prefix, r.Hints); err != nil {
		refused(err.Error())
		return
	}
	l.clearing.Take(redirectAsked, l.log)
	l.notes.Transfer = r.Destination
	if l.isConnected() {
		l.refer(destination)
		return
	}
	l.playing().Silence()
	l.send(freeswitch.Redirect(destination), func(err error) { l.notRedirected(err.Error()) })
	l.redirectTimer = l.stayed(redirectTimeout)
}

// refer asks the far end to call another destination in place of us. It may refuse,
// accept and hang up, or tell whether it has reached the other; the leg stays ours
// until then. Whatever plays on it meanwhile goes on.
func (l *leg) refer(destination string) {
	failed := func(err error) { l.notRedirected(err.Error()) }
	for _, cmd := range freeswitch.Refer(l.id, destination) {
		l.send(cmd, failed)
	}
	l.redirectTimer = l.stayed(redirectTimeout)
	l.askReferred()
}

// askReferred looks for the answer to the REFER until it is there.
func (l *leg) askReferred() {
	l.after(referPoll, func() {
		conn := l.conn
		if !l.isRedirected() || !l.isConnected() || conn == nil {
			return
		}
		conn.Send(freeswitch.ReferStatus(l.id), func(r *esl.Reply, err error) {
			if err != nil || r.Err() != nil {
				return
			}
			status := freeswitch.SIPStatus(strings.TrimSpace(r.Text))
			l.from(conn, func() { l.referAnswered(status) })
		})
	})
}

func (l *leg) referAnswered(status int) {
	switch {
	case !l.isRedirected():
	case status >= 300:
		l.notRedirected(fmt.Sprintf("the far end refused the transfer (SIP status %d)", status))
	case status >= 200:
		l.redirectTimer.Stop()
		l.redirectTimer = l.stayed(referTimeout)
	default:
		l.askReferred()
	}
}

// referred takes what the far end tells of its call to the new destination: the
// status line of a SIP message. With the last that it has to tell, over, FreeSWITCH
// ends the call with it, whatever came of its own, and does not notice: the leg would
// stay there with nobody at its other end.
func (l *leg) referred(statusLine string, over bool) {
	_, line, _ := strings.Cut(statusLine, " ")
	code, _, _ := strings.Cut(line, " ")
	status, err := strconv.Atoi(code)
	switch {
	case l.isRedirected() && err == nil && status >= 300:
		reason := "the far end did not reach the new destination (" + line + ")"
		if over {
			reason += "; FreeSWITCH ends the call with that"
		}
		l.notRedirected(reason)
	case l.isRedirected() && (over || err == nil && status >= 200):
		l.hangUp("BLIND_TRANSFER")
		return
	}
	if over && !l.isEnding() {
		l.hangUp("NORMAL_CLEARING")
	}
}

// stayed tells the document that the leg did not go where it was sent, if it is
// still there after a while.
func (l *leg) stayed(patience time.Duration) *clock.Timer {
	return l.after(patience, func() {
		l.notRedirected(fmt.Sprintf("the far end did not go elsewhere within %s; only SIP calls can be sent elsewhere", patience))
	})
}

// notRedirected tells the document that the leg stays what it was.
func (l *leg) notRedirected(reason string) {
	if l.isGone() || l.clearing.Take(redirectFailed, l.log) != tellNotRedirected {
		return
	}
	l.redirectTimer.Stop()
	l.control.operationFailed("connection.redirect.failed", l.id, reason)
}

// host is where a tel: destination of this leg is looked for: the far end's own
// domain.
func (l *leg) host() string {
	remote, err := sip.Parse(l.call.Remote)
	if err != nil || remote.Host == "" {
		return "localhost"
	}
	return remote.Host
}

// keepTogether keeps the far end of a bridged leg from having the other one taken
// elsewhere, and bounds how long the leg stays where no controller comes for it.
func (l *leg) keepTogether() { l.send(freeswitch.KeepTogether(l.id), nil) }
