package callcontrol

import (
	"fmt"

	"ccxmld/freeswitch"
)

// A callee may redirect a call (SIP 3xx). FreeSWITCH would dial wherever it is told to,
// past dial.routes, as often as it is told; it ends the call instead, and says the
// address. The document gets connection.failed with it, or dial.redirects lets the call
// go there by dial.routes.

// goesOnTo places a call anew that its callee has redirected, where dial.redirects
// and dial.routes let it go there. It reports whether it has.
func (c *control) goesOnTo(l *leg, h freeswitch.Hangup) bool {
	call := l.calling
	if h.Contact == "" || call == nil || !l.state.Is(dialled...) || l.isEnding() || l.browser != nil {
		return false
	}
	l.node.Worked()
	if l.forwards >= c.controller.limits().Redirects {
		l.detail = fmt.Sprintf("the call was redirected to %s; dial.redirects lets it go on %d times", h.Contact, c.controller.limits().Redirects)
		return false
	}
	dial, err := c.controller.options.Dial(h.Contact)
	if err != nil {
		l.detail = fmt.Sprintf("the call was redirected to %s: %s", h.Contact, err)
		return false
	}
	l.log().Info("call is redirected", "to", h.Contact, "dial", dial.Text)
	l.forwards++
	l.hungUp.Store(false)
	job := call.job
	job.Dial = dial.Text
	next := &calling{job: job}
	l.calling, l.attempt = next, next
	l.take(legRetried)
	l.after(forwardAfter, func() {
		if l.awaitsTurn(next) {
			l.control.whenItsTurn(l, job)
		}
	})
	return true
}
