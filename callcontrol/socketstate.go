package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/fsm"
)

// socketState is how far a leg's own socket is.
type socketState string

const (
	noSocket          socketState = "none"
	socketSubscribing socketState = "subscribing" // it does not tell of events yet
	socketSubscribed  socketState = "subscribed"  // it tells of events, and our variables are not set yet
	socketReady       socketState = "ready"
)

type socketInput string

const (
	socketComes      socketInput = "comes"
	socketSubscribes socketInput = "subscription answered"
	socketIsSet      socketInput = "variables set"
	socketEnds       socketInput = "ends"
)

// What is to be done as a socket becomes ready.
const (
	takeUpWaiting fsm.Action = "take up what has waited"
	nextInTurn    fsm.Action = "begin what is next"
)

// socketStates is the life of a leg's own socket (D4).
var socketStates = fsm.NewTable("socket", []socketState{noSocket}, []fsm.Row[socketState, socketInput]{
	fsm.Line(noSocket, socketComes, socketSubscribing, "", freeswitch.FromSocket),
	fsm.Line(socketSubscribing, socketSubscribes, socketSubscribed, takeUpWaiting, "event and filter (mod_event_socket)"),
	fsm.Line(socketSubscribed, socketIsSet, socketReady, nextInTurn, freeswitch.FromSetVariables),
	fsm.Line(socketSubscribing, socketEnds, noSocket, "", "end of "+freeswitch.FromSocket),
	fsm.Line(socketSubscribed, socketEnds, noSocket, "", "end of "+freeswitch.FromSocket),
	fsm.Line(socketReady, socketEnds, noSocket, "", "end of "+freeswitch.FromSocket),
	fsm.Line(socketSubscribed, socketComes, socketSubscribing, "", freeswitch.FromSocket+", a second one, while the first is silent"),
	fsm.Line(socketReady, socketComes, socketSubscribing, "", freeswitch.FromSocket+", a second one, while the first is silent"),
},
	fsm.Stay[socketState, socketInput]{
		In: []socketState{socketSubscribing}, On: []socketInput{socketComes},
		Source: freeswitch.FromSocket + ", a second one, while the first is silent",
	},
)
