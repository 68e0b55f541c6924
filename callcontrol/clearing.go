package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/fsm"
)

// clearingState is whether we have asked for the end of a leg, beside its legState:
// FreeSWITCH and the far end take their time for it.
type clearingState string

const (
	notClearing        clearingState = "not cleared"
	redirecting        clearingState = "redirecting"          // by a SIP 302 or a REFER
	clearing           clearingState = "clearing"             // told to hang up
	clearingRedirected clearingState = "clearing, redirected" // and its end is that of a redirection
)

type clearingInput string

const (
	redirectAsked  clearingInput = "redirect"
	redirectFailed clearingInput = "stays where it is"
	clearAsked     clearingInput = "hang up"
)

const tellNotRedirected fsm.Action = "tell that it was not redirected"

// clearings is how the end of a leg is asked for.
var clearings = fsm.NewTable("clearing", []clearingState{notClearing}, []fsm.Row[clearingState, clearingInput]{
	fsm.Line(notClearing, redirectAsked, redirecting, "", freeswitch.FromRedirect+"; RED-1"),
	fsm.Line(redirecting, redirectFailed, notClearing, tellNotRedirected, freeswitch.FromRefer+", RFC 3515, 2.4.5, or no answer in time; RED-1"),
	fsm.Line(notClearing, clearAsked, clearing, "", freeswitch.FromKill+"; DSC-1, REJ-1"),
	fsm.Line(redirecting, clearAsked, clearingRedirected, "", freeswitch.FromKill+", the far end has reached the other; RED-1"),
	fsm.Line(clearing, redirectAsked, clearingRedirected, "", freeswitch.FromRedirect+", asked for before the end has come; RED-1"),
},
	fsm.Stay[clearingState, clearingInput]{
		In: []clearingState{clearing, clearingRedirected}, On: []clearingInput{clearAsked},
		Source: "DSC-4; FreeSWITCH is asked again",
	},
	fsm.Stay[clearingState, clearingInput]{
		In: []clearingState{notClearing, clearing, clearingRedirected}, On: []clearingInput{redirectFailed},
		Source: "word of a redirection that is over, or that the end overtook; CEV-6",
	},
)

// isEnding tells whether we have asked for the end of the leg.
func (l *leg) isEnding() bool { return l.clearing.Is(clearing, clearingRedirected) }

// isRedirected tells whether the leg is being redirected, or has ended by that.
func (l *leg) isRedirected() bool { return l.clearing.Is(redirecting, clearingRedirected) }
