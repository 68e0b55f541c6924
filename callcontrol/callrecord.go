package callcontrol

import (
	"slices"
	"time"

	"ccxmld/clock"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/metrics"
	"ccxmld/records"
)

// callNotes are what a call's record tells beside what is known in the end. Times are zero for
// what has not happened.
type callNotes struct {
	Began       time.Time `json:"began,omitzero"`    // it came in, or was placed
	Rang        time.Time `json:"rang,omitzero"`     // the far end rings, or sends early media
	Answered    time.Time `json:"answered,omitzero"` // as the document may know it
	Conferences []string  `json:"conferences,omitempty"`
	Recordings  []string  `json:"recordings,omitempty"`
	Transfer    string    `json:"transfer,omitempty"` // where it was sent
}

// mostNoted bounds the conferences and the recordings of one record.
const mostNoted = 50

// addNote adds what a call was in, or was recorded to.
func addNote(list []string, one string) []string {
	if one == "" || len(list) >= mostNoted || slices.Contains(list, one) {
		return list
	}
	return append(list, one)
}

func (c *Controller) now() time.Time { return clock.Or(c.options.Clock).Now() }

// isCall tells whether the leg is a call that counts: no stand-in, and no call to a VoiceXML
// server.
func (l *leg) isCall() bool { return !l.isHidden() && l.connection.State() != "" }

// direction is who called whom.
func (l *leg) direction() metrics.Direction {
	if l.incoming {
		return metrics.In
	}
	return metrics.Out
}

// note notes how far the call has come by an input.
func (l *leg) note(input legInput) {
	m, now := l.controller.options.Metrics, l.controller.now()
	switch l.state.State() {
	case legRinging, legMedia, legEarly:
		if l.notes.Rang.IsZero() {
			l.notes.Rang = now
			m.CallRang(l.direction(), now.Sub(l.notes.Began))
		}
	case legConnected:
		if l.notes.Answered.IsZero() {
			l.notes.Answered = now
			m.CallAnswered(l.direction(), now.Sub(l.notes.Began))
		}
	case legGone:
		if input != legMovedAway { // else it goes on elsewhere
			l.noteEnd(input, now)
		}
	}
}

// noteEnd counts the call's end. One whose session has ended has its record when FreeSWITCH
// has ended it (releaseLeg).
func (l *leg) noteEnd(input legInput, now time.Time) {
	outcome, talked := "cancelled", time.Duration(0)
	switch {
	case !l.notes.Answered.IsZero():
		outcome, talked = "answered", now.Sub(l.notes.Answered)
	case l.ended != nil && !l.isEnding():
		outcome = failureReason(*l.ended)
	}
	l.controller.options.Metrics.CallEnded(l.direction(), outcome, talked)
	if input == legReleased || l.controller.options.Records == nil || l.control == nil {
		return
	}
	h := l.ended
	if h == nil {
		h = &freeswitch.Hangup{Cause: string(input)}
	}
	record := l.record()
	record.end(h, l.isEnding(), now)
	l.controller.options.Records.Put(record.Call)
}

// callRecord is a call's record, which is whole when the call has ended.
type callRecord struct{ records.Call }

// record begins the call's record with what is known of it.
func (l *leg) record() *callRecord {
	c := l.control
	r := &callRecord{records.Call{
		Record: "call", ID: l.id, Session: c.record.ID, Controller: c.controller.options.ID, Node: l.machine,
		Document: c.record.Document, Version: version(c.document.Load()), Direction: string(l.direction()), Local: l.call.Local, Remote: l.call.Remote,
		Began: records.Milliseconds(l.notes.Began), Conferences: l.notes.Conferences, Recordings: l.notes.Recordings, Transfer: l.notes.Transfer,
	}}
	if r.Node == "" && l.node != nil {
		r.Node = l.node.Machine()
	}
	if !l.notes.Rang.IsZero() {
		r.Rang = records.Milliseconds(l.notes.Rang)
	}
	if !l.notes.Answered.IsZero() {
		r.Answered = records.Milliseconds(l.notes.Answered)
	}
	return r
}

// end notes how the call has ended.
func (r *callRecord) end(h *freeswitch.Hangup, weAsked bool, now time.Time) {
	r.Ended = records.Milliseconds(now)
	r.Seconds, r.Talked = records.Seconds(r.Began, now), records.Seconds(r.Answered, now)
	r.Cause, r.Q850, r.SIPStatus, r.SIPCallID = h.Cause, h.Q850, h.Status, h.CallID
	r.EndedBy = triggerOf(*h, weAsked)
}

// version is a hash of the text of a document, "" where that is not known.
func version(d *interpreter.Document) string {
	if d == nil {
		return ""
	}
	return d.Texts()[0].Hash
}

// keepRecord keeps the record of a session that has ended here.
func (c *control) keepRecord(ending interpreter.Ending) {
	journal := c.controller.options.Records
	if journal == nil || c.lost || c.left { // else it goes on elsewhere
		return
	}
	now := c.controller.now()
	journal.Put(records.Session{
		Record: "session", ID: c.record.ID, Controller: c.controller.options.ID, Document: c.record.Document, Version: version(c.document.Load()),
		Startup: c.record.Startup, Parent: c.record.Parent, Token: c.record.Token,
		Began: records.Milliseconds(c.record.Started), Ended: records.Milliseconds(now), Seconds: records.Seconds(c.record.Started, now),
		Claims: c.epoch - 1, Reason: ending.Reason,
	})
}
