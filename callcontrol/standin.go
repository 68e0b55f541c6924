package callcontrol

import (
	"context"
	"fmt"

	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// standIn is what a leg is there for that no document knows: a dialog with a
// conference, or the voice of a connection there. One half of a loopback call is a
// member of the room, and the other half is the leg on which the dialog plays and
// listens, as it would on any, or which listens to the connection.
type standIn struct {
	conference string
	dialog     interpreter.DialogRequest
	voice      *voice               // instead of a dialog
	room, node string               // FreeSWITCH's names of the conference and of itself
	muted      bool                 // it only hears
	settings   *conference.Settings // of the conference; nil until the registry has answered
}

// startConferenceDialog starts a dialog on a conference (VX-11).
func (c *control) startConferenceDialog(r interpreter.DialogRequest) {
	inOrder(c, func(ctx context.Context) (conference.Conference, error) {
		return c.controller.options.Conferences.Get(ctx, r.ConferenceID)
	}, func(held conference.Conference, err error) {
		var node *freeswitch.Node
		if err == nil {
			node, err = c.controller.nodes.PickOn(held.Node)
		}
		if err != nil {
			c.cannotStart(r, err.Error())
			return
		}
		c.sendStandIn(node, &standIn{conference: r.ConferenceID, dialog: r, room: held.Room, node: held.Node})
	}, nil)
}

func (c *control) sendStandIn(node *freeswitch.Node, s *standIn) {
	c.placeStandIn(c.newStandIn(s), node)
}

// newStandIn makes a stand-in of which FreeSWITCH does not know yet.
func (c *control) newStandIn(s *standIn) *leg {
	l := c.controller.newLeg(c.controller.newID(), legWaiting)
	l.standIn, l.control = s, c
	if c.legs == nil {
		c.legs = make(map[string]*leg, 1)
	}
	c.legs[l.id] = l
	l.bind(c)
	c.controller.addLeg(l)
	return l
}

func (c *control) placeStandIn(l *leg, node *freeswitch.Node) {
	l.node = node
	l.callTimer = l.after(standInTimeout, func() {
		if l.state.Is(legWaiting) {
			l.detail = fmt.Sprintf("its turn among the calls of FreeSWITCH node %s did not come within %s (limits.originates_per_second)",
				node.Name(), standInTimeout)
		}
		l.hangUp("ORIGINATOR_CANCEL")
	})
	variables := freeswitch.LoopbackVariables(c.controller.options.ID)
	variables[freeswitch.SessionVariable] = c.session.ID()
	c.whenItsTurn(l, esl.Originate{
		UUID: l.id, Timeout: standInTimeout, Apps: c.controller.home().Begin(),
		Dial: freeswitch.Room(l.standIn.room).Dial(c.controller.options.Profile, freeswitch.Membership{Aside: true, Muted: l.standIn.muted}),
		Vars: variables,
	})
}

// standsIn lets a stand-in that has come to our socket do what it is there for.
func (c *control) standsIn(l *leg) {
	s := l.standIn
	if s.voice != nil {
		c.speaks(l)
		return
	}
	s.dialog.Beside = true // it has no bridge that it could take the place of
	c.startDialog(l, s.dialog, "")
	if c.dialogs[s.dialog.DialogID] == nil { // it was terminated meanwhile
		l.hangUp("NORMAL_CLEARING")
	}
}

// standInEnded tells the document of a dialog that could not be started.
func (c *control) standInEnded(l *leg, h freeswitch.Hangup) {
	delete(c.legs, l.id)
	reason := l.detail
	if reason == "" {
		reason = "FreeSWITCH could not bring it to the conference (" + h.Cause + "); is mod_loopback loaded?"
	}
	if l.voice() != nil {
		c.voiceEnded(l, reason)
		return
	}
	c.cannotStart(l.standIn.dialog, reason) // one that has started says itself how it ended
}
