package switchsim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Referral is what a party does about a REFER (the deflect application).
type Referral struct {
	// Refuses is the SIP status that the REFER is refused with; 0: it is accepted.
	Refuses int
	// Outcome is the SIP status of the call to the new destination, which the
	// party tells by NOTIFY, after it has told at once that it tries; 0: it hangs up
	// and tells nothing.
	Outcome int
	After   time.Duration // until it hangs up or tells
}

// Referred says what the party will do about a REFER. Without that it accepts and
// hangs up.
func (p *Party) Referred(r Referral) {
	p.sw.lock()
	defer p.sw.unlock()
	p.referral = r
}

// deflect sends a REFER (sofia_receive_message, SWITCH_MESSAGE_INDICATE_DEFLECT).
func deflect(c *channel, destination string) {
	if !c.answered {
		return
	}
	p, r := c.party, c.party.referral
	p.redirectedTo = destination
	if !isTrue(c.vars.get("sip_refer_continue_after_reply")) {
		c.hangUp("BLIND_TRANSFER", local)
		return
	}
	if r.Refuses != 0 {
		c.vars.set("sip_refer_status_code", strconv.Itoa(r.Refuses))
		return
	}
	c.vars.set("sip_refer_status_code", "202")
	if r.Outcome != 0 {
		c.notified(100, header{"subscription-substate", "active"}, header{"subscription-expires", "60"})
	}
	c.sw.agenda.after(r.After, func() {
		switch {
		case c.down():
		case r.Outcome == 0:
			c.partyLeft()
		default:
			c.notified(r.Outcome, header{"subscription-substate", "terminated"}, header{"subscription-reason", "noresource"})
			c.release()
		}
	})
}

// notified tells of a NOTIFY, in which the party says what its call to the new
// destination came to (sofia_handle_sip_i_notify).
func (c *channel) notified(status int, subscription ...header) {
	phrase := sipResponses[status].phrase
	switch status {
	case 100:
		phrase = "Trying"
	case 200:
		phrase = "OK"
	}
	sipfrag := fmt.Sprintf("SIP/2.0 %d %s\r\n", status, phrase)
	v := &c.vars
	address := func(what string) string { return v.get("sip_"+what+"_user") + "@" + v.get("sip_"+what+"_host") }
	party, us := "from", "to"
	if !c.inbound {
		party, us = us, party
	}
	headers := []header{{"content-type", "message/sipfrag"}, {"event-package", "refer"}, {"event-id", strconv.Itoa(c.placeholder.sequence + 1)},
		{"contact", address("contact")}, {"from", address(party)}, {"from-tag", v.get("sip_" + party + "_tag")},
		{"to", address(us)}, {"to-tag", v.get("sip_" + us + "_tag")}, {"call-id", v.get("sip_call_id")}}
	c.sw.fire(&event{name: "CUSTOM", subclass: "sofia::notify_refer", site: site{"sofia.c", "sofia_handle_sip_i_notify", 631},
		after: append(append(headers, subscription...), header{"UniqueID", c.uuid}), body: sipfrag})
	if status < 200 {
		v.set("sip_refer_target_provisional_status_code", strconv.Itoa(status))
		return
	}
	v.set("sip_refer_target_status_code", strconv.Itoa(status))
	v.set("sip_refer_reply", sipfrag)
}

// release ends the call with the party, whatever came of its own, and leaves the
// leg: mod_sofia destroys the handle of a NOTIFY that says terminated, with which
// sofia-sip sends BYE.
func (c *channel) release() {
	c.released = true
	c.party.endedAs(Ending{Cause: "NORMAL_CLEARING", By: "local", SIPStatus: 200, RedirectedTo: c.party.redirectedTo})
}

func (sw *Switch) apiDeflect(arguments string) string {
	uuid, destination, ok := strings.Cut(arguments, " ")
	if !ok {
		return "-USAGE: <uuid> <uri>\n"
	}
	c := sw.live(uuid)
	if c == nil {
		return "-ERR No such channel " + uuid + "!\n"
	}
	deflect(c, destination)
	return "+OK:\n"
}

// Refer is the party's own REFER, which asks FreeSWITCH to send its partner in a
// bridge to the destination, a SIP URI (sofia_handle_sip_i_refer). FreeSWITCH looks
// for the user in the partner's dialplan, which has no such extension here.
func (p *Party) Refer(destination string) {
	p.sw.lock()
	defer p.sw.unlock()
	c := p.leg
	if c.down() {
		return
	}
	user, _, _ := strings.Cut(strings.TrimPrefix(destination, "sip:"), "@")
	if partner := p.sw.live(c.vars.get("signal_bond")); partner != nil {
		partner.transfer(user, "", "")
		return
	}
	c.sw.fire(&event{name: "CUSTOM", subclass: "sofia::error", site: site{"sofia.c", "sofia_handle_sip_i_refer", 9676}, channel: c,
		before: []header{{"Error-Type", "blind_transfer"}, {"Transfer-Exten", user}, {"Full-Refer-To", "<" + destination + ">"}}})
}
