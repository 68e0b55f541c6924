package callcontrol

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"ccxmld/clock"
	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/operator"
)

// conferenceOperations are those on conferences. They reach FreeSWITCH over the links to its
// nodes, past the sessions: these hear of what becomes of their members as they do of what
// FreeSWITCH does by itself.
func (c *Controller) conferenceOperations() map[string]Operation {
	return map[string]Operation{
		operator.ShowConference: WithArgument(c.showConference),
		operator.SetConference:  WithArgument(c.setConference),
		operator.Play:           WithArgument(c.playToConference),
		operator.SetMember:      WithArgument(c.setMember),
		operator.KickMember:     WithArgument(c.kickMember),
		operator.EndConference:  WithArgument(c.emptyConference),
	}
}

// conferenceOf finds a conference, and why an operator cannot have it.
func (c *Controller) conferenceOf(ctx context.Context, id string) (conference.Conference, []conference.Member, error) {
	held, err := c.options.Conferences.Get(ctx, id)
	if errors.Is(err, conference.ErrNotFound) {
		return held, nil, operator.Errorf(operator.NotFound, "there is no conference %s", id)
	}
	var members []conference.Member
	if err == nil {
		members, err = c.options.Conferences.Members(ctx, id)
	}
	if err != nil {
		return held, nil, operator.Errorf(operator.Unavailable, "conference %s: %v", id, err)
	}
	return held, members, nil
}

func (c *Controller) showConference(ctx context.Context, r operator.ConferenceRequest) (any, error) {
	held, members, err := c.conferenceOf(ctx, r.Conference)
	if err != nil {
		return nil, err
	}
	d := operator.ConferenceDetail{Conference: operator.ConferenceOf(held.ID, held.Name, held.Node, held.Owner, held.Created, len(members)), Roster: []operator.Member{}}
	d.MaxMembers = held.Limits.MaxMembers
	d.Locked = held.Settings.Locked != nil && *held.Settings.Locked
	d.Recording = held.Settings.Record != nil && *held.Settings.Record
	rooms := make(map[string]freeswitch.Roster)
	for _, m := range members {
		if _, asked := rooms[m.Node]; !asked {
			rooms[m.Node], _ = c.rosterOn(ctx, m.Node, held.Room) // its members are shown as Redis has them then
		}
		d.Roster = append(d.Roster, memberOf(m, rooms[m.Node]))
	}
	return d, nil
}

// memberOf is a member as Redis and FreeSWITCH have it.
func memberOf(m conference.Member, room freeswitch.Roster) operator.Member {
	shown := operator.Member{
		Call: m.Connection, Session: m.Session, Controller: m.Controller, Node: m.Node, Joined: m.Joined.UTC(),
		Moderator: m.Moderator, Hears: true, Heard: !m.Listens,
	}
	for _, there := range room.Members {
		if there.Channel == m.Connection {
			shown.Number, shown.Hears, shown.Heard, shown.Floor = there.Number, there.Hears, there.Speaks, there.Floor
		}
	}
	return shown
}

// rosterOn asks a FreeSWITCH who is in a room.
func (c *Controller) rosterOn(ctx context.Context, machine, room string) (roster freeswitch.Roster, err error) {
	node := c.nodes.On(machine)
	if node == nil {
		return roster, operator.Errorf(operator.Unavailable, "controller %s has no link to the FreeSWITCH %s", c.options.ID, machine)
	}
	answer, err := c.obeyed(ctx, node, freeswitch.Room(room).List())
	if err != nil {
		return roster, err
	}
	return freeswitch.ParseRoster(answer)
}

// obeyed gives a node a command and waits for its answer, for as long as an operator waits.
func (c *Controller) obeyed(ctx context.Context, node *freeswitch.Node, cmd esl.Command) (answer string, err error) {
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, askTimeout)
	defer cancel()
	reply, err := c.replyOf(ctx, node, cmd)
	switch {
	case ctx.Err() != nil:
		return "", operator.Errorf(operator.Unavailable, "FreeSWITCH %s does not answer", node.Name())
	case err != nil:
		return "", operator.Errorf(operator.Unavailable, "FreeSWITCH %s: %v", node.Name(), err)
	case reply.Err() != nil:
		return "", operator.Errorf(operator.Conflict, "FreeSWITCH %s: %v", node.Name(), reply.Err())
	}
	return reply.Text, nil
}

// machinesOf are the FreeSWITCHes on which a conference has a room.
func machinesOf(held conference.Conference, members []conference.Member) (machines []string) {
	if held.Node != "" {
		machines = append(machines, held.Node)
	}
	for _, m := range members {
		if !slices.Contains(machines, m.Node) {
			machines = append(machines, m.Node)
		}
	}
	return machines
}

// onRooms gives a command to the rooms of a conference, on each FreeSWITCH.
func (c *Controller) onRooms(ctx context.Context, machines []string, cmd esl.Command) error {
	for _, machine := range machines {
		node := c.nodes.On(machine)
		if node == nil {
			return operator.Errorf(operator.Unavailable, "controller %s has no link to the FreeSWITCH %s", c.options.ID, machine)
		}
		if _, err := c.obeyed(ctx, node, cmd); err != nil {
			return err
		}
	}
	return nil
}

// setConference locks or unlocks a conference, and begins or ends its recording.
func (c *Controller) setConference(ctx context.Context, r operator.ConferenceSettings) (any, error) {
	held, members, err := c.conferenceOf(ctx, r.Conference)
	if err != nil {
		return nil, err
	}
	room := freeswitch.Room(held.Room)
	if len(members) == 0 {
		return nil, operator.Errorf(operator.Conflict, "nobody is in conference %s, so FreeSWITCH has no room for it", held.ID)
	}
	if r.Locked != nil {
		if err := c.onRooms(ctx, machinesOf(held, members), room.Lock(*r.Locked)); err != nil {
			return nil, err
		}
	}
	var recording operator.Recording
	switch on := held.Settings.Record != nil && *held.Settings.Record; {
	case r.Recording == nil || *r.Recording == on:
	case !*r.Recording:
		err = c.onRooms(ctx, []string{held.Node}, room.EndRecordings())
	default:
		if err := c.options.Dialogs.CheckRecordings(); err != nil {
			return nil, operator.Errorf(operator.Conflict, "conference %s cannot be recorded: %v", held.ID, err)
		}
		recording.File = c.recordingOfRoom(held.Room)
		err = c.onRooms(ctx, []string{held.Node}, room.Record(recording.File))
	}
	if err != nil {
		return nil, err
	}
	err = c.options.Conferences.Change(ctx, held.ID, conference.Settings{Locked: r.Locked, Record: r.Recording})
	if err != nil {
		return nil, operator.Errorf(operator.Unavailable, "conference %s: %v", held.ID, err)
	}
	return recording, nil
}

// playToConference plays a sound to all members, of those that documents may play.
func (c *Controller) playToConference(ctx context.Context, r operator.PlayRequest) (any, error) {
	held, members, err := c.conferenceOf(ctx, r.Conference)
	if err != nil {
		return nil, err
	}
	file, err := c.options.Dialogs.Sound(ctx, r.Src, "")
	if err != nil {
		return nil, operator.Errorf(operator.Invalid, "src: %v", err)
	}
	return nil, c.onRooms(ctx, machinesOf(held, members), freeswitch.Room(held.Room).Play(file))
}

// memberIn finds a member on its FreeSWITCH.
func (c *Controller) memberIn(ctx context.Context, r operator.MemberRequest) (node *freeswitch.Node, room freeswitch.Room, member string, err error) {
	held, members, err := c.conferenceOf(ctx, r.Conference)
	if err != nil {
		return nil, "", "", err
	}
	i := slices.IndexFunc(members, func(m conference.Member) bool { return m.Connection == r.Call })
	if i < 0 {
		return nil, "", "", operator.Errorf(operator.NotFound, "call %s is not in conference %s", r.Call, held.ID)
	}
	roster, err := c.rosterOn(ctx, members[i].Node, held.Room)
	if err != nil {
		return nil, "", "", err
	}
	for _, there := range roster.Members {
		if there.Channel == r.Call && !there.Aside {
			return c.nodes.On(members[i].Node), freeswitch.Room(held.Room), strconv.Itoa(there.ID), nil
		}
	}
	return nil, "", "", operator.Errorf(operator.Conflict, "call %s is heard in conference %s by another leg, or is on its way in or out", r.Call, held.ID)
}

// setMember lets a member be heard or not, and hear or not.
func (c *Controller) setMember(ctx context.Context, r operator.MemberSettings) (any, error) {
	node, room, member, err := c.memberIn(ctx, r.MemberRequest)
	if err == nil && r.Muted != nil {
		_, err = c.obeyed(ctx, node, room.SetMuted(member, *r.Muted))
	}
	if err == nil && r.Deaf != nil {
		_, err = c.obeyed(ctx, node, room.SetDeaf(member, *r.Deaf))
	}
	return nil, err
}

// kickMember takes a member out. Its session hears that it was unjoined.
func (c *Controller) kickMember(ctx context.Context, r operator.MemberRequest) (any, error) {
	node, room, member, err := c.memberIn(ctx, r)
	if err != nil {
		return nil, err
	}
	_, err = c.obeyed(ctx, node, room.Kick(member))
	return nil, err
}

// emptyConference takes all members out. The conference itself ends with its sessions.
func (c *Controller) emptyConference(ctx context.Context, r operator.ConferenceRequest) (any, error) {
	held, members, err := c.conferenceOf(ctx, r.Conference)
	if err != nil {
		return nil, err
	}
	return nil, c.onRooms(ctx, machinesOf(held, members), freeswitch.Room(held.Room).KickAll())
}
