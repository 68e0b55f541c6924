package callcontrol

import (
	"context"
	"errors"
	"path"
	"regexp"

	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// notInNames is what a recording's name does without: FreeSWITCH takes commands
// apart at some of it, and file systems names at the rest.
var notInNames = regexp.MustCompile(`[^A-Za-z0-9=_-]+`)

// longestTag bounds the part of a recording's name that the document gives.
const longestTag = 64

// Record begins or ends the recording of a leg (interpreter.Telephony). FreeSWITCH ends it also when the leg is hung up. The
// document knows at once where the recording will be; that FreeSWITCH could not
// begin it is logged.
func (c *control) Record(r interpreter.RecordRequest) (string, error) {
	l := c.legs[r.ConnectionID]
	if l == nil || l.conn == nil {
		return "", errors.New("the leg is not in our socket")
	}
	file := l.recording
	switch {
	case r.On && file != "": // it runs already
	case r.On:
		if err := c.controller.options.Dialogs.CheckRecordings(); err != nil {
			return "", err
		}
		file = c.recordingOf(l, r.Tag)
		l.recording = file
		l.notes.Recordings = addNote(l.notes.Recordings, file)
		l.send(freeswitch.StartRecording(l.id, file), func(error) { c.recordAgain(l, file) })
	case file != "":
		l.recording = ""
		l.send(freeswitch.StopRecording(l.id, file), nil)
	}
	return file, nil
}

// recordAgain begins once more a recording that FreeSWITCH could not begin, with the
// directory made that may have been missing.
func (c *control) recordAgain(l *leg, file string) {
	made := c.fetches.addAlone(c.controller, func(context.Context) {
		err := c.controller.options.Dialogs.MakeRecordings()
		c.session.Do(func() {
			switch {
			case l.recording != file || l.isGone():
			case err != nil:
				l.log().Warn("not recorded: the directory of recordings cannot be made", "file", file, "error", err)
				l.recording = ""
			default:
				l.send(freeswitch.StartRecording(l.id, file), func(error) {
					if l.recording == file {
						l.recording = ""
					}
				})
			}
		})
	})
	if !made && l.recording == file {
		l.log().Warn("not recorded: too much is under way already", "file", file)
		l.recording = ""
	}
}

// SendDigits sends digits to the far end (interpreter.Telephony).
func (c *control) SendDigits(id, digits string) error {
	l := c.legs[id]
	if l == nil || l.conn == nil {
		return errors.New("the leg is not in our socket")
	}
	l.send(freeswitch.SendDTMF(l.id, digits), nil)
	return nil
}

// recordingOf names a new recording of a leg.
func (c *control) recordingOf(l *leg, tag string) string {
	name := l.id
	if tag = notInNames.ReplaceAllString(tag, "-"); tag != "" {
		name += "-" + tag[:min(len(tag), longestTag)]
	}
	name += "-" + c.controller.newID()[:8]
	return path.Join(c.controller.options.Recordings, name+".wav")
}
