package dialog

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"ccxmld/esl"
	"ccxmld/fetch"
)

// Record asks a Turn to record what the party says once the prompts are over, by
// FreeSWITCH's record application (mod_dptools). A digit skips the prompts that
// digits may break off.
type Record struct {
	File       string // where FreeSWITCH writes it
	Beep       bool   // a tone before it
	TermDigits string // any of these ends it
	// MaxTime bounds it, and FinalSilence of this length ends it, 0 for never. Both
	// count in whole seconds. Silence at the beginning ends it too.
	MaxTime, FinalSilence time.Duration
}

// silenceThreshold is the energy below which FreeSWITCH's record takes sound for
// silence, its own default.
const silenceThreshold = 200

// overtime is how much longer than asked for FreeSWITCH may record.
const overtime = 10 * time.Second

// beginRecording ends the prompts and records.
func (c *Conversation) beginRecording(t *turn) {
	t.queue = nil
	switch {
	case t.recording:
	case c.running != 0: // broken off, but not ended yet
		c.next = func() { c.beginRecording(t) }
		c.on.Break()
	default:
		t.recording = true
		c.withFolder(t, func() {
			if t.Record.Beep {
				c.execute("playback", esl.Literal(beep), nil, func(Completion) { c.record(t) })
			} else {
				c.record(t)
			}
		})
	}
}

// withFolder goes on once the recording's directory is there: FreeSWITCH hangs up a
// party that it cannot record. Where it is not, it is made, which helps if this is
// FreeSWITCH's machine.
func (c *Conversation) withFolder(t *turn, record func()) {
	folder := path.Dir(t.Record.File)
	c.on.Exists(folder, func(there bool) {
		switch {
		case c.turn != t:
		case there:
			record()
		default:
			c.background(func(context.Context) func() {
				made := c.service.MakeRecordings()
				return func() { c.withNewFolder(t, folder, made, record) }
			}, func(err error) { c.withNewFolder(t, folder, err, record) })
		}
	})
}

func (c *Conversation) withNewFolder(t *turn, folder string, made error, record func()) {
	c.on.Exists(folder, func(there bool) {
		if c.turn != t {
			return
		}
		if there {
			c.log.Info("the directory of recordings was missing, and is made", "directory", folder)
			record()
			return
		}
		problem := fmt.Sprintf("FreeSWITCH has no directory %s to record to; make it on FreeSWITCH's machine, or change dialog.recordings", folder)
		if made != nil {
			problem += fmt.Sprintf(" (%v)", made)
		}
		c.log.With(c.about...).Warn("a recording cannot be made", "reason", problem)
		t.outcome.Problems = append(t.outcome.Problems, problem)
		c.end(t, Failed)
	})
}

func (c *Conversation) record(t *turn) {
	r := t.Record
	argument := r.File + " " + seconds(r.MaxTime)
	if r.FinalSilence > 0 {
		argument += " " + strconv.Itoa(silenceThreshold) + " " + seconds(r.FinalSilence)
	}
	c.execute("record", argument, func() {
		t.outcome.Recording, t.recordAt = true, c.now()
		c.began(t)
	}, func(done Completion) {
		t.outcome.Recorded = done.Elapsed
		if t.broken {
			c.end(t, Interrupted)
			return
		}
		c.end(t, Recorded)
	})
	c.overall = c.after(r.MaxTime+overtime, c.on.Break) // FreeSWITCH should have ended it
}

// seconds rounds up to whole ones, which is what record counts in.
func seconds(t time.Duration) string {
	return strconv.FormatInt(int64((t+time.Second-1)/time.Second), 10)
}

// pressInRecording takes a digit for a turn that records.
func (c *Conversation) pressInRecording(t *turn, digit string) {
	switch {
	case !t.recording && !t.barrier:
		c.beginRecording(t)
	case t.outcome.Recording && t.outcome.TermDigit == "" && strings.Contains(t.Record.TermDigits, digit):
		t.outcome.TermDigit = digit
		c.on.Break()
	}
}

// recordingType is the media type of what FreeSWITCH records.
const recordingType = "audio/wav"

// MakeRecordings makes the directory of recordings, which helps if this is
// FreeSWITCH's machine.
func (s *Service) MakeRecordings() error {
	if s.recordings == nil {
		return errNoRecordings
	}
	return s.recordings.Make()
}

// CheckRecordings tells why nothing can be recorded: there is no directory for it, or
// it is full, or others may put something in the place of a recording.
func (s *Service) CheckRecordings() error {
	if s.recordings == nil {
		return errNoRecordings
	}
	return s.recordings.Check()
}

// RecordingsFull tells that nothing is recorded because there is too much, as it was when it
// was looked at last. It does not look at the disk.
func (s *Service) RecordingsFull() error {
	if s.recordings == nil {
		return nil
	}
	return s.recordings.Full()
}

// Sweep removes audio and recordings beyond the bounds that the options have for them.
// It goes by the file system's time.
func (s *Service) Sweep() {
	if s.spool != nil {
		s.spool.Sweep()
	}
	if s.recordings != nil {
		s.recordings.Sweep()
	}
}

// Swept is how many files of fetched audio and how many recordings were removed.
func (s *Service) Swept() (audio, recordings int64) {
	if s.spool != nil {
		audio = s.spool.Removed()
	}
	if s.recordings != nil {
		recordings = s.recordings.Removed()
	}
	return audio, recordings
}

// RecordingFile names a file for a recording, which FreeSWITCH then writes. The
// error is that of CheckRecordings.
func (s *Service) RecordingFile(id string) (string, error) {
	if err := s.CheckRecordings(); err != nil {
		return "", err
	}
	return strings.TrimSuffix(s.options.Recordings, "/") + "/recording-" + id + ".wav", nil
}

// upload gives what a form submits of a recording.
func (s *Service) upload(name, file string) (fetch.Pair, error) {
	content, err := s.readRecording(file)
	if err != nil {
		return fetch.Pair{}, err
	}
	return fetch.Pair{Name: name, Value: string(content), File: file[strings.LastIndexByte(file, '/')+1:], ContentType: recordingType}, nil
}

// RecordingSize gives the bytes of a recording that has ended; 0 when ccxmld does not
// see FreeSWITCH's files.
func (s *Service) RecordingSize(file string) int64 {
	if s.recordings == nil {
		return 0
	}
	return s.recordings.Size(file)
}

func (s *Service) readRecording(file string) ([]byte, error) {
	if s.recordings == nil {
		return nil, errNoRecordings
	}
	return s.recordings.Read(file)
}
