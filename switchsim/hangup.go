package switchsim

import (
	"strconv"
	"time"
)

// side tells who ends a call.
type side bool

const (
	local  side = false // the switch
	remote side = true  // the party
)

// hangUp ends the leg from what it does itself: it is wound up at once.
func (c *channel) hangUp(cause string, by side) {
	if c.beginHangup(cause, by) {
		c.sw.soon(c.finishHangup)
	}
}

// kill ends the leg from elsewhere: it notices at its next tick.
func (c *channel) kill(cause string, by side) {
	if c.beginHangup(cause, by) {
		c.atTick(c.finishHangup)
	}
}

// beginHangup tells of the end (switch_channel_perform_hangup).
func (c *channel) beginHangup(cause string, by side) bool {
	if c.down() {
		return false
	}
	c.acknowledge()
	c.markHold(false)
	c.cause, c.remoteBye = cause, by == remote
	c.next = stateHangup
	if c.bridge != nil {
		role := "originatee"
		if c == c.bridge.a {
			role = "originator"
		}
		c.vars.set("last_bridge_role", role)
	}
	c.fire("CHANNEL_HANGUP", site{"switch_channel.c", "switch_channel_perform_hangup", 3447})
	c.queue = nil
	for _, l := range append([]*listener(nil), c.listeners...) {
		if !l.lingers {
			l.channelDown()
		}
	}
	if b := c.bridge; b != nil {
		c.atTick(func() { b.partnerGone(c) })
	}
	return true
}

// partyLeft ends the leg because its party hung up: a BYE, or a CANCEL before
// the answer.
func (c *channel) partyLeft() {
	if c.down() || c.released {
		return
	}
	if c.inbound && !c.answered {
		c.vars.set("sip_hangup_disposition", "recv_cancel")
		c.vars.set("sip_invite_failure_status", "487")
		c.vars.set("sip_invite_failure_phrase", "CANCEL")
		c.vars.set("sip_reason", `SIP;cause=487;text="ORIGINATOR_CANCEL"`)
		c.setTermination(487, 487)
		c.kill("ORIGINATOR_CANCEL", remote)
		return
	}
	c.acknowledge()
	c.vars.set("sip_reason", `Q.850;cause=16;text="NORMAL_CLEARING"`)
	c.setTermination(200, 16)
	c.kill("NORMAL_CLEARING", remote)
	c.vars.touch("sip_user_agent")
	c.vars.set("sip_hangup_disposition", "recv_bye")
}

func (c *channel) setTermination(status, cause int) {
	c.vars.set("sip_term_status", strconv.Itoa(status))
	c.vars.set("proto_specific_hangup_cause", "sip:"+strconv.Itoa(status))
	c.vars.set("sip_term_cause", strconv.Itoa(cause))
}

// finishHangup winds the leg up: what runs is aborted, the call detail is
// written, and it is gone.
func (c *channel) finishHangup() {
	if c.ended {
		return
	}
	c.leavePark()
	c.unschedule()
	c.unwind()
	c.stopRecordings()
	c.leaveEavesdroppers()
	c.leaveFar()
	c.running = stateHangup
	c.enter(stateHangup)
	c.profile.hungUp = c.sw.now()
	c.setCallState("HANGUP")
	c.enter(stateReporting)
	c.reportDetail()
	c.ended = true
	c.sw.fire(&event{name: "CHANNEL_HANGUP_COMPLETE", channel: c, before: []header{{"Hangup-Cause", c.cause}},
		site: site{"switch_core_state_machine.c", "switch_core_session_reporting_state", 943}})
	for _, l := range append([]*listener(nil), c.listeners...) {
		l.channelDown()
	}
	c.party.ended(c)
	c.peerEnded()
	if c.job != nil {
		c.job("-ERR " + c.cause + "\n")
		c.job = nil
	}
	c.destroyIfFree()
}

// destroyIfFree removes the leg once no socket holds it any more.
func (c *channel) destroyIfFree() {
	if !c.ended || c.destroyed || len(c.listeners) > 0 {
		return
	}
	c.destroyed = true
	c.next = stateDestroy
	c.fire("CHANNEL_DESTROY", site{"switch_core_session.c", "switch_core_session_perform_destroy", 1588})
	delete(c.sw.channels, c.uuid)
	c.vars, c.actions, c.queue = nil, nil, nil // its party may be kept
}

// reportDetail sets the variables of the call detail record
// (switch_channel_set_timestamps and mod_sofia's).
func (c *channel) reportDetail() {
	v, p := &c.vars, c.profile
	v.set("hangup_cause", c.cause)
	v.set("hangup_cause_q850", strconv.Itoa(q850(c.cause)))
	dialed := string(c.digits)
	if dialed == "" {
		dialed = "none"
	}
	v.set("digits_dialed", dialed)
	stamp := func(name string, at time.Time) {
		if !at.IsZero() {
			v.set(name, at.Format(time.DateTime))
		}
	}
	stamp("start_stamp", p.channelCreated)
	stamp("profile_start_stamp", p.created)
	stamp("answer_stamp", p.answered)
	stamp("bridge_stamp", p.bridged)
	stamp("progress_stamp", p.progress)
	stamp("progress_media_stamp", p.progressMedia)
	stamp("end_stamp", p.hungUp)
	epoch := func(name string, at time.Time) {
		us := micros(at)
		v.set(name+"_epoch", strconv.FormatInt(us/1e6, 10))
		v.set(name+"_uepoch", strconv.FormatInt(us, 10))
	}
	epoch("start", p.channelCreated)
	epoch("profile_start", p.created)
	epoch("answer", p.answered)
	epoch("bridge", p.bridged)
	c.reportHolds()
	epoch("resurrect", time.Time{})
	epoch("progress", p.progress)
	epoch("progress_media", p.progressMedia)
	epoch("end", p.hungUp)
	v.set("last_app", c.application)
	v.set("last_arg", c.argument)
	v.set("caller_id", p.callerID())
	c.reportDurations()
	c.reportSIP()
}

func zeroVariables(names ...string) []variable {
	zeros := make([]variable, len(names))
	for i, name := range names {
		zeros[i] = newVariable(name, "0")
	}
	return zeros
}

func (p *profile) callerID() string {
	if p.callerName == "" {
		return p.callerNumber
	}
	return `"` + p.callerName + `" <` + p.callerNumber + `>`
}

// reportDurations sets how long the parts of the call took, in seconds, milli-
// and microseconds.
func (c *channel) reportDurations() {
	p := c.profile
	from := func(start, end time.Time) time.Duration {
		if start.IsZero() || end.IsZero() {
			return 0
		}
		return end.Sub(start)
	}
	total := from(p.channelCreated, p.hungUp)
	flow := time.Duration(0)
	if !p.answered.IsZero() {
		flow = total
	}
	parts := [...]struct {
		names [3]string
		took  time.Duration
	}{
		{[3]string{"duration", "mduration", "uduration"}, total},
		{[3]string{"billsec", "billmsec", "billusec"}, from(p.answered, p.hungUp)},
		{[3]string{"progresssec", "progressmsec", "progressusec"}, from(p.channelCreated, p.progress)},
		{[3]string{"answersec", "answermsec", "answerusec"}, from(p.channelCreated, p.answered)},
		{[3]string{"waitsec", "waitmsec", "waitusec"}, from(p.channelCreated, p.bridged)},
		{[3]string{"progress_mediasec", "progress_mediamsec", "progress_mediausec"}, from(p.channelCreated, p.progressMedia)},
		{[3]string{"flow_billsec", "flow_billmsec", "flow_billusec"}, flow},
	}
	for unit, size := range [...]time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		for _, part := range parts {
			c.vars.set(part.names[unit], strconv.FormatInt(int64(part.took/size), 10))
		}
	}
}

// reportSIP sets who ended the call and what the media came to.
func (c *channel) reportSIP() {
	switch {
	case c.remoteBye, c.released:
	case c.answered:
		c.vars.set("sip_hangup_disposition", "send_bye")
	case c.inbound:
		c.vars.set("sip_hangup_disposition", "send_refuse")
	default:
		c.vars.set("sip_hangup_disposition", "send_cancel")
		c.vars.set("sip_invite_failure_status", "487")
		c.vars.set("sip_invite_failure_phrase", "CANCEL")
	}
	if c.media {
		for i := range mediaStatistics {
			c.vars.put(mediaStatistics[i])
		}
	}
}

// stopRecordings ends what records the leg beside its applications.
func (c *channel) stopRecordings() {
	for len(c.recordings) > 0 {
		c.recordings[0].stop("")
	}
}
