package callcontrol

import (
	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// recognize runs detect_speech on the leg. Few legs do, so that its events are
// subscribed to by those alone. What is told before the application has begun belongs
// to an earlier one.
func (l *leg) recognize(argument string, heard func(dialog.Recognition)) {
	if l.isGone() || l.conn == nil && !l.isHoming() {
		return
	}
	if l.isHoming() {
		l.atHome = append(l.atHome, func() { l.recognize(argument, heard) })
		return
	}
	if !l.recognizes {
		l.recognizes = true
		l.send(esl.Subscribe(freeswitch.SpeechEvents), nil)
		l.send(freeswitch.TellSpeechAtOnce(l.id), nil)
	}
	l.hears = nil
	l.Execute("detect_speech", argument, func() { l.hears = heard }, nil)
}

// recognized brings what FreeSWITCH hears to whoever listens. FreeSWITCH tells it a
// second time when the leg is parked.
func (l *leg) recognized(s freeswitch.Speech) {
	if s.Number <= l.heardLast {
		return
	}
	l.heardLast = s.Number
	if l.hears != nil {
		l.hears(dialog.Recognition{Kind: s.Kind, Body: s.Body, Cause: s.Cause})
	}
}
