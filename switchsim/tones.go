package switchsim

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// toneDetector is one of a leg's detectors (switch_ivr_tone_detect_session).
type toneDetector struct {
	frequency float64
	began     time.Time
}

// A detector takes what is as near as this for its tone, and needs so long to be
// sure of a hit.
const (
	toneWidth = 20 // hertz
	toneTime  = 100 * time.Millisecond
)

// maxDetectors is MAX_TONES.
const maxDetectors = 16

// apiDetectTone is tone_detect: "uuid key frequency flags +seconds".
func (sw *Switch) apiDetectTone(arguments string) string {
	words := strings.Fields(arguments)
	if len(words) < 3 {
		return "-ERR INVALID ARGS!\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return "-ERR Cannot locate session!\n"
	}
	frequency, err := strconv.ParseFloat(words[2], 64)
	if err == nil && len(c.detectors) < maxDetectors {
		if c.detectors == nil {
			c.detectors = make(map[string]*toneDetector)
		}
		d := &toneDetector{frequency: frequency, began: sw.now()}
		c.detectors[words[1]] = d
		d.listen(c, words[1])
	}
	return "+OK Enabling tone detection '" + words[1] + "' '" + words[2] + "' ''\n"
}

// listen makes an appointment for the first stretch in which the tone is heard.
func (d *toneDetector) listen(c *channel, key string) {
	hits, _ := strconv.Atoi(c.vars.get("tone_detect_hits"))
	needs := toneTime * time.Duration(max(1, hits))
	for _, s := range c.voice {
		from := s.from
		if from.Before(d.began) {
			from = d.began
		}
		if s.tone == 0 || math.Abs(s.tone-d.frequency) > toneWidth || s.to.Sub(from) < needs {
			continue
		}
		c.sw.agenda.at(from.Add(needs), func() {
			if c.detectors[key] == d && !c.down() {
				d.heard(c, key)
			}
		})
		return
	}
}

// heard tells of the tone by the application that the leg's variable names, which
// runs at once, nested in what runs.
func (d *toneDetector) heard(c *channel, key string) {
	c.vars.set("tone_detect_"+key+"_total_time", strconv.FormatInt(c.sw.now().Sub(d.began).Milliseconds(), 10))
	if application, argument, _ := strings.Cut(c.vars.get("execute_on_tone_detect"), " "); application != "" {
		c.execute(application, argument, "", false, nil)
	}
}
