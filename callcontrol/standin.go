package callcontrol

import (
	"context"
	"fmt"
	"time"

	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/interpreter"
)

// standIn is what a leg is there for that no document knows: a dialog with a
// conference. One half of a loopback call is a member of the room, and the other
// half is the leg on which the dialog plays and listens, as it would on any.
type standIn struct {
	conference string
	dialog     interpreter.DialogRequest
	room, node string // FreeSWITCH's names of the conference and of itself
}

// standInPatience is how long FreeSWITCH may take to make a stand-in.
const standInPatience = 10 * time.Second

// startConferenceDialog starts a dialog on a conference (VX-11).
func (c *control) startConferenceDialog(r interpreter.DialogRequest) {
	inOrder(c, func(ctx context.Context) (conference.Conference, error) {
		return c.controller.options.Conferences.Get(ctx, r.ConferenceID)
	}, func(held conference.Conference, err error) {
		var node *Node
		if err == nil {
			node, err = c.controller.nodes.pickOn(held.Node)
		}
		if err != nil {
			c.cannotStart(r, err.Error())
			return
		}
		c.sendStandIn(node, &standIn{conference: r.ConferenceID, dialog: r, room: held.Room, node: held.Node})
	}, nil)
}

func (c *control) sendStandIn(node *Node, s *standIn) {
	l := &leg{id: c.controller.newID(), state: legDialing, node: node, logger: c.controller.log, standIn: s, control: c}
	if c.legs == nil {
		c.legs = make(map[string]*leg, 1)
	}
	c.legs[l.id] = l
	l.route.bind(c)
	c.controller.addLeg(l)
	l.stopCall = l.after(standInPatience, func() { l.hangUp("ORIGINATOR_CANCEL") })
	c.place(l, esl.Originate{
		UUID: l.id, Timeout: standInPatience, Apps: c.controller.home(),
		Dial: intoRoom(s.room, c.controller.options.Profile),
		Vars: map[string]string{
			"loopback_bowout": "false", "loopback_bowout_on_execute": "false",
			"origination_caller_id_number": conference.GhostNumber, "origination_callee_id_number": conference.GhostNumber,
			linkVariable: c.controller.options.ID, sessionVariable: c.session.ID(),
		},
	})
}

// standsIn starts the dialog of a stand-in that has come to our socket.
func (c *control) standsIn(l *leg) {
	s := l.standIn
	if s.node != "" && l.machine != s.node {
		l.detail = fmt.Sprintf("the conference is on FreeSWITCH %s, and the dialog would be on %s; conferences across nodes are not supported yet", s.node, l.machine)
		l.hangUp("NORMAL_CLEARING")
		return
	}
	s.dialog.Beside = true // it has no bridge that it could take the place of
	c.startDialog(l, s.dialog, "")
	if c.dialogs[s.dialog.DialogID] == nil { // it was terminated meanwhile
		l.hangUp("NORMAL_CLEARING")
	}
}

// standInEnded tells the document of a dialog that could not be started.
func (c *control) standInEnded(l *leg, h hangup) {
	delete(c.legs, l.id)
	reason := l.detail
	if reason == "" {
		reason = "FreeSWITCH could not bring it to the conference (" + h.cause + "); is mod_loopback loaded?"
	}
	c.cannotStart(l.standIn.dialog, reason) // one that has started says itself how it ended
}
