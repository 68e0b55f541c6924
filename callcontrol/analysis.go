package callcontrol

import (
	"fmt"
	"slices"
	"time"

	"ccxmld/dialog"
	"ccxmld/interpreter"
)

// analysis finds out who has answered a call, by the rule of Voxeo's platform
// (VX-41): voice that ends soon is a human's, voice that goes on is a machine's.
// FreeSWITCH listens by detect_audio and detect_silence (mod_dptools), one after
// the other; what the document wants to play comes after the one that runs.
type analysis struct {
	leg     *leg
	request interpreter.Analysis
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

// analyse begins the analysis of a call that has been answered.
func (c *control) analyse(l *leg, r interpreter.Analysis) {
	a := &analysis{leg: l, request: r}
	for _, setting := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&a.request.MaxSilence, usualMaxSilence}, {&a.request.MaxTime, usualMaxTime}, {&a.request.Runtime, usualRuntime}} {
		if *setting.value <= 0 {
			*setting.value = setting.usual
		}
	}
	a.awaitVoice()
}

// awaitVoice listens until somebody speaks.
func (a *analysis) awaitVoice() {
	argument := fmt.Sprintf("%d %d %d", voiceEnergy, voiceFrames, a.request.Runtime.Milliseconds())
	a.leg.Execute("detect_audio", argument, nil, func(done dialog.Completion) {
		switch {
		case a.over(done):
		case timedOut(done, a.request.Runtime):
			a.report("unknown")
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
		case a.over(done):
		case timedOut(done, longest):
			a.report("machine")
		default:
			a.report("human")
		}
	})
}

// over tells whether nothing more is to be learnt: the leg is gone, or was taken
// to a bridge, a conference or another session meanwhile.
func (a *analysis) over(done dialog.Completion) bool {
	return done.Gone || done.Elapsed < 0 || a.leg.state != legConnected || a.leg.place.kind != alone || a.leg.homing || a.leg.joinPending != nil
}

// timedOut tells by FreeSWITCH's clock whether an application ran for its whole
// time. They end some frames early.
func timedOut(done dialog.Completion, limit time.Duration) bool {
	return done.Elapsed >= limit-10*frameTime
}

// report tells the document of a result, if it wants to hear of it.
func (a *analysis) report(result string) {
	if a.request.Report != nil && !slices.Contains(a.request.Report, result) {
		return
	}
	a.leg.control.queueConnection(a.leg, "voxeo.cpa.result", "", interpreter.Field{Name: "type", Value: result})
}
