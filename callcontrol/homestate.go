package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/fsm"
)

// homeState is where a leg is on its way home, to our park.
type homeState string

const (
	notHoming       homeState = "not on its way"
	homeTransferred homeState = "transferred" // on its own socket
	homeCut         homeState = "cut off"     // it lost its socket, and comes by itself or is fetched
	homeFetched     homeState = "fetched"     // over the link
	homeClosing     homeState = "parked, its other sockets close"
)

type homeInput string

const (
	homeTransfer    homeInput = "transfer"
	homeSocketEnds  homeInput = "socket ended"
	homeFetch       homeInput = "fetch"
	homeOthersClose homeInput = "parked, with other sockets"
	homeNextPark    homeInput = "in the next park"
	homeReached     homeInput = "parked"
	homeMissed      homeInput = "did not come"
)

// What is to be done when a leg is home, or does not come.
const (
	goOnAtHome fsm.Action = "go on at home"
	endAstray  fsm.Action = "hang it up"
)

// homeStates is the way home of a leg (D4, D9).
var homeStates = fsm.NewTable("way home", []homeState{notHoming}, []fsm.Row[homeState, homeInput]{
	fsm.Line(notHoming, homeTransfer, homeTransferred, "", freeswitch.FromTransfer),
	fsm.Line(homeCut, homeTransfer, homeTransferred, "", freeswitch.FromTransfer+", once it has come to a new socket"),
	fsm.Line(homeFetched, homeTransfer, homeTransferred, "", freeswitch.FromTransfer+", once it has come to a new socket"),
	fsm.Line(homeClosing, homeTransfer, homeTransferred, "", freeswitch.FromTransfer+", when the others are closed"),

	fsm.Line(notHoming, homeSocketEnds, homeCut, "", "end of its "+freeswitch.FromSocket),
	fsm.Line(homeTransferred, homeSocketEnds, homeCut, "", "end of its "+freeswitch.FromSocket),
	fsm.Line(homeFetched, homeSocketEnds, homeCut, "", "end of its "+freeswitch.FromSocket+", to which it came by itself"),
	fsm.Line(homeClosing, homeSocketEnds, homeCut, "", "end of its "+freeswitch.FromSocket),
	fsm.Line(homeCut, homeFetch, homeFetched, "", freeswitch.FromTransfer+", over the link"),
	fsm.Line(homeTransferred, homeFetch, homeFetched, "", freeswitch.FromTransfer+", over the link, as it has no socket"),

	fsm.Line(homeTransferred, homeOthersClose, homeClosing, "", freeswitch.ChannelPark+" with its mark"),
	fsm.Line(homeFetched, homeOthersClose, homeClosing, "", freeswitch.ChannelPark+" with its mark"),
	fsm.Line(homeTransferred, homeReached, notHoming, goOnAtHome, freeswitch.ChannelPark+" with its mark"),
	fsm.Line(homeFetched, homeReached, notHoming, goOnAtHome, freeswitch.ChannelPark+" with its mark"),

	fsm.Line(homeTransferred, homeMissed, notHoming, endAstray, freeswitch.FromTransfer+", refused or without effect"),
	fsm.Line(homeCut, homeMissed, notHoming, endAstray, "no new "+freeswitch.FromSocket+" in time"),
	fsm.Line(homeFetched, homeMissed, notHoming, endAstray, "no new "+freeswitch.FromSocket+" in time"),
	fsm.Line(homeClosing, homeMissed, notHoming, endAstray, "no "+freeswitch.ChannelPark+" in time"),
},
	fsm.Stay[homeState, homeInput]{
		In: []homeState{homeTransferred}, On: []homeInput{homeTransfer},
		Source: freeswitch.FromTransfer + ", once more, with a mark of its own",
	},
	fsm.Stay[homeState, homeInput]{
		In: []homeState{homeFetched}, On: []homeInput{homeFetch},
		Source: freeswitch.FromTransfer + ", once more, as the link is up again",
	},
	fsm.Stay[homeState, homeInput]{
		In: []homeState{homeClosing}, On: []homeInput{homeNextPark},
		Source: freeswitch.ChannelPark + ", as one more of its sockets is closed",
	},
)

// isHoming tells whether the leg is on its way home.
func (l *leg) isHoming() bool { return !l.homing.Is(notHoming) }
