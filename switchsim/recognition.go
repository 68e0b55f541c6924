package switchsim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// recognizer is what detect_speech has opened on a leg: it listens as mod_test's
// engine does, which FreeSWITCH's own tests use, but for what was said it gives the
// words themselves.
type recognizer struct {
	c        *channel
	grammar  string
	settings map[string]string

	ready    bool // it listens; not after a result, or a pause
	speaking bool
	timers   bool // for a party that says nothing
	silent   *appointment
	said     *appointment // the end of what the party says
}

// What mod_test goes by unless it is told otherwise.
const (
	voiceTime       = 60 * time.Millisecond // of voice are speech
	silenceTime     = 700 * time.Millisecond
	noInputTime     = 5 * time.Second
	speechTime      = 10 * time.Second
	usualConfidence = 87.3
)

var (
	siteSpeech = site{"switch_ivr_async.c", "speech_thread", 5070}
	siteClosed = site{"switch_ivr_async.c", "speech_thread", 5117}
)

// AddASR says that an engine for speech recognition exists.
func (sw *Switch) AddASR(engine string) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.recognizers[engine] = true
}

// Say says words, which take as long as the switch's own engine takes for them. A leg
// that listens to speech (detect_speech) hears them.
func (p *Party) Say(words string) {
	p.sw.lock()
	defer p.sw.unlock()
	if r := p.leg.recognizer; r != nil && !p.leg.down() {
		r.hear(words, max(voiceTime, p.sw.speechLength(words)))
	}
}

// detectSpeech is detect_speech (mod_dptools, switch_ivr_async.c).
func detectSpeech(c *channel, data string) {
	words := separate(data, ' ')
	if len(words) == 0 {
		return
	}
	words = append(words, "", "")
	r := c.recognizer
	switch command := strings.ToLower(words[0]); {
	case command == "grammar" && r != nil:
		r.load(words[1])
	case command == "pause" && r != nil:
		r.quiet()
	case command == "resume" && r != nil:
		r.reset()
	case command == "start-input-timers" && r != nil:
		r.startTimers()
	case command == "param" && r != nil:
		r.settings[words[1]] = words[2]
	case (command == "stop" || command == "grammaron" || command == "grammaroff" || command == "grammarsalloff") && r != nil:
		r.close() // the engine knows none of the others
	case len(words) < 5:
	case r != nil:
		r.load(words[1])
		delete(r.settings, "result")
		delete(r.settings, "confidence")
		r.reset()
	default:
		engine, _, _ := strings.Cut(words[0], ":")
		if !c.sw.recognizers[engine] {
			return // FreeSWITCH's log says: Invalid ASR module
		}
		c.recognizer = &recognizer{c: c, settings: make(map[string]string)}
		c.recognizer.load(words[1])
		c.recognizer.reset()
	}
}

// load takes a grammar, with the settings that stand in braces before it.
func (r *recognizer) load(grammar string) {
	if settings, rest, ok := strings.Cut(grammar, "}"); ok && strings.HasPrefix(settings, "{") {
		grammar = rest
		for _, setting := range separate(settings[1:], ',') {
			if parts := separate(setting, '='); len(parts) == 2 {
				r.settings[parts[0]] = parts[1]
			}
		}
	}
	r.grammar = grammar
}

// reset begins to listen anew.
func (r *recognizer) reset() {
	r.quiet()
	r.ready = true
	if r.settings["start-input-timers"] != "false" {
		r.startTimers()
	}
}

// quiet ends listening.
func (r *recognizer) quiet() {
	r.ready, r.speaking, r.timers = false, false, false
	r.c.sw.agenda.cancel(r.silent)
	r.c.sw.agenda.cancel(r.said)
	r.silent, r.said = nil, nil
}

func (r *recognizer) startTimers() {
	if r.timers {
		return
	}
	r.timers = true
	r.silent = r.c.sw.agenda.after(r.time("no-input-timeout", noInputTime), func() {
		r.silent = nil
		if r.ready && !r.speaking {
			r.result(fmt.Sprintf(`{"grammar": "%s", "text": "", "confidence": 0, "error": "no_input"}`, r.grammar))
		}
	})
}

func (r *recognizer) time(setting string, usual time.Duration) time.Duration {
	if ms, err := strconv.Atoi(r.settings[setting]); err == nil {
		return time.Duration(ms) * time.Millisecond
	}
	return usual
}

// hear begins to hear what the party says.
func (r *recognizer) hear(words string, lasts time.Duration) {
	if !r.ready || r.said != nil {
		return
	}
	agenda := &r.c.sw.agenda
	r.said = agenda.after(voiceTime, func() {
		r.speaking = true
		r.tell("begin-speaking", siteSpeech, "")
		rest := min(lasts-voiceTime+r.time("vad-silence-ms", silenceTime), r.time("speech-timeout", speechTime))
		r.said = agenda.after(rest, func() {
			r.said = nil
			text, confidence := words, usualConfidence
			if result := r.settings["result"]; result != "" {
				text = result
			}
			if n, err := strconv.ParseFloat(r.settings["confidence"], 64); err == nil {
				confidence = n
			}
			r.result(fmt.Sprintf(`{"grammar": "%s", "text": "%s", "confidence": %f}`, r.grammar, text, confidence))
		})
	})
}

func (r *recognizer) result(body string) {
	r.quiet()
	r.tell("detected-speech", siteSpeech, body)
}

func (r *recognizer) close() {
	r.quiet()
	r.c.recognizer = nil
	r.tell("closed", siteClosed, "")
}

// idle tells whether nothing lasting runs on the leg.
func (c *channel) idle() bool {
	for _, f := range c.stack {
		switch f.app.(type) {
		case *socketApplication, *parkApplication, instant:
		default:
			return false
		}
	}
	return len(c.stack) > 0
}

// tell tells of speech: at once if the leg's variable says so, and once more, as the
// same event, when the leg comes to wait for commands. What plays throws that away.
func (r *recognizer) tell(kind string, at site, body string) {
	c := r.c
	fire := func() {
		c.sw.fire(&event{name: "DETECTED_SPEECH", site: at, channel: c, brief: true, before: []header{{"Speech-Type", kind}}, body: body})
	}
	sequence := c.sw.sequence
	told := c.vars.get("fire_asr_events") == "true"
	if told {
		fire()
	}
	if !c.idle() {
		return
	}
	if after := c.sw.sequence; told {
		c.sw.sequence = sequence
		fire()
		c.sw.sequence = max(after, c.sw.sequence)
		return
	}
	fire()
}
