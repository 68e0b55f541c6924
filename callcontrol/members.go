package callcontrol

import (
	"context"
	"fmt"
	"path"

	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// The tones that are played where a document says no more than entertone='true'.
const (
	enterTone = "tone_stream://%(120,40,440);%(120,0,587)"
	exitTone  = "tone_stream://%(120,40,587);%(120,0,440)"
)

// membership is how the leg is in the room.
func (p place) membership(l *leg) freeswitch.Membership {
	if p.pair != nil {
		return freeswitch.Membership{}
	}
	role := p.role(l)
	return freeswitch.Membership{
		Moderator: role.Moderator, EndsRoom: role.EndsRoom && !l.control.controller.nodes.Cascade(), WaitsForModerator: role.WaitsForModerator, Muted: role.Muted, Deaf: role.Deaf,
	}
}

// role is what the leg is in its conference.
func (p place) role(l *leg) conference.Role {
	if p.settings == nil {
		p.settings = &conference.Settings{}
	}
	entry := p.order.entry
	entry.Mute, entry.Deaf = p.order.mutes(l.id), p.order.deafens(l.id)
	moderator, _ := p.settings.Admit(entry) // who is not admitted was told so before
	return p.settings.Role(entry, moderator)
}

// welcome does what the conference's settings and the join ask for once a leg is
// a member, the size-th one.
func (c *control) welcome(l *leg) {
	room, o, p, size := freeswitch.Room(l.place.room), l.place.order, l.presence(), l.place.headcount
	if size == 1 {
		c.furnish(p)
	}
	if p.own().WaitForModerator {
		c.waitForModerator(l)
	}
	l.setVolume(o.entry)
	if l.takePresence() == nil { // else it was heard there before
		p.begins(c)
	}
	if p.own().AnnounceCount {
		l.send(room.SayTo(l.place.member, headcount(size-1)), nil)
	}
}

func headcount(others int) string {
	switch others {
	case 0:
		return "You are the first in this conference."
	case 1:
		return "There is one other person in this conference."
	}
	return fmt.Sprintf("There are %d other people in this conference.", others)
}

// furnish makes a room what its settings say, when the first is there.
func (c *control) furnish(p *presence) {
	room, s := freeswitch.Room(p.room), p.own()
	if s.Music != "" {
		c.withSound(p.order.Base, s.Music, func(file string) { c.sendTo(p.machine, room.Music(file)) })
	}
	for _, cmd := range c.roomChanges(p.room, s, conference.Settings{}) {
		c.sendTo(p.machine, cmd)
	}
}

// roomChanges are the commands for what may change while a room is there, which was as
// other settings say.
func (c *control) roomChanges(room string, s, was conference.Settings) (commands []esl.Command) {
	if s.Locked != nil {
		commands = append(commands, freeswitch.Room(room).Lock(*s.Locked))
	}
	if err := c.mayRecord(s); err != nil {
		c.log().Warn("a conference is not recorded", "room", room, "error", err)
	} else if s.Record != nil && !*s.Record {
		commands = append(commands, freeswitch.Room(room).EndRecordings())
	} else if s.Record != nil && (was.Record == nil || !*was.Record) {
		commands = append(commands, freeswitch.Room(room).Record(c.newRecording(room)))
	}
	return commands
}

// mayRecord tells why a conference that is to be recorded cannot be.
func (c *control) mayRecord(s conference.Settings) error {
	if s.Record == nil || !*s.Record {
		return nil
	}
	return c.controller.options.Dialogs.CheckRecordings()
}

// newRecording names a recording of a conference, each time another one, since FreeSWITCH
// writes over what is there. It makes the directory (conference_record_thread_run).
func (c *control) newRecording(room string) string {
	return c.controller.recordingOfRoom(room)
}

func (c *Controller) recordingOfRoom(room string) string {
	return path.Join(c.options.Recordings, room+"-"+c.newID()[:8]+".wav")
}

// changeRoom locks or unlocks a conference that is there already, and begins or
// ends its recording, as the hints of a later <createconference> say.
func (c *control) changeRoom(held conference.Conference, s conference.Settings) {
	for _, cmd := range c.roomChanges(held.Room, s, held.Settings) {
		if !c.sendTo(held.Node, cmd) {
			c.log().Warn("conference not changed: there is no link to its FreeSWITCH", "conference", held.ID, "freeswitch", held.Node)
		}
	}
}

// sendTo gives a command to a FreeSWITCH, by a leg's socket or a node's link.
func (c *control) sendTo(machine string, cmd esl.Command) bool {
	for _, l := range byKey(c.legs) {
		if l.machine == machine && l.conn != nil && !l.isGone() {
			l.send(cmd, nil)
			return true
		}
	}
	if node := c.controller.nodes.On(machine); node != nil {
		node.Send(cmd, nil)
		return true
	}
	return false
}

// setVolume sets a member's volumes, if its join names them.
func (l *leg) setVolume(e conference.Entry) {
	for _, cmd := range volumes(freeswitch.Room(l.place.room), l.place.member, e) {
		l.send(cmd, nil)
	}
}

// volumes are the commands for the volumes that a join names.
func volumes(room freeswitch.Room, member string, e conference.Entry) (commands []esl.Command) {
	if e.VolumeIn != nil {
		commands = append(commands, room.VolumeIn(member, int(*e.VolumeIn)))
	}
	if e.VolumeOut != nil {
		commands = append(commands, room.VolumeOut(member, int(*e.VolumeOut)))
	}
	return commands
}

// withSound finds what FreeSWITCH plays for a source, which may have to be fetched,
// and goes on with it in the session's goroutine.
func (c *control) withSound(base, source string, then func(file string)) {
	c.soundRequest(source, func(ctx context.Context) {
		file, err := c.controller.options.Dialogs.Sound(ctx, source, base)
		c.session.Do(func() {
			if err != nil {
				c.log().Warn("sound for a conference cannot be had", "source", source, "error", err)
				return
			}
			then(file)
		})
	})
}

// soundRequest has a sound found, among what the session fetches.
func (c *control) soundRequest(source string, f func(context.Context)) {
	if !c.fetches.addAlone(c.controller, f) {
		c.log().Warn("sound for a conference cannot be had: too much is being fetched already", "source", source)
	}
}

// happens takes what happens to a member in its room: how others than its session
// changed it, and, if its join asks for events, when it talks and has the floor. A
// session that hears of all members has that from the link.
func (l *leg) happens(e freeswitch.RoomEvent) {
	if l.place.kind != inConference || e.Member != l.place.member {
		return
	}
	wanted := l.place.order.entry.Events && l.place.pair == nil && l.control.rosters[l.place.partner] == nil
	switch e.Action {
	case freeswitch.MuteMember, freeswitch.UnmuteMember:
		l.place.muted = e.Action == freeswitch.MuteMember
	case freeswitch.DeafMember, freeswitch.UndeafMember:
		l.place.deaf = e.Action == freeswitch.DeafMember
	case freeswitch.StartTalking, freeswitch.StopTalking:
		if wanted {
			l.control.talkingChanged(l.place.partner, l.id, e.Action == freeswitch.StartTalking)
		}
	case freeswitch.FloorChange:
		if wanted {
			l.control.floorChanged(l.place.partner, l.id)
		}
	}
}
