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

// cascade joins two conferences: a loopback call, one half of which is a member
// of each. It lasts as long as the session that made it is attached to both.
type cascade struct {
	control  *control
	id       string // the call's uuid
	id1, id2 string // of the conferences
	node     *freeswitch.Node
	pending  *order // the join, until it is answered
	timer    *clock.Timer
	turn     *freeswitch.Turn // that its call waits for
}

// joins tells whether the cascade is between two conferences, in any order.
func (s *cascade) joins(id1, id2 string) bool {
	return s.id1 == id1 && s.id2 == id2 || s.id1 == id2 && s.id2 == id1
}

// cascadeBetween finds the session's cascade between two conferences, nil if
// there is none.
func (c *control) cascadeBetween(id1, id2 string) *cascade {
	if i := slices.IndexFunc(c.cascades, func(s *cascade) bool { return s.joins(id1, id2) }); i >= 0 {
		return c.cascades[i]
	}
	return nil
}

// joinConferences joins two conferences (BRG-11). Of a half-duplex join, the
// first one's members hear those of the second.
func (c *control) joinConferences(o *order) {
	c.endCascade(c.cascadeBetween(o.ID1, o.ID2)) // JOIN-11: the new one has the new duplex
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
		if err == nil {
			node, err = c.controller.nodes.PickOn(p.first.Node)
		}
		if err != nil {
			o.fail(c, err.Error())
			return
		}
		s := &cascade{control: c, id: c.controller.newID(), id1: o.ID1, id2: o.ID2, node: node, pending: o}
		c.placeCascade(s, p.first.Room, p.second.Room)
	}, func(ctx context.Context) {
		c.detach(ctx, o.ID1)
		c.detach(ctx, o.ID2)
	})
}

func (c *control) placeCascade(s *cascade, room1, room2 string) {
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
	c.cascades = append(c.cascades, s)
	c.controller.addCascade(s)
	s.timer = c.after(standInTimeout+jobTimeout, func() {
		c.cascadeEnded(s, fmt.Sprintf("FreeSWITCH did not say within %s whether it has", standInTimeout+jobTimeout))
	})
	one, now, err := s.node.TakeTurn(c.session.Do, c.turnsOf(), func() (wanted bool) {
		if wanted = s.pending == o; wanted {
			c.originateCascade(s, call)
		}
		return wanted
	})
	switch {
	case err != nil:
		c.session.Do(func() { c.cascadeEnded(s, "FreeSWITCH node "+s.node.Name()+": "+err.Error()) })
	case now:
		c.originateCascade(s, call)
	default:
		s.turn = one
	}
}

func (c *control) originateCascade(s *cascade, call esl.Originate) {
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
				c.cascadeEnded(s, err.Error())
			case refused:
				c.cascadeEnded(s, "FreeSWITCH could not join them ("+cause+"); is mod_loopback loaded?")
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

// cascadeEnded takes the end of a cascade that the document did not ask for: it was
// not made, for a reason in words, or FreeSWITCH or somebody there has hung it up.
func (c *control) cascadeEnded(s *cascade, reason string) {
	if !slices.Contains(c.cascades, s) {
		return
	}
	o := s.pending
	s.pending = nil
	c.endCascade(s)
	if o != nil {
		o.fail(c, reason)
		return
	}
	c.log().Warn("the join of two conferences has ended", "conference1", s.id1, "conference2", s.id2, "reason", reason)
	c.queueUnjoined(s.id1, s.id2, "")
}

// endCascade takes a cascade away; nil is none.
func (c *control) endCascade(s *cascade) {
	if s == nil {
		return
	}
	c.cascades = slices.DeleteFunc(c.cascades, func(other *cascade) bool { return other == s })
	s.timer.Stop()
	s.turn.Cancel()
	c.controller.forgetCascade(s)
	s.node.Kill(s.id, "NORMAL_CLEARING")
	if o := s.pending; o != nil {
		s.pending = nil
		o.fail(c, "the conferences were unjoined, or joined again, before")
	}
}

func (c *Controller) addCascade(s *cascade) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cascades[s.id] = s
}

func (c *Controller) forgetCascade(s *cascade) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.cascades, s.id)
}

// cascadeHungUp brings the end of a cascade to its session, from a link. It reports
// false if the call is none.
func (c *Controller) cascadeHungUp(id, cause string) bool {
	c.mu.Lock()
	s := c.cascades[id]
	c.mu.Unlock()
	if s == nil {
		return false
	}
	s.control.session.Do(func() { s.control.cascadeEnded(s, "FreeSWITCH has hung it up ("+cause+")") })
	return true
}

// lookForCascades asks a node whose link is up again for the cascades there.
func (c *Controller) lookForCascades(n *freeswitch.Node) {
	c.mu.Lock()
	var there []*cascade
	for _, s := range byKey(c.cascades) {
		if s.node == n {
			there = append(there, s)
		}
	}
	c.mu.Unlock()
	for _, s := range there {
		n.Exists(s.id, func(there bool) {
			if !there {
				c.cascadeHungUp(s.id, "while the link was down")
			}
		})
	}
}

// endCascades takes the cascades of a conference away, or all for "".
func (c *control) endCascades(id string) {
	for _, s := range slices.Clone(c.cascades) {
		if id == "" || s.id1 == id || s.id2 == id {
			made := s.pending == nil
			c.endCascade(s)
			if id != "" && made {
				c.queueUnjoined(s.id1, s.id2, "")
			}
		}
	}
}
