package switchsim

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Reach lets calls to a SIP address, HOST:PORT as it stands in dial strings, come to
// another switch: into its dialplan for calls between nodes (conf/freeswitch). The
// two are not to be closed while calls are on their way.
func (sw *Switch) Reach(address string, other *Switch) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	if sw.peers == nil {
		sw.peers = make(map[string]*Switch)
	}
	sw.peers[address] = other
}

// toPeer is what a call to another switch meets.
type toPeer struct{ other *Switch }

func (b toPeer) behave(o *outgoing) {
	c := o.c
	c.sw.begin(func() {
		if !b.other.invited(c) {
			c.sw.lock()
			defer c.sw.unlock()
			if !c.down() {
				o.unreachable()
			}
		}
	})
}

// invited takes a call from a leg of another switch, which waits to be answered. It
// reports false if the switch is not there.
func (sw *Switch) invited(from *channel) bool {
	from.sw.lock()
	gone := from.down()
	secret, number := from.vars.get("sip_h_"+cascadeHeader), from.party.number
	from.sw.unlock()
	sw.lock()
	defer sw.unlock()
	switch {
	case sw.closed || sw.options.Unreachable != nil && sw.options.Unreachable():
		return false
	case gone:
		return true
	}
	c := sw.newChannel("", "sofia/ccxmld/0000000000@127.0.0.1", "0000000000")
	c.inbound = true
	c.placeholder = sw.newPlaceholders("0000000000", "", number, "127.0.0.1:5090")
	now := sw.now()
	c.profile = &profile{
		direction: "inbound", logical: "inbound", username: "0000000000", dialplan: "XML", callerNumber: "0000000000", origNumber: "0000000000",
		networkAddr: "127.0.0.1", ani: "0000000000", destination: number, uniqueID: c.uuid, source: "mod_sofia",
		context: "ccxmld", channelName: c.name, index: 1, created: now, channelCreated: now,
	}
	c.apply(inboundCreate)
	c.vars.set("sip_h_"+cascadeHeader, secret)
	c.actions, c.matched = sw.cascadeDialplan(secret), true
	c.peer = from
	sw.begin(func() { from.becomePeer(c) })
	sw.soon(c.arrive)
	return true
}

// becomePeer notes which leg of another switch the leg's call has come to.
func (c *channel) becomePeer(other *channel) {
	c.sw.lock()
	defer c.sw.unlock()
	c.peer = other
	if c.down() { // it was cancelled meanwhile
		c.peerEnded()
	}
}

// The dialplan of conf/freeswitch/dialplan/ccxmld.xml.
const (
	cascadeHeader = "X-ccxmld-cascade"
	cascadeGlobal = "ccxmld_cascade_"
)

var (
	cascadeSecret = regexp.MustCompile(`^[0-9a-f]{32}$`)
	cascadeRoom   = regexp.MustCompile(`^(ccxmld-[\w-]+@[\w.-]+\+flags\{[\w|-]+\})$`)
)

func (sw *Switch) cascadeDialplan(secret string) []Action {
	room := sw.apiGlobal(cascadeGlobal + secret)
	if !cascadeSecret.MatchString(secret) || !cascadeRoom.MatchString(room) {
		return []Action{{"respond", "403"}}
	}
	sw.apiSetGlobal(cascadeGlobal + secret + "=")
	return []Action{
		{"set", "conference_enforce_security=false"}, {"answer", ""},
		{"conference", room}, {"hangup", "NORMAL_CLEARING"},
	}
}

// apiSetGlobal is global_setvar: an empty value takes the variable away.
func (sw *Switch) apiSetGlobal(assignment string) string {
	name, value, _ := strings.Cut(assignment, "=")
	if sw.globals == nil {
		sw.globals = make(map[string]string)
	}
	if sw.globals[name] = value; value == "" {
		delete(sw.globals, name)
	}
	return "+OK"
}

// peerAnswered tells the caller's switch that the leg is answered.
func (c *channel) peerAnswered() {
	if p := c.peer; p != nil && c.inbound {
		c.sw.begin(func() {
			p.sw.lock()
			defer p.sw.unlock()
			if !p.down() && !p.answered {
				p.party.outgoing.answer(0)
			}
		})
	}
}

// peerEnded tells the other switch that the leg has ended.
func (c *channel) peerEnded() {
	p := c.peer
	if p == nil {
		return
	}
	c.peer = nil
	refused, cause := c.party.sipStatus, c.cause
	c.sw.begin(func() {
		p.sw.lock()
		defer p.sw.unlock()
		switch {
		case p.sw.closed || p.down():
		case !p.inbound && !p.answered && refused != 0:
			p.party.outgoing.refuse(refused, "")
		case !p.inbound && !p.answered:
			p.party.outgoing.refuse(480, cause)
		default:
			p.partyLeft()
		}
	})
}

// peersGone lets the other switches notice that this one is no more: by no BYE, but by
// the audio that ends.
func (sw *Switch) peersGone() {
	for _, c := range sw.channels {
		p := c.peer
		if p == nil {
			continue
		}
		c.peer = nil
		sw.begin(func() {
			p.sw.lock()
			defer p.sw.unlock()
			if !p.sw.closed && !p.down() {
				p.silenced()
			}
		})
	}
}

// silenced is what becomes of a leg whose far end sends no audio any more.
func (c *channel) silenced() {
	if ms, _ := strconv.Atoi(c.vars.get("media_timeout")); ms > 0 {
		c.sw.agenda.after(time.Duration(ms)*time.Millisecond, func() { c.hangUp("MEDIA_TIMEOUT", local) })
	}
}

// relayTalk lets rooms on other switches notice whether somebody talks here, beside
// what comes from there.
func (room *conference) relayTalk() {
	for _, m := range room.members {
		p := m.c.peer
		if p == nil {
			continue
		}
		on := false
		for _, other := range room.members {
			on = on || other != m && other.talking && other.speaks && !room.waits
		}
		room.sw.begin(func() {
			p.sw.lock()
			defer p.sw.unlock()
			for _, there := range p.members {
				there.talk(on)
			}
		})
	}
}

// relaySound lets the rooms on other switches hear what plays here, or comes from a member,
// beside that member's own.
func (room *conference) relaySound(s Sound, lasts time.Duration, from *member) {
	for _, m := range room.members {
		p := m.c.peer
		if p == nil || m == from {
			continue
		}
		room.sw.begin(func() {
			p.sw.lock()
			defer p.sw.unlock()
			for _, there := range p.members {
				there.room.hearSound(s, lasts, there)
			}
		})
	}
}

// hearSound lets a room hear what a member brings.
func (room *conference) hearSound(s Sound, lasts time.Duration, from *member) {
	if !from.speaks {
		return
	}
	s.From = room.sw.now()
	for _, m := range room.members {
		if m == from || !m.hears || m.c.peer != nil {
			continue
		}
		place := m.c.party.hear(s)
		if lasts >= 0 {
			room.sw.agenda.after(lasts, func() { m.c.party.stopHearing(place, true) })
		}
	}
	room.relaySound(s, lasts, from)
}
