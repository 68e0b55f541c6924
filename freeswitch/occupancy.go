package freeswitch

import (
	"maps"
	"strconv"
)

// Change is what an event means for the membership of a leg.
type Change int

// The changes of a leg's membership. Left and Entered come in turns for each leg
// and room.
const (
	Unchanged Change = iota
	Entered          // the leg is in the room now
	Left             // the leg is no longer in the room
)

// roomDestroyed is the action that ends a room.
const roomDestroyed = "conference-destroy"

// Occupancy knows from a node's events which legs are in which rooms. It is not
// for concurrent use. A leg that executed conference twice is a member twice
// (traces README, 14) and has entered once; rooms are told apart by their unique
// id, since a new one can be created before the old one of the same name is
// destroyed (15).
//
// Those who stand aside are in no room.
type Occupancy struct {
	rooms map[string]*occupied // by Conference-Unique-ID
}

// occupied is a room that somebody is in.
type occupied struct {
	name string
	legs map[string]presence
}

type presence struct {
	times  int    // a member how many times over
	member string // id
}

// Apply takes in an event of this node.
func (o *Occupancy) Apply(m RoomEvent) Change {
	switch m.Action {
	case AddMember:
		return o.add(m)
	case DelMember:
		return o.remove(m)
	case roomDestroyed:
		delete(o.rooms, m.Created)
	}
	return Unchanged
}

func (o *Occupancy) add(m RoomEvent) Change {
	if m.Channel == "" || m.Aside {
		return Unchanged
	}
	room := o.room(m.Created, m.Room)
	p := room.legs[m.Channel]
	room.legs[m.Channel] = presence{times: p.times + 1, member: m.Member}
	if p.times > 0 {
		return Unchanged
	}
	return Entered
}

func (o *Occupancy) room(uniqueID, name string) *occupied {
	if o.rooms == nil {
		o.rooms = make(map[string]*occupied)
	}
	room := o.rooms[uniqueID]
	if room == nil {
		room = &occupied{name: name, legs: make(map[string]presence)}
		o.rooms[uniqueID] = room
	}
	return room
}

func (o *Occupancy) remove(m RoomEvent) Change {
	room := o.rooms[m.Created]
	if room == nil {
		return Unchanged
	}
	p, ok := room.legs[m.Channel]
	switch {
	case !ok:
		return Unchanged
	case p.times > 1:
		p.times--
		room.legs[m.Channel] = p
		return Unchanged
	}
	delete(room.legs, m.Channel)
	if len(room.legs) == 0 {
		delete(o.rooms, m.Created)
	}
	return Left
}

// Reset takes in a roster, which tells of all members of a room of that name, and
// returns who was not known to be there, and which legs are no longer there.
// Without events, as while a link is down, that is how one learns of them.
func (o *Occupancy) Reset(roster Roster) (entered []RosterMember, left []string) {
	before := o.Forget(roster.Room)
	var room *occupied
	for _, m := range roster.Members {
		if m.Aside {
			continue
		}
		if room == nil {
			room = o.room(roster.UniqueID, roster.Room)
		}
		p, twice := room.legs[m.Channel]
		room.legs[m.Channel] = presence{times: p.times + 1, member: strconv.Itoa(m.ID)}
		if !before[m.Channel] && !twice {
			entered = append(entered, m)
		}
	}
	for leg := range before {
		if room == nil || room.legs[leg].times == 0 {
			left = append(left, leg)
		}
	}
	return entered, left
}

// Keep forgets the rooms whose name keep does not want.
func (o *Occupancy) Keep(keep func(name string) bool) {
	maps.DeleteFunc(o.rooms, func(_ string, room *occupied) bool { return !keep(room.name) })
}

// Forget drops what is known of the rooms of this name, and returns which legs
// were in them.
func (o *Occupancy) Forget(name string) (legs map[string]bool) {
	legs = make(map[string]bool)
	for uniqueID, room := range o.rooms {
		if room.name != name {
			continue
		}
		for leg := range room.legs {
			legs[leg] = true
		}
		delete(o.rooms, uniqueID)
	}
	return legs
}

// Has tells whether a leg is in a room.
func (o *Occupancy) Has(uniqueID, channel string) bool {
	_, ok := o.Member(uniqueID, channel)
	return ok
}

// Member returns the member id of a leg in a room, for commands about it.
func (o *Occupancy) Member(uniqueID, channel string) (id string, ok bool) {
	room := o.rooms[uniqueID]
	if room == nil {
		return "", false
	}
	p, ok := room.legs[channel]
	return p.member, ok
}
