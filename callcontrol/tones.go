package callcontrol

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// A fax that calls says CNG (1100 Hz), what answers for a fax or a modem says CED
// (2100 Hz; ITU-T T.30, V.25). A network says by three tones that it cannot
// connect: the special information tones (ITU-T E.180), the first two in one of two
// pitches each, or of 950, 1400 and 1800 Hz. What beeps is as its maker liked.
var (
	faxTones = []freeswitch.ToneDetector{{Key: "cng", Frequency: 1100, Hits: 2}, {Key: "ced", Frequency: 2100, Hits: 2}}
	sitTones = []freeswitch.ToneDetector{
		{Key: "low1", Frequency: 913.8, Hits: 1}, {Key: "low2", Frequency: 950, Hits: 1}, {Key: "low3", Frequency: 985.2, Hits: 1}, {Key: "mid1", Frequency: 1370.6, Hits: 1}, {Key: "mid2", Frequency: 1400, Hits: 1}, {Key: "mid3", Frequency: 1428.5, Hits: 1},
		{Key: "high1", Frequency: 1776.7, Hits: 1}, {Key: "high2", Frequency: 1800, Hits: 1},
	}
	usualBeeps = []float64{425, 440, 850, 950, 1000, 1400}
)

// maxBeeps is how many detectors are left.
const maxBeeps = 6

// detectors are those for the results that matter. A tone that is not one of a
// series has to be heard twice, so that a note of somebody's voice is none.
func (a *analysis) detectors() (list []freeswitch.ToneDetector) {
	if a.matters("faxtone") || a.matters("modem") {
		list = append(list, faxTones...)
	}
	if a.matters("beep") {
		for i, frequency := range a.beeps {
			list = append(list, freeswitch.ToneDetector{Key: "beep" + strconv.Itoa(i), Frequency: frequency, Hits: 2})
		}
	}
	if a.matters("sit") {
		list = append(list, sitTones...)
	}
	return list
}

// expectTones sets the detectors up.
func (a *analysis) expectTones() {
	detectors := a.detectors()
	if len(detectors) == 0 {
		return
	}
	a.tones = make(map[string]time.Duration)
	for _, cmd := range freeswitch.DetectTones(a.leg.id, detectors, a.request.Runtime) {
		a.leg.send(cmd, nil)
	}
}

// dismissTones ends the detectors, which would end by themselves.
func (a *analysis) dismissTones() {
	if a.tones != nil && a.leg.isConnected() && a.leg.conn != nil {
		a.leg.send(freeswitch.StopTones(), nil)
	}
}

// heardTones takes the report of the detectors.
func (l *leg) heardTones(report string) {
	a := l.analysis
	tones, ok := freeswitch.TonesOf(report)
	if a == nil || a.tones == nil || !ok {
		return
	}
	if !a.hears() {
		a.end()
		return
	}
	for _, tone := range tones {
		if _, known := a.tones[tone.Key]; known || a.over {
			continue
		}
		a.tones[tone.Key] = tone.At
		a.heard(tone.Key)
	}
}

// sitTime is how long the three tones may take: 330 ms each, give or take 70.
const sitTime = 1200 * time.Millisecond

// heard makes a result of a tone. What may be one of the network's three tones is
// taken for a beep only when no other follows.
func (a *analysis) heard(key string) {
	beep := strings.HasPrefix(key, "beep")
	a.tonal = a.tonal || beep
	switch {
	case key == "cng":
		a.machineTone("faxtone")
	case key == "ced" && (a.matters("faxtone") || !a.matters("modem")):
		a.machineTone("faxtone")
	case key == "ced":
		a.machineTone("modem")
	case a.isSIT():
		a.machineTone("sit")
	case beep && a.matters("sit") && a.mayBeSIT(key):
		a.leg.after(sitTime, func() {
			if !a.isSIT() {
				a.result("beep")
			}
		})
	case beep:
		a.result("beep")
	}
}

// machineTone is the result of a tone that no voice comes with.
func (a *analysis) machineTone(kind string) {
	a.tonal = true
	a.result(kind)
}

// isSIT tells whether two of the three tones were heard one after the other, in
// their order: one of them is easily missed.
func (a *analysis) isSIT() bool {
	order := []string{"low", "mid", "high"}
	for i, first := range order {
		for _, second := range order[i+1:] {
			if a.follows(first, second) {
				return true
			}
		}
	}
	return false
}

// follows tells whether a tone of one pitch came soon after one of another.
func (a *analysis) follows(first, second string) bool {
	for one, began := range a.tones {
		for other, then := range a.tones {
			if strings.HasPrefix(one, first) && strings.HasPrefix(other, second) && then > began+100*time.Millisecond && then < began+sitTime {
				return true
			}
		}
	}
	return false
}

// mayBeSIT tells whether a beep's frequency is near one of the network's.
func (a *analysis) mayBeSIT(key string) bool {
	i, _ := strconv.Atoi(strings.TrimPrefix(key, "beep"))
	for _, d := range sitTones {
		if math.Abs(d.Frequency-a.beeps[i]) < 50 {
			return true
		}
	}
	return false
}

// Frequencies that the telephone carries.
const (
	lowestTone  = 300
	highestTone = 3400
)

// beepFrequencies reads the hint beeps of createcall.
func beepFrequencies(hints interpreter.Hints) ([]float64, error) {
	value, ok := hint(hints, "beeps")
	if !ok {
		return usualBeeps, nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var frequencies []float64
	for _, entry := range list {
		frequency, err := strconv.ParseFloat(fmt.Sprint(entry), 64)
		if err != nil || !(frequency >= lowestTone && frequency <= highestTone) || len(frequencies) == maxBeeps {
			return nil, fmt.Errorf("the hint beeps is %.60q; expected up to %d frequencies from %d to %d Hz, such as [425, 1000]",
				fmt.Sprint(value), maxBeeps, lowestTone, highestTone)
		}
		frequencies = append(frequencies, frequency)
	}
	return frequencies, nil
}
