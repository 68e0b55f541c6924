package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/fsm"
)

// legState is how far the call of a leg has come, as FreeSWITCH has it. What its
// document knows of that is a connectionState.
type legState string

const (
	legAlerting       legState = "alerting"              // incoming, not answered
	legWaiting        legState = "waiting to be dialled" // outbound: FreeSWITCH does not know it
	legDialing        legState = "dialing"               // FreeSWITCH has been told to place it
	legRinging        legState = "ringing"               // the far end rings
	legMedia          legState = "with early media"      // which the far end sends; the socket is not here yet
	legAttaching      legState = "attaching"             // answered, its socket not here yet
	legAttachingEarly legState = "attaching early"       // with early media, or answered after it; its socket not here yet
	legEarly          legState = "progressing"           // with early media, under control
	legConnected      legState = "connected"             // answered and under control
	legGone           legState = "gone"                  // hung up, or not ours any more
)

// legInput is what happens to the call of a leg.
type legInput string

const (
	legTurnCame       legInput = "its turn came"
	legRings          legInput = "rings"
	legSendsMedia     legInput = "sends early media"
	legPlaced         legInput = "originate done"
	legRetried        legInput = "to be dialled again"
	legCameUnanswered legInput = "socket came, not answered"
	legCameAnswered   legInput = "socket came, answered"
	legAnswers        legInput = "answered"
	legHungUp         legInput = "hung up"
	legMerged         legInput = "merged"
	legReleased       legInput = "session ended"
	legMovedAway      legInput = "came to another controller"
	legDidNotArrive   legInput = "did not arrive"
)

// What is to be done when the state of a leg changes.
const (
	originateIt   fsm.Action = "originate"
	tellProgress  fsm.Action = "tell of progress"
	awaitSocket   fsm.Action = "await its socket"
	takeEarly     fsm.Action = "take it with early media"
	tellConnected fsm.Action = "tell that it is connected"
	endLeg        fsm.Action = "end it"
)

// legStates is the life of a leg.
var legStates = fsm.NewTable("leg", []legState{legAlerting, legWaiting, legConnected}, []fsm.Row[legState, legInput]{
	// Incoming calls, and those that come from another controller.
	fsm.Line(legAlerting, legAnswers, legConnected, tellConnected, freeswitch.ChannelAnswer+"; ACC-1"),

	// Calls that we place. An attempt that failed by the fault of its node, or that its
	// callee redirected, is followed by another.
	fsm.Line(legWaiting, legTurnCame, legDialing, originateIt, "limits.originates_per_second; CAL-2"),
	fsm.Line(legDialing, legRings, legRinging, tellProgress, freeswitch.ChannelProgress+"; CON-8"),
	fsm.Line(legDialing, legSendsMedia, legMedia, tellProgress, freeswitch.ChannelProgressMedia+"; CON-8, CAL-9"),
	fsm.Line(legRinging, legRings, legRinging, tellProgress, freeswitch.ChannelProgress+"; CON-8"),
	fsm.Line(legRinging, legSendsMedia, legMedia, tellProgress, freeswitch.ChannelProgressMedia+"; CON-8, CAL-9"),
	fsm.Line(legMedia, legSendsMedia, legMedia, tellProgress, freeswitch.ChannelProgressMedia+"; CON-8"),
	fsm.Line(legDialing, legRetried, legWaiting, "", freeswitch.ChannelHangupComplete+" by the node's fault, or with a SIP 3xx; dial.redirects"),
	fsm.Line(legRinging, legRetried, legWaiting, "", freeswitch.ChannelHangupComplete+" with a SIP 3xx; dial.redirects"),
	fsm.Line(legMedia, legRetried, legWaiting, "", freeswitch.ChannelHangupComplete+" with a SIP 3xx; dial.redirects"),
	fsm.Line(legDialing, legPlaced, legAttaching, awaitSocket, freeswitch.FromOriginate+", +OK; or "+freeswitch.FromDump),
	fsm.Line(legRinging, legPlaced, legAttaching, awaitSocket, freeswitch.FromOriginate+", +OK; or "+freeswitch.FromDump),
	fsm.Line(legMedia, legPlaced, legAttachingEarly, awaitSocket, freeswitch.FromOriginate+", +OK, which early media is enough for"),

	// They come to our socket, which says whether they are answered.
	fsm.Line(legDialing, legCameAnswered, legConnected, tellConnected, freeswitch.FromSocket+"; CON-8"),
	fsm.Line(legRinging, legCameAnswered, legConnected, tellConnected, freeswitch.FromSocket+"; CON-8"),
	fsm.Line(legMedia, legCameAnswered, legConnected, tellConnected, freeswitch.FromSocket+"; CON-8"),
	fsm.Line(legAttaching, legCameAnswered, legConnected, tellConnected, freeswitch.FromSocket+"; CON-8"),
	fsm.Line(legAttachingEarly, legCameAnswered, legConnected, tellConnected, freeswitch.FromSocket+"; CON-8"),
	fsm.Line(legDialing, legCameUnanswered, legEarly, takeEarly, freeswitch.FromSocket+"; CAL-9"),
	fsm.Line(legRinging, legCameUnanswered, legEarly, takeEarly, freeswitch.FromSocket+"; CAL-9"),
	fsm.Line(legMedia, legCameUnanswered, legEarly, takeEarly, freeswitch.FromSocket+"; CAL-9"),
	fsm.Line(legAttaching, legCameUnanswered, legEarly, takeEarly, freeswitch.FromSocket+"; CAL-9"),
	fsm.Line(legAttachingEarly, legCameUnanswered, legEarly, takeEarly, freeswitch.FromSocket+"; CAL-9"),
	fsm.Line(legEarly, legRings, legEarly, tellProgress, freeswitch.ChannelProgress+" on the link, slower than the socket"),
	fsm.Line(legEarly, legSendsMedia, legEarly, tellProgress, freeswitch.ChannelProgressMedia+" on the link, slower than the socket"),
	fsm.Line(legEarly, legAnswers, legConnected, tellConnected, freeswitch.ChannelAnswer+"; CON-8"),

	// The end (CEV-6).
	fsm.Line(legAlerting, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+"; CON-7"),
	fsm.Line(legWaiting, legHungUp, legGone, endLeg, "given up before FreeSWITCH had it; CON-8"),
	fsm.Line(legDialing, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+", or "+freeswitch.FromOriginate+", -ERR; CON-8"),
	fsm.Line(legRinging, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+"; CON-8"),
	fsm.Line(legMedia, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+"; CON-8"),
	fsm.Line(legAttaching, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+"; CON-8"),
	fsm.Line(legAttachingEarly, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+"; CON-8"),
	fsm.Line(legEarly, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+"; CON-8"),
	fsm.Line(legConnected, legHungUp, legGone, endLeg, freeswitch.ChannelHangupComplete+"; CON-9"),
	fsm.Line(legConnected, legMerged, legGone, endLeg, freeswitch.FromBridge+", for good; MRG-1"),
	fsm.Line(legEarly, legMerged, legGone, endLeg, freeswitch.FromBridge+", for good; MRG-1"),
	fsm.Line(legAlerting, legReleased, legGone, "", "SES-5"),
	fsm.Line(legWaiting, legReleased, legGone, "", "SES-5"),
	fsm.Line(legDialing, legReleased, legGone, "", "SES-5"),
	fsm.Line(legRinging, legReleased, legGone, "", "SES-5"),
	fsm.Line(legMedia, legReleased, legGone, "", "SES-5"),
	fsm.Line(legAttaching, legReleased, legGone, "", "SES-5"),
	fsm.Line(legAttachingEarly, legReleased, legGone, "", "SES-5"),
	fsm.Line(legEarly, legReleased, legGone, "", "SES-5"),
	fsm.Line(legConnected, legReleased, legGone, "", "SES-5"),
	fsm.Line(legAlerting, legMovedAway, legGone, "", freeswitch.FromSocket+"; SND-22"),
	fsm.Line(legConnected, legMovedAway, legGone, "", freeswitch.FromSocket+"; SND-22"),
	fsm.Line(legAlerting, legDidNotArrive, legGone, "", "SND-21"),
	fsm.Line(legConnected, legDidNotArrive, legGone, "", "SND-21"),
},
	fsm.Stay[legState, legInput]{
		In: []legState{legMedia}, On: []legInput{legRings},
		Source: freeswitch.ChannelProgress + " after " + freeswitch.ChannelProgressMedia + ", which says more",
	},
	fsm.Stay[legState, legInput]{
		In: []legState{legAttaching, legAttachingEarly, legConnected}, On: []legInput{legRings, legSendsMedia},
		Source: freeswitch.ChannelProgress + " on the link, slower than the answer",
	},
	fsm.Stay[legState, legInput]{
		In: []legState{legAttaching, legAttachingEarly, legEarly, legConnected}, On: []legInput{legPlaced},
		Source: freeswitch.FromOriginate + ", slower than the socket or what the node was asked",
	},
	fsm.Stay[legState, legInput]{
		In: []legState{legWaiting}, On: []legInput{legRings, legSendsMedia},
		Source: freeswitch.ChannelProgress + " of an attempt that is over",
	},
	fsm.Stay[legState, legInput]{
		In: []legState{legConnected}, On: []legInput{legAnswers},
		Source: freeswitch.ChannelAnswer + " beside what " + freeswitch.FromDump + " or the socket's channel told",
	},
	fsm.Stay[legState, legInput]{
		In: []legState{legGone},
		On: []legInput{
			legRings, legSendsMedia, legPlaced, legCameUnanswered, legCameAnswered, legAnswers, legHungUp, legReleased,
		},
		Source: "on its way when the leg ended; CEV-6",
	},
)

// placing are the states of a call that we place and that has not come to our socket,
// dialled are those of them in which FreeSWITCH has not said that it is answered.
var (
	placing = []legState{legWaiting, legDialing, legRinging, legMedia, legAttaching, legAttachingEarly}
	dialled = []legState{legDialing, legRinging, legMedia}
)

// isGone tells whether the leg is hung up, or not ours any more.
func (l *leg) isGone() bool { return l.state.Is(legGone) }

// isConnected tells whether the leg is answered and under control.
func (l *leg) isConnected() bool { return l.state.Is(legConnected) }

// take gives an input to the state of the leg, and tells what is to be done.
func (l *leg) take(input legInput) fsm.Action {
	was := l.state.State()
	action := l.state.Take(input, l.log)
	if l.state.State() != was && l.isCall() {
		l.note(input)
	}
	return action
}
