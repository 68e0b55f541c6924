package callcontrol

import (
	"context"

	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// A room begins when its first moderator comes, of which FreeSWITCH tells no other room.
// Where a conference has members on several nodes, a moderator's coming begins the rooms on
// all of them: a call that stands aside there for a moment, as a moderator.

// moderatorCame begins the rooms of a conference on other machines than that of a moderator
// who has come. It runs in the registry's goroutine.
func (c *Controller) moderatorCame(ctx context.Context, held conference.Conference, machine string) {
	if !c.nodes.Cascade() {
		return
	}
	elsewhere, err := c.options.Conferences.Elsewhere(ctx, held.ID)
	if err != nil {
		c.log.Warn("members on other nodes may still wait for the moderator", "conference", held.ID, "error", err)
	}
	for _, other := range append(elsewhere, held.Node) {
		if other != machine {
			c.beginRoom(other, held.Room)
		}
	}
}

// beginRoom lets those in a room wait for no moderator any more.
func (c *Controller) beginRoom(machine, room string) {
	node := c.nodes.On(machine)
	if node == nil {
		return
	}
	moderator := freeswitch.Membership{Aside: true, Moderator: true, Muted: true, Deaf: true}
	node.Originate(esl.Originate{
		Timeout: standInTimeout, Dial: freeswitch.Room(room).Dial(c.options.Profile, moderator),
		Apps: freeswitch.ForAMoment(), Vars: freeswitch.LoopbackVariables(c.options.ID),
	}, func(result string, err error) {
		if err != nil {
			c.log.Warn("members may still wait for the moderator", "room", room, "freeswitch", machine, "error", err)
		}
	})
}

// waitForModerator sees to it that a member who waits for a moderator hears music, and does
// not wait for one who has come on another node at the same moment.
func (c *control) waitForModerator(l *leg) {
	id, room, machine, music := l.place.partner, l.place.room, l.machine, l.presence().own().Music
	if music != "" && machine != l.place.home { // else the first member has seen to that
		c.withSound(l.place.order.Base, music, func(file string) { c.sendTo(machine, freeswitch.Room(room).Music(file)) })
	}
	if !c.controller.nodes.Cascade() {
		return
	}
	c.registry.add(c.controller, func(ctx context.Context) {
		held, err := c.controller.options.Conferences.Get(ctx, id)
		if err == nil && held.Room == room && held.Moderated {
			c.controller.beginRoom(machine, room)
		}
	})
}
