package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/fsm"
)

// joinState is how far the join of a leg is: with another leg (full duplex, or that it
// hears), or with a conference. Which of these it is, place.kind says.
type joinState string

const (
	notJoined   joinState = "not joined"
	joinPending joinState = "pending"
	joined      joinState = "joined"
	joinLeaving joinState = "leaving"                      // kicked out of its room, and there still
	joinApart   joinState = "apart"                        // its bridge is over in FreeSWITCH
	joinLate    joinState = "failed, and may still happen" // FreeSWITCH took too long
)

type joinInput string

const (
	joinBegins     joinInput = "begin"
	joinMade       joinInput = "made"
	joinFails      joinInput = "failed"
	joinGoesOn     joinInput = "goes on in one direction"
	joinTimesOut   joinInput = "given up"
	joinComesLate  joinInput = "made after it was given up"
	joinLeaves     joinInput = "leave"
	joinStays      joinInput = "not let go"
	joinBridgeEnds joinInput = "bridge ended"
	joinEnds       joinInput = "alone again"
)

// What is to be done about a join.
const (
	tellJoined  fsm.Action = "tell of conference.joined"
	tellFailed  fsm.Action = "tell of error.conference.join"
	undoJoin    fsm.Action = "undo it"
	awaitReason fsm.Action = "wait a moment for the reason"
	tellUnjoin  fsm.Action = "tell of conference.unjoined"
)

// joinStates is the life of a join (CCXML 1.0, 10.4 and 10.5: join, unjoin).
var joinStates = fsm.NewTable("join", []joinState{notJoined}, []fsm.Row[joinState, joinInput]{
	fsm.Line(notJoined, joinBegins, joinPending, "", freeswitch.FromBridge+", "+freeswitch.FromEavesdrop+" or conference (mod_conference); JOIN-1"),
	fsm.Line(joinLate, joinBegins, joinPending, "", "a new join after one that was given up; JOIN-1"),
	fsm.Line(joinPending, joinMade, joined, tellJoined, freeswitch.ChannelBridge+", "+freeswitch.FromEavesdrop+" begun, or add-member of "+freeswitch.FromRoom+"; JOIN-8"),
	fsm.Line(joinPending, joinFails, notJoined, tellFailed, "-ERR, end of the application, or no answer in time; JOIN-8"),
	fsm.Line(notJoined, joinGoesOn, joined, "", freeswitch.FromEavesdrop+", where only the input falls; BRG-6"),
	fsm.Line(joinLate, joinGoesOn, joined, "", freeswitch.FromEavesdrop+", where only the input falls; BRG-6"),

	fsm.Line(notJoined, joinTimesOut, joinLate, "", "no word from FreeSWITCH within the time of a join; JOIN-8"),
	fsm.Line(joinLate, joinComesLate, notJoined, undoJoin, freeswitch.ChannelBridge+" or add-member, too late"),
	fsm.Line(notJoined, joinComesLate, notJoined, undoJoin, freeswitch.ChannelBridge+" or add-member, too late"),
	fsm.Line(joinPending, joinComesLate, joinPending, undoJoin, freeswitch.ChannelBridge+" or add-member of the join before, too late"),
	fsm.Line(joined, joinComesLate, joined, undoJoin, freeswitch.ChannelBridge+" or add-member of the join before, too late"),
	fsm.Line(joinLeaving, joinComesLate, joinLeaving, undoJoin, freeswitch.ChannelBridge+" or add-member of the join before, too late"),
	fsm.Line(joinApart, joinComesLate, joinApart, undoJoin, freeswitch.ChannelBridge+" or add-member of the join before, too late"),

	fsm.Line(joined, joinLeaves, joinLeaving, "", freeswitch.FromKick+"; UNJ-1, BRG-7"),
	fsm.Line(joinLeaving, joinStays, joined, "", freeswitch.FromKick+", refused or without effect"),
	fsm.Line(joined, joinBridgeEnds, joinApart, awaitReason, freeswitch.ChannelUnbridge+", or "+freeswitch.ChannelPark+" without our mark"),
	fsm.Line(joined, joinEnds, notJoined, tellUnjoin, freeswitch.ChannelPark+", end of "+freeswitch.FromEavesdrop+", or del-member; UNJ-1, BRG-12"),
	fsm.Line(joinLeaving, joinEnds, notJoined, tellUnjoin, "del-member of "+freeswitch.FromRoom+"; UNJ-1, BRG-12"),
	fsm.Line(joinApart, joinEnds, notJoined, tellUnjoin, freeswitch.ChannelPark+" with its mark, or the hangup; BRG-12"),
},
	fsm.Stay[joinState, joinInput]{
		In: []joinState{joinApart}, On: []joinInput{joinBridgeEnds},
		Source: freeswitch.ChannelUnbridge + ", told on the sockets of both",
	},
	fsm.Stay[joinState, joinInput]{
		In: []joinState{joinLate}, On: []joinInput{joinTimesOut},
		Source: "a second one of the same join",
	},
)
