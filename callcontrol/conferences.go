package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ccxmld/conference"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// ConferenceID gives the id of a conference by its name (interpreter.Conferences).
func (c *control) ConferenceID(name string) string {
	id, err := conference.ID(name)
	if name == "" || err != nil { // CreateConference will say what is wrong with the name
		id, _ = conference.ID(c.controller.newID())
	}
	return id
}

// CreateConference creates a conference or attaches to it
// (interpreter.Conferences).
func (c *control) CreateConference(r interpreter.ConferenceRequest) {
	type attached struct {
		conference.Conference
		created bool
	}
	giveBack, err := c.reserveConference(r.ConferenceID)
	if err != nil {
		c.queueConference("error.conference.create", r.ConferenceID, false, interpreter.Field{Name: "reason", Value: err.Error()})
		return
	}
	most := c.controller.limits().MembersPerConference
	settings, err := conference.ParseSettings(r.Hints)
	if err != nil {
		giveBack()
		c.queueConference("error.conference.create", r.ConferenceID, false, interpreter.Field{Name: "reason", Value: err.Error()})
		return
	}
	if settings.Events != nil && *settings.Events && len(c.controller.nodes.All()) == 0 {
		giveBack()
		c.queueConference("error.conference.create", r.ConferenceID, false, interpreter.Field{Name: "reason", Value: errNoNodes.Error()})
		return
	}
	if settings.MaxMembers > 0 && (most <= 0 || settings.MaxMembers < most) {
		most = settings.MaxMembers
	}
	tooMany := most > 0 && (r.ReservedTalkers > most || r.ReservedListeners > most-r.ReservedTalkers) // CNF-4
	limits := conference.Limits{MaxMembers: most, Talkers: r.ReservedTalkers, Listeners: r.ReservedListeners}
	machine := c.machine()
	inOrder(c, func(ctx context.Context) (attached, error) {
		if tooMany { // which does not matter for a conference that is there (CNF-3)
			held, err := c.controller.options.Conferences.Attach(ctx, r.ConferenceID, c.record.ID)
			if errors.Is(err, conference.ErrNotFound) {
				err = fmt.Errorf("a conference takes %d connections at most; reserve fewer, or raise limits.members_per_conference or the hint maxmembers", most)
			}
			return attached{held, false}, err
		}
		registry := c.controller.options.Conferences
		if r.Name == "" { // the id was made from a name that nobody else has
			unique := strings.TrimPrefix(r.ConferenceID, interpreter.ConferenceScheme)
			held, err := registry.CreateUnnamed(ctx, unique, c.record.ID, machine, limits, settings)
			return attached{held, true}, err
		}
		held, created, err := registry.CreateOrGet(ctx, r.Name, c.record.ID, machine, limits, settings)
		if err == nil && !created {
			err = registry.Change(ctx, held.ID, settings)
		}
		return attached{held, created}, err
	}, func(a attached, err error) {
		giveBack()
		if err != nil {
			c.log().Warn("conference not created", "conference", r.ConferenceID, "error", err)
			c.queueConference("error.conference.create", r.ConferenceID, false, interpreter.Field{Name: "reason", Value: err.Error()})
			return
		}
		c.hold(a.ID)
		if !a.created {
			c.changeRoom(a.Conference, settings)
		}
		c.queueConference("conference.created", r.ConferenceID, true, interpreter.Field{Name: "isnew", Value: a.created})
		if settings.Events != nil {
			c.attend(a.Conference, *settings.Events)
		}
	}, func(ctx context.Context) { c.detach(ctx, r.ConferenceID) })
}

// detach takes the session out of a conference that it had not held yet when it
// ended.
func (c *control) detach(ctx context.Context, id string) {
	was, destroyed, err := c.controller.options.Conferences.Detach(ctx, id, c.record.ID)
	if destroyed {
		c.controller.clearRoom(was)
	}
	if err != nil && !errors.Is(err, conference.ErrNotFound) {
		c.log().Warn("conference not given up", "conference", id, "error", err)
	}
}

// clearRoom takes whoever is left out of the rooms of a conference that is no more:
// a leg whose controller has died would stay there alone. Its dialplan goes on then,
// which may have another controller, or hangs it up.
func (c *Controller) clearRoom(was conference.Ended) {
	for _, machine := range append([]string{was.Node}, was.Elsewhere...) {
		if node := c.nodes.On(machine); node != nil && was.Room != "" {
			node.Send(freeswitch.Room(was.Room).KickAll(), nil)
		}
	}
}

// machine is the FreeSWITCH of the session's legs, where a conference that it
// creates will live; "" while it has none.
func (c *control) machine() string {
	for _, l := range byKey(c.legs) {
		if l.machine != "" {
			return l.machine
		}
	}
	return ""
}

// reserveConference counts a conference that the session is about to be attached to,
// from now on: by the time that Redis answers, others may have been asked for. It is
// an error if that is one too many. giveBack ends the reservation, once.
func (c *control) reserveConference(id string) (giveBack func(), err error) {
	n := len(c.record.Conferences)
	for other := range c.attaching {
		if !c.holds(other) {
			n++
		}
	}
	most := c.controller.limits().ConferencesPerSession
	if most > 0 && n >= most && !c.holds(id) && c.attaching[id] == 0 {
		return nil, fmt.Errorf("the session is in %d conferences already, or about to be (limits.conferences_per_session)", n)
	}
	if c.attaching == nil {
		c.attaching = make(map[string]int, 1)
	}
	c.attaching[id]++
	return func() {
		if c.attaching[id]--; c.attaching[id] == 0 {
			delete(c.attaching, id)
		}
	}, nil
}

// hold notes a conference that the session is attached to.
func (c *control) hold(id string) {
	if !c.holds(id) {
		c.record.Conferences = append(c.record.Conferences, id)
		c.save()
	}
}

// holds tells whether the session is attached to a conference.
func (c *control) holds(id string) bool { return slices.Contains(c.record.Conferences, id) }

// DestroyConference detaches the session. Its own legs leave first.
func (c *control) DestroyConference(r interpreter.DestroyRequest) {
	if !c.holds(r.ConferenceID) {
		c.queueConference("error.conference.destroy", r.ConferenceID, true,
			interpreter.Field{Name: "reason", Value: "the session is not attached to this conference"})
		return
	}
	c.destroy(r.ConferenceID, "")
}

// destroy takes the session out of a conference, its legs first. reason says why, where
// the document has not asked for it.
func (c *control) destroy(id, reason string) {
	c.attendNoMore(id)
	c.clear(id)
	var members []*leg
	for _, l := range byKey(c.legs) {
		switch o := l.joinPending; {
		case l.voice() != nil && l.standIn.conference == id:
			c.endVoice(l, l.voice().isTold(l))
		case l.isMember(id):
			l.place.silent = false
			l.leave()
			members = append(members, l)
		case o != nil && (o.ID1 == id || o.ID2 == id) && !l.isHidden(): // it comes, and has to go
			members = append(members, l)
		}
	}
	c.record.Conferences = without(c.record.Conferences, id)
	c.save()
	c.givingUp = append(c.givingUp, id)
	// It is destroyed once its members are out (CNF-7).
	inside := len(members)
	if inside == 0 {
		c.giveUp(id, reason)
	}
	for _, l := range members {
		leaving := &move{legs: []*leg{l}, needless: func() bool {
			if l.isMember(id) {
				l.place.silent = false
				l.leave()
			}
			return false
		}, run: func() {
			if inside--; inside == 0 {
				c.giveUp(id, reason)
			}
		}}
		leaving.queue()
	}
}

// clear ends the session's couplings and dialogs of a conference.
func (c *control) clear(id string) {
	c.endCouplings(id)
	for _, l := range byKey(c.legs) {
		if s := l.standIn; s != nil && s.voice == nil && s.conference == id && !l.isEnding() {
			l.detail = "the conference was destroyed"
			l.hangUp("NORMAL_CLEARING")
		}
	}
}

// isMember tells whether the leg is a member of a conference.
func (l *leg) isMember(id string) bool { return l.place.kind == inConference && l.place.partner == id }

// givesUp tells whether a conference is to be destroyed once the session's legs are
// out.
func (c *control) givesUp(id string) bool { return slices.Contains(c.givingUp, id) }

var errGivenUp = errors.New("the session has destroyed this conference, and its members are on their way out; create it again after conference.destroyed")

// giveUp detaches the session from a conference that its legs have left.
func (c *control) giveUp(id, reason string) {
	c.givingUp = without(c.givingUp, id)
	c.registry.add(c.controller, inSession(c, func(ctx context.Context) (bool, error) {
		was, destroyed, err := c.controller.options.Conferences.Detach(ctx, id, c.record.ID)
		if destroyed {
			c.controller.clearRoom(was)
		}
		return destroyed, err
	}, func(_ bool, err error) {
		// What was asked of the registry before may have attached the session again.
		if c.holds(id) {
			c.record.Conferences = without(c.record.Conferences, id)
			c.save()
		}
		c.clear(id)
		if err != nil && !errors.Is(err, conference.ErrNotFound) { // it has ended for all meanwhile
			c.queueConference("error.conference.destroy", id, true, interpreter.Field{Name: "reason", Value: err.Error()})
			return
		}
		var why []interpreter.Field
		if reason != "" {
			why = append(why, interpreter.Field{Name: "reason", Value: reason})
		}
		c.queueConference("conference.destroyed", id, false, why...)
	}, nil))
}

func (c *control) detachAll() {
	for _, id := range append(c.givingUp, c.record.Conferences...) {
		c.registry.add(c.controller, func(ctx context.Context) { c.detach(ctx, id) })
	}
}

func (c *control) queueConference(name, id string, attached bool, fields ...interpreter.Field) {
	c.session.Queue(&interpreter.Event{
		Name: name, Source: id, SourceType: "conference",
		Fields: append([]interpreter.Field{{Name: "conferenceid", Value: id}}, fields...),
		Effect: interpreter.ConferenceEffect{ConferenceID: id, Attached: attached},
	})
}

// joinConference makes a leg a member. The registry is asked first: it holds the
// conference for the leg, so that the last one out cannot end it meanwhile.
func (c *control) joinConference(l *leg, id string, o *order) {
	if reason := c.notJoinable(l); reason != "" {
		o.fail(c, reason)
		return
	}
	var err error
	if o.entry, err = conference.ParseEntry(o.Hints); err != nil {
		o.fail(c, err.Error())
		return
	}
	m := &move{legs: []*leg{l}, order: o, needless: func() bool {
		switch {
		case l.place.kind == inConference && l.place.partner == id: // JOIN-11: never nest (trace fact 14)
			c.joinAgain(l, id, o)
			return true
		}
		switch v := l.voiceIn(id); {
		case v != nil && o.speaksOnly(l.id) && v.place.kind == listening:
			v.voice().joinedAgain(v, o)
			o.made(c)
			return true
		case v != nil: // it is to be a member itself
			c.replaceVoice(v)
		}
		if o.speaksOnly(l.id) && l.place.kind != alone { // only its output is asked for
			c.lendVoice(l, id, o, o.entry.Mute, false)
			return true
		}
		return false
	}, run: func() {
		reason := c.notJoinable(l)
		if reason == "" && c.givesUp(id) {
			reason = errGivenUp.Error()
		}
		if reason != "" {
			o.fail(c, reason)
			l.takePresence().ends(c)
			return
		}
		if v := l.voiceIn(id); v != nil { // which came while the leg was on its way out of something else
			c.replaceVoice(v)
		}
		c.enter(l, id, o)
	}}
	m.queue()
}

// enter takes a leg that is alone into the registry, then into the room.
func (c *control) enter(l *leg, id string, o *order) {
	giveBack, err := c.reserveConference(id)
	if err != nil {
		o.fail(c, err.Error())
		l.takePresence().ends(c)
		return
	}
	l.beginJoin(o)
	machine, attached := l.machine, c.holds(id)
	inOrder(c, func(ctx context.Context) (admission, error) {
		return c.enterRegistry(ctx, id, c.member(l.id, machine, o), &o.entry)
	}, func(held admission, err error) {
		giveBack()
		c.holdAsked(held.Conference, err, attached)
		switch {
		case l.joinPending != o: // the call has ended meanwhile, and the document knows
			c.leaveConference(id, l.id)
		case err != nil:
			c.joinFailed(l, o, err.Error())
		default:
			c.enterRoom(l, place{partner: id, order: o, room: held.Room, home: held.Node, settings: &held.Settings, headcount: held.headcount})
		}
	}, func(ctx context.Context) {
		c.leaveNow(ctx, id, l.id)
		c.detach(ctx, id)
	})
}

// holdAsked notes what enterRegistry has made of the session, which was attached to
// the conference before or not.
func (c *control) holdAsked(held conference.Conference, err error, attached bool) {
	switch {
	case held.ID == "":
	case !attached && refuses(err):
		c.registry.add(c.controller, func(ctx context.Context) { c.detach(ctx, held.ID) })
	default: // attached, if not a member
		c.hold(held.ID)
	}
}

// refuses tells whether a conference's settings keep a member out.
func refuses(err error) bool {
	return errors.Is(err, conference.ErrPIN) || errors.Is(err, conference.ErrModerator) || errors.Is(err, conference.ErrLocked)
}

// admission is a conference that has taken a member in, and how many that makes.
type admission struct {
	conference.Conference
	headcount int
}

// enterRegistry makes a connection a member. A session that joins a conference
// by its id or name without having created it is attached too, so that the
// conference lasts until the last of its sessions has gone; that holds also where
// the conference is returned with an error. entry is nil for a connection that was
// let in before.
func (c *control) enterRegistry(ctx context.Context, id string, m conference.Member, entry *conference.Entry) (admission, error) {
	registry := c.controller.options.Conferences
	held, err := registry.Attach(ctx, id, c.record.ID)
	if err != nil {
		return admission{held, 0}, err
	}
	if entry != nil {
		moderator, err := held.Settings.Admit(*entry)
		if err != nil {
			return admission{held, 0}, err
		}
		m.Moderator, m.Ends = moderator, held.Settings.Role(*entry, moderator).EndsRoom
	}
	size, err := c.joinRegistry(ctx, &held, m)
	if err == nil && m.Moderator && held.Settings.WaitForModerator {
		c.controller.moderatorCame(ctx, held, m.Node)
	}
	return admission{held, size}, err
}

// joinRegistry makes a connection a member of a conference that the session is attached to,
// and sees to it that its FreeSWITCH reaches that of the conference.
func (c *control) joinRegistry(ctx context.Context, held *conference.Conference, m conference.Member) (size int, err error) {
	registry := c.controller.options.Conferences
	size, err = registry.Join(ctx, held.ID, c.controller.reaching(held, m))
	if errors.Is(err, conference.ErrNode) && held.Node == "" { // somebody else was the first there
		if *held, err = registry.Get(ctx, held.ID); err == nil {
			size, err = registry.Join(ctx, held.ID, c.controller.reaching(held, m))
		}
	}
	switch {
	case errors.Is(err, conference.ErrNode):
		err = fmt.Errorf("%w (the connection is on %s): %s", err, m.Node, c.controller.unreached(held.Node, m.Node))
	case err == nil && held.Node != m.Node:
		if err = c.controller.cascade(ctx, *held, m.Node, ""); err != nil {
			c.leaveNow(ctx, held.ID, m.Connection)
		}
	}
	return size, err
}

// enterRoom has the leg enter a room; it will be in that place then.
func (c *control) enterRoom(l *leg, in place) {
	l.endDialogs()
	in.running = c.controller.newID()
	l.place, l.notEntered = in, ""
	l.expectRoom(in.order, in.room)
	membership := in.membership(l)
	l.place.muted, l.place.deaf = membership.Muted, membership.Deaf
	l.send(freeswitch.Room(in.room).Enter(c.controller.options.Profile, membership, in.running), func(err error) { c.roomRefused(l, in.order, err.Error()) })
}

// expectRoom gives a join with a conference up that takes too long.
func (l *leg) expectRoom(o *order, room string) {
	l.joinTimer = l.after(joinTimeout, func() {
		if l.joinPending == o { // and FreeSWITCH may let it in still
			l.control.roomRefused(l, o, fmt.Sprintf("FreeSWITCH did not let it in within %s", joinTimeout))
			l.notEntered = room
			l.joinState.Take(joinTimesOut, l.log)
			l.control.bringHome(l)
		}
	})
}

// entered takes add-member of the leg.
func (c *control) entered(l *leg, e freeswitch.RoomEvent) {
	switch {
	case l.joinPending != nil && e.Room == l.place.room:
	case e.Room == l.notEntered:
		l.log().Warn("FreeSWITCH let the leg into a conference after the join had failed; that is undone", "room", e.Room)
		l.notEntered = ""
		if l.joinState.Take(joinComesLate, l.log) == undoJoin {
			l.send(freeswitch.Room(e.Room).Kick(e.Member), nil)
		}
		return
	default:
		return
	}
	o := l.joinPending
	l.joinDone(joinMade)
	l.place.kind, l.place.member = inConference, e.Member
	l.notes.Conferences = addNote(l.notes.Conferences, l.place.partner)
	if l.place.pair != nil {
		l.pairEntered()
	} else {
		o.made(c, interpreter.Field{Name: "members", Value: l.place.headcount})
		c.welcome(l)
	}
	l.nextMove()
}

// departed takes del-member of the leg.
func (c *control) departed(l *leg, e freeswitch.RoomEvent) {
	if l.place.kind != inConference || e.Member != l.place.member {
		return
	}
	l.left()
	l.aloneAgain()
	l.nextMove()
}

// conferenceApplicationEnded notes that the conference application returned. If
// it is that of the room on its way, and not of the one before, the join has failed.
func (c *control) conferenceApplicationEnded(l *leg, id string) {
	if l.joinPending != nil && l.place.room != "" && l.place.running == id {
		c.roomRefused(l, l.joinPending, "FreeSWITCH did not let the leg into the conference; is the profile "+c.controller.options.Profile+" configured?")
	}
}

// roomRefused ends the wait for a join with a conference, as joinFailed does.
func (c *control) roomRefused(l *leg, o *order, reason string) {
	if o == nil || l.joinPending != o {
		return
	}
	l.leftRoom()
	l.place = place{}
	c.joinFailed(l, o, reason)
}

// leaveConference gives up a leg's membership in the registry.
func (c *control) leaveConference(id, connection string) {
	c.registry.add(c.controller, func(ctx context.Context) { c.leaveNow(ctx, id, connection) })
}

func (c *control) leaveNow(ctx context.Context, id, connection string) {
	left, err := c.controller.options.Conferences.Leave(ctx, id, connection)
	if err != nil {
		c.log().Warn("membership not given up", "conference", id, "connection", connection, "error", err)
	}
	c.controller.endCascade(left.Unneeded)
	for _, machine := range left.Over {
		if node := c.controller.nodes.On(machine); node != nil {
			node.Send(freeswitch.Room(left.Room).KickAll(), nil)
		}
	}
}
