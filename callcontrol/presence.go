package callcontrol

import (
	"cmp"
	"context"

	"ccxmld/conference"
	"ccxmld/freeswitch"
)

// presence is a connection in a room, as those who are there notice it: a sound
// tells that it begins, and another that it ends (JOIN-3). It goes on when a member
// turns to hear somebody else and is heard by a stand-in from then on, or the other
// way round; no sound tells of that.
type presence struct {
	room, machine string // FreeSWITCH's names of the conference and, where the conference is, of itself
	order         *order // the join, which may name the sounds
	settings      *conference.Settings
}

// presence is that of a member.
func (l *leg) presence() *presence {
	if l.place.kind != inConference || l.place.pair != nil {
		return nil
	}
	return &presence{room: l.place.room, machine: l.place.home, order: l.place.order, settings: l.place.settings}
}

// begins plays the enter sound.
func (p *presence) begins(c *control) { p.play(c, p.order.EnterTone, enterTone, p.own().EnterSound) }

// ends plays the exit sound to those who stay; nil is nobody's.
func (p *presence) ends(c *control) {
	if p != nil {
		p.play(c, p.order.ExitTone, exitTone, p.own().ExitSound)
	}
}

// own are the settings of the conference.
func (p *presence) own() conference.Settings {
	if p.settings == nil {
		return conference.Settings{}
	}
	return *p.settings
}

// play plays a tone that the join asks for, or else the conference's own.
func (p *presence) play(c *control, asked, usual, own string) {
	source := cmp.Or(asked, own)
	if source == "true" {
		source = usual
	}
	if source == "" {
		return
	}
	room, machine, base := freeswitch.Room(p.room), p.machine, p.order.Base
	// The leg and its session may be gone by then: those who stay hear it.
	c.soundRequest(source, func(ctx context.Context) {
		file, err := c.controller.options.Dialogs.Sound(ctx, source, base)
		node := c.controller.nodes.On(machine)
		switch {
		case err != nil:
			c.log().Warn("sound for a conference cannot be had", "source", source, "error", err)
		case node != nil:
			node.Send(room.Play(file), nil)
		case !c.session.Do(func() { c.sendTo(machine, room.Play(file)) }):
			c.log().Warn("tone not played: there is no link to the conference's FreeSWITCH", "room", p.room)
		}
	})
}

// keepPresence has the connection be there still while it is in the room no more, and
// not yet again in another way.
func (l *leg) keepPresence(p *presence) {
	if p != nil {
		l.present = p
	}
}

// takePresence is what keepPresence has kept, nil for nothing.
func (l *leg) takePresence() *presence {
	p := l.present
	l.present = nil
	return p
}
