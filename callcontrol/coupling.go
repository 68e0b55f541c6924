package callcontrol

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ccxmld/clock"
	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// coupling joins two conferences: a loopback call, one half of which is a member
// of each. It lasts as long as the session that made it is attached to both.
type coupling struct {
	control  *control
	id       string // the call's uuid
	id1, id2 string // of the conferences
	node     *freeswitch.Node
	pending  *order // the join, until it is answered
	timer    *clock.Timer
	turn     *freeswitch.Turn // that its call waits for
}

// joins tells whether the coupling is between two conferences, in any order.
func (s *coupling) joins(id1, id2 string) bool {
	return s.id1 == id1 && s.id2 == id2 || s.id1 == id2 && s.id2 == id1
}

// couplingBetween finds the session's coupling between two conferences, nil if
// there is none.
func (c *control) couplingBetween(id1, id2 string) *coupling {
	if i := slices.IndexFunc(c.couplings, func(s *coupling) bool { return s.joins(id1, id2) }); i >= 0 {
		return c.couplings[i]
	}
	return nil
}

// joinConferences joins two conferences (BRG-11). Of a half-duplex join, the
// first one's members hear those of the second.
func (c *control) joinConferences(o *order) {
	c.endCoupling(c.couplingBetween(o.ID1, o.ID2)) // JOIN-11: the new one has the new duplex
	giveBack1, err := c.reserveConference(o.ID1)
	if err != nil {
		o.fail(c, err.Error())
		return
	}
	giveBack2, err := c.reserveConference(o.ID2)
	if err != nil {
		giveBack1()
		o.fail(c, err.Error())
		return
	}
	type pair struct{ first, second conference.Conference }
	inOrder(c, func(ctx context.Context) (p pair, err error) {
		if p.first, err = c.controller.options.Conferences.Attach(ctx, o.ID1, c.record.ID); err == nil {
			p.second, err = c.controller.options.Conferences.Attach(ctx, o.ID2, c.record.ID)
		}
		return p, err
	}, func(p pair, err error) {
		giveBack1()
		giveBack2()
		for _, held := range []conference.Conference{p.first, p.second} {
			if held.ID != "" {
				c.hold(held.ID)
			}
		}
		var node *freeswitch.Node
		if one, two := p.first.Node, p.second.Node; err == nil && one != two && one != "" && two != "" {
			err = fmt.Errorf("one conference is on FreeSWITCH %s and the other on %s; they cannot be joined", one, two)
		}
		if err == nil {
			node, err = c.controller.nodes.PickOn(p.first.Node)
		}
		if err != nil {
			o.fail(c, err.Error())
			return
		}
		s := &coupling{control: c, id: c.controller.newID(), id1: o.ID1, id2: o.ID2, node: node, pending: o}
		c.placeCoupling(s, p.first.Room, p.second.Room)
	}, func(ctx context.Context) {
		c.detach(ctx, o.ID1)
		c.detach(ctx, o.ID2)
	})
}

func (c *control) placeCoupling(s *coupling, room1, room2 string) {
	o := s.pending
	profile := c.controller.options.Profile
	// In the first conference: it brings the second's voices there.
	hears, speaks := freeswitch.Membership{Aside: true, Muted: o.Half}, freeswitch.Membership{Aside: true, Deaf: o.Half}
	call := esl.Originate{
		UUID: s.id, Timeout: standInTimeout,
		Dial: freeswitch.Room(room2).Dial(profile, hears),
		Apps: []esl.App{freeswitch.Room(room1).Enters(profile, speaks)},
		Vars: freeswitch.LoopbackVariables(c.controller.options.ID),
	}
	c.couplings = append(c.couplings, s)
	c.controller.addCoupling(s)
	s.timer = c.after(standInTimeout+jobTimeout, func() {
		c.couplingEnded(s, fmt.Sprintf("FreeSWITCH did not say within %s whether it has", standInTimeout+jobTimeout))
	})
	one, now, err := s.node.TakeTurn(c.session.Do, c.turnsOf(), func() (wanted bool) {
		if wanted = s.pending == o; wanted {
			c.originateCoupling(s, call)
		}
		return wanted
	})
	switch {
	case err != nil:
		c.session.Do(func() { c.couplingEnded(s, "FreeSWITCH node "+s.node.Name()+": "+err.Error()) })
	case now:
		c.originateCoupling(s, call)
	default:
		s.turn = one
	}
}

func (c *control) originateCoupling(s *coupling, call esl.Originate) {
	o := s.pending
	s.node.Originate(call, func(result string, err error) {
		cause, refused := strings.CutPrefix(strings.TrimSpace(result), "-ERR ")
		made := err == nil && !refused
		alive := c.session.Do(func() {
			switch {
			case s.pending == nil && made: // too late
				s.node.Kill(s.id, "NORMAL_CLEARING")
			case s.pending == nil:
			case err != nil:
				c.couplingEnded(s, err.Error())
			case refused:
				c.couplingEnded(s, "FreeSWITCH could not join them ("+cause+"); is mod_loopback loaded?")
			default:
				s.timer.Stop()
				s.pending = nil
				o.made(c)
			}
		})
		if !alive && made {
			s.node.Kill(s.id, "NORMAL_CLEARING")
		}
	})
}

// couplingEnded takes the end of a coupling that the document did not ask for: it was
// not made, for a reason in words, or FreeSWITCH or somebody there has hung it up.
func (c *control) couplingEnded(s *coupling, reason string) {
	if !slices.Contains(c.couplings, s) {
		return
	}
	o := s.pending
	s.pending = nil
	c.endCoupling(s)
	if o != nil {
		o.fail(c, reason)
		return
	}
	c.log().Warn("the join of two conferences has ended", "conference1", s.id1, "conference2", s.id2, "reason", reason)
	c.queueUnjoined(s.id1, s.id2, "")
}

// endCoupling takes a coupling away; nil is none.
func (c *control) endCoupling(s *coupling) {
	if s == nil {
		return
	}
	c.couplings = slices.DeleteFunc(c.couplings, func(other *coupling) bool { return other == s })
	s.timer.Stop()
	s.turn.Cancel()
	c.controller.forgetCoupling(s)
	s.node.Kill(s.id, "NORMAL_CLEARING")
	if o := s.pending; o != nil {
		s.pending = nil
		o.fail(c, "the conferences were unjoined, or joined again, before")
	}
}

func (c *Controller) addCoupling(s *coupling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.couplings[s.id] = s
}

func (c *Controller) forgetCoupling(s *coupling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.couplings, s.id)
}

// couplingHungUp brings the end of a coupling to its session, from a link. It reports
// false if the call is none.
func (c *Controller) couplingHungUp(id, cause string) bool {
	c.mu.Lock()
	s := c.couplings[id]
	c.mu.Unlock()
	if s == nil {
		return false
	}
	s.control.session.Do(func() { s.control.couplingEnded(s, "FreeSWITCH has hung it up ("+cause+")") })
	return true
}

// lookForCouplings asks a node whose link is up again for the couplings there.
func (c *Controller) lookForCouplings(n *freeswitch.Node) {
	c.mu.Lock()
	var there []*coupling
	for _, s := range byKey(c.couplings) {
		if s.node == n {
			there = append(there, s)
		}
	}
	c.mu.Unlock()
	for _, s := range there {
		n.Exists(s.id, func(there bool) {
			if !there {
				c.couplingHungUp(s.id, "while the link was down")
			}
		})
	}
}

// endCouplings takes the couplings of a conference away, or all for "".
func (c *control) endCouplings(id string) {
	for _, s := range slices.Clone(c.couplings) {
		if id == "" || s.id1 == id || s.id2 == id {
			made := s.pending == nil
			c.endCoupling(s)
			if id != "" && made {
				c.queueUnjoined(s.id1, s.id2, "")
			}
		}
	}
}
