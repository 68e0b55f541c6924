package callcontrol_test

import (
	"html"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// answer accepts a call and plays a dialog to it; what comes of it is logged.
func answer(src string) string {
	src = html.EscapeString(src)
	return `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'` + src + `'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'started'"/></transition>
<transition event="dialog.exit"><log expr="'exit ' + [event$.values.digits, event$.values.termdigit, event$.values.reason, event$.reason].join('|')"/><exit/></transition>
<transition event="error.dialog.notstarted"><log expr="'notstarted ' + event$.reason"/><exit/></transition>
<transition event="connection.signal"><log expr="'signal ' + event$.info.type + ' ' + event$.info.value"/></transition>
<transition event="connection.disconnected"><log expr="'disconnected'"/></transition>`
}

// A prompt that cannot be played is told with the reason, never silence.
func TestPromptsThatCannotBePlayed(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	for _, c := range []struct{ name, src, want string }{
		{"no file, no text", "/sounds/missing.wav", "notstarted /sounds/missing.wav could not be played: FILE NOT FOUND"},
		{"no such scheme", "shout://radio/stream", "notstarted shout: sources are not played"},
		{"not allowed", "file:///etc/passwd", "notstarted file:///etc/passwd: not allowed by documents.allow"},
		{"nothing", "null:", "notstarted src names nothing to play"},
		{"bad control", "null:?text=Hello&maxdigits=many", `notstarted src: maxdigits is "many"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.In(t)
			s.Trace.Reset()
			caller := s.Dial(s.Transitions("play.ccxml", answer(c.src)))
			s.WaitLog(c.want)
			_, err := caller.WaitEnded(s.Context())
			s.Must(err)
			s.WaitIdle()
		})
	}
}

func TestNoSpeechEngine(t *testing.T) {
	t.Parallel()
	// It is by FreeSWITCH's clock that nothing was spoken: let that be ours.
	s := sitetest.New(t, sitetest.With("DIALOG_TTS_ENGINE", "cepstral"), sitetest.With("DIALOG_TTS_VOICE", "allison"))
	s.Dial(s.Transitions("speak.ccxml", answer("null://?text=Nobody says this.")))
	s.WaitLog(`notstarted the text was not spoken: FreeSWITCH does not seem to have the text-to-speech engine "cepstral" with the voice "allison"`)
	s.WaitIdle()
}

// Digits end a prompt and the input by what the query says.
func TestDigits(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	s.Switch.AddSound("/sounds/short.wav", 200*time.Millisecond)
	for _, c := range []struct {
		name, query, press, want string
		heardAll                 bool
	}{
		{"maxdigits with barge-in", "long.wav?maxdigits=3", "123", "exit 123||maxdigits|", false},
		{"termdigits", "long.wav?termdigits=#*", "45#", "exit 45|#|termdigit|", false},
		{"star ends it, too", "long.wav?termdigits=#*&maxdigits=9", "7*", "exit 7|*|termdigit|", false},
		{"nothing but the term digit", "long.wav?termdigits=#", "#", "exit |#|termdigit|", false},
		{"nobody presses", "short.wav?maxdigits=2&timeout=50ms", "", "exit ||timeout|", true},
		{"the next digit does not come", "long.wav?maxdigits=2&interdigittimeout=50ms", "8", "exit 8||interdigittimeout|", false},
		{"all the time is over", "long.wav?termdigits=#&maxtime=50ms&interdigittimeout=10s", "8", "exit 8||maxtime|", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.In(t)
			s.Trace.Reset()
			caller := s.Dial(s.Transitions("digits.ccxml", answer("/sounds/"+c.query)))
			s.WaitLog("started")
			caller.Press(c.press)
			s.WaitLog(c.want)
			s.WaitIdle()
			if heard := caller.Heard(); heard[0].Complete != c.heardAll {
				t.Errorf("the caller heard %+v", heard)
			}
		})
	}
}

// Without barge-in the prompt is heard to its end, and what is pressed meanwhile
// does not count.
func TestNoBargeIn(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", 4*time.Second)
	caller := s.Dial(s.Transitions("digits.ccxml", answer("/sounds/long.wav?maxdigits=1&bargein=false&timeout=100ms")))
	s.WaitLog("started")
	caller.Press("1")
	s.WaitLog("exit ||timeout|")
	s.WaitIdle()
	if heard := caller.Heard(); !heard[0].Complete {
		t.Errorf("the caller heard %+v", heard)
	}
}

// Digits that no dialog takes are the document's.
func TestSignal(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("signal.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'up'"/></transition>
<transition event="connection.signal" cond="event$.info.value == '#'"><exit/></transition>
<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.info.value"/></transition>`))
	s.WaitLog("up")
	caller.Press("5*")
	s.WaitLog("dtmf 5")
	s.WaitLog("dtmf *")
	caller.Press("#")
	s.WaitIdle()
}

// Digits pressed while a prompt plays that takes none are the document's, too.
func TestSignalDuringPrompt(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", 3*time.Second)
	caller := s.Dial(s.Transitions("signal.ccxml", answer("/sounds/long.wav")))
	s.WaitLog("started")
	caller.Press("9")
	s.WaitLog("signal dtmf 9")
	s.WaitLog("exit |||")
	s.WaitIdle()
	if heard := caller.Heard(); !heard[0].Complete {
		t.Errorf("the digit broke the prompt off: %+v", heard)
	}
}

func TestDialogTerminate(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	caller := s.Dial(s.Document("terminate.ccxml", `
<ccxml version="1.0"><var name="d"/><var name="times" expr="0"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart dialogid="d" src="'/sounds/long.wav?maxdigits=5'" type="'audio/wav'"/></transition>
<transition event="connection.signal"/>
<transition event="dialog.started"><send target="session.id" targettype="'ccxml'" name="'stop'" delay="'20ms'"/></transition>
<transition event="stop"><dialogterminate dialogid="d" immediate="times == 1"/></transition>
<transition event="dialog.exit"><log expr="times + ': ' + typeof event$.values.digits + ' ' + event$.values.reason"/>
  <assign name="times" expr="times + 1"/>
  <if cond="times == 1"><dialogstart dialogid="d" connectionid="event$.connectionid" src="'/sounds/long.wav?maxdigits=5'" type="'audio/wav'"/><else/><exit/></if>
</transition>
</eventprocessor></ccxml>`))
	s.WaitLog("0: string terminated")
	s.WaitLog("1: undefined undefined")
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	if heard := caller.Heard(); len(heard) != 2 || heard[0].Complete || heard[1].Complete {
		t.Errorf("the caller heard %+v", heard)
	}
}

// A second dialog takes the first one's place (CCXML 1.0, 10.4).
func TestDialogTakesTheOthersPlace(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	caller := s.Dial(s.Document("two.ccxml", `
<ccxml version="1.0"><var name="first"/><var name="second"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart dialogid="first" src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.started" cond="event$.dialogid == first">
  <dialogstart dialogid="second" connectionid="event$.connectionid" src="'null:?text=Now me.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == first"><log expr="'first over'"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == second"><log expr="'second over'"/><exit/></transition>
</eventprocessor></ccxml>`))
	s.WaitLog("first over")
	s.Must(caller.WaitHeard(s.Context(), "Now me."))
	s.WaitLog("second over")
	s.WaitIdle()
	if heard := caller.Heard(); len(heard) != 2 || heard[0].Complete || !heard[1].Complete {
		t.Errorf("the caller heard %+v", heard)
	}
}

// The hangup comes first, then the exit of the dialog that it ends (DEV-17).
func TestHangupDuringPrompt(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	caller := s.Dial(s.Transitions("hangup.ccxml", answer("/sounds/long.wav?maxdigits=4")))
	s.WaitLog("started")
	caller.Press("12")
	caller.Hangup()
	s.WaitLog("exit 12||hangup|")
	s.WaitIdle()
	lines := strings.Join(s.Trace.Lines(), "\n")
	if gone, exit := strings.Index(lines, "log disconnected"), strings.Index(lines, "log exit"); gone < 0 || gone > exit {
		t.Errorf("in the wrong order:\n%s", lines)
	}
}

// A dialog on a call that is not connected does not start.
func TestDialogTooEarlyAndTooLate(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Dial(s.Transitions("early.ccxml", `
<transition event="connection.alerting"><dialogstart src="'null:?text=Too early.'" type="'audio/wav'"/></transition>
<transition event="error.dialog.notstarted"><log expr="event$.reason"/><exit/></transition>`))
	s.WaitLog("the connection is ALERTING")
	s.WaitIdle()

	s.Trace.Reset()
	caller := s.Dial(s.Transitions("late.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'up'"/></transition>
<transition event="connection.disconnected"><dialogstart src="'null:?text=Too late.'" type="'audio/wav'"/></transition>
<transition event="error.dialog.notstarted"><log expr="event$.reason"/><exit/></transition>`))
	s.WaitLog("up")
	caller.Hangup()
	s.WaitLog("the connection is DISCONNECTED")
	s.WaitIdle()
}

// Plain text and SSML are spoken; the small engines do not get the tags.
func TestTextDialogs(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Document("hello.txt", "Hello from a file.\nSecond line, with a comma.")
	for _, c := range []struct{ src, kind, heard string }{
		{"hello.txt", "text/plain", "Hello from a file. Second line, with a comma."},
		{"data:text/plain,Hello%20there", "text/plain", "Hello there"},
		{"data:application/ssml+xml,<speak>Hello <break/> again</speak>", "application/ssml+xml", "Hello again"},
	} {
		caller := s.Dial(s.Transitions("text.ccxml", strings.ReplaceAll(answer(c.src), "audio/wav", c.kind)))
		s.Must(caller.WaitHeardFunc(s.Context(), func(s switchsim.Sound) bool { return s.Kind == "speech" && s.What == c.heard }))
		_, err := caller.WaitEnded(s.Context())
		s.Must(err)
	}
	s.WaitIdle()
}

// A number is read out from the sounds of a language; one whose module FreeSWITCH
// does not have is spoken instead, or says why not.
func TestSay(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("say.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'say:money/12.50'" type="'audio/wav'" connectionid="event$.connectionid"/></transition>
		<transition event="dialog.exit" cond="typeof application.second == 'undefined'"><assign name="application.second" expr="true"/>
			<dialogstart src="'say:number/42?lang=xx'" type="'audio/wav'"/></transition>
		<transition event="error.dialog.notstarted"><log expr="event$.reason"/><dialogstart src="'say:number/42?lang=xx&amp;text=forty-two'" type="'audio/wav'"/></transition>
		<transition event="dialog.exit"><exit/></transition>`))
	s.Must(caller.WaitHeard(s.Context(), "currency pronounced 12.50"))
	s.Must(s.Trace.WaitText(s.Context(), "mod_say_xx"))
	s.Must(caller.WaitHeard(s.Context(), "forty-two"))
	s.WaitIdle()
}

// No key ends a prompt by itself, as * does where FreeSWITCH is told nothing.
func TestStarEndsNoPrompt(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", 1000*time.Hour)
	caller := s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'started'"/></transition>
<transition event="connection.signal"><log expr="'pressed ' + event$.info.value"/></transition>
<transition event="dialog.exit"><log expr="'over'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`))
	s.Must(caller.WaitHeard(s.Context(), "long.wav"))
	s.WaitLog("started")
	caller.Press("*")
	s.WaitLog("pressed *")
	if heard := caller.Heard(); len(heard) != 1 || !heard[0].To.IsZero() || s.Trace.Has("log over") {
		t.Errorf("heard %+v", heard)
	}
	caller.Hangup()
	s.WaitIdle()
}
