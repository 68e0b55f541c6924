package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/interpreter"
	"ccxmld/sessionstore"
)

// A session whose controller is gone is taken over: claimed in Redis, made again from what
// was written there, compared with FreeSWITCH, and gone on with.

// lookEvery is how often a controller looks for sessions that have lost theirs, and
// takeOverAtOnce how many it claims at a time. Of states longer than largeState, in bytes,
// largeAtOnce are made into sessions at a time, which takes ten times as much memory.
const (
	lookEvery      = time.Second
	takeOverAtOnce = 16
	largeState     = 256 << 10
	largeAtOnce    = 2
)

// takeOverLost takes sessions over whose controllers are gone, until ctx ends: at the start
// those that an earlier process of this id has left.
func (c *Controller) takeOverLost(ctx context.Context) {
	if !c.IsDurable() {
		return
	}
	own := true                    // of this id, left by the process before this one
	var found map[string]time.Time // processes that are dead, and since when that is known
	ports := ports{controller: c}
	for clock.Sleep(ctx, c.options.Clock, lookEvery) {
		if c.gate.Wait(ctx) != nil || c.isDraining() || !c.options.Store.Healthy() {
			continue
		}
		if own {
			own = !c.takeOverFrom(ctx, sessionstore.Controller{ID: c.options.ID, Instance: c.options.ID}, everything)
		}
		controllers, err := c.options.Store.Controllers(ctx)
		var dead []sessionstore.Controller
		if err == nil {
			controllers = ports.endLeases(ctx, controllers)
			dead, err = c.options.Store.Dead(ctx, controllers)
		}
		if err != nil {
			if again, about := c.unlooked.Found(); again {
				c.log.Warn("sessions of controllers that are gone are not looked for", append([]any{"error", err}, about...)...)
			}
			continue
		}
		c.unlooked.Over()
		before := found
		found = make(map[string]time.Time, len(dead))
		for _, controller := range dead {
			since, known := before[controller.Instance]
			if !known {
				since = c.options.Clock.Now()
			}
			found[controller.Instance] = since
			mine := everything
			if clock.Since(c.options.Clock, since) < sessionstore.ShareFor {
				mine = c.shareOf(controllers)
			}
			c.takeOverFrom(ctx, controller, mine)
			// What it had not read goes to who has the sessions by now.
			if _, err := c.options.Store.TakeMail(ctx, controller.ID); err != nil {
				c.log.Warn("mail of a controller that is gone is not read", "controller_id", controller.ID, "error", err)
			}
		}
	}
}

// everything leaves no session to others.
func everything(sessions []string) []string { return sessions }

// shareOf gives the sessions of a dead controller that this one is to claim first; the other
// controllers that live claim the rest at the same time.
func (c *Controller) shareOf(controllers []sessionstore.Controller) func(sessions []string) []string {
	return func(sessions []string) []string {
		return sessionstore.Share(sessions, sessionstore.Living(controllers))[c.options.ID]
	}
}

// takeOverFrom takes over the sessions that a controller has left and that this one is to
// have, or what of them it has room for, and reports whether they could be read. Sessions
// whose legs have to do with each other are made again together.
func (c *Controller) takeOverFrom(ctx context.Context, from sessionstore.Controller, mine func([]string) []string) bool {
	together := c.newRestorer()
	var taken []*takenOver
	missed := 0
	var mu sync.Mutex
	free := clock.NewSemaphore(c.options.Clock, takeOverAtOnce)
	var running clock.Group
	ids, err := c.options.Store.SessionIDs(ctx, from.ID)
	if err != nil {
		c.log.Warn("sessions of a controller that is gone are not read", "controller_id", from.ID, "error", err)
		return false
	}
	ids = mine(ids)
	slices.Sort(ids)
	for _, id := range ids {
		if c.session(id) != nil || free.Acquire(ctx) != nil {
			continue
		}
		running.Go(c.options.Clock, func() {
			defer free.Release()
			one, err := c.claim(ctx, together, id, from.Instance)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				missed++
			case one != nil:
				taken = append(taken, one)
			}
		})
	}
	_ = running.Wait(ctx, c.options.Clock)
	mu.Lock()
	defer mu.Unlock()
	resume(taken...)
	c.options.Metrics.TookOver(len(taken), missed)
	if len(taken)+missed > 0 {
		c.log.Warn("sessions taken over", "from", from.ID, "sessions", len(taken), "missed", missed)
	}
	return missed == 0
}

// takenOver is a session that was claimed and made again, and has not asked for its legs.
type takenOver struct {
	control  *control
	restorer *restorer
	state    sessionState
	from     string
}

// claim claims a session and makes it again, with its legs; nil if somebody else was first,
// or if it cannot be, and is over then. The error says that it may be tried again.
func (c *Controller) claim(ctx context.Context, r *restorer, id, from string) (*takenOver, error) {
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, takeOverTimeout)
	defer cancel()
	over, first := c.beginTakeOver(id)
	if !first {
		return nil, over.Wait(ctx)
	}
	defer c.endTakeOver(id, over)
	if err := c.reserve(origin{call: true}); err != nil {
		c.log.Warn("session not taken over", "session", id, "error", err)
		return nil, err
	}
	claimed, ok, err := c.options.Store.Claim(ctx, id, from)
	if !ok || err != nil {
		c.unreserve(origin{call: true})
		if err != nil {
			c.log.Warn("session not taken over", "session", id, "from", from, "error", err)
		}
		return nil, err
	}
	one, err := c.makeAgain(ctx, r, claimed)
	if err == nil {
		err = one.makeLegs(ctx)
	}
	if err != nil {
		c.unreserve(origin{call: true})
		c.log.Error("session cannot be taken over; its calls are hung up", "session", id, "from", claimed.From, "error", err)
		c.giveUpClaimed(claimed, one)
		return nil, nil
	}
	if err := c.register(one.control); err != nil { // we end ourselves; the next one finds it in Redis
		one.leave()
		return nil, nil
	}
	return one, nil
}

// beginTakeOver notes that a session is being taken over; first is false if it is already,
// and over opens then when that is done.
func (c *Controller) beginTakeOver(id string) (over *clock.Latch, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if over = c.takingOver[id]; over != nil {
		return over, false
	}
	if c.takingOver == nil {
		c.takingOver = make(map[string]*clock.Latch)
	}
	over = clock.NewLatch(c.options.Clock)
	c.takingOver[id] = over
	return over, true
}

func (c *Controller) endTakeOver(id string, over *clock.Latch) {
	c.mu.Lock()
	delete(c.takingOver, id)
	c.mu.Unlock()
	over.Open()
}

// makeAgain makes a claimed session, which is not registered yet.
func (c *Controller) makeAgain(ctx context.Context, r *restorer, claimed sessionstore.Claimed) (*takenOver, error) {
	if len(claimed.State) > largeState {
		if err := c.large.Acquire(ctx); err != nil {
			return nil, err
		}
		defer c.large.Release()
	}
	if len(claimed.State) == 0 {
		return nil, errors.New("nothing of it was written that it could go on from")
	}
	state, err := readState(claimed.Session.ID, claimed.State)
	if err != nil {
		return nil, err
	}
	if err := c.isOwn(claimed.Session.ID, state); err != nil {
		return nil, err
	}
	source := func(hash string) ([]byte, error) { return c.text(ctx, hash) }
	document, err := c.documents.FromTexts(ctx, state.Session.Document, source)
	if err != nil {
		return nil, err
	}
	control, err := c.controlInTime(ctx, claimed, state, document, func(texts []interpreter.Text, script bool) (interpreter.FetchResult, error) {
		return c.documents.Recompile(ctx, texts, script, source)
	})
	if err != nil {
		return nil, err
	}
	return &takenOver{control, r, state, claimed.From}, nil
}

func (c *Controller) text(ctx context.Context, hash string) ([]byte, error) {
	for {
		text, ok, err := c.options.Store.Text(ctx, hash)
		switch {
		case err == nil && ok:
			return text, nil
		case err == nil:
			return nil, fmt.Errorf("a text that it needs (%s) is not in redis", hash)
		case !clock.Sleep(ctx, c.options.Clock, textAgain): // Redis is away, and may be back in time
			return nil, err
		}
	}
}

// controlInTime is controlAgain where it does not take too long: a script of the document that
// cannot be ended must not keep other sessions from being taken over.
func (c *Controller) controlInTime(ctx context.Context, claimed sessionstore.Claimed, state sessionState, document *interpreter.Document,
	recompile func([]interpreter.Text, bool) (interpreter.FetchResult, error)) (made *control, err error) {
	done := clock.NewLatch(c.options.Clock)
	var late error
	started := c.background(func(context.Context) {
		made, late = c.controlAgain(claimed, state, document, recompile)
		done.Open()
	})
	if !started {
		return nil, errors.New("too much is under way already")
	}
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, makeTimeout)
	defer cancel()
	if done.Wait(ctx) != nil && !done.Opened() {
		return nil, errors.New("the scripts of its document do not end")
	}
	if late == nil {
		c.mu.Lock()
		c.count(made.by)
		c.mu.Unlock()
	}
	return made, late
}

// controlAgain makes the control of a claimed session with the session as it was.
func (c *Controller) controlAgain(claimed sessionstore.Claimed, state sessionState, document *interpreter.Document,
	recompile func([]interpreter.Text, bool) (interpreter.FetchResult, error)) (control *control, err error) {
	record := claimed.Session
	b := beginning{
		id: record.ID, document: document, mode: interpreter.StartupMode(record.Startup), token: record.Token, secret: record.Secret,
		by: origin{call: state.Call, tree: state.Tree, parent: state.Creator},
	}
	if record.Parent != "" {
		b.child = &child{parent: record.Parent, begun: clock.NewPromise[error](c.options.Clock), started: true}
	}
	control, options := c.bareControl(b)
	options.Recompile = recompile
	record.Controller = c.options.ID
	control.record, control.epoch = record, claimed.Epoch
	control.session, err = interpreter.Resume(options, state.Session)
	if err != nil {
		return nil, err
	}
	if state.Ends != nil {
		control.ends = *state.Ends
	}
	return control, nil
}

// resume asks FreeSWITCH for the legs of sessions, and has each session go on then.
func resume(sessions ...*takenOver) {
	for _, one := range sessions {
		one.control.session.Do(func() {
			if r := one.control.resumption; r != nil {
				one.tellBefore()
				r.start()
			}
		})
	}
}

// tellBefore tells the controller that had the session, over FreeSWITCH: it may live and be
// cut off from Redis alone.
func (t *takenOver) tellBefore() {
	for _, node := range t.control.controller.nodes.All() {
		node.TellClaimed(t.from, t.control.record.ID, t.control.epoch)
	}
}

// makeLegs makes the session's legs again, in its goroutine, and says what is to be done when
// FreeSWITCH has told of them.
func (t *takenOver) makeLegs(ctx context.Context) (err error) {
	c := t.control
	made := clock.NewLatch(c.controller.options.Clock)
	c.session.Do(func() {
		defer made.Open()
		c.log().Info("session taken over", "from", t.from, "document", c.record.Document)
		c.save()
		err = c.makeLegs(t.restorer, t.state.Calls, t.goOn)
	})
	if late := made.Wait(ctx); late != nil {
		return late
	}
	if err == nil && c.resumption == nil {
		err = errors.New("its legs could not be made")
	}
	return err
}

// goOn has the session go on, when FreeSWITCH has told of its legs.
func (t *takenOver) goOn() {
	c := t.control
	c.resumeRooms(t.state.Rooms)
	c.resumeDialogs(t.state.Dialogs)
	c.session.GoOn(&interpreter.Event{
		Name: "ccxml.resumed", Source: c.record.ID, SourceType: "ccxml",
		Fields: []interpreter.Field{
			{Name: "sessionid", Value: c.record.ID},
			{Name: "controller", Value: c.controller.options.ID}, {Name: "from", Value: t.from},
		},
	})
}

// leave ends a session that was made again and is not to go on here.
func (t *takenOver) leave() {
	t.control.session.Do(func() {
		t.control.left = true
		t.control.drop("it goes on with another controller")
	})
}

// rejoinConferences notes in the registry that this controller has the session, and its
// members, from now on. It is done before FreeSWITCH tells of the legs, so that those that
// are gone leave their conferences.
func (c *control) rejoinConferences() {
	registry := c.controller.options.Conferences
	for _, id := range c.record.Conferences {
		c.registry.add(c.controller, func(ctx context.Context) {
			if _, err := registry.Attach(ctx, id, c.record.ID); err != nil {
				c.log().Warn("conference not attached again", "conference", id, "error", err)
			}
		})
	}
	for _, l := range byKey(c.legs) {
		if p := l.place; p.room != "" && p.pairRoom == nil && !l.unpaired { // also on its way there
			m := c.member(l.id, l.machine, p.order)
			role := p.role(l)
			m.Moderator, m.Ends = role.Moderator, role.EndsRoom
			c.registry.add(c.controller, func(ctx context.Context) {
				held, err := registry.Get(ctx, p.partner)
				if err == nil {
					_, err = c.joinRegistry(ctx, &held, m)
				}
				if err != nil {
					c.log().Warn("membership not taken over", "conference", p.partner, "connection", m.Connection, "error", err)
				}
			})
		}
	}
}

// giveUpClaimed hangs up the calls of a session that cannot be made again, and forgets it.
// What was made of it is nil for nothing.
func (c *Controller) giveUpClaimed(claimed sessionstore.Claimed, made *takenOver) {
	legs := claimed.Session.Connections
	if made != nil {
		for _, l := range made.state.Calls.Legs {
			legs = append(legs, l.ID)
		}
		made.leave()
	}
	for _, id := range legs {
		for _, node := range c.nodes.All() {
			node.Kill(id, "NORMAL_TEMPORARY_FAILURE")
		}
	}
	c.directory.Go(c.options.Clock, func() { c.leaveConferences(c.directoryDone, claimed.Session) })
	c.options.Store.EndSession(claimed.Session.ID)
}

// leaveConferences takes a session that was claimed and cannot be made again out of its
// conferences, with its members.
func (c *Controller) leaveConferences(ctx context.Context, session sessionstore.Session) {
	registry := c.options.Conferences
	for _, id := range session.Conferences {
		if _, err := registry.Attach(ctx, id, session.ID); err != nil {
			c.log.Info("conference of a session that cannot be taken over is not there", "session", session.ID, "conference", id, "error", err)
			continue
		}
		members, err := registry.Members(ctx, id)
		if err != nil {
			c.log.Warn("members of a session that cannot be taken over are not known", "session", session.ID, "conference", id, "error", err)
		}
		for _, m := range members {
			if m.Session != session.ID {
				continue
			}
			if _, err := registry.Join(ctx, id, m); err == nil { // as ours, which can leave
				left, _ := registry.Leave(ctx, id, m.Connection)
				c.endCascade(left.Unneeded)
			}
		}
		if was, destroyed, _ := registry.Detach(ctx, id, session.ID); destroyed {
			c.clearRoom(was)
		}
	}
}

// isOwn tells why a state is not that of the session under whose name it was found: Redis may
// be written by others.
func (c *Controller) isOwn(id string, s sessionState) error {
	if s.Session.ID != id || s.Calls.Session != id {
		return fmt.Errorf("the state of session %s is another one's", id)
	}
	for _, l := range s.Calls.Legs {
		if !isLegID(l.ID) || c.findLeg(l.ID) != nil {
			return fmt.Errorf("the state of session %s names a leg %.60q that it cannot have", id, l.ID)
		}
	}
	return nil
}
