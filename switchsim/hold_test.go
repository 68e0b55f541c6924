package switchsim_test

import "testing"

// TestHoldAsRecorded: the far end holds the call, as a phone does, while a tone plays
// and again while it is held; takes it up; holds it once more by another direction,
// and hangs up while it is held.
func TestHoldAsRecorded(t *testing.T) {
	s := newStage(t)
	outgoingLeg(s, "0657cbb4-1f3c-429f-9dc7-ae0d6bfd1e52")
	hold := func(seconds float64, on bool) deed {
		return deed{at(seconds), func(s *stage) { s.caller.Hold(on) }}
	}
	s.replay("hold.txt", []deed{
		hold(0.68, true), hold(2.68, true), hold(3.38, false),
		hold(4.38, true), hold(5.09, false), hold(5.88, true), hangsUp(6.68),
	}, leave{
		{kind: "value", header: "Caller-Channel-Hold-Accum"}, {kind: "value", header: "variable_hold_accum_ms"},
		{kind: "value", header: "variable_audio_media_flow", line: 862, why: "it said inactive"},
		{kind: "value", header: "variable_remote_audio_media_flow", line: 862, why: "it said inactive"},
	})
}
