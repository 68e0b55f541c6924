package switchsim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// applicationKind is how an application is made and whether the leg's media are
// opened for it first.
type applicationKind struct {
	create     func() application
	needsMedia bool
}

// applications are those the simulation knows; any other name hangs a leg up.
var applications map[string]applicationKind

func init() {
	media := func(create func() application) applicationKind { return applicationKind{create, true} }
	plain := func(create func() application) applicationKind { return applicationKind{create, false} }
	at := func(do func(c *channel, data string)) applicationKind {
		return plain(func() application { return instant(do) })
	}
	applications = map[string]applicationKind{
		"socket":              plain(func() application { return new(socketApplication) }),
		"park":                plain(func() application { return new(parkApplication) }),
		"playback":            media(func() application { return new(playback) }),
		"endless_playback":    media(func() application { return &playback{endless: true} }),
		"speak":               media(func() application { return new(speak) }),
		"detect_audio":        media(func() application { return new(detect) }),
		"detect_silence":      media(func() application { return &detect{silence: true} }),
		"detect_speech":       at(detectSpeech),
		"say":                 media(func() application { return new(say) }),
		"record":              media(func() application { return new(record) }),
		"play_and_get_digits": media(func() application { return new(collector) }),
		"read":                media(func() application { return &collector{isRead: true} }),
		"sleep":               plain(func() application { return new(sleep) }),
		"conference":          media(func() application { return new(conferenceApplication) }),
		"eavesdrop":           media(func() application { return new(eavesdrop) }),
		"echo":                media(func() application { return new(forever) }),
		"answer":              at(func(c *channel, _ string) { c.answer() }),
		"pre_answer":          at(func(c *channel, _ string) { c.preAnswer() }),
		"ring_ready":          at(func(c *channel, _ string) { c.ring() }),
		"set":                 at(setVariable),
		"export":              at(setVariable),
		"multiset":            at(setVariables),
		"unset":               at(func(c *channel, name string) { c.vars.remove(name) }),
		"sched_hangup":        at(scheduleHangup),
		"hangup":              at(func(c *channel, cause string) { c.hangUp(normalCause(cause), local) }),
		"respond":             at(respond),
		"redirect":            at(redirect),
		"deflect":             at(deflect),
		"send_dtmf":           at(sendDigits),
		"stop_tone_detect":    at(func(c *channel, _ string) { c.detectors = nil }),
		"record_session":      at(func(c *channel, path string) { c.startRecording(strings.TrimSpace(path), 0) }),
		"stop_record_session": at(func(c *channel, path string) { c.stopRecording(strings.TrimSpace(path)) }),
		"break":               at(func(c *channel, _ string) {}),
		"event":               at(fireEvent),
		"eval":                at(func(c *channel, _ string) {}),
		"bind_digit_action":   at(bindDigits),
		"clear_digit_action":  at(func(c *channel, _ string) { c.digitAction = nil }),
		"info":                at(func(c *channel, _ string) {}),
		"log":                 at(func(c *channel, _ string) {}),
		"start_dtmf":          at(func(c *channel, _ string) { c.hearsKeys = true }),
		"stop_dtmf":           at(func(c *channel, _ string) { c.hearsKeys = false }),
		"flush_dtmf":          at(func(c *channel, _ string) {}),
		"queue_dtmf":          at(func(c *channel, _ string) {}),
		"hash":                at(func(c *channel, _ string) {}),
	}
}

// instant is an application that is done at once.
type instant func(c *channel, data string)

func (do instant) start(f *frame) {
	do(f.c, f.data)
	f.finish()
}

func setVariable(c *channel, data string) {
	name, value, _ := strings.Cut(data, "=")
	c.vars.set(strings.TrimSpace(name), value)
}

// setVariables takes several, separated by spaces or as ^^ says.
func setVariables(c *channel, data string) {
	delimiter := " "
	if rest, ok := strings.CutPrefix(data, "^^"); ok && rest != "" {
		delimiter, data = rest[:1], rest[1:]
	}
	for part := range strings.SplitSeq(data, delimiter) {
		setVariable(c, part)
	}
}

// respond refuses an incoming call with a SIP status.
func respond(c *channel, data string) {
	code, _, _ := strings.Cut(data, " ")
	status, _ := strconv.Atoi(code)
	c.party.sipStatus = status
	cause := causeOfStatus(status)
	if status >= 300 && status < 400 {
		cause = "NORMAL_UNSPECIFIED"
	}
	c.hangUp(cause, local)
}

// redirect sends the caller elsewhere with a 302.
func redirect(c *channel, data string) {
	c.party.sipStatus = 302
	c.party.redirectedTo = data
	c.hangUp("NORMAL_UNSPECIFIED", local)
}

// sendDigits presses digits towards the party.
func sendDigits(c *channel, data string) {
	digits, _, _ := strings.Cut(data, "@")
	c.party.hear(Sound{Kind: "dtmf", What: digits, From: c.sw.now(), To: c.sw.now(), Complete: true})
	c.vars.set("last_dtmf_duration", "1500")
}

// forever runs until the leg is hung up or the application is broken off.
type forever struct{}

func (forever) start(*frame)      {}
func (forever) breakOff(f *frame) { f.finish() }

// sleep waits for milliseconds.
type sleep struct{ timed }

func (s *sleep) start(f *frame) {
	ms, _ := strconv.Atoi(strings.TrimSpace(f.data))
	s.begin(f, time.Duration(ms)*time.Millisecond, f.finish)
}
func (s *sleep) breakOff(f *frame) { s.stop(f); f.finish() }

// timed is what applications that last some time have in common: their time
// stands still while another application runs nested in them.
type timed struct {
	total   time.Duration // endless: for ever
	played  time.Duration
	since   time.Time
	end     *appointment
	running bool
	then    func()
}

func (t *timed) begin(f *frame, lasts time.Duration, then func()) {
	t.total, t.played, t.then = lasts, 0, then
	t.run(f)
}

func (t *timed) run(f *frame) {
	t.since, t.running = f.c.sw.now(), true
	if t.total == endless {
		return
	}
	t.end = f.c.sw.agenda.after(t.total-t.played, func() {
		t.end, t.running, t.played = nil, false, t.total
		t.then()
	})
}

// stop stops the clock and returns how long it ran in all.
func (t *timed) stop(f *frame) time.Duration {
	if t.running {
		t.running = false
		f.c.sw.agenda.cancel(t.end)
		t.end = nil
		t.played += f.c.sw.now().Sub(t.since)
		if t.total != endless {
			t.played = min(t.played, t.total)
		}
	}
	return t.played
}

func (t *timed) pause(f *frame) { t.stop(f) }
func (t *timed) resume(f *frame) {
	if !f.ended && t.then != nil {
		t.run(f)
	}
}
func (t *timed) abort(f *frame) { t.stop(f) }

// hasTerminator tells whether a digit ends what is played, and marks it if so.
func (c *channel) hasTerminator(digit byte) bool {
	terminators := c.vars.get("playback_terminators")
	switch terminators {
	case "":
		terminators = "*"
	case "none":
		return false
	case "any":
		terminators = "1234567890*#"
	}
	if !slices.Contains([]byte(terminators), digit) {
		return false
	}
	c.vars.set("playback_terminator_used", string(digit))
	return true
}
