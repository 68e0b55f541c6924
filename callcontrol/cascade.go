package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// cascades are the calls between nodes that this controller has made. Each lets the
// members of a conference on one node hear those on the conference's own: rooms of the
// same name are on both, and one end of the call stands aside in each. The node of the
// members calls, so that what it costs is where they are, and ends with it. Which
// controller makes one, the registry says.
//
// Events of members, rosters and commands about them go to the room that the member is
// in; what concerns the whole conference goes to the one on its own node, and is heard in
// the others.
type cascades struct {
	mu   sync.Mutex
	made map[string]farRoom // by the uuid of the leg on the node of the members
	lost map[farRoom]bool   // are about to be made again

	attended map[string]time.Time // when their nodes were told that they are needed; by the uuid, also of what others have made
}

// farRoom is a conference on a machine that is not its own.
type farRoom struct{ id, room, home, machine string }

func farRoomOf(held *conference.Conference, machine string) farRoom {
	return farRoom{id: held.ID, room: held.Room, home: held.Node, machine: machine}
}

// reaching says of a member whether its FreeSWITCH reaches that of the conference, which is
// its own if the conference has none yet.
func (c *Controller) reaching(held *conference.Conference, m conference.Member) conference.Member {
	switch {
	case held.Node == "":
		held.Node = m.Node
	case m.Node != "" && m.Node != held.Node:
		m.Reaches = c.unreached(held.Node, m.Node) == ""
	}
	return m
}

// unreached says why a machine does not reach another one, "" if it does.
func (c *Controller) unreached(home, machine string) string {
	for _, name := range []string{home, machine} {
		if c.nodes.On(name) == nil {
			return "no node with a link is FreeSWITCH " + name + "; add it to nodes"
		}
	}
	if c.nodes.On(home).SIP() == "" {
		return "node " + c.nodes.On(home).Name() + " has no sip, by which other nodes reach it (nodes[].sip)"
	}
	return ""
}

// cascade sees to it that the members of a conference on a machine that is not its own hear
// it: by the cascade that there is, and is not the one that is lost, or by a new one. It
// returns when that is up.
func (c *Controller) cascade(ctx context.Context, held conference.Conference, machine, lost string) error {
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, cascadeTimeout)
	defer cancel()
	for {
		s, mine, instead, err := c.options.Conferences.Reach(ctx, held.ID, machine, c.newID(), lost)
		if instead != "" {
			c.endCascade(conference.Cascade{Node: machine, ID: instead})
		}
		switch {
		case err != nil:
			return err
		case mine:
			return c.makeCascade(ctx, farRoomOf(&held, machine), s, held.Settings.WaitForModerator && !held.Moderated)
		case s.Up:
			return nil
		}
		if !clock.Sleep(ctx, c.options.Clock, cascadeAgain) {
			return fmt.Errorf("the call to FreeSWITCH %s, which the conference is on, was not made within %s", held.Node, cascadeTimeout)
		}
	}
}

// makeCascade makes the cascade that the registry has left to us, and tells it what came of
// it.
func (c *Controller) makeCascade(ctx context.Context, f farRoom, s conference.Cascade, waits bool) error {
	err := c.placeCascade(ctx, f, s.ID, waits)
	wanted := c.options.Conferences.Cascaded(context.WithoutCancel(ctx), f.id, s, err == nil)
	switch {
	case err != nil:
		return fmt.Errorf("FreeSWITCH %s has not reached %s, which the conference is on: %w", f.machine, f.home, err)
	case !wanted:
		c.endCascade(s)
		return conference.ErrNotFound
	}
	c.log.Info("conference has members on another node", "conference", f.id, "freeswitch", f.home, "members", f.machine, "call", s.ID)
	return nil
}

// placeCascade places the call and waits until it is up. waits says that a moderator is
// waited for.
func (c *Controller) placeCascade(ctx context.Context, f farRoom, id string, waits bool) error {
	if reason := c.unreached(f.home, f.machine); reason != "" {
		return errors.New(reason)
	}
	home, near, room := c.nodes.On(f.home), c.nodes.On(f.machine), freeswitch.Room(f.room)
	secret := strings.ReplaceAll(c.newID(), "-", "")
	if err := c.tell(ctx, home, room.Admit(secret, c.options.Profile, waits)); err != nil {
		return err
	}
	err := c.originateCascade(ctx, near, f, room.Cascade(id, c.options.ID, c.options.Profile, home.SIP(), secret, waits, cascadeTimeout))
	if err != nil {
		home.Send(freeswitch.AdmitNoMore(secret), nil)
	}
	return err
}

// originateCascade waits for the call's turn and for what comes of it. A call that is up
// too late is hung up.
func (c *Controller) originateCascade(ctx context.Context, near *freeswitch.Node, f farRoom, call esl.Originate) error {
	var mu sync.Mutex
	var failed error
	over, answered := false, clock.NewLatch(c.options.Clock)
	told := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case over && err == nil:
			near.Kill(call.UUID, "NORMAL_CLEARING")
		case err == nil: // before the link tells of its end
			c.cascades.add(call.UUID, f)
		}
		failed = err
		answered.Open()
	}
	place := func() bool {
		if ctx.Err() != nil {
			return false
		}
		near.Originate(call, func(result string, err error) {
			if cause, refused := strings.CutPrefix(strings.TrimSpace(result), "-ERR "); err == nil && refused {
				err = errors.New(cause)
			}
			told(err)
		})
		return true
	}
	turn, now, err := near.TakeTurn(func(f func()) bool { f(); return true }, nil, place)
	switch {
	case err != nil:
		return err
	case now:
		place()
	}
	err = answered.Wait(ctx)
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		turn.Cancel()
		over = true
		near.Kill(call.UUID, "ORIGINATOR_CANCEL")
		return err
	}
	return failed
}

// tell gives a command to a node and waits until it has obeyed.
func (c *Controller) tell(ctx context.Context, n *freeswitch.Node, cmd esl.Command) error {
	reply, err := c.replyOf(ctx, n, cmd)
	if err == nil {
		err = reply.Err()
	}
	if err != nil {
		return fmt.Errorf("FreeSWITCH node %s: %w", n.Name(), err)
	}
	return nil
}

// replyOf gives a command to a node and waits for its reply, which may be a refusal.
func (c *Controller) replyOf(ctx context.Context, n *freeswitch.Node, cmd esl.Command) (*esl.Reply, error) {
	answered := clock.NewLatch(c.options.Clock)
	var reply *esl.Reply
	var failed error
	n.Send(cmd, func(r *esl.Reply, err error) {
		reply, failed = r, err
		answered.Open()
	})
	if err := answered.Wait(ctx); err != nil {
		return nil, err
	}
	return reply, failed
}

// endCascade hangs up a cascade that nobody needs any more; ID "" is none.
func (c *Controller) endCascade(s conference.Cascade) {
	if s.ID == "" {
		return
	}
	c.cascades.take(s.ID)
	if node := c.nodes.On(s.Node); node != nil {
		node.Kill(s.ID, "NORMAL_CLEARING")
	}
}

func (s *cascades) add(id string, f farRoom) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		s.made = make(map[string]farRoom)
	}
	s.made[id] = f
}

// take takes a cascade out of those that this controller watches over.
func (s *cascades) take(id string) (f farRoom, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok = s.made[id]
	delete(s.made, id)
	return f, ok
}

// toAttend gives those of which their nodes are to be told again that they are needed, and
// counts them as told.
func (s *cascades) toAttend(needed []conference.Cascade, now time.Time) (due map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	attended := make(map[string]time.Time, len(needed))
	due = make(map[string]bool)
	for _, one := range needed {
		last, known := s.attended[one.ID]
		switch {
		case !known: // whoever has made it has just told of it, or does so
			last = now
		case now.Sub(last) >= attendAfter:
			last, due[one.ID] = now, true
		}
		attended[one.ID] = last
	}
	s.attended = attended
	return due
}

// begin notes that a cascade is about to be made again; it reports false if it is already.
func (s *cascades) begin(f farRoom) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost[f] {
		return false
	}
	if s.lost == nil {
		s.lost = make(map[farRoom]bool)
	}
	s.lost[f] = true
	return true
}

func (s *cascades) end(f farRoom) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lost, f)
}
