//go:build freeswitch

package callcontrol_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/sitetest"
)

// Dialogs as callers hear them: what a party hears is recorded, and looked through
// for the tones that were played to it.

// overhear records what a leg's party hears from now on. What it returns waits
// until all these frequencies sound together in some quarter of a second.
func (s *realSite) overhear(leg string) func(frequencies ...float64) {
	s.Helper()
	file := filepath.Join(s.Dir, "heard-"+leg+".wav")
	s.api("uuid_setvar", leg, "RECORD_READ_ONLY", "true")
	s.api("uuid_record", leg, "start", file, "60")
	return func(frequencies ...float64) {
		s.Helper()
		s.WaitUntil(fmt.Sprintf("%.0f Hz are heard", frequencies), func() bool { return sounds(wave(file), frequencies...) })
	}
}

// sounds tells whether tones sound together somewhere.
func sounds(samples []int16, frequencies ...float64) bool {
	const window = 2000
	for ; len(samples) >= window; samples = samples[window/2:] {
		all := true
		for _, frequency := range frequencies {
			all = all && loudness(samples[:window], frequency) > 300
		}
		if all {
			return true
		}
	}
	return false
}

// alsoAllowed lets documents fetch from a server beside their own directory.
func alsoAllowed(server string) sitetest.Option {
	return func(o *sitetest.Options) {
		o.Environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("[%q, %q]", "file://"+o.Dir+"/", server+"/")
	}
}

// tone makes a file of a second's tone, as 16 bits at 8 kHz.
func tone(frequency float64) []byte {
	data := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00")
	for i := range 8000 {
		data = binary.LittleEndian.AppendUint16(data, uint16(int16(8000*math.Sin(2*math.Pi*frequency*float64(i)/8000))))
	}
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	binary.LittleEndian.PutUint32(data[40:], uint32(len(data)-44))
	return data
}

// Digits end a prompt and the input by what the query says: TestDigits, on the
// real clock.
func TestFreeSWITCHDigitControls(t *testing.T) {
	for _, c := range []struct{ name, src, press, want string }{
		{"terminator", "%(20000,0,440)?termdigits=#*", "45#", "exit 45|#|termdigit|"},
		{"star", "%(20000,0,440)?termdigits=#*&maxdigits=9", "7*", "exit 7|*|termdigit|"},
		{"first digit timeout", "%(200,0,440)?maxdigits=2&timeout=500ms", "", "exit ||timeout|"},
		{"inter-digit timeout", "%(20000,0,440)?maxdigits=2&interdigittimeout=500ms", "8", "exit 8||interdigittimeout|"},
		{"all the time is over", "%(20000,0,440)?termdigits=#&maxtime=1s&interdigittimeout=10s", "8", "exit 8||maxtime|"},
		{"no barge-in", "%(1500,0,440)?maxdigits=1&bargein=false&timeout=500ms", "1", "exit ||timeout|"},
		{"with a beep", "%(200,0,440)?maxdigits=1&beep=true&timeout=500ms", "", "exit ||timeout|"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			s := newRealSite(t)
			s.Transitions("incoming.ccxml", answer("tone_stream://"+c.src))
			caller := s.caller()
			s.WaitLog("started")
			if c.press != "" {
				s.api("uuid_send_dtmf", caller, c.press)
			}
			s.WaitLog(c.want)
			s.gone(caller)
			s.WaitIdle()
		})
	}
}

// The prompts of a page are heard one after the other, and digits pressed ahead
// answer the questions that come later.
func TestFreeSWITCHPromptsAndTypeAhead(t *testing.T) {
	s := newRealSite(t)
	s.Transitions("incoming.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'up'"/></transition>
<transition event="connection.signal"><dialogstart src="'page.vxml'"/></transition>
<transition event="dialog.exit"><log expr="event$.values.first + ' ' + event$.values.second + ' ' + event$.reason"/><exit/></transition>`)
	s.Document("page.vxml", `<vxml version="2.1"><form>
<block><prompt bargein="false"><audio src="tone_stream://%(600,0,440)"/><audio src="tone_stream://%(600,0,880)"/></prompt></block>
<field name="zero" type="digits?length=1"><prompt><audio src="tone_stream://%(20000,0,700)"/></prompt></field>
<field name="first" type="digits?length=2"><prompt><audio src="tone_stream://%(20000,0,1000)"/></prompt></field>
<field name="second" type="digits?length=3"><prompt><audio src="tone_stream://%(20000,0,1000)"/></prompt></field>
<block><exit namelist="first second"/></block></form></vxml>`)
	caller := s.caller()
	s.WaitLog("up")
	hears := s.overhear(caller)
	s.api("uuid_send_dtmf", caller, "0")
	for _, frequency := range []float64{440, 880, 700} {
		hears(frequency)
	}
	s.api("uuid_send_dtmf", caller, "912345")
	s.WaitLog("12 345 undefined")
	s.gone(caller)
	s.WaitIdle()
}

// One dialog after the other on a connection, each heard.
func TestFreeSWITCHDialogsInTurn(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="tones" expr="[440, 700, 1000]"/><var name="c"/>
<eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><assign name="c" expr="event$.connectionid"/></transition>
<transition event="connection.signal"><send target="session.id" targettype="'ccxml'" name="'next'"/></transition>
<transition event="next" cond="tones.length == 0"><exit/></transition>
<transition event="next"><dialogstart connectionid="c" src="'tone_stream://%(800,0,' + tones.shift() + ')'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'played ' + event$.reason"/><send target="session.id" targettype="'ccxml'" name="'next'"/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	caller := s.caller()
	s.Must(s.Trace.Wait(s.Context(), "event connection.connected"))
	hears := s.overhear(caller)
	s.api("uuid_send_dtmf", caller, "1")
	for _, frequency := range []float64{440, 700, 1000} {
		hears(frequency)
	}
	s.gone(caller)
	s.WaitIdle()
}

// A recording ends by silence, a digit, its longest time and dialogterminate; its
// beep is heard, what was said is in the file, and the file arrives where it was
// to go.
func TestFreeSWITCHRecording(t *testing.T) {
	var mu sync.Mutex
	var posted []byte
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		posted = body
	}))
	t.Cleanup(web.Close)
	for _, c := range []struct{ name, src, press, want string }{
		{"silence", "?finalsilence=1s", "", "exit|silence||200|"},
		{"digit", "?termdigits=5", "5", "exit|termdigit|5|200|"},
		{"maxtime", "?maxtime=2s", "", "exit|maxtime||200|"},
		{"terminated", "", "", "exit|terminated||200|"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recordings := t.TempDir()
			s := newRealSite(t, sitetest.With("DIALOG_RECORDINGS", recordings), alsoAllowed(web.URL))
			stop := ""
			if c.name == "terminated" {
				stop = `<send target="session.id" targettype="'ccxml'" name="'stop'" delay="'2500ms'"/>`
			}
			s.Document("incoming.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="d"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><assign name="c" expr="event$.connectionid"/><log expr="'up'"/></transition>
<transition event="connection.signal" cond="d == undefined"><dialogstart dialogid="d" connectionid="c" type="'application/x-record'" src="'`+web.URL+`/messages`+c.src+`'"/></transition>
<transition event="dialog.started"><log expr="'recording'"/>`+stop+`</transition>
<transition event="stop"><dialogterminate dialogid="d"/></transition>
<transition event="dialog.exit"><log expr="['exit', event$.values.reason, event$.values.termdigit, event$.values.statuscode, event$.reason].join('|')"/>
  <log expr="(event$.values.duration > 900) + ' ' + event$.values.file"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
			caller := s.caller()
			s.WaitLog("up")
			hears := s.overhear(caller)
			s.api("uuid_send_dtmf", caller, "1")
			s.WaitLog("recording")
			says := "playback:tone_stream://%(1000,0,700)"
			if c.press != "" {
				says += "^send_dtmf:" + c.press
			}
			s.api("uuid_transfer", caller, "'m:^:"+says+"^park:' inline")
			s.WaitLog(c.want)
			files, _ := filepath.Glob(recordings + "/*.wav")
			if len(files) != 1 {
				t.Fatalf("recordings: %q", files)
			}
			file := files[0]
			s.WaitLog("true " + file)
			hears(800) // the beep
			if !sounds(wave(file), 700) {
				t.Error("what was said is not in the file")
			}
			mu.Lock()
			defer mu.Unlock()
			if data, err := os.ReadFile(file); err != nil || string(data) != string(posted) {
				t.Errorf("%d bytes were posted of %d; %v", len(posted), len(data), err)
			}
			s.WaitIdle()
		})
	}
}

// Each engine speaks, SSML as text where it knows none; one that is not there is
// told.
func TestFreeSWITCHSpeech(t *testing.T) {
	for i, c := range []struct{ engine, voice, src, kind, want string }{
		{"flite", "kal", "data:text/plain,Hello%20there", "text/plain", "exit |||"},
		{"flite", "slt", "data:application/ssml+xml,<speak>Hello <break/> again</speak>", "application/ssml+xml", "exit |||"},
		{"tts_commandline", "en", "data:text/plain,Hello%20there", "text/plain", "exit |||"},
		{"flite", "kal", "say:number/42?lang=xx&text=forty-two", "audio/wav", "exit |||"},
		{"flite", "slt", "say:number/42?lang=xx", "audio/wav", "say:number/42?lang=xx was not said: FreeSWITCH does not seem to have mod_say_xx"},
		{"cepstral", "allison", "data:text/plain,Hello%20there", "text/plain", "the text was not spoken: FreeSWITCH does not seem to have the text-to-speech engine \"cepstral\""},
	} {
		t.Run(fmt.Sprint(i, "-", c.engine), func(t *testing.T) {
			s := newRealSite(t, sitetest.With("DIALOG_TTS_ENGINE", c.engine), sitetest.With("DIALOG_TTS_VOICE", c.voice))
			if c.engine != "cepstral" && s.api("module_exists", "mod_"+c.engine) != "true" {
				t.Logf("mod_%s is not loaded there: nothing is shown of it", c.engine)
				return
			}
			s.Transitions("incoming.ccxml", strings.ReplaceAll(answer(c.src), "audio/wav", c.kind))
			caller := s.caller()
			s.Must(s.Trace.WaitText(s.Context(), c.want))
			s.gone(caller)
			s.WaitIdle()
		})
	}
}

// Audio by HTTP is fetched once and heard in each call.
func TestFreeSWITCHFetchedAudio(t *testing.T) {
	var mu sync.Mutex
	requests := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		requests++
		w.Header().Set("Content-Type", "audio/wav")
		w.Header().Set("Cache-Control", "max-age=600")
		w.Write(tone(620))
	}))
	t.Cleanup(web.Close)
	s := newRealSite(t, sitetest.With("DIALOG_SPOOL", t.TempDir()), alsoAllowed(web.URL))
	s.Transitions("incoming.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'up'"/></transition>
<transition event="connection.signal"><dialogstart src="'`+web.URL+`/hello'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'played ' + event$.reason"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>`)
	for range 2 {
		s.Trace.Reset()
		caller := s.caller()
		s.WaitLog("up")
		hears := s.overhear(caller)
		s.api("uuid_send_dtmf", caller, "1")
		hears(620)
		s.WaitLog("played undefined")
		s.WaitIdle()
	}
	mu.Lock()
	defer mu.Unlock()
	if requests != 1 {
		t.Errorf("it was fetched %d times", requests)
	}
}

// Music in the background is heard under a prompt, and after it, until it is
// terminated.
func TestFreeSWITCHBackground(t *testing.T) {
	s := newRealSite(t)
	s.Must(os.WriteFile(filepath.Join(s.Dir, "music.wav"), tone(620), 0o644))
	s.Document("incoming.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="music"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><assign name="c" expr="event$.connectionid"/><log expr="'up'"/></transition>
<transition event="connection.signal"><dialogstart dialogid="music" connectionid="c" src="'`+s.Dir+`/music.wav'" type="'audio/wav'" hints="{background: true}"/></transition>
<transition event="dialog.started" cond="event$.dialogid == music"><dialogstart connectionid="c" src="'tone_stream://%(2500,0,440)'" type="'audio/wav'"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == music"><log expr="'silence'"/><exit/></transition>
<transition event="dialog.exit"><dialogterminate dialogid="music"/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	caller := s.caller()
	s.WaitLog("up")
	hears := s.overhear(caller)
	s.api("uuid_send_dtmf", caller, "1")
	hears(620, 440)
	s.WaitLog("silence")
	s.gone(caller)
	s.WaitIdle()
}

// A dialog on a conference is heard by its members.
func TestFreeSWITCHDialogOnConference(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="room"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><assign name="c" expr="event$.connectionid"/><createconference conferenceid="room"/></transition>
<transition event="conference.created"><join id1="c" id2="room"/></transition>
<transition event="conference.joined"><log expr="'in'"/></transition>
<transition event="connection.signal"><dialogstart conferenceid="room" src="'tone_stream://%(2500,0,440)'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'played ' + event$.reason"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	caller := s.caller()
	s.WaitLog("in")
	hears := s.overhear(caller)
	s.api("uuid_send_dtmf", caller, "1")
	hears(440)
	s.WaitLog("played undefined")
	s.gone(caller)
	s.WaitIdle()
}

// Digits are pressed towards the far end.
func TestFreeSWITCHDigitsToTheFarEnd(t *testing.T) {
	s := newRealSite(t)
	s.Transitions("incoming.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'up'"/></transition>
<transition event="connection.signal"><script>event$.connection._SendDTMF('42w1');</script></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>`)
	caller := s.caller()
	s.WaitLog("up")
	s.api("uuid_transfer", caller, "'m:^:sleep:200^send_dtmf:5^read:3 3 silence_stream://100 got 10000 #^park:' inline")
	s.WaitUntil("the caller hears the keys", func() bool { return s.api("uuid_getvar", caller, "got") == "421" })
	s.api("uuid_kill", caller)
	s.WaitIdle()
}

// However late or early a dialog is terminated, it exits once, and its connection
// can be played to.
func TestFreeSWITCHTerminate(t *testing.T) {
	for _, c := range []struct{ name, kind, src string }{
		{"prompt", "audio/wav", "tone_stream://%(20000,0,440)"},
		{"digits", "audio/wav", "tone_stream://%(100,0,440)?maxdigits=3&amp;timeout=20s"},
		{"speech", "text/plain", "data:text/plain,This is a long sentence that goes on and on and on, so that it can be broken off."},
		{"record", "application/x-record", "null:"},
	} {
		for _, immediate := range []string{"false", "true"} {
			for _, delay := range []time.Duration{0, 30 * time.Millisecond, 700 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s-%s-%s", c.name, immediate, delay), func(t *testing.T) {
					t.Parallel()
					s := newRealSite(t, sitetest.With("DIALOG_RECORDINGS", t.TempDir()))
					s.Document("incoming.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="d"/><var name="after"/><var name="c"/><var name="exits" expr="0"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><assign name="c" expr="event$.connectionid"/>
  <dialogstart dialogid="d" connectionid="c" src="'`+c.src+`'" type="'`+c.kind+`'"/>
  <send target="session.id" targettype="'ccxml'" name="'stop'" delay="'`+delay.String()+`'"/></transition>
<transition event="stop"><dialogterminate dialogid="d" immediate="`+immediate+`"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == d"><assign name="exits" expr="exits + 1"/>
  <dialogstart dialogid="after" connectionid="c" src="'tone_stream://%(300,0,880)'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'exits ' + exits + ' ' + event$.reason"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
					caller := s.caller()
					s.WaitLog("exits 1 undefined")
					s.gone(caller)
					s.WaitIdle()
				})
			}
		}
	}
}
