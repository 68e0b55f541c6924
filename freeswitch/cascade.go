package freeswitch

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ccxmld/esl"
)

// A cascade is a SIP call between two nodes, each end of which stands aside in the room
// of one conference there, so that the members on both hear each other.
//
// The called node's dialplan (conf/freeswitch/dialplan/ccxmld.xml) lets a call in that
// brings a secret which the node was told before, into the room that it was told with it,
// once.

// CascadeProfile is the SIP profile by which nodes call each other.
const CascadeProfile = "ccxmld"

const (
	cascadeHeader = "sip_h_X-ccxmld-cascade"
	cascadeGlobal = "ccxmld_cascade_"
)

// cascadeEnd is how an end of a cascade is in its room, which may be the first there.
func cascadeEnd(waits bool) Membership { return Membership{Aside: true, WaitsForModerator: waits} }

// Admit lets one call with a secret, 32 hexadecimal digits, enter the room. waits says that
// a moderator is waited for there.
func (r Room) Admit(secret, profile string, waits bool) esl.Command {
	return esl.API("global_setvar", cascadeGlobal+secret+"="+r.JoinArgument(profile, cascadeEnd(waits)))
}

// AdmitNoMore takes back what [Room.Admit] allows, where no call has come.
func AdmitNoMore(secret string) esl.Command {
	return esl.API("global_setvar", cascadeGlobal+secret+"=")
}

// Cascade is the call from the room to that of the same name on the node at a SIP
// address, HOST:PORT. Its leg has an id, and the controller's link tells of its end.
func (r Room) Cascade(id, controller, profile, address, secret string, waits bool, timeout time.Duration) esl.Originate {
	return esl.Originate{
		UUID: id, Timeout: timeout,
		Dial: "sofia/" + CascadeProfile + "/cascade@" + address,
		Apps: []esl.App{{Name: "sched_hangup", Arg: unattendedHangup()}, r.Enters(profile, cascadeEnd(waits)), {Name: "hangup", Arg: "NORMAL_CLEARING"}},
		Vars: map[string]string{
			LinkVariable: controller, IgnoreEarlyMedia: "true", "outbound_redirect_fatal": "true",
			cascadeHeader: secret, NoMediaHangup: strconv.FormatInt(cascadeSilence.Milliseconds(), 10),
		},
	}
}

// unattendedHangup is when and why a cascade ends for which no controller comes any more:
// each of its ends would keep the room of the other.
func unattendedHangup() string {
	return "+" + strconv.Itoa(int(cascadeUnattended.Seconds())) + " " + UnattendedCause
}

// Attend lets a cascade go on for as long again as it lasts without a controller. It is to
// be called well within that.
func (n *Node) Attend(id string) {
	n.Send(esl.API("sched_del", id), nil)
	when, cause, _ := strings.Cut(unattendedHangup(), " ")
	n.Send(esl.API("sched_hangup", when, id, cause), nil)
}

// SIP is HOST:PORT, and parameters of a SIP URI behind it, at which other nodes reach
// this one; "" where they do not.
func (n *Node) SIP() string {
	n.all.mu.Lock()
	defer n.all.mu.Unlock()
	return n.options.SIP
}

// Refused tells whether the link is down since nobody takes connections at the node's
// address: its FreeSWITCH has ended.
func (n *Node) Refused() bool { return errors.Is(n.link.Err(), syscall.ECONNREFUSED) }

// Cascade tells whether there are nodes that others reach.
func (n *Nodes) Cascade() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(n.list, func(node *Node) bool { return node.options.SIP != "" })
}

// ForAMoment are the actions of a call that ends by itself after a moment.
func ForAMoment() []esl.App {
	return []esl.App{{Name: "sleep", Arg: strconv.FormatInt(moment.Milliseconds(), 10)}, {Name: "hangup", Arg: "NORMAL_CLEARING"}}
}
