package callcontrol

import (
	"ccxmld/freeswitch"
)

// roomsData is what a session has to do with conferences beside its legs.
type roomsData struct {
	Couplings []couplingData `json:"couplings,omitempty"`
	Rosters   []rosterData   `json:"rosters,omitempty"`
}

// couplingData is the join of two conferences.
type couplingData struct {
	ID      string `json:"id"` // the call's
	ID1     string `json:"id1"`
	ID2     string `json:"id2"`
	Node    string `json:"node"`
	Pending bool   `json:"pending,omitempty"` // FreeSWITCH has not said whether it has it
}

// rosterData is who is in a conference, as the document was told.
type rosterData struct {
	Conference string                 `json:"conference"`
	Room       string                 `json:"room"`
	Members    map[string]presentData `json:"members,omitempty"`
}

type presentData struct {
	Node string `json:"node"`
	ID   string `json:"id"`
}

// rooms writes down what the session has to do with conferences.
func (c *control) rooms() (d roomsData) {
	for _, s := range c.couplings {
		d.Couplings = append(d.Couplings, couplingData{s.id, s.id1, s.id2, s.node.Name(), s.pending != nil})
	}
	for _, r := range byKey(c.rosters) {
		written := rosterData{Conference: r.conference, Room: r.room, Members: make(map[string]presentData, len(r.members))}
		for connection, m := range r.members {
			written.Members[connection] = presentData{m.node.Name(), m.id}
		}
		d.Rosters = append(d.Rosters, written)
	}
	return d
}

// resumeRooms takes up what the session had to do with conferences.
func (c *control) resumeRooms(d roomsData) {
	nodes := c.controller.nodes
	for _, written := range d.Couplings {
		c.resumeCoupling(written, nodes.Named(written.Node))
	}
	for _, written := range d.Rosters {
		r := &roster{conference: written.Conference, room: written.Room, members: make(map[string]present, len(written.Members))}
		for connection, m := range written.Members {
			if node := nodes.Named(m.Node); node != nil {
				r.members[connection] = present{node, m.ID}
			}
		}
		if c.rosters == nil {
			c.rosters = make(map[string]*roster, 1)
		}
		c.rosters[r.conference] = r
		c.controller.audiences.add(c, r)
	}
}

func (c *control) resumeCoupling(d couplingData, node *freeswitch.Node) {
	const reason = "the controller was lost while the join was made"
	switch {
	case d.Pending:
		if node != nil {
			node.Kill(d.ID, "NORMAL_CLEARING")
		}
		c.queueJoinError("error.conference.join", d.ID1, d.ID2, reason)
	case node == nil:
		c.queueUnjoined(d.ID1, d.ID2, "")
	default:
		s := &coupling{control: c, id: d.ID, id1: d.ID1, id2: d.ID2, node: node}
		c.couplings = append(c.couplings, s)
		c.controller.addCoupling(s)
		node.Follow(s.id)
		if node.Up() { // else lookForCouplings does
			node.Exists(s.id, func(there bool) {
				if !there {
					c.controller.couplingHungUp(s.id, "while its controller was gone")
				}
			})
		}
	}
}
