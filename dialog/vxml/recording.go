package vxml

import (
	"strconv"
	"time"

	"ccxmld/dialog"
)

// recording is a <record> (VoiceXML 2.0, 2.3.6).
type recording struct {
	beep, dtmfTerm        bool
	maxTime, finalSilence time.Duration
}

// What a <record> has where it says nothing, which is the platform's choice.
const (
	defaultMaxTime      = time.Minute
	defaultFinalSilence = 3 * time.Second
)

func (e *element) recording() *recording {
	e.attributes("name", "expr", "cond", "modal", "beep", "maxtime", "finalsilence", "dtmfterm", "type", "dest")
	r := &recording{
		beep: e.boolean("beep", false), dtmfTerm: e.boolean("dtmfterm", true),
		maxTime: e.time("maxtime"), finalSilence: e.time("finalsilence"),
	}
	if e.text("maxtime") == "" {
		r.maxTime = defaultMaxTime
	}
	if e.text("finalsilence") == "" {
		r.finalSilence = defaultFinalSilence
	}
	if r.maxTime <= 0 {
		e.problem("<record maxtime=%.200q>: expected a time to record in", e.text("maxtime"))
	}
	switch kind := e.text("type"); kind {
	case "", "audio/wav", "audio/x-wav":
	default:
		e.notice("<record type=%.200q>: recordings are audio/wav", kind)
	}
	return r
}

// record records the party into a file, whose name is the item's value. It is played
// by <value> and <audio>, and submitted as a file.
func (x *execution) record(i *item) error {
	r := i.record
	file, err := x.browser.pages.service.RecordingFile(x.browser.request.ID + "-" + strconv.Itoa(len(x.recorded)+1))
	if err != nil {
		return thrownf("error.noresource", "%v", err)
	}
	turn := dialog.Turn{Record: &dialog.Record{File: file, Beep: r.beep, MaxTime: r.maxTime, FinalSilence: r.finalSilence}}
	if r.dtmfTerm {
		turn.Record.TermDigits = dialog.Digits
	}
	o, ok := x.take(turn)
	if ok && r.cut(o) {
		ok = !x.browser.hangsUp(x.ctx)
	}
	switch {
	case o.Recording && !x.silent(r, o):
		x.recorded[file] = true
		x.keep(i, file, o)
	case ok && o.End == dialog.Recorded:
		return &thrown{event: "noinput"}
	}
	switch {
	case !ok: // what was said until then is kept (VoiceXML 2.0, 2.3.6.2)
		return &thrown{event: "connection.disconnect.hangup"}
	case o.End == dialog.Failed:
		return &thrown{event: "error.noresource", message: o.Problems[len(o.Problems)-1]}
	case o.End == dialog.Interrupted:
		return x.interrupted()
	}
	return x.process(i)
}

// cut tells whether a recording has ended before anything could end it but the end of
// the call, of which FreeSWITCH tells a little later.
func (r *recording) cut(o dialog.Outcome) bool {
	shortest := r.maxTime
	if r.finalSilence > 0 {
		shortest = min(shortest, r.finalSilence)
	}
	return o.End == dialog.Recorded && o.TermDigit == "" && o.Recorded >= 0 && o.Recorded < shortest-time.Second
}

// silent tells whether nothing was said: the silence that ends a recording was all of
// it. FreeSWITCH counts it in whole seconds.
func (x *execution) silent(r *recording, o dialog.Outcome) bool {
	if r.cut(o) {
		return false
	}
	most := r.finalSilence.Truncate(time.Second) + 2*time.Second
	return o.End == dialog.Recorded && o.TermDigit == "" && r.finalSilence > 0 && o.Recorded >= 0 && o.Recorded < most && o.Recorded < r.maxTime
}

// keep gives the item its recording and its shadow variable.
func (x *execution) keep(i *item, file string, o dialog.Outcome) {
	vm := x.runtime.VM()
	x.set(i.name, vm.ToValue(file))
	shadow := vm.NewObject()
	duration := max(o.Recorded, 0)
	set(shadow, "duration", vm.ToValue(duration.Milliseconds()))
	set(shadow, "size", vm.ToValue(x.browser.pages.service.RecordingSize(file)))
	if o.TermDigit != "" {
		set(shadow, "termchar", vm.ToValue(o.TermDigit))
	}
	set(shadow, "maxtime", vm.ToValue(o.TermDigit == "" && duration >= i.record.maxTime))
	x.set(i.name+"$", shadow)
}
