package switchsim

import (
	"slices"
	"strconv"
	"strings"
)

// conferenceApplication is conference: "name@profile+flags{mute|deaf}".
type conferenceApplication struct {
	m      *member
	kicked bool
	begin  *appointment
}

// settling is how long a new conference takes before its first member is in,
// in ticks.
const settling = 10

func (a *conferenceApplication) start(f *frame) {
	c, sw := f.c, f.c.sw
	name, profile, flags := parseConference(f.data)
	if name == "" {
		f.finish()
		return
	}
	room := sw.rooms[name]
	wait := room == nil || len(room.members) == 0
	if room == nil {
		room = sw.newConference(name, profile)
		room.waits = slices.Contains(flags, "wait-mod") // which only the first one decides
	}
	if room.locked && c.party != nil && !c.vouched(room) {
		f.finish()
		return
	}
	c.acknowledge()
	c.readCodec = codecMixed
	m := &member{room: room, c: c, frame: f, hears: true, speaks: true, id: c.memberID()}
	m.setFlags(flags)
	a.m = m
	if wait && sw.options.Tick > 0 {
		a.begin = sw.agenda.after(sw.ticks(settling), func() { a.begin = nil; room.add(m) })
		return
	}
	room.add(m)
}

func (m *member) setFlags(flags []string) {
	for _, flag := range flags {
		switch flag {
		case "mute":
			m.speaks = false
		case "deaf":
			m.hears = false
		case "moderator":
			m.moderator = true
		case "endconf":
			m.endsRoom = true
		case "mandatory_member_endconf":
			m.mandatory = true
		case "blind":
			m.blind = true
		case "vmute":
			m.unseen = true
		}
	}
}

// vouched tells whether a locked conference lets the leg in: the recordings
// show that it lets in one that was dialled into it.
func (c *channel) vouched(room *conference) bool { return !c.inbound || c.isIn(room) }

func (c *channel) isIn(room *conference) bool {
	return slices.ContainsFunc(c.members, func(m *member) bool { return m.room == room })
}

func parseConference(data string) (name, profile string, flags []string) {
	name, _, _ = strings.Cut(data, "+")
	if i := strings.Index(data, "+flags{"); i >= 0 {
		inside, _, _ := strings.Cut(data[i+len("+flags{"):], "}")
		flags = strings.FieldsFunc(inside, func(r rune) bool { return r == '|' || r == ',' })
		name, _, _ = strings.Cut(data[:i], "+")
	}
	name, profile, found := strings.Cut(name, "@")
	if !found {
		profile = "default"
	}
	return name, profile, flags
}

// memberID returns the leg's id in conferences. The node counts them, and a leg
// keeps its own.
func (c *channel) memberID() int {
	if id, err := strconv.Atoi(c.vars.get("conference_member_id")); err == nil {
		return id
	}
	for _, m := range c.members {
		return m.id
	}
	c.sw.memberIDs++
	return c.sw.memberIDs
}

func (a *conferenceApplication) pause(*frame) {}

// resume leaves at last, if the leg was kicked while something nested ran.
func (a *conferenceApplication) resume(f *frame) {
	if a.kicked {
		a.leave(f)
		f.finish()
	}
}

func (a *conferenceApplication) abort(f *frame) { a.leave(f) }

// leave takes the member out.
func (a *conferenceApplication) leave(f *frame) {
	f.c.sw.agenda.cancel(a.begin)
	if a.m != nil {
		a.m.room.remove(a.m)
		a.m = nil
	}
}

// out ends a member's stay, from the conference's side.
func (m *member) out() {
	m.c.atTick(func() {
		if m.c.near != nil {
			m.c.near.hangUp("NORMAL_CLEARING", remote)
			return
		}
		a, ok := m.frame.app.(*conferenceApplication)
		if !ok || a.m != m {
			return
		}
		if m.c.top() != m.frame {
			a.kicked = true
			return
		}
		a.leave(m.frame)
		m.frame.finish()
	})
}
