package switchsim

import (
	"slices"
	"strings"
)

// enterFar takes the other half of a loopback call that goes straight into a
// conference (app=conference:…) there. It is a channel of its own, which nobody
// controls and of which only the conference tells.
func (c *channel) enterFar() {
	argument, ok := strings.CutPrefix(c.party.number, "app=conference:")
	if !ok {
		return
	}
	name, profile, flags := parseConference(strings.ReplaceAll(argument, `\|`, "|"))
	room := c.sw.rooms[name]
	if room == nil {
		room = c.sw.newConference(name, profile)
		room.waits = slices.Contains(flags, "wait-mod")
	}
	far := &channel{sw: c.sw, uuid: c.sw.newUUID(), name: "loopback/conference-b", inbound: true, callState: "ACTIVE", running: stateExecute,
		next: stateExecute, answered: true, media: true, acked: true, profile: c.profile, near: c}
	far.party = &Party{sw: c.sw, leg: far, uuid: far.uuid}
	m := &member{room: room, c: far, hears: true, speaks: true, id: far.memberID()}
	m.setFlags(flags)
	c.far = far
	room.add(m)
}

// leaveFar takes the other half out, when the call has ended.
func (c *channel) leaveFar() {
	if c.far == nil {
		return
	}
	for _, m := range append([]*member(nil), c.far.members...) {
		m.room.remove(m)
	}
	c.far = nil
}

// relays gives the number of the party that the near half of a call listens to,
// whose voice the other half brings into its conference; "" for none.
func (c *channel) relays() string {
	if f := c.top(); f != nil {
		if e, ok := f.app.(*eavesdrop); ok && e.target != nil {
			return e.target.party.number
		}
	}
	return ""
}
