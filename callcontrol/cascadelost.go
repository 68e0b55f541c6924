package callcontrol

import (
	"context"
	"errors"

	"ccxmld/clock"
	"ccxmld/conference"
	"ccxmld/freeswitch"
)

// cascadeHungUp takes the end of a cascade, from a link. It reports false if the call is
// none of ours, or is one that we have ended.
func (c *Controller) cascadeHungUp(id, cause string) bool {
	f, ok := c.cascades.take(id)
	if ok {
		c.replaceCascade(f, id, "FreeSWITCH has hung it up ("+cause+")")
	}
	return ok
}

// lookForCascades asks the nodes for the cascades that our members need, whoever has made
// them: the link tells of the end of our own alone, and not while it is down. It tells the
// nodes that they are needed still.
func (c *Controller) lookForCascades() {
	held, needed := c.options.Conferences.HeldFar()
	now := c.options.Clock.Now()
	due := c.cascades.toAttend(needed, now)
	for i, s := range needed {
		node := c.nodes.On(s.Node)
		if !s.Up || node == nil {
			continue
		}
		f := farRoomOf(&held[i], s.Node)
		node.Exists(s.ID, func(there bool) {
			switch {
			case !there:
				c.cascades.take(s.ID)
				c.replaceCascade(f, s.ID, "FreeSWITCH does not have it any more")
			case due[s.ID]:
				node.Attend(s.ID)
			}
		})
	}
}

// replaceCascade makes a cascade again that is lost, as long as we have members that need
// it.
func (c *Controller) replaceCascade(f farRoom, lost, reason string) {
	if !c.cascades.begin(f) {
		return
	}
	if !c.background(func(ctx context.Context) {
		defer c.cascades.end(f)
		c.cascadeAgain(ctx, f, lost, reason)
	}) {
		c.cascades.end(f)
		c.log.Error("cascade between nodes not made again: too much is under way already", "conference", f.id, "freeswitch", f.home, "members", f.machine)
	}
}

func (c *Controller) cascadeAgain(ctx context.Context, f farRoom, lost, reason string) {
	log := c.log.With("conference", f.id, "freeswitch", f.home, "members", f.machine)
	for try := 1; len(c.options.Conferences.HeldMembers(f.id, f.room, f.machine)) > 0; try++ {
		if try == 1 {
			log.Warn("cascade between nodes is lost", "call", lost, "reason", reason)
		}
		held := conference.Conference{ID: f.id, Room: f.room, Node: f.home}
		if home := c.nodes.On(f.home); home != nil && home.Refused() {
			c.endConference(ctx, held, "FreeSWITCH "+f.home+", which it was on, has ended")
			return
		}
		err := c.cascade(ctx, held, f.machine, lost)
		switch {
		case err == nil:
			log.Info("members on another node hear the conference again")
			return
		case errors.Is(err, conference.ErrNotFound): // whoever has ended it tells its sessions
			return
		case try == cascadeTries || !clock.Sleep(ctx, c.options.Clock, cascadeRetry):
			log.Error("members on another node are out of the conference: the call between the nodes is lost and cannot be made again", "error", err)
			c.sever(f)
			return
		}
	}
}

// sever takes our members on a machine out of a conference that they cannot hear any more.
func (c *Controller) sever(f farRoom) {
	for _, connection := range c.options.Conferences.HeldMembers(f.id, f.room, f.machine) {
		if l := c.findLeg(connection); l != nil {
			l.route.do(func() { l.severed(f.id) })
		}
	}
}

// severed takes the leg out of a conference, and tells the document so.
func (l *leg) severed(id string) {
	if speaker := l.voiceIn(id); speaker != nil {
		l.control.endVoice(speaker, true)
	}
	if l.isMember(id) && !l.moving() {
		l.place.silent = false
		l.leave()
	}
}

// endConference ends a conference whose FreeSWITCH has ended, for all its sessions. It may
// be created again at once, elsewhere.
func (c *Controller) endConference(ctx context.Context, held conference.Conference, reason string) {
	ours, err := c.options.Conferences.End(ctx, held.ID, held.Room)
	if err != nil {
		c.log.Warn("the end of a conference is not in the registry", "conference", held.ID, "error", err)
	}
	if ours {
		c.conferenceEnded(held, reason)
	}
}

// conferenceEnded tells our sessions of the end of a conference that they did not ask for.
func (c *Controller) conferenceEnded(held conference.Conference, reason string) {
	c.log.Warn("conference has ended", "conference", held.ID, "room", held.Room, "reason", reason)
	c.mu.Lock()
	all := c.running()
	c.mu.Unlock()
	for _, control := range all {
		control.session.Do(func() {
			if control.holds(held.ID) {
				control.destroy(held.ID, reason)
			}
		})
	}
}

// endConferencesOf ends the conferences on a FreeSWITCH that has been started anew.
func (c *Controller) endConferencesOf(n *freeswitch.Node) {
	held := c.options.Conferences.HeldAt(n.Machine())
	if len(held) == 0 {
		return
	}
	if !c.background(func(ctx context.Context) {
		for _, conference := range held {
			c.endConference(ctx, conference, "FreeSWITCH "+n.Machine()+", which it was on, has been started anew")
		}
	}) {
		n.Log().Error("conferences of a FreeSWITCH that has been started anew are not ended: too much is under way already", "conferences", len(held))
	}
}
