package freeswitch

import "ccxmld/esl"

// Variables of an originate, beside those of [OutboundVariables].
const (
	IgnoreEarlyMedia = "ignore_early_media"
	CallerNumber     = "origination_caller_id_number"
	CallerName       = "origination_caller_id_name"
	Privacy          = "origination_privacy"
	Codecs           = "absolute_codec_string" // the only ones that are offered
	// NoMediaHangup is after how many milliseconds without audio mod_sofia hangs a call up
	// (switch_core_media.c). One on hold is left alone for ten times as long.
	NoMediaHangup = "media_timeout"
)

// Private hides who calls.
const Private = "hide_name:hide_number:screen"

// OutboundVariables are the variables of all calls that a controller makes: its link
// tells of them, they survive who they are bridged to, and a callee that redirects them
// ends them, with the address in sip_redirected_to (sofia_handle_sip_r_invite): mod_sofia
// would dial wherever it is told to, as often as it is told.
func OutboundVariables(controller string) map[string]string {
	return map[string]string{
		LinkVariable: controller, IgnoreEarlyMedia: "true",
		"park_after_bridge": "true", "hangup_after_bridge": "false", "outbound_redirect_fatal": "true",
	}
}

// LoopbackVariables are those of a loopback call both halves of which stay (mod_loopback
// would connect what is at their ends, and go).
func LoopbackVariables(controller string) map[string]string {
	return map[string]string{LinkVariable: controller, "loopback_bowout": "false", "loopback_bowout_on_execute": "false"}
}

// Enter has a channel enter a room (mod_conference). The application is not
// event-locked: it lasts as long as the channel is a member, and prompts nest in it.
func (r Room) Enter(profile string, m Membership, execution string) esl.Command {
	return esl.ExecuteNow("", "conference", r.JoinArgument(profile, m), execution)
}

// Enters is the action by which a call that we place enters the room.
func (r Room) Enters(profile string, m Membership) esl.App {
	return esl.App{Name: "conference", Arg: r.JoinArgument(profile, m)}
}
