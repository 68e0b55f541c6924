package conformance

import (
	"strings"
	"time"

	"ccxmld/switchsim"
)

// party is someone whom the suite's documents call, as sip:NAME@party.
type party struct {
	name      string
	simulated switchsim.Behaviour
	real      string // what a loopback leg of FreeSWITCH does, as an inline dialplan with ^ between
	presses   string // keys that it presses a second after it has answered
}

// parties are all of them. On FreeSWITCH they are loopback legs, so that no phone
// is needed.
var parties = []party{
	{name: "answers", simulated: switchsim.Answers{}, real: "answer^park"},
	{name: "rings-then-answers", simulated: switchsim.Answers{After: time.Second},
		real: "ring_ready^sleep:1000^answer^park"},
	{name: "answers-then-hangs-up", simulated: switchsim.Answers{HangupAfter: 2 * time.Second},
		real: "answer^sleep:2000^hangup"},
	{name: "answers-for-10s", simulated: switchsim.Answers{HangupAfter: 10 * time.Second}, real: "answer^sleep:10000^hangup"},
	{name: "early-media", simulated: switchsim.EarlyMedia{After: 500 * time.Millisecond, AnswerAfter: 2 * time.Second},
		real: "sleep:500^pre_answer^sleep:2000^answer^park"},
	{name: "presses-12", simulated: switchsim.Answers{}, presses: "12", real: "answer^sleep:1000^send_dtmf:12^park"},
	{name: "speaks-shortly", simulated: switchsim.Answers{Says: []switchsim.Speech{{After: 500 * time.Millisecond, Lasts: time.Second}}},
		real: speaks("hello")},
	{name: "speaks", simulated: switchsim.Answers{Says: []switchsim.Speech{{After: 500 * time.Millisecond, Lasts: 4 * time.Second}}},
		real: speaks("please-leave-a-message-after-the-tone-and-thank-you-for-calling")},
	{name: "speaks-long", simulated: switchsim.Answers{Says: []switchsim.Speech{{After: 500 * time.Millisecond, Lasts: 10 * time.Second}}},
		real: speaks("please" + strings.Repeat("-leave-your-message-after-the-tone", 8))},
	{name: "rings", simulated: switchsim.NoAnswer{}, real: "ring_ready^sleep:120000"},
	{name: "busy", simulated: switchsim.Busy{}, real: "hangup:USER_BUSY"},
	{name: "rejects", simulated: switchsim.Rejects{}, real: "hangup:CALL_REJECTED"},
	{name: "not-found", simulated: switchsim.NotFound{}, real: "hangup:UNALLOCATED_NUMBER"},
	{name: "unavailable", simulated: switchsim.Unavailable{}, real: "hangup:NO_USER_RESPONSE"},
	{name: "unreachable", simulated: switchsim.Unreachable{}, real: "hangup:NORMAL_TEMPORARY_FAILURE"},
}

// speaks is what a loopback leg does that speaks a text by flite: a single word
// for FreeSWITCH, since dial strings have no spaces.
func speaks(word string) string {
	return "answer^sleep:500^set:tts_engine=flite^set:tts_voice=kal^playback:say:" + word + "^park"
}
