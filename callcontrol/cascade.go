package callcontrol

import (
	"context"
	"slices"
	"strings"

	"ccxmld/conference"
	"ccxmld/esl"
)

// cascade joins two conferences: a loopback call, one half of which is a member
// of each. It lasts as long as the session that made it is attached to both.
type cascade struct {
	id       string // the call's uuid
	id1, id2 string // of the conferences
	node     *Node
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
	type pair struct{ first, second conference.Conference }
	inOrder(c, func(ctx context.Context) (p pair, err error) {
		if p.first, err = c.controller.options.Conferences.Attach(ctx, o.ID1, c.record.ID); err == nil {
			p.second, err = c.controller.options.Conferences.Attach(ctx, o.ID2, c.record.ID)
		}
		return p, err
	}, func(p pair, err error) {
		for _, held := range []conference.Conference{p.first, p.second} {
			if held.ID != "" {
				c.hold(held.ID)
			}
		}
		var node *Node
		if err == nil {
			node, err = c.controller.nodes.pickOn(p.first.Node)
		}
		if err != nil {
			o.fail(c, err.Error())
			return
		}
		c.placeCascade(&cascade{c.controller.newID(), o.ID1, o.ID2, node}, p.first.Room, p.second.Room, o)
	}, func(ctx context.Context) {
		c.detach(ctx, o.ID1)
		c.detach(ctx, o.ID2)
	})
}

// intoRoom is the dial string of a loopback call one half of which enters a room.
// Its | would separate two destinations.
func intoRoom(room, profile string, flags ...string) string {
	return "loopback/app=conference:" + strings.ReplaceAll(conference.JoinArgument(room, profile, flags...), "|", `\|`)
}

func (c *control) placeCascade(s *cascade, room1, room2 string, o *order) {
	profile := c.controller.options.Profile
	// In the first conference: it brings the second's voices there.
	hears, speaks := conference.Aside(), conference.Aside()
	if o.Half {
		hears, speaks = conference.Aside("mute"), conference.Aside("deaf")
	}
	call := esl.Originate{
		UUID: s.id, Timeout: standInPatience,
		Dial: intoRoom(room2, profile, hears...),
		Apps: []esl.App{{Name: "conference", Arg: conference.JoinArgument(room1, profile, speaks...)}},
		Vars: map[string]string{
			"loopback_bowout": "false", "loopback_bowout_on_execute": "false",
		},
	}
	c.cascades = append(c.cascades, s)
	s.node.link.Job(call.Command(), func(result string, err error) {
		cause, refused := strings.CutPrefix(strings.TrimSpace(result), "-ERR ")
		alive := c.session.Do(func() {
			switch {
			case !slices.Contains(c.cascades, s): // taken away meanwhile
				s.node.kill(s.id, "NORMAL_CLEARING")
				o.fail(c, "the conferences were unjoined before")
			case err != nil:
				c.cascades = slices.DeleteFunc(c.cascades, func(other *cascade) bool { return other == s })
				o.fail(c, err.Error())
			case refused:
				c.cascades = slices.DeleteFunc(c.cascades, func(other *cascade) bool { return other == s })
				o.fail(c, "FreeSWITCH could not join them ("+cause+"); is mod_loopback loaded?")
			default:
				o.made(c)
			}
		})
		if !alive && err == nil && !refused {
			s.node.kill(s.id, "NORMAL_CLEARING")
		}
	})
}

// endCascade takes a cascade away; nil is none.
func (c *control) endCascade(s *cascade) {
	if s == nil {
		return
	}
	c.cascades = slices.DeleteFunc(c.cascades, func(other *cascade) bool { return other == s })
	s.node.kill(s.id, "NORMAL_CLEARING")
}

// endCascades takes the cascades of a conference away, or all for "".
func (c *control) endCascades(id string) {
	for _, s := range slices.Clone(c.cascades) {
		if id == "" || s.id1 == id || s.id2 == id {
			c.endCascade(s)
			if id != "" {
				c.queueUnjoined(s.id1, s.id2, "")
			}
		}
	}
}
