package dialog

import (
	"fmt"
	"slices"
)

// hear has FreeSWITCH listen to speech for a turn, if it is not doing so.
func (c *Conversation) hear(t *turn) {
	if t.Listen == nil || t.Listen.Speech == nil || t.hearing || t.outcome.Digits != "" {
		return
	}
	t.hearing, c.ear = true, true
	c.on.Recognize(c.service.recognition(t.Listen.Speech), func(r Recognition) {
		if c.turn == t && t.hearing {
			c.recognized(t, r)
		}
	})
}

// stopHearing ends that.
func (c *Conversation) stopHearing(t *turn) {
	if t.hearing {
		t.hearing = false
		c.on.Recognize("pause", nil)
	}
}

// recognized takes what FreeSWITCH tells of the speech. Once there are digits, it
// is they that count (VoiceXML 2.0, 3.1.3); while a prompt plays that must be heard,
// nothing does.
func (c *Conversation) recognized(t *turn, r Recognition) {
	ignored := t.outcome.Digits != "" || t.barrier && !t.listening
	switch r.Kind {
	case "begin-speaking", "detected-partial-speech":
		if !ignored && !t.speaking {
			c.speaking(t)
		}
	case "detected-speech":
		t.hearing = false
		if !ignored {
			c.understand(t, r)
		}
	case "closed":
		t.hearing = false
		c.unheard(t, "the speech engine "+c.service.options.ASREngine+" has ended, or does not take the grammar; FreeSWITCH's log says more")
	}
}

// speaking notes that the party has begun to speak, which breaks prompts off.
func (c *Conversation) speaking(t *turn) {
	if t.Listen.Speech.Hotword && !t.listening {
		return
	}
	t.speaking = true
	c.measure(t)
	if !t.listening {
		if c.listen(t); c.turn != t {
			return
		}
	}
	c.timer.Stop()
	if longest := t.Listen.Speech.Longest; longest > 0 {
		c.timer = c.after(longest, func() { c.end(t, TooLong) })
	}
}

// understand ends a turn with what the party has said, or listens on.
func (c *Conversation) understand(t *turn, r Recognition) {
	speech := t.Listen.Speech
	how, list := r.result()
	c.measure(t)
	switch how {
	case broke:
		c.unheard(t, fmt.Sprintf("the speech engine %s could not listen: completion cause %s", c.service.options.ASREngine, r.Cause))
		return
	case spokeTooLong:
		c.end(t, TooLong)
		return
	case nothingSaid:
		if t.listening {
			c.end(t, Silence)
		}
		return // else it is listened to again after the prompts
	case understood:
		t.outcome.Spoken = slices.DeleteFunc(list, func(s Spoken) bool { return s.Confidence < speech.Confidence })
		if len(t.outcome.Spoken) > 0 {
			c.end(t, Input)
			return
		}
		t.outcome.Spoken = list
	}
	if !speech.Hotword {
		c.end(t, Mismatch)
		return
	}
	t.outcome.Spoken = nil
	if t.listening {
		c.hear(t)
	}
}

// unheard goes on with digits alone, if there are any to wait for.
func (c *Conversation) unheard(t *turn, problem string) {
	c.log.With(c.about...).Warn("speech cannot be heard", "reason", problem)
	t.Listen.Speech = nil
	if t.Listen.OnlySpeech {
		t.outcome.Problems = append(t.outcome.Problems, problem)
		c.end(t, Failed)
	}
}
