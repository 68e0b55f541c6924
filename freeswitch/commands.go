package freeswitch

import (
	"strconv"
	"strings"

	"ccxmld/esl"
)

// Commands of mod_commands on a channel, by its uuid. They take arguments as they are;
// [esl.Word] is for one that came from outside.

// Answer answers the channel, whatever it executes.
func Answer(id string) esl.Command { return esl.API("uuid_answer", id) }

// AnswerInTurn answers the channel after what it executes (mod_dptools), Answer at once.
func AnswerInTurn() esl.Command { return esl.Execute("answer", "", "") }

// PreAnswer lets the caller hear what is played before the answer (SIP 183).
func PreAnswer() esl.Command { return esl.Execute("pre_answer", "", "") }

// Respond refuses a call by a SIP status and its reason phrase.
func Respond(status string) esl.Command { return esl.Execute("respond", status, "") }

// Redirect sends a caller elsewhere by a SIP 302.
func Redirect(destination string) esl.Command { return esl.Execute("redirect", destination, "") }

// OwnEvents has a socket tell of its own channel alone.
func OwnEvents(id string) esl.Command { return esl.Filter("Unique-ID", id) }

// Kill hangs the channel up with a cause. A hangup message would wait for an
// application that runs under event-lock.
func Kill(id, cause string) esl.Command { return esl.API("uuid_kill", id, cause) }

// Exists asks whether the channel is there: true or false.
func Exists(id string) esl.Command { return esl.API("uuid_exists", id) }

// Dump asks for the channel's state, as an event.
func Dump(id string) esl.Command { return esl.API("uuid_dump", id) }

// SetVariable sets a variable of the channel.
func SetVariable(id, name, value string) esl.Command {
	return esl.API("uuid_setvar", id, name, value)
}

// SetVariables sets several variables of the channel: name=value;name=value.
func SetVariables(id, assignments string) esl.Command {
	return esl.API("uuid_setvar_multi", id, assignments)
}

// StartRecording records what the channel hears and says to a file.
func StartRecording(id, file string) esl.Command { return esl.API("uuid_record", id, "start", file) }

// StopRecording ends the recording to a file.
func StopRecording(id, file string) esl.Command { return esl.API("uuid_record", id, "stop", file) }

// SendDTMF presses keys for the channel's party.
func SendDTMF(id, digits string) esl.Command { return esl.API("uuid_send_dtmf", id, digits) }

// Break ends what plays on the channel; BreakAll also what waits to.
func Break(id string) esl.Command { return esl.API("uuid_break", id) }

// BreakAll is Break for all that waits, too.
func BreakAll(id string) esl.Command { return esl.API("uuid_break", id, "all") }

// StartBackground mixes a file, again and again, under what the party hears, wherever
// it is (uuid_displace, flags mux and loop).
func StartBackground(id, file string) esl.Command {
	return esl.API("uuid_displace", id, "start", file, "0", "ml")
}

// StopBackground ends that.
func StopBackground(id, file string) esl.Command { return esl.API("uuid_displace", id, "stop", file) }

// PathExists asks whether FreeSWITCH finds a file or directory; [IsMissing] reads the
// answer.
func PathExists(path string) esl.Command { return esl.API("file_exists", path) }

// IsMissing reads the answer to [PathExists].
func IsMissing(answer string) bool { return strings.TrimSpace(answer) == "false" }

// Bridge connects two channels. Both leave what they are in.
func Bridge(a, b string) esl.Command { return esl.API("uuid_bridge", a, b) }

// ClampDigits keeps the digits that a channel sends from its partner in the next bridge,
// or lets them through again.
func ClampDigits(id string, on bool) esl.Command {
	return SetVariable(id, "bridge_filter_dtmf", strconv.FormatBool(on))
}

// Eavesdrop has the channel hear another one, until that is gone (mod_dptools).
func Eavesdrop(other, execution string) esl.Command {
	return esl.Execute("eavesdrop", other, execution)
}

// BindDigits has each digit told by a DTMF event. While eavesdrop runs nothing else
// does: it leaves digits in their queue unless it may obey them. A binding
// (bind_digit_action of mod_dptools) gets them before they are queued, and there is to be
// but one, or it would wait for more digits.
func BindDigits() esl.Command {
	return esl.Execute("bind_digit_action",
		esl.Literal("^^|ccxmld|~^[0-9A-D*#]$|exec[i]:event|Event-Name=DTMF,DTMF-Digit=${last_matching_digits}"), "")
}

// UnbindDigits lets digits take their usual way again: into a bridge, too.
func UnbindDigits() esl.Command { return esl.Execute("clear_digit_action", "all", "") }

// StartInbandDigits has FreeSWITCH look for digits in what the party says, as long as
// the call lasts. They come as any others do (start_dtmf of mod_dptools).
func StartInbandDigits() esl.Command { return esl.Execute("start_dtmf", "", "") }

// TellSpeechAtOnce has FreeSWITCH tell of speech at once. Without it an event waits for
// the channel to be parked, and is lost in a playback.
func TellSpeechAtOnce(id string) esl.Command { return SetVariable(id, "fire_asr_events", "true") }

// Refer asks the far end to call another destination in place of us, whatever plays.
// FreeSWITCH would hang the call up whatever came of it, but for a variable; the first
// command is a filter, so that the event of a NOTIFY names the channel.
func Refer(id, destination string) []esl.Command {
	return []esl.Command{
		esl.Filter("UniqueID", id),
		SetVariables(id, "sip_refer_continue_after_reply=true;"+referStatus+"="),
		esl.API("uuid_deflect", id, destination),
	}
}

// referStatus is the variable in which mod_sofia keeps the answer to a REFER.
const referStatus = "sip_refer_status_code"

// ReferStatus asks for the SIP status that the far end has answered a REFER with, of
// which there is no event: "" as long as there is none.
func ReferStatus(id string) esl.Command { return esl.API("uuid_getvar", id, referStatus) }
