package callcontrol

import (
	"slices"
	"strconv"
	"sync"

	"ccxmld/freeswitch"
)

// audiences are the sessions that hear of all members of a conference (the hint
// events of <createconference>), whichever sessions and controllers these belong
// to. The links to the nodes let the events of their rooms through.
type audiences struct {
	mu    sync.Mutex
	rooms map[string][]*listener // by FreeSWITCH's name
}

// listener is a session in the audience of a room.
type listener struct {
	control *control
	roster  *roster
	told    map[*freeswitch.Node]bool // who is there; belongs to audiences
}

// do runs f in the session's goroutine, if it still listens.
func (l *listener) do(f func(c *control, r *roster)) {
	l.control.session.Do(func() {
		if l.control.rosters[l.roster.conference] == l.roster {
			f(l.control, l.roster)
		}
	})
}

// add lets a session hear of a room.
func (a *audiences) add(c *control, r *roster) {
	a.mu.Lock()
	if a.rooms == nil {
		a.rooms = make(map[string][]*listener)
	}
	a.rooms[r.room] = append(a.rooms[r.room], &listener{control: c, roster: r, told: make(map[*freeswitch.Node]bool)})
	a.mu.Unlock()
	c.controller.nodes.Observe(r.room)
}

// remove is the opposite of add.
func (a *audiences) remove(c *control, r *roster) {
	a.mu.Lock()
	before := len(a.rooms[r.room])
	a.rooms[r.room] = slices.DeleteFunc(a.rooms[r.room], func(l *listener) bool { return l.roster == r })
	after := len(a.rooms[r.room])
	if after == 0 {
		delete(a.rooms, r.room)
	}
	a.mu.Unlock()
	if after < before {
		c.controller.nodes.Unobserve(r.room)
	}
}

// of gives a room's audience: those who were told who is there on a node, and
// those who were not, who count as told from now on if tell is set.
func (a *audiences) of(room string, n *freeswitch.Node, tell bool) (told, untold []*listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.rooms[room] {
		if l.told[n] {
			told = append(told, l)
			continue
		}
		untold = append(untold, l)
		l.told[n] = tell
	}
	return told, untold
}

// RoomListed takes who is in a room: who listens for the first time hears of everybody
// who is there, the others of what the events did not tell, as while the link was down.
func (c nodeOwner) RoomListed(n *freeswitch.Node, now freeswitch.Roster, entered []freeswitch.RosterMember, left []string) {
	told, untold := c.audiences.of(now.Room, n, true)
	for _, l := range told {
		for _, leg := range left {
			l.do(func(c *control, r *roster) { c.memberLeft(r, leg) })
		}
		for _, m := range entered {
			l.do(func(c *control, r *roster) { c.memberJoined(r, n, m.Channel, strconv.Itoa(m.ID), m.Number) })
		}
	}
	for _, l := range untold {
		l.do(func(c *control, r *roster) { c.memberLeftUntold(r, n, now) })
		for _, m := range slices.Backward(now.Members) { // who came first stands last
			if m.Aside {
				continue
			}
			l.do(func(c *control, r *roster) {
				c.memberJoined(r, n, m.Channel, strconv.Itoa(m.ID), m.Number)
				if m.Floor {
					c.floorChanged(r.conference, m.Channel)
				}
			})
		}
	}
}

// RoomEvent takes what happens in a room that has an audience. Who was not told yet who
// is there waits for RoomListed.
func (c nodeOwner) RoomEvent(n *freeswitch.Node, m freeswitch.RoomEvent, change freeswitch.Change, there bool) {
	audience, _ := c.audiences.of(m.Room, n, false)
	for _, l := range audience {
		switch {
		case change == freeswitch.Entered:
			l.do(func(c *control, r *roster) { c.memberJoined(r, n, m.Channel, m.Member, m.Number) })
		case change == freeswitch.Left:
			l.do(func(c *control, r *roster) { c.memberLeft(r, m.Channel) })
		case !there:
		case m.Action == freeswitch.StartTalking, m.Action == freeswitch.StopTalking:
			l.do(func(c *control, r *roster) {
				c.talkingChanged(r.conference, m.Channel, m.Action == freeswitch.StartTalking)
			})
		case m.Action == freeswitch.FloorChange:
			l.do(func(c *control, r *roster) { c.floorChanged(r.conference, m.Channel) })
		}
	}
}
