package callcontrol

import (
	"context"

	"ccxmld/conference"
	"ccxmld/freeswitch"
)

// hearsOnly tells whether a connection listens to the conference and is not heard
// there; speaksOnly, whether it is the other way round.
func (o *order) hearsOnly(id string) bool  { return o.Half && o.ID1 == id }
func (o *order) speaksOnly(id string) bool { return o.Half && o.ID1 != id }

// mutes tells whether a connection is not heard, deafens whether it does not hear:
// by the direction of the join, or by its hints.
func (o *order) mutes(id string) bool   { return o.hearsOnly(id) || o.entry.Mute }
func (o *order) deafens(id string) bool { return o.speaksOnly(id) || o.entry.Deaf }

// joinAgain changes how a member is in its conference. Who begins to talk, or to
// listen only, needs a place of that kind.
func (c *control) joinAgain(l *leg, id string, o *order) {
	if o.hearsOnly(l.id) == l.place.order.hearsOnly(l.id) {
		l.changeMembership(o)
		o.made(c)
		return
	}
	m := c.member(l.id, l.machine, o)
	m.Reaches = true // it is there
	inOrder(c, func(ctx context.Context) (int, error) {
		return c.controller.options.Conferences.Join(ctx, id, m)
	}, func(_ int, err error) {
		switch {
		case err != nil:
			o.fail(c, err.Error())
		case c.legs[l.id] != l || l.place.kind != inConference || l.place.partner != id:
			o.fail(c, "the connection has left the conference meanwhile")
		default:
			l.changeMembership(o)
			o.made(c)
		}
	}, nil)
}

// member is a connection of the session's as the registry knows it.
func (c *control) member(connection, machine string, o *order) conference.Member {
	return conference.Member{
		Connection: connection, Session: c.record.ID, Controller: c.controller.options.ID, Node: machine,
		Listens: o.hearsOnly(connection), Joined: c.controller.options.Store.Now(),
	}
}

// changeMembership lets a member speak and hear as a new join of it says (JOIN-11).
// How it is now, FreeSWITCH has told: others than its own session may have changed
// that.
func (l *leg) changeMembership(o *order) {
	l.place.order, l.place.silent = o, false
	room := freeswitch.Room(l.place.room)
	if mute := o.mutes(l.id); mute != l.place.muted {
		l.send(room.SetMuted(l.place.member, mute), nil)
	}
	if deaf := o.deafens(l.id); deaf != l.place.deaf {
		l.send(room.SetDeaf(l.place.member, deaf), nil)
	}
	l.place.muted, l.place.deaf = o.mutes(l.id), o.deafens(l.id)
	l.setVolume(o.entry)
}
