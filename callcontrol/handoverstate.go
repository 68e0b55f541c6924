package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/fsm"
)

// ownerState is whose a leg is, while <move> gives it from one session to another.
type ownerState string

const (
	legOurs       ownerState = "the session's"
	legBeingMoved ownerState = "being moved"
	legCameBack   ownerState = "being moved, back in our park"
	legEndedMoved ownerState = "being moved, hung up"
	legArriving   ownerState = "arriving" // from another controller
	legNotOurs    ownerState = "another's"
)

type ownerInput string

const (
	moveAsked       ownerInput = "move"
	moveCameBack    ownerInput = "parked again"
	moveHungUp      ownerInput = "hung up"
	moveFailed      ownerInput = "not moved"
	movedHere       ownerInput = "to a session of this controller"
	movedElsewhere  ownerInput = "to another controller"
	moveArrived     ownerInput = "its socket came"
	moveNotArriving ownerInput = "did not arrive"
)

// What is to be done when a move is over.
const (
	askElsewhereNoMore fsm.Action = "the other controller is not reached"
	keepItsEnd         fsm.Action = "keep its end for whoever has it"
	tellNotMoved       fsm.Action = "tell that it was not moved"
	tellArrived        fsm.Action = "tell the document of it"
)

// ownerStates is how a leg goes from one session to another (CCXML 1.0, 9.2.4: move).
var ownerStates = fsm.NewTable("owner", []ownerState{legOurs, legArriving}, []fsm.Row[ownerState, ownerInput]{
	fsm.Line(legOurs, moveAsked, legBeingMoved, "", "SND-21"),
	fsm.Line(legBeingMoved, moveCameBack, legCameBack, askElsewhereNoMore, freeswitch.ChannelPark+" behind the socket of another controller"),
	fsm.Line(legBeingMoved, moveHungUp, legEndedMoved, keepItsEnd, freeswitch.ChannelHangupComplete+"; SND-21"),
	fsm.Line(legCameBack, moveHungUp, legEndedMoved, keepItsEnd, freeswitch.ChannelHangupComplete+"; SND-21"),
	fsm.Line(legBeingMoved, moveFailed, legOurs, tellNotMoved, "SND-21"),
	fsm.Line(legCameBack, moveFailed, legOurs, tellNotMoved, "SND-21"),
	fsm.Line(legEndedMoved, moveFailed, legOurs, tellNotMoved, "SND-21"),
	fsm.Line(legBeingMoved, movedHere, legOurs, "", "SND-22, SOB-8"),
	fsm.Line(legBeingMoved, movedElsewhere, legNotOurs, "", freeswitch.FromSocket+" at another controller; SND-22"),
	fsm.Line(legCameBack, movedElsewhere, legNotOurs, "", freeswitch.FromSocket+" at another controller, which has said so late; SND-22"),
	fsm.Line(legEndedMoved, movedElsewhere, legNotOurs, "", freeswitch.FromSocket+" at another controller; SND-22"),
	fsm.Line(legArriving, moveArrived, legOurs, tellArrived, freeswitch.FromSocket+"; SND-22, SOB-8"),
	fsm.Line(legArriving, moveNotArriving, legNotOurs, "", "no "+freeswitch.FromSocket+" in time; SND-21"),
},
	fsm.Stay[ownerState, ownerInput]{
		In: []ownerState{legEndedMoved}, On: []ownerInput{moveHungUp},
		Source: "end of its " + freeswitch.FromSocket + ", which says less than the hangup before",
	},
	fsm.Stay[ownerState, ownerInput]{
		In: []ownerState{legCameBack}, On: []ownerInput{moveCameBack},
		Source: freeswitch.ChannelPark + " once more",
	},
)
