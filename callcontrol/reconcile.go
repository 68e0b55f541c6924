package callcontrol

import (
	"context"
	"errors"
	"time"

	"ccxmld/conference"
	"ccxmld/freeswitch"
)

// reconcile compares, one after the other, the conferences in which we have members
// with the rooms on a node whose link has come up again. Who is not in the room is
// no member; that is mended in the registry, and the session that has the
// connection hears of it.
func (c *Controller) reconcile(n *freeswitch.Node, held []conference.Conference) {
	if len(held) == 0 {
		return
	}
	settled := c.options.Store.Now().Add(-joinTimeout) // who joined later may be on the way
	n.Ask(freeswitch.Room(held[0].Room).List(), func(result string, err error) {
		lost := errors.Is(err, freeswitch.ErrJobLost)
		if err != nil && !lost { // it is down; it will be tried again when it comes up
			return
		}
		var roster freeswitch.Roster
		if !lost {
			roster, err = freeswitch.ParseRoster(result)
		}
		switch {
		case lost:
			n.Log().Error("conference not compared with its room", "conference", held[0].ID, "error", err)
		case errors.Is(err, freeswitch.ErrNoRoom):
			roster.Room = held[0].Room
		case err != nil:
			n.Log().Warn("roster of a conference not understood", "conference", held[0].ID, "error", err)
		}
		if !c.background(func(ctx context.Context) { // one after the other
			if roster.Room != "" {
				c.mend(ctx, held[0].ID, n.Machine(), roster, settled)
			}
			c.reconcile(n, held[1:])
		}) {
			n.Log().Error("conferences not compared with their rooms: too much is under way already", "conferences", len(held))
		}
	})
}

// mend reconciles the registry with the roster of a conference's room on a machine.
func (c *Controller) mend(ctx context.Context, id, machine string, roster freeswitch.Roster, settled time.Time) {
	gone, unneeded, err := c.options.Conferences.Reconcile(ctx, id, machine, roster.Room, roster.Channels(), settled)
	if err != nil && !errors.Is(err, conference.ErrNotFound) {
		c.log.Warn("conference not compared with its room", "conference", id, "error", err)
	}
	c.endCascade(unneeded)
	for _, m := range gone {
		c.log.Warn("connection was registered in a conference and not in its room", "conference", id, "connection", m.Connection)
		if l := c.findLeg(m.Connection); l != nil {
			l.route.do(func() {
				if l.place.kind == inConference && l.place.partner == id && !l.moving() {
					l.left()
					l.nextMove()
				}
			})
		}
	}
}
