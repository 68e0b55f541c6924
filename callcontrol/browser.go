package callcontrol

import (
	"errors"
	"fmt"

	"ccxmld/dialog"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// browser is a VoiceXML dialog that runs on a server of its own, which is reached
// by SIP (RFC 5552): a leg to it, bridged with the leg of the dialog's connection.
// It belongs to the session's goroutine.
type browser struct {
	control *control
	events  dialog.Events
	caller  *leg
	leg     *leg   // to the server; nil before it is dialled
	server  string // as a SIP URI
	state   browserState
	reason  string // why it does not start, or ends early
}

var _ dialog.Dialog = (*browser)(nil)

// browserState is where an external dialog is in its life; browser.moveTo changes
// it.
type browserState int

const (
	browserCalling browserState = iota // the server has not answered, or is not bridged yet
	browserTalking                     // bridged with the connection
	browserEnding                      // its leg is being hung up
	browserEnded
)

// moveTo is the one place where the dialog's state changes.
func (b *browser) moveTo(next browserState) { b.state = max(b.state, next) }

// startBrowser calls the server with the page that the dialog asks for.
func (c *control) startBrowser(l *leg, r interpreter.DialogRequest, server string, events dialog.Events) dialog.Dialog {
	b := &browser{control: c, events: events, caller: l, server: server}
	if err := b.call(r); err != nil {
		c.session.Do(func() { b.notStarted(err.Error()) })
	}
	return b
}

func (b *browser) call(r interpreter.DialogRequest) error {
	c := b.control
	parameters, err := browserParameters(r)
	if err != nil {
		return err
	}
	dial, err := c.controller.options.Dial(b.server)
	if err != nil {
		return fmt.Errorf("the VoiceXML server %s: %w", b.server, err)
	}
	variables := c.callVariables(b.caller.call.Remote, dial)
	variables["sip_invite_params"] = parameters
	if isSIPAddress(b.caller.call.Local) {
		variables["sip_invite_to_uri"] = b.caller.call.Local
	}
	if err := hintVariables(r.Hints, variables); err != nil {
		return err
	}
	node, err := c.controller.nodes.PickOn(b.caller.machine)
	if err != nil {
		return err
	}
	b.leg = c.controller.newLeg(c.controller.newID(), legWaiting)
	b.leg.node, b.leg.control, b.leg.browser = node, c, b
	b.leg.call = dialog.Call{Local: b.caller.call.Remote, Remote: b.server, Originator: b.caller.call.Remote}
	if c.legs == nil {
		c.legs = make(map[string]*leg, 1)
	}
	c.legs[b.leg.id] = b.leg
	b.leg.bind(c)
	c.controller.addLeg(b.leg)
	b.leg.socketTimer = b.leg.after(browserTimeout, func() {
		b.giveUp(b.silence())
	})
	c.dial(b.leg, dial, variables, browserTimeout)
	return nil
}

// answered bridges the server's leg, which is in our socket, with the caller's.
func (b *browser) answered() {
	if b.state != browserCalling {
		b.leg.hangUp("NORMAL_CLEARING")
		return
	}
	if machine := b.caller.machine; machine != "" && b.leg.machine != machine {
		b.giveUp(fmt.Sprintf("its connection is on FreeSWITCH %s, and the VoiceXML server was reached from %s", machine, b.leg.machine))
		return
	}
	o := &order{id: b.control.orderID(), issuer: b.control, legs: []*leg{b.leg, b.caller}, implicit: true, browser: b}
	o.ID1, o.ID2 = b.leg.id, b.caller.id
	// By the server's leg, whose socket lingers by then: the server may hang up at
	// once, and what it returns would be lost.
	b.control.bridge(b.leg, b.caller, o)
}

// joined notes that the two are bridged: the dialog has started.
func (b *browser) joined() {
	if b.state == browserCalling {
		b.moveTo(browserTalking)
		b.events.Started()
	}
}

// apart notes that the server's leg is alone again, whoever ended the bridge. The
// end of the dialog has brought it home, too.
func (b *browser) apart() {
	if b.state == browserTalking {
		b.giveUp("its bridge with the connection was ended")
	}
}

// giveUp ends the dialog, for a reason in words, when the server's leg is gone.
func (b *browser) giveUp(reason string) {
	if b.reason == "" {
		b.reason = reason
	}
	if b.state != browserCalling {
		b.moveTo(browserEnding)
	}
	b.hangUp()
}

func (b *browser) hangUp() {
	if b.leg != nil && !b.leg.isGone() {
		b.leg.hangUp("NORMAL_CLEARING")
	}
}

// ended takes the end of the server's leg.
func (b *browser) ended(h freeswitch.Hangup) {
	switch {
	case b.state == browserCalling && b.reason != "":
		b.notStarted(b.reason)
	case b.state == browserCalling:
		b.notStarted(b.refusal(h))
	case b.state == browserEnding:
		values, _ := returnedValues(h.Returned) // its BYE may have crossed ours
		b.exit(dialog.Result{Values: values, Reason: b.reason})
	case b.state == browserTalking:
		values, disconnects := returnedValues(h.Returned)
		if disconnects {
			b.events.Disconnect(values)
		}
		b.exit(dialog.Result{Values: values, Reason: b.abnormal(h)})
	}
}

func (b *browser) silence() string {
	return fmt.Sprintf("the VoiceXML server %s did not answer within %s", b.server, browserTimeout)
}

// refusal says why the server has not run the page.
func (b *browser) refusal(h freeswitch.Hangup) string {
	switch {
	case h.Status == freeswitch.RequestTerminated: // FreeSWITCH was quicker than we to give up
		return b.silence()
	case h.Status != 0:
		return fmt.Sprintf("the VoiceXML server %s answered %d (%s)", b.server, h.Status, h.Cause)
	}
	if detail := b.leg.detail; detail != "" {
		return detail
	}
	return fmt.Sprintf("the VoiceXML server %s could not be reached (%s)", b.server, h.Cause)
}

// abnormal says what is wrong with the end of a dialog, "" if nothing is.
func (b *browser) abnormal(h freeswitch.Hangup) string {
	if h.Cause == "" || h.Cause == "NORMAL_CLEARING" || h.Cause == "NORMAL_UNSPECIFIED" {
		return ""
	}
	return fmt.Sprintf("the VoiceXML server %s ended the dialog with %s", b.server, h.Cause)
}

func (b *browser) notStarted(reason string) {
	if b.state == browserCalling {
		b.moveTo(browserEnded)
		b.hangUp()
		b.events.NotStarted(reason)
	}
}

func (b *browser) exit(result dialog.Result) {
	if b.state == browserEnded {
		return
	}
	if b.state == browserCalling {
		b.events.Started()
	}
	b.moveTo(browserEnded)
	b.hangUp()
	b.events.Exited(result)
}

// Digit implements dialog.Dialog. The server hears the digits itself.
func (b *browser) Digit(string) bool { return b.state != browserEnded }

// Terminate implements dialog.Dialog. A dialog that may return something exits when
// its server has gone.
func (b *browser) Terminate(immediate bool) {
	if immediate || b.state == browserCalling {
		b.exit(dialog.Result{})
		return
	}
	b.giveUp("")
}

// Send implements dialog.Dialog.
func (b *browser) Send(dialog.Message) error {
	return errors.New("dialogs on an external VoiceXML server take no events")
}

// Detached implements dialog.Dialog.
func (b *browser) Detached(reason string) bool {
	if b.state == browserCalling {
		b.notStarted(reason)
	} else {
		b.exit(dialog.Result{Reason: reason})
	}
	return false
}

// HungUp implements dialog.Dialog.
func (b *browser) HungUp() {
	if b.state == browserCalling {
		b.notStarted("the call has ended")
		return
	}
	b.giveUp("")
}
