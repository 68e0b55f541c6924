package callcontrol

import (
	"fmt"
	"slices"
	"time"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/interpreter"
)

// analysis finds out who or what has answered a call, by the rule of Voxeo's
// platform (VX-40): voice that ends soon is a human's, voice that goes on is a
// machine's; and by the tones of machines. FreeSWITCH listens for voice by
// detect_audio and detect_silence (mod_dptools), one after the other; what the
// document wants to play comes after the one that runs. For tones it listens
// beside all that.
type analysis struct {
	leg     *leg
	request interpreter.Analysis
	beeps   []float64 // frequencies, in hertz

	over    bool
	late    bool                     // its time is over
	results []string                 // so far, told or not
	tonal   bool                     // a tone was heard: what sounds is no voice
	tones   map[string]time.Duration // heard so far, by key: how long after the beginning; nil without detectors
	timer   *clock.Timer
}

// What an analysis goes by where the document says nothing.
const (
	usualMaxSilence = time.Second
	usualMaxTime    = 5 * time.Second
	usualRuntime    = 20 * time.Second
)

// FreeSWITCH measures in frames of 20 ms, and takes less than this energy for
// silence, as its record application does. Voice is sound for 60 ms.
const (
	frameTime   = 20 * time.Millisecond
	voiceEnergy = 200
	voiceFrames = 3
)

// newAnalysis prepares the analysis of a call; nil if it shall have none.
func newAnalysis(r interpreter.CallRequest) (*analysis, error) {
	beeps, err := beepFrequencies(r.Hints)
	if err != nil || r.Analysis == nil {
		return nil, err
	}
	a := &analysis{request: *r.Analysis, beeps: beeps}
	for _, setting := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&a.request.MaxSilence, usualMaxSilence}, {&a.request.MaxTime, usualMaxTime}, {&a.request.Runtime, usualRuntime}} {
		if *setting.value <= 0 {
			*setting.value = setting.usual
		}
	}
	return a, nil
}

// begin begins the analysis of a call that has been answered.
func (a *analysis) begin(l *leg) {
	a.leg = l
	a.timer = a.leg.after(a.request.Runtime+frameTime, a.timeIsOver)
	a.expectTones()
	a.awaitVoice()
}

// awaitVoice listens until somebody speaks.
func (a *analysis) awaitVoice() {
	argument := fmt.Sprintf("%d %d %d", voiceEnergy, voiceFrames, a.request.Runtime.Milliseconds())
	a.leg.Execute("detect_audio", argument, nil, func(done dialog.Completion) {
		switch {
		case a.lost(done):
		case timedOut(done, a.request.Runtime):
			if len(a.results) == 0 {
				a.result("unknown")
			}
			a.end()
		default:
			a.awaitSilence()
		}
	})
}

// awaitSilence listens until the voice has ended, or has gone on for so long that
// it is a machine's.
func (a *analysis) awaitSilence() {
	longest := a.request.MaxTime + a.request.MaxSilence
	argument := fmt.Sprintf("%d %d %d", voiceEnergy, a.request.MaxSilence/frameTime, longest.Milliseconds())
	a.leg.Execute("detect_silence", argument, nil, func(done dialog.Completion) {
		switch {
		case a.lost(done) || a.tonal:
		case timedOut(done, longest):
			a.result("machine")
		default:
			a.result("human")
		}
	})
}

// lost tells whether nothing more is to be learnt, and ends the analysis then: the
// leg is gone, or was taken to a bridge, a conference or another session meanwhile.
func (a *analysis) lost(done dialog.Completion) bool {
	if done.Gone || done.Elapsed < 0 || !a.hears() {
		a.end()
	}
	return a.over
}

// hears tells whether what the leg says is still its own.
func (a *analysis) hears() bool {
	l := a.leg
	return l.isConnected() && l.place.kind == alone && !l.isHoming() && l.joinPending == nil
}

// timedOut tells by FreeSWITCH's clock whether an application ran for its whole
// time. They end some frames early.
func timedOut(done dialog.Completion, limit time.Duration) bool {
	return done.Elapsed >= limit-10*frameTime
}

// timeIsOver ends an analysis, unless somebody speaks who was not heard out yet.
func (a *analysis) timeIsOver() {
	a.late = true
	if len(a.results) > 0 {
		a.end()
	}
}

// result tells the document of a result, if it wants to hear of it. Most end the
// analysis; what a machine says is followed by its beep.
func (a *analysis) result(kind string) {
	if a.over || slices.Contains(a.results, kind) {
		return
	}
	a.results = append(a.results, kind)
	if a.request.Report == nil || slices.Contains(a.request.Report, kind) {
		a.leg.control.queueConnection(a.leg, "voxeo.cpa.result", "", interpreter.Field{Name: "type", Value: kind})
	}
	if a.late || slices.Contains(a.request.Stop, kind) || a.request.Stop == nil && kind != "machine" {
		a.end()
	}
}

// matters tells whether a result would change anything.
func (a *analysis) matters(kind string) bool {
	return a.request.Report == nil || slices.Contains(a.request.Report, kind) || slices.Contains(a.request.Stop, kind)
}

// end ends the analysis.
func (a *analysis) end() {
	if a.over {
		return
	}
	a.over = true
	a.timer.Stop()
	if a.leg.analysis == a {
		a.leg.analysis = nil
	}
	a.dismissTones()
}

// endAnalysis ends the analysis of a leg that was made again, if one had begun: what was
// heard is not known.
func (l *leg) endAnalysis() {
	if a := l.analysis; a != nil && a.leg != nil && !l.isGone() {
		a.result("unknown")
		a.end()
	}
}
