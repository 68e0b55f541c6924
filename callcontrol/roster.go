package callcontrol

import (
	"errors"
	"fmt"
	"slices"

	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// roster is who is in a conference of which a session hears.
type roster struct {
	conference string             // its id
	room       string             // FreeSWITCH's name of it
	members    map[string]present // by connection
}

// present is a member of a roster, whoever has the connection.
type present struct {
	node *freeswitch.Node
	id   string // in mod_conference
}

var errNoNodes = errors.New("the hint events needs a link to the conference's FreeSWITCH; add it to nodes")

// attend lets the session hear of a conference's members from now on, and of those
// who are there already; with on false, no more.
func (c *control) attend(held conference.Conference, on bool) {
	r := c.rosters[held.ID]
	switch {
	case on == (r != nil):
	case on:
		if c.rosters == nil {
			c.rosters = make(map[string]*roster, 1)
		}
		r = &roster{conference: held.ID, room: held.Room, members: make(map[string]present)}
		c.rosters[held.ID] = r
		c.controller.audiences.add(c, r)
	default:
		c.attendNoMore(held.ID)
	}
}

// attendNoMore ends that the session hears of a conference's members.
func (c *control) attendNoMore(id string) {
	if r := c.rosters[id]; r != nil {
		delete(c.rosters, id)
		c.controller.audiences.remove(c, r)
	}
}

// memberJoined tells the document of a member that it had not heard of.
func (c *control) memberJoined(r *roster, n *freeswitch.Node, connection, member, number string) {
	_, known := r.members[connection]
	r.members[connection] = present{n, member}
	if !known {
		c.queueMember("conference.member.joined", r.conference, connection,
			interpreter.Field{Name: "callerid", Value: number}, interpreter.Field{Name: "members", Value: len(r.members)})
	}
}

// memberLeft tells the document of a member that has gone.
func (c *control) memberLeft(r *roster, connection string) {
	if _, known := r.members[connection]; known {
		delete(r.members, connection)
		c.queueMember("conference.member.left", r.conference, connection, interpreter.Field{Name: "members", Value: len(r.members)})
	}
}

// memberLeftUntold tells the document of members that it had heard of, before its session
// was taken over, and that are on a node no more.
func (c *control) memberLeftUntold(r *roster, n *freeswitch.Node, now freeswitch.Roster) {
	there := now.Channels()
	for connection, m := range byKey(r.members) {
		if m.node == n && !slices.Contains(there, connection) {
			c.memberLeft(r, connection)
		}
	}
}

// talkingChanged tells the document that a member begins to talk, or has stopped.
func (c *control) talkingChanged(id, connection string, talking bool) {
	c.queueMember("conference.talking", id, connection, interpreter.Field{Name: "talking", Value: talking})
}

// floorChanged tells the document which member is the active speaker now, who has
// the floor in mod_conference's words.
func (c *control) floorChanged(id, connection string) {
	c.queueMember("conference.floor", id, connection)
}

func (c *control) queueMember(name, id, connection string, fields ...interpreter.Field) {
	c.session.Queue(&interpreter.Event{
		Name: name, Source: id, SourceType: "conference",
		Fields: append([]interpreter.Field{{Name: "conferenceid", Value: id}, {Name: "connectionid", Value: connection}}, fields...),
	})
}

// hearsOf tells whether a connection is in a conference of which the session hears.
func (c *control) hearsOf(connection string) bool {
	for _, r := range c.rosters {
		if _, ok := r.members[connection]; ok {
			return true
		}
	}
	return false
}

// changeFar is a join of a connection that another controller has with the
// conference that it is in: it changes how it is there (JOIN-11). The command goes
// to the FreeSWITCH where it is a member, past its controller.
func (c *control) changeFar(connection, id string, o *order) {
	m, ok := c.far(connection, id)
	if !ok {
		o.fail(c, fmt.Sprintf("connection %s has ended, or is on another controller and not in conference %s; only its own session can join it", connection, id))
		return
	}
	entry, err := conference.ParseEntry(o.Hints)
	if err != nil {
		o.fail(c, err.Error())
		return
	}
	o.entry = entry
	room := freeswitch.Room(c.rosters[id].room)
	commands := append([]esl.Command{room.SetMuted(m.id, o.mutes(connection)), room.SetDeaf(m.id, o.deafens(connection))}, volumes(room, m.id, entry)...)
	c.moderate(m, commands, func(err error) {
		if err != nil {
			o.fail(c, err.Error())
			return
		}
		o.made(c)
	})
}

// kickFar is an unjoin of a connection that another controller has from the
// conference that it is in. Its own session hears that it was unjoined.
func (c *control) kickFar(m present, room string, r interpreter.UnjoinRequest) {
	c.moderate(m, []esl.Command{freeswitch.Room(room).Kick(m.id)}, func(err error) {
		if err != nil {
			c.queueJoinError("error.conference.unjoin", r.ID1, r.ID2, err.Error())
			return
		}
		c.queueUnjoined(r.ID1, r.ID2, "")
	})
}

// far finds a member of a conference of which the session hears.
func (c *control) far(connection, id string) (m present, ok bool) {
	if r := c.rosters[id]; r != nil {
		m, ok = r.members[connection]
	}
	return m, ok
}

// moderate gives commands about a member to its node, and reports in the session's
// goroutine whether all were obeyed.
func (c *control) moderate(m present, commands []esl.Command, done func(error)) {
	var failed error // belongs to the link's reader goroutine
	for i, cmd := range commands {
		m.node.Send(cmd, func(r *esl.Reply, err error) {
			if err == nil {
				err = r.Err()
			}
			if err != nil && failed == nil {
				failed = err
			}
			if i == len(commands)-1 {
				err := failed
				c.session.Do(func() { done(err) })
			}
		})
	}
}
