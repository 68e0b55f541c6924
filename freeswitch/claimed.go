package freeswitch

import (
	"strconv"

	"ccxmld/esl"
)

// A controller that has claimed a session tells the one before, over FreeSWITCH: that one
// may live, cut off from Redis alone, and have the session's channels still.

// claimedEvents is the subclass of an event that says so, and claimedFrom its header that
// names the controller before, whose links are told.
const (
	claimedEvents = "ccxmld::claimed"
	claimedFrom   = "ccxmld-from"
)

// TellClaimed tells the controller from, if its link is up, that a session is another one's,
// by its epoch.
func (n *Node) TellClaimed(from, session string, epoch int64) {
	n.link.Send(esl.SendEvent(claimedEvents, [][2]string{
		{claimedFrom, from}, {"ccxmld-session", session}, {"ccxmld-epoch", strconv.FormatInt(epoch, 10)},
	}), nil)
}

// claimed takes what TellClaimed says.
func (n *Node) claimed(e *esl.Event) {
	if e.Get("Event-Subclass") != claimedEvents {
		return
	}
	if epoch, err := strconv.ParseInt(e.Get("ccxmld-epoch"), 10, 64); err == nil {
		n.all.site.Owner.Claimed(e.Get("ccxmld-session"), epoch)
	}
}

// AskVariable asks for a variable of a channel, while the gate is closed, too. told gets ""
// for one that is not set, or a channel that is not there, and is not called if the link does
// not bring an answer.
func (n *Node) AskVariable(id, name string, told func(value string)) {
	n.link.Ask(esl.API("uuid_getvar", id, name), func(r *esl.Reply, err error) {
		switch {
		case err != nil:
		case r.Err() != nil, r.Text == "_undef_":
			told("")
		default:
			told(r.Text)
		}
	})
}
