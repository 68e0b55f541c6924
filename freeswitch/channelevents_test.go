package freeswitch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// teller notes what it is told of a channel.
type teller struct{ told []string }

func (t *teller) note(parts ...any) {
	t.told = append(t.told, strings.TrimSpace(fmt.Sprintln(parts...)))
}

func (t *teller) Answered()                              { t.note("answered") }
func (t *teller) Held(held bool)                         { t.note("held", held) }
func (t *teller) ExecutionBegan(id string, at time.Time) { t.note("began", id, at.UnixMicro()) }
func (t *teller) ExecutionEnded(id, response string, at time.Time) {
	t.note("ended", id, response, at.UnixMicro())
}
func (t *teller) ConferenceEnded(id string) { t.note("conference ended", id) }
func (t *teller) EavesdropEnded(id string)  { t.note("eavesdrop ended", id) }
func (t *teller) PlaybackBegan()            { t.note("playback began") }
func (t *teller) Recognized(s freeswitch.Speech) {
	t.note("recognized", s.Number, s.Kind, s.Body, s.Cause)
}
func (t *teller) Digit(digit string)                { t.note("digit", digit) }
func (t *teller) TonesHeard(report string)          { t.note("heard", report) }
func (t *teller) HungUp(h freeswitch.Hangup)        { t.note("hung up", h.Cause) }
func (t *teller) Bridged(a, b string)               { t.note("bridged", a, b) }
func (t *teller) Unbridged(a, b string)             { t.note("unbridged", a, b) }
func (t *teller) Parked(mark string)                { t.note("parked", mark) }
func (t *teller) RoomEvent(e freeswitch.RoomEvent)  { t.note("room", e.Action, e.Room) }
func (t *teller) Referred(status string, last bool) { t.note("referred", status, last) }
func (t *teller) TransferAsked(to string)           { t.note("transfer", to) }

// Each event of a channel's socket is told once and as what it means, and what nobody
// waits for is not told.
func TestWhatEventsTell(t *testing.T) {
	execution := func(app, more string) string {
		return "Event-Name: CHANNEL_EXECUTE_COMPLETE\nApplication: " + app + "\nApplication-UUID: x\nApplication-Response: FILE PLAYED\nEvent-Date-Timestamp: 5\n" + more
	}
	for event, want := range map[string]string{
		"Event-Name: CHANNEL_ANSWER": "answered",
		"Event-Name: CHANNEL_HOLD":   "held true",
		"Event-Name: CHANNEL_UNHOLD": "held false",
		"Event-Name: CHANNEL_EXECUTE\nApplication-UUID: x\nEvent-Date-Timestamp: 4": "began x 4",
		execution("playback", ""):                                                    "ended x FILE PLAYED 5",
		execution("playback", "Answer-State: hangup\n"):                              "",
		execution("conference", "Answer-State: hangup\n"):                            "conference ended x",
		execution("eavesdrop", ""):                                                   "eavesdrop ended x",
		execution("eval", "Application-Data: tones cng=40\n"):                        "heard tones cng=40",
		execution("park", ""):                                                        "",
		execution("answer", ""):                                                      "",
		"Event-Name: PLAYBACK_START":                                                 "playback began",
		"Event-Name: DTMF\nDTMF-Digit: %23":                                          "digit #",
		"Event-Name: CHANNEL_HANGUP_COMPLETE\nHangup-Cause: USER_BUSY":               "hung up USER_BUSY",
		"Event-Name: CHANNEL_BRIDGE\nBridge-A-Unique-ID: a\nBridge-B-Unique-ID: b":   "bridged a b",
		"Event-Name: CHANNEL_UNBRIDGE\nBridge-A-Unique-ID: a\nBridge-B-Unique-ID: b": "unbridged a b",
		"Event-Name: CHANNEL_PARK\nvariable_ccxmld_home: m":                          "parked m",
		"Event-Name: CHANNEL_PARK":                                                   "parked",
		"Event-Name: CUSTOM\nEvent-Subclass: conference%3A%3Amaintenance\nAction: add-member\nConference-Name: r":                                  "room add-member r",
		"Event-Name: CUSTOM\nEvent-Subclass: sofia%3A%3Aerror\nError-Type: blind_transfer\nFull-Refer-To: <sip%3A5%40there>":                       "transfer sip:5@there",
		"Event-Name: CUSTOM\nEvent-Subclass: sofia%3A%3Aerror\nError-Type: other\nFull-Refer-To: <sip%3A5%40there>":                                "",
		"Event-Name: CUSTOM\nEvent-Subclass: sofia%3A%3Anotify_refer\nsubscription-substate: terminated\nContent-Length: 16\n\nSIP/2.0 200 OK\r\n": "referred SIP/2.0 200 OK true",
		"Event-Name: DETECTED_SPEECH\nEvent-Sequence: 7\nSpeech-Type: begin-speaking":                                                              "recognized 7 begin-speaking",
		"Event-Name: CODEC": "",
	} {
		var o teller
		if !strings.Contains(event, "\n\n") {
			event = strings.TrimSpace(event) + "\n\n"
		}
		freeswitch.Tell(&o, esl.ParseEvent([]byte(event)))
		if got := strings.Join(o.told, "; "); got != want {
			t.Errorf("%s\ntold %q, want %q", event, got, want)
		}
	}
}
