package freeswitch

import "ccxmld/fsm"

// healthState is whether a node's calls fail by its own fault.
type healthState string

const (
	nodeWell       healthState = "well"
	nodeFailing    healthState = "failing"     // a call has, or some in a row
	nodePassedOver healthState = "passed over" // it gets no calls where others can have them
	nodeOnTrial    healthState = "on trial"    // it gets calls, and the first decides
)

type healthInput string

const (
	callWorked healthInput = "a call worked"
	callFailed healthInput = "a call failed"
	oneTooMany healthInput = "a call failed, one too many"
	restOver   healthInput = "rest over"
)

// What is to be done about a node.
const (
	passOverForAWhile fsm.Action = "pass it over for a while"
	tryIt             fsm.Action = "try it again"
	tellWell          fsm.Action = "tell that it works again"
)

// healthStates is how a node's own faults are judged ([Hangup.FaultOfNode]).
var healthStates = fsm.NewTable("node", []healthState{nodeWell}, []fsm.Row[healthState, healthInput]{
	fsm.Line(nodeWell, callFailed, nodeFailing, "", ChannelHangupComplete+" or "+FromOriginate+", by the node's fault"),
	fsm.Line(nodeFailing, oneTooMany, nodePassedOver, passOverForAWhile, ChannelHangupComplete+" or "+FromOriginate+", by the node's fault"),
	fsm.Line(nodeFailing, callWorked, nodeWell, "", ChannelProgress+", "+FromSocket+", or a hangup that is not its fault"),
	fsm.Line(nodePassedOver, restOver, nodeOnTrial, tryIt, "the clock"),
	fsm.Line(nodePassedOver, callWorked, nodeWell, tellWell, ChannelProgress+", "+FromSocket+", or a hangup that is not its fault"),
	fsm.Line(nodeOnTrial, oneTooMany, nodePassedOver, passOverForAWhile, ChannelHangupComplete+" or "+FromOriginate+", by the node's fault"),
	fsm.Line(nodeOnTrial, callWorked, nodeWell, tellWell, ChannelProgress+", "+FromSocket+", or a hangup that is not its fault"),
},
	fsm.Stay[healthState, healthInput]{
		In: []healthState{nodeWell}, On: []healthInput{callWorked, restOver},
		Source: "as it should be; a rest that a call has ended may be over still",
	},
	fsm.Stay[healthState, healthInput]{
		In: []healthState{nodeFailing}, On: []healthInput{callFailed, restOver},
		Source: "not too many in a row yet; a rest that a call has ended may be over still",
	},
	fsm.Stay[healthState, healthInput]{
		In: []healthState{nodePassedOver}, On: []healthInput{oneTooMany},
		Source: "calls that it had before",
	},
	fsm.Stay[healthState, healthInput]{
		In: []healthState{nodeOnTrial}, On: []healthInput{restOver},
		Source: "the clock, later than a call",
	},
)

// serviceState is whether a node is one of ours.
type serviceState string

const (
	nodeServes   serviceState = "in service"
	nodeDraining serviceState = "draining" // taken out of the configuration; calls need its link still
	nodeEnded    serviceState = "ended"
)

type serviceInput string

const (
	nodeTakenOut serviceInput = "taken out"
	nodeUnneeded serviceInput = "no call needs its link"
)

const endLink fsm.Action = "end its link"

// serviceStates is how a node goes out of service ([Nodes.Set], [Nodes.End]).
var serviceStates = fsm.NewTable("service", []serviceState{nodeServes}, []fsm.Row[serviceState, serviceInput]{
	fsm.Line(nodeServes, nodeTakenOut, nodeDraining, "", "nodes of the configuration"),
	fsm.Line(nodeDraining, nodeUnneeded, nodeEnded, endLink, "no channel without a socket, and no coupling, for a while"),
})
