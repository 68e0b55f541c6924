package switchsim

// bridge is two legs that talk to each other. a asked, b was asked.
type bridge struct{ a, b *channel }

var siteBridge = site{"switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1689}

// uuidBridge bridges two legs (switch_ivr_uuid_bridge). It says yes before
// anything has happened; at the next tick both leave what they are doing, at
// the one after that they are bridged.
func (sw *Switch) uuidBridge(first, second string) bool {
	a, b := sw.live(first), sw.live(second)
	if a == nil || b == nil || a == b || a.down() || b.down() {
		return false
	}
	if !a.inbound && a.dialplan {
		a.profile.logical = "inbound"
	}
	if !a.inbound && !a.dialplan {
		a.flipCallerID()
		a.dialplan = true
	}
	if !a.answered && !a.early {
		if !b.answered && !b.early {
			return false
		}
		a, b = b, a
	}
	a.acknowledge()
	b.acknowledge()
	b.dialplan = b.inbound && b.dialplan
	a.vars.set("uuid_bridge", b.uuid)
	a.bond(b)
	b.bond(a)
	b.rememberOriginal()
	a.rememberOriginal()
	for _, c := range []*channel{a, b} {
		if c.bridge != nil {
			c.bridge.split(c)
		}
	}
	now := sw.now()
	a.profile, b.profile = a.profile.step(now), b.profile.step(now)
	b.other, b.otherType = a.profile.otherLeg(false), "originator"
	a.other, a.otherType = b.profile.otherLeg(true), "originatee"
	a.profile.calleeName, a.profile.calleeNumber = b.profile.calleeName, b.profile.calleeNumber
	b.profile.callerName, b.profile.callerNumber = a.profile.callerName, a.profile.callerNumber
	a.noteTransfer("uuid_br:" + b.uuid)
	b.noteTransfer("uuid_br:" + a.uuid)
	a.next, b.next = stateHibernate, stateHibernate
	br := &bridge{a, b}
	sw.atTick(1, func() {
		b.leaveForBridge()
		a.leaveForBridge()
		sw.atTick(1, br.begin)
	})
	return true
}

// bond notes whom a leg is going to be bridged to.
func (c *channel) bond(to *channel) {
	c.vars.set("bridge_channel", to.name)
	c.vars.set("bridge_uuid", to.uuid)
	c.vars.set("signal_bond", to.uuid)
}

func (c *channel) rememberOriginal() {
	c.vars.set("original_destination_number", c.profile.destination)
	c.vars.set("original_caller_id_name", c.profile.callerName)
	c.vars.set("original_caller_id_number", c.profile.callerNumber)
}

// leaveForBridge ends what the leg is doing; its socket still has its ear.
func (c *channel) leaveForBridge() {
	if c.down() || c.next != stateHibernate {
		return
	}
	c.actions = nil
	c.leavePark()
	c.unwind()
}

// leavePark ends a park that no application is behind (CS_PARK).
func (c *channel) leavePark() {
	if c.running == statePark && c.controlled {
		c.endPark()
	}
}

// begin bridges the two, unless one has gone or went elsewhere.
func (br *bridge) begin() {
	a, b := br.a, br.b
	if a.next != stateHibernate || b.next != stateHibernate {
		for _, c := range []*channel{a, b} {
			if !c.down() && c.next == stateHibernate {
				c.survive("DESTINATION_OUT_OF_ORDER")
			}
		}
		return
	}
	a.enter(stateSoftExecute)
	b.enter(stateSoftExecute)
	a.vars.remove("uuid_bridge")
	b.vars.set("call_uuid", b.uuid)
	a.fire("CHANNEL_EXECUTE", site{"switch_ivr_bridge.c", "uuid_bridge_on_soft_execute", 1236}, header{"Application", "uuid_bridge"}, header{"Application-Data", b.uuid})
	b.fire("CHANNEL_EXECUTE", site{"switch_ivr_bridge.c", "uuid_bridge_on_soft_execute", 1243}, header{"Application", "uuid_bridge"}, header{"Application-Data", a.uuid})
	now := a.sw.now()
	a.profile.bridged, b.profile.bridged = now, now
	a.bridge, b.bridge = br, br
	br.fire("CHANNEL_BRIDGE", siteBridge)
	a.bridgedTo(b)
	b.bridgedTo(a)
	b.vars.set("call_uuid", a.uuid)
	b.enter(stateExchangeMedia)
	a.party.hear(Sound{Kind: "bridge", What: b.party.number, From: now})
	b.party.hear(Sound{Kind: "bridge", What: a.party.number, From: now})
	a.pumpSoon()
	b.pumpSoon()
}

func (br *bridge) fire(name string, at site) {
	br.a.sw.fire(&event{name: name, site: at, channel: br.a,
		before: []header{{"Bridge-A-Unique-ID", br.a.uuid}, {"Bridge-B-Unique-ID", br.b.uuid}}})
}

// bridgedTo sets what a leg is told about its partner.
func (c *channel) bridgedTo(partner *channel) {
	c.vars.set("bridge_to", partner.uuid)
	c.vars.set("last_bridge_to", partner.uuid)
	c.bond(partner)
	name, number := c.profile.calleeName, c.profile.calleeNumber
	if partner == c.bridge.a {
		name, number = c.profile.callerName, c.profile.callerNumber
	}
	c.vars.set("last_sent_callee_id_name", orElse(name, number))
	c.vars.set("last_sent_callee_id_number", number)
}

// partner returns the other of the two.
func (br *bridge) partner(c *channel) *channel {
	if c == br.a {
		return br.b
	}
	return br.a
}

// end takes both legs out of the bridge and tells of it.
func (br *bridge) end() bool {
	if br.a.bridge != br {
		return false
	}
	for _, c := range []*channel{br.a, br.b} {
		c.bridge = nil
		c.vars.remove("bridge_to")
		for i := range c.party.heard {
			if s := &c.party.heard[i]; s.Kind == "bridge" && s.To.IsZero() {
				c.party.stopHearing(i, true)
			}
		}
	}
	br.b.vars.set("call_uuid", br.b.uuid)
	return true
}

var siteUnbridge = site{"switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1879}

// partnerGone ends the bridge because one of the two was hung up.
func (br *bridge) partnerGone(gone *channel) {
	if !br.end() {
		return
	}
	left := br.partner(gone)
	if left == br.a {
		left.vars.set("last_bridge_hangup_cause", gone.cause)
		left.vars.set("bridge_hangup_cause", gone.cause)
	}
	left.unwind()
	br.fire("CHANNEL_UNBRIDGE", siteUnbridge)
	left.survive("NORMAL_CLEARING")
}

// split ends the bridge because one of the two is taken elsewhere; the other
// is left to itself, unless it is taken along.
func (br *bridge) split(taken *channel) {
	if !br.end() {
		return
	}
	br.fire("CHANNEL_UNBRIDGE", siteUnbridge)
	left := br.partner(taken)
	if !left.down() && left.next != stateRouting && left.next != stateHibernate {
		left.survive("NORMAL_CLEARING")
	}
}

// survive is what becomes of a leg whose partner has gone: it is parked,
// transferred or hung up, as its variables say.
func (c *channel) survive(cause string) {
	if c.down() {
		return
	}
	if isTrue(c.vars.get("park_after_bridge")) {
		c.enter(statePark)
		c.beginPark()
		return
	}
	if target := c.vars.get("transfer_after_bridge"); target != "" {
		c.transfer(target, "", "")
		return
	}
	c.hangUp(cause, local)
}
