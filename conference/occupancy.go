package conference

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
type Occupancy struct {
	rooms map[string]map[string]presence // by Conference-Unique-ID, then by leg
}

type presence struct {
	times  int    // a member how many times over
	member string // id
}

// Apply takes in an event of this node.
func (o *Occupancy) Apply(m Maintenance) Change {
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

func (o *Occupancy) add(m Maintenance) Change {
	if m.Channel == "" {
		return Unchanged
	}
	if o.rooms == nil {
		o.rooms = make(map[string]map[string]presence)
	}
	legs := o.rooms[m.Created]
	if legs == nil {
		legs = make(map[string]presence)
		o.rooms[m.Created] = legs
	}
	p := legs[m.Channel]
	legs[m.Channel] = presence{times: p.times + 1, member: m.Member}
	if p.times > 0 {
		return Unchanged
	}
	return Entered
}

func (o *Occupancy) remove(m Maintenance) Change {
	legs := o.rooms[m.Created]
	p, ok := legs[m.Channel]
	switch {
	case !ok:
		return Unchanged
	case p.times > 1:
		p.times--
		legs[m.Channel] = p
		return Unchanged
	}
	delete(legs, m.Channel)
	if len(legs) == 0 {
		delete(o.rooms, m.Created)
	}
	return Left
}

// Member returns the member id of a leg in a room, for commands about it.
func (o *Occupancy) Member(uniqueID, channel string) (id string, ok bool) {
	p, ok := o.rooms[uniqueID][channel]
	return p.member, ok
}
