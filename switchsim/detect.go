package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// stretch is a time in which the party speaks, or says a tone of so many hertz.
type stretch struct {
	from, to time.Time
	tone     float64
}

// frameLength is how long a frame of media is; detect_audio and detect_silence
// count in them.
const frameLength = 20 * time.Millisecond

// detect is detect_audio and detect_silence: "threshold frames milliseconds". It
// ends when so many frames in a row were of voice or of silence, or with the time.
type detect struct {
	timed
	silence bool
}

func (d *detect) start(f *frame) {
	words := strings.Fields(f.data)
	numbers := make([]int, 3)
	for i := range numbers {
		if len(words) < 3 {
			f.finish()
			return
		}
		var err error
		if numbers[i], err = strconv.Atoi(words[i]); err != nil || numbers[i] <= 0 && i < 2 {
			f.finish()
			return
		}
	}
	limit := time.Duration(numbers[2]) * time.Millisecond
	found, ok := f.c.hears(d.silence, time.Duration(numbers[1])*frameLength)
	timeout := !ok || limit > 0 && found > limit
	if timeout {
		found = limit
	}
	d.begin(f, found, func() {
		f.c.vars.set(map[bool]string{false: "detect_audio_timeout", true: "detect_silence_timeout"}[d.silence], strconv.FormatBool(timeout))
		f.finish()
	})
}

// hears tells after which time so much voice, or silence, will have been heard
// from the party in one piece.
func (c *channel) hears(silence bool, length time.Duration) (after time.Duration, ok bool) {
	now := c.sw.now()
	at := now
	for _, s := range c.voice {
		if !s.to.After(now) {
			continue
		}
		from := s.from
		if from.Before(now) {
			from = now
		}
		if !silence {
			if s.to.Sub(from) >= length {
				return from.Add(length).Sub(now), true
			}
			continue
		}
		if from.Sub(at) >= length {
			break
		}
		at = s.to
	}
	return at.Add(length).Sub(now), silence
}

func (d *detect) breakOff(*frame)    {} // they do not look
func (d *detect) digit(*frame, byte) {}
func (d *detect) abort(f *frame)     { d.stop(f) }
