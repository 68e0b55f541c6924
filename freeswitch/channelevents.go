package freeswitch

import (
	"strconv"
	"strings"
	"time"

	"ccxmld/esl"
	"ccxmld/sip"
)

// ChannelEvents are what the socket of a channel subscribes to: what is used and no
// more, since FreeSWITCH walks all its listeners for every event.
var ChannelEvents = []string{
	ChannelAnswer, "CHANNEL_EXECUTE_COMPLETE", ChannelHangupComplete, ChannelBridge, ChannelUnbridge, ChannelPark,
	"PLAYBACK_START", "DTMF", "CHANNEL_HOLD", "CHANNEL_UNHOLD", ConferenceMaintenance + " sofia::error sofia::notify_refer",
}

// Events that few channels need, and that are subscribed to by those alone.
const (
	ExecutionEvents = "CHANNEL_EXECUTE" // for [ChannelOwner.ExecutionBegan]
	SpeechEvents    = "DETECTED_SPEECH" // for [ChannelOwner.Recognized]
)

// ChannelOwner is told what happens to a channel, in the reader goroutine of its socket.
type ChannelOwner interface {
	Answered()
	// Held tells whether the far end holds the call, or has taken it up again.
	Held(held bool)
	// ExecutionBegan tells that an application has begun, and when by FreeSWITCH's clock.
	// One that plays begins with PlaybackBegan.
	ExecutionBegan(execution string, at time.Time)
	// ExecutionEnded tells how an application has ended.
	ExecutionEnded(execution, response string, at time.Time)
	// ConferenceEnded and EavesdropEnded tell that the application by which the channel
	// was in a room, or heard another one, has ended.
	ConferenceEnded(execution string)
	EavesdropEnded(execution string)
	// PlaybackBegan tells that a file plays. FreeSWITCH does not say of which application;
	// with event-lock it is the first that waits.
	PlaybackBegan()
	Recognized(s Speech)
	Digit(digit string)
	// TonesHeard gives the report of the detectors (see [DetectTones]).
	TonesHeard(report string)
	HungUp(h Hangup)
	Bridged(a, b string)
	Unbridged(a, b string)
	// Parked tells that the channel is parked, with the mark of its last way home.
	Parked(mark string)
	RoomEvent(e RoomEvent)
	// Referred tells what the far end says of its call to where a REFER sent it: the status
	// line of a SIP message (RFC 3515, 2.4.5), and whether that was its last word.
	Referred(status string, last bool)
	// TransferAsked tells that the far end asks, by a REFER, to have its partner
	// transferred, which FreeSWITCH has refused.
	TransferAsked(to string)
}

// Speech is what FreeSWITCH tells of recognition (DETECTED_SPEECH). It tells it a second
// time, with the same number, when the channel is parked.
type Speech struct {
	Number int64  // Event-Sequence
	Kind   string // Speech-Type
	Body   string
	Cause  string // of a completion, as mod_unimrcp says it
}

// Tell tells the owner of a channel what an event of its socket means.
func Tell(o ChannelOwner, e *esl.Event) {
	switch e.Name() {
	case ChannelAnswer:
		o.Answered()
	case ExecutionEvents:
		o.ExecutionBegan(e.Get("Application-UUID"), eventTime(e))
	case "CHANNEL_EXECUTE_COMPLETE":
		tellExecutionEnded(o, e)
	case "CHANNEL_HOLD", "CHANNEL_UNHOLD":
		o.Held(e.Name() == "CHANNEL_HOLD")
	case "PLAYBACK_START":
		o.PlaybackBegan()
	case SpeechEvents:
		number, _ := strconv.ParseInt(e.Get("Event-Sequence"), 10, 64)
		o.Recognized(Speech{Number: number, Kind: e.Get("Speech-Type"), Body: e.Body(), Cause: e.Get("ASR-Completion-Cause")})
	case "DTMF":
		o.Digit(e.Get("DTMF-Digit"))
	case ChannelHangupComplete:
		o.HungUp(HangupOf(e))
	case ChannelBridge:
		o.Bridged(e.Get("Bridge-A-Unique-ID"), e.Get("Bridge-B-Unique-ID"))
	case ChannelUnbridge:
		o.Unbridged(e.Get("Bridge-A-Unique-ID"), e.Get("Bridge-B-Unique-ID"))
	case ChannelPark:
		o.Parked(e.Get("variable_" + HomeVariable))
	case "CUSTOM":
		tellCustom(o, e)
	}
}

// tellExecutionEnded leaves out applications that nobody waits for, and those that a
// hangup broke off: they end with the channel.
func tellExecutionEnded(o ChannelOwner, e *esl.Event) {
	id := e.Get("Application-UUID")
	switch application := e.Get("Application"); application {
	case "answer", "pre_answer", "set", "socket", "park", "bind_digit_action", "clear_digit_action", "event", "stop_tone_detect":
	case "eval":
		o.TonesHeard(e.Get("Application-Data"))
	case "conference":
		o.ConferenceEnded(id)
	case "eavesdrop":
		o.EavesdropEnded(id)
	default:
		if e.Get("Answer-State") != "hangup" {
			o.ExecutionEnded(id, e.Get("Application-Response"), eventTime(e))
		}
	}
}

// tellCustom takes the events of modules: of rooms, and what mod_sofia tells of REFER.
func tellCustom(o ChannelOwner, e *esl.Event) {
	if m, ok := ParseRoomEvent(e); ok {
		o.RoomEvent(m)
		return
	}
	switch e.Get("Event-Subclass") {
	case "sofia::notify_refer":
		line, _, _ := strings.Cut(e.Body(), "\n")
		o.Referred(strings.TrimSpace(line), e.Get("subscription-substate") == "terminated")
	case "sofia::error":
		if to, err := sip.Parse(e.Get("Full-Refer-To")); e.Get("Error-Type") == "blind_transfer" && err == nil {
			o.TransferAsked(to.URI)
		}
	}
}

// eventTime is when FreeSWITCH made an event, by its own clock.
func eventTime(e *esl.Event) time.Time {
	microseconds, err := strconv.ParseInt(e.Get("Event-Date-Timestamp"), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(microseconds)
}
