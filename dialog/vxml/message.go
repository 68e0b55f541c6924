package vxml

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"ccxmld/dialog"
	"ccxmld/script"
)

// transferComplete ends a transfer (DEV-13); pages do not see it.
const transferComplete = "dialog.transfer.complete"

// mostMessages bounds the events that wait for a page.
const mostMessages = 100

// Send implements dialog.Dialog. The page gets the event when it next waits for
// input, or has come to an end.
func (b *browser) Send(m dialog.Message) error {
	switch {
	case b.state == ended || b.over:
		return errors.New("the dialog is ending")
	case m.Name == transferComplete && !b.transferring:
		return errors.New("the dialog waits for no transfer")
	}
	select {
	case b.inbox <- m:
		b.wake.Wake()
		if m.Name == transferComplete {
			b.transferring = false
		}
		return nil
	default:
		return fmt.Errorf("%d events wait for the dialog already", mostMessages)
	}
}

// Detached implements dialog.Dialog: a page that waits for a transfer goes on, since
// the join is what it has asked for.
func (b *browser) Detached(reason string) bool {
	switch {
	case b.state == started && b.transferring:
		return true
	case b.state == starting:
		b.notStarted(reason)
	case b.state == started:
		b.exit(dialog.Result{Reason: reason})
	}
	return false
}

// press gives a digit to a page that waits for a transfer.
func (b *browser) press(digit string) bool {
	select {
	case b.pressed <- digit:
		b.wake.Wake()
	default: // far more than any grammar takes
	}
	return true
}

// askTransfer asks the session for a transfer, which digits may end.
func (b *browser) askTransfer(t dialog.Transfer, interruptible bool) {
	b.do(func() {
		if b.state == started {
			b.transferring, b.interruptible = t.Type != "blind", interruptible
			b.events.Transfer(t)
		}
	})
}

// giveUpTransfer tells the session that nobody waits for the transfer any more.
func (b *browser) giveUpTransfer(reason string) {
	b.do(func() {
		if b.state == started && b.transferring {
			b.transferring = false
			b.events.TerminateTransfer(reason)
		}
	})
}

// nextMessage gives the event that has waited longest, if there is one.
func (x *execution) nextMessage() (m dialog.Message, ok bool) {
	if len(x.pending) > 0 {
		m, x.pending = x.pending[0], x.pending[1:]
		return m, true
	}
	select {
	case m := <-x.browser.inbox:
		return m, true
	default:
		return m, false
	}
}

// external is an event that the session sent.
func external(m dialog.Message) *thrown { return &thrown{event: m.Name, sent: &m} }

func isError(event string) bool      { return strings.HasPrefix(event, "error.") }
func isDisconnect(event string) bool { return strings.HasPrefix(event, "connection.disconnect") }

// sendAction is <send>, as VoiceXML 3.0 was to have it: an event for the session
// (DEV-7).
type sendAction struct {
	event     string
	eventExpr *script.Expression
	namelist  []namedValue
}

func (e *element) sendAction() action {
	e.attributes("event", "eventexpr", "namelist")
	if e.has("event") == e.has("eventexpr") {
		e.problem("<send> needs exactly one of event and eventexpr")
	}
	return &sendAction{e.text("event"), e.expression("eventexpr"), e.namelist()}
}

var eventName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

const userEvents = "dialog.user."

func (a *sendAction) run(x *execution) error {
	event, err := x.reference(a.event, a.eventExpr)
	if err != nil {
		return err
	}
	if !eventName.MatchString(event) {
		return thrownf("error.semantic", "%q is not an event name: letters, digits and dots", event)
	}
	if !strings.HasPrefix(event, userEvents) {
		event = userEvents + event
	}
	values, err := x.values(a.namelist)
	if err != nil {
		return err
	}
	x.browser.do(func() {
		if x.browser.state == started {
			x.browser.events.User(event, values)
		}
	})
	return nil
}
