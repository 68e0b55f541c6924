package freeswitch

import (
	"errors"
	"strconv"
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

// Admit lets one call with a secret, 32 hexadecimal digits, enter the room.
func (r Room) Admit(secret, profile string) esl.Command {
	return esl.API("global_setvar", cascadeGlobal+secret+"="+string(r)+"@"+profile)
}

// AdmitNoMore takes back what [Room.Admit] allows, where no call has come.
func AdmitNoMore(secret string) esl.Command {
	return esl.API("global_setvar", cascadeGlobal+secret+"=")
}

// Cascade is the call from the room to that of the same name on the node at a SIP
// address, HOST:PORT. Its leg has an id, and the controller's link tells of its end.
func (r Room) Cascade(id, controller, profile, address, secret string, timeout time.Duration) esl.Originate {
	return esl.Originate{
		UUID: id, Timeout: timeout,
		Dial: "sofia/" + CascadeProfile + "/cascade@" + address,
		Apps: []esl.App{r.Enters(profile, Membership{Aside: true}), {Name: "hangup", Arg: "NORMAL_CLEARING"}},
		Vars: map[string]string{
			LinkVariable: controller, IgnoreEarlyMedia: "true", "outbound_redirect_fatal": "true",
			cascadeHeader: secret, NoMediaHangup: strconv.FormatInt(cascadeSilence.Milliseconds(), 10),
		},
	}
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
