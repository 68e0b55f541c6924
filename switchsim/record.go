package switchsim

import (
	"path"
	"strconv"
	"strings"
	"time"
)

// record is record: "path [seconds [threshold [hits]]]".
type record struct {
	timed
	path  string
	heard int
}

func (r *record) start(f *frame) {
	c := f.c
	words := strings.Fields(f.data)
	if len(words) == 0 {
		f.finish()
		return
	}
	r.path = words[0]
	if !c.sw.hasFolder(path.Dir(r.path)) { // switch_ivr_record_file
		r.path = ""
		c.kill("DESTINATION_OUT_OF_ORDER", local)
		f.finish()
		return
	}
	limit := endless
	if len(words) > 1 {
		if seconds, err := strconv.Atoi(words[1]); err == nil && seconds > 0 {
			limit = time.Duration(seconds) * time.Second
		}
	}
	c.vars.remove("playback_terminator_used")
	c.vars.set("silence_hits_exhausted", "false")
	c.switchCodec(codecMixed)
	r.heard = c.party.hear(Sound{Kind: "record", What: r.path, From: c.sw.now()})
	c.fire("RECORD_START", site{"switch_ivr_play_say.c", "switch_ivr_record_file_event", 770}, header{"Record-File-Path", r.path})
	exhausted := false
	if len(words) > 3 { // path, limit, threshold of silence, seconds of it
		if seconds, err := strconv.Atoi(words[3]); err == nil && seconds > 0 {
			silent, _ := c.hears(true, time.Duration(seconds)*time.Second)
			limit, exhausted = min(limit, silent), silent <= limit
		}
	}
	r.begin(f, limit, func() {
		c.vars.set("silence_hits_exhausted", strconv.FormatBool(exhausted))
		r.over(f)
	})
}

func (r *record) over(f *frame) {
	r.done(f)
	f.finish()
}

// done tells of the recording and makes its file one that can be played.
func (r *record) done(f *frame) {
	if r.path == "" {
		return
	}
	c := f.c
	took := r.stop(f)
	c.party.stopHearing(r.heard, true)
	size := strconv.FormatInt(44+2*samples(took), 10)
	c.vars.set("record_record_file_size", size)
	c.vars.set("record_file_size", size)
	c.vars.set("record_seconds", strconv.FormatInt(int64(took/time.Second), 10))
	c.vars.set("record_ms", strconv.FormatInt(took.Milliseconds(), 10))
	c.vars.set("record_samples", strconv.FormatInt(samples(took), 10))
	c.sw.sounds[r.path] = took
	if c.sw.options.WriteRecordings {
		c.sw.write(r.path, samples(took))
	}
	c.fire("RECORD_STOP", site{"switch_ivr_play_say.c", "switch_ivr_record_file_event", 1033}, header{"Record-File-Path", r.path})
	c.switchCodec(codecWire)
}

// switchCodec is what an application that needs the samples does.
func (c *channel) switchCodec(to string) {
	c.readCodec = to
	c.vars.set("read_codec", to)
	c.vars.set("read_rate", "8000")
}

func (r *record) breakOff(f *frame) { r.over(f) }
func (r *record) digit(f *frame, digit byte) {
	if f.c.hasTerminator(digit) {
		r.over(f)
	}
}
func (r *record) abort(f *frame) { r.done(f) }

// recording is one that runs beside the leg's applications (uuid_record,
// record_session).
type recording struct {
	c     *channel
	path  string
	began time.Time
	limit *appointment
}

func (c *channel) startRecording(path string, limit time.Duration) {
	r := &recording{c: c, path: path, began: c.sw.now()}
	if limit > 0 {
		r.limit = c.sw.agenda.after(limit, func() { r.stop("success-maxtime") })
	}
	c.recordings = append(c.recordings, r)
	c.fire("RECORD_START", site{"switch_ivr_async.c", "record_callback", 1482}, header{"Record-File-Path", path})
}

func (c *channel) stopRecording(path string) bool {
	for _, r := range append([]*recording(nil), c.recordings...) {
		if r.path == path || path == "all" {
			r.stop("success-maxtime")
			return true
		}
	}
	return false
}

// stop ends the recording. A recording without a frame is dropped, and says so.
func (r *recording) stop(cause string) {
	c := r.c
	c.sw.agenda.cancel(r.limit)
	c.recordings = without(c.recordings, r)
	took := c.sw.now().Sub(r.began)
	if cause == "" {
		cause = "success-hangup"
	}
	c.switchCodec(c.readCodec)
	if took <= 0 {
		cause = "empty-file"
	} else {
		c.sw.sounds[r.path] = took
	}
	c.vars.set("record_file_size", strconv.FormatInt(44+2*samples(took), 10))
	c.vars.set("record_samples", strconv.FormatInt(samples(took), 10))
	c.vars.set("record_seconds", strconv.FormatInt(int64(took/time.Second), 10))
	c.vars.set("record_ms", strconv.FormatInt(took.Milliseconds(), 10))
	c.vars.set("record_completion_cause", cause)
	c.fire("RECORD_STOP", site{"switch_ivr_async.c", "send_record_stop_event", 1241},
		header{"Record-File-Path", r.path}, header{"Record-Completion-Cause", cause})
}
