package callcontrol

import (
	"strconv"

	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// asrEvents is the variable that has FreeSWITCH tell of speech at once. Without it
// an event waits for the leg to be parked, and is lost in a playback.
const asrEvents = "fire_asr_events"

// recognize runs detect_speech on the leg. Few legs do, so that its events are
// subscribed to by those alone. What is told before the application has begun belongs
// to an earlier one.
func (l *leg) recognize(argument string, heard func(dialog.Recognition)) {
	if l.state == legGone || l.conn == nil && !l.homing {
		return
	}
	if l.homing {
		l.atHome = append(l.atHome, func() { l.recognize(argument, heard) })
		return
	}
	if !l.recognizes {
		l.recognizes = true
		l.send(esl.Subscribe("DETECTED_SPEECH"), nil)
		l.send(freeswitch.SetVariable(l.id, asrEvents, "true"), nil)
	}
	l.hears = nil
	l.Execute("detect_speech", argument, func() { l.hears = heard }, nil)
}

// recognized brings what FreeSWITCH hears to whoever listens. FreeSWITCH tells it a
// second time when the leg is parked.
func (l *leg) recognized(sequence int64, r dialog.Recognition) {
	if sequence <= l.heardLast {
		return
	}
	l.heardLast = sequence
	if l.hears != nil {
		l.hears(r)
	}
}

// speechOf takes a DETECTED_SPEECH apart. The completion cause is a header of
// mod_unimrcp's.
func speechOf(e *esl.Event) (sequence int64, r dialog.Recognition) {
	sequence, _ = strconv.ParseInt(e.Get("Event-Sequence"), 10, 64)
	return sequence, dialog.Recognition{Kind: e.Get("Speech-Type"), Body: e.Body(), Cause: e.Get("ASR-Completion-Cause")}
}
