package dialog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"ccxmld/esl"
	"ccxmld/fetch"
)

// RecordingType is the media type of dialogs that record the party.
const RecordingType = "application/x-record"

// Records tells whether dialogs of a media type record the party.
func Records(kind string) bool { return mediaType(kind) == RecordingType }

// recording is a dialog that records what the party says, by FreeSWITCH's record
// application (mod_dptools). Its src is the HTTP URI that gets the recording, or
// null: for none.
type recording struct {
	service      *Service
	request      Request
	events       Events
	on           Channel
	conversation *Conversation
	controls     recordingControls
	file         string // where FreeSWITCH writes it
	state        mediaState
	termDigit    string
	terminated   bool
}

// recordingControls are the parameters of a recording, in the query of its src or
// among its parameters.
type recordingControls struct {
	upload       string        // the HTTP URI that gets the recording, "" for none
	beep         bool          // a tone before it; true unless said otherwise
	termDigits   string        // any of these ends it; # unless said otherwise
	maxTime      time.Duration // a minute unless said otherwise
	finalSilence time.Duration // ends it; 0 for never
}

// startRecording starts a dialog that records.
func (s *Service) startRecording(r Request, on Channel, do func(func()) bool, e Events) Dialog {
	d := &recording{service: s, request: r, events: e, on: on}
	d.conversation = s.Converse(on, do, "dialog", r.ID, "src", shorten(r.Source))
	do(d.begin)
	return d
}

// prepareRecording reads the controls: a recording needs nothing else beforehand.
func prepareRecording(_ context.Context, r Request) (any, error) {
	_, err := parseRecording(r)
	return nil, err
}

func (d *recording) begin() {
	if d.state == mediaEnded {
		return
	}
	var err error
	if d.controls, err = parseRecording(d.request); err == nil {
		err = d.choose()
	}
	if err != nil {
		d.state = mediaEnded
		d.conversation.Close()
		d.events.NotStarted(err.Error())
		return
	}
	if !d.controls.beep {
		d.record()
		return
	}
	d.on.Execute("playback", esl.Literal(beep), nil, func(done Completion) {
		switch {
		case d.state == mediaEnded:
		case done.Gone:
			d.HungUp()
		default:
			d.record()
		}
	})
}

// choose names the recording's file, which nobody else has.
func (d *recording) choose() error {
	if d.service.options.Recordings == "" {
		return errors.New("there is no directory for recordings; set dialog.recordings in the configuration")
	}
	if d.controls.upload != "" {
		uri, err := fetch.Resolve(d.request.Base, d.controls.upload)
		if err != nil {
			return err
		}
		d.controls.upload = uri
	}
	d.file = path.Join(d.service.options.Recordings, "recording-"+d.request.ID+".wav")
	return nil
}

// silenceThreshold is the energy below which FreeSWITCH's record takes sound for
// silence, its own default.
const silenceThreshold = 200

func (d *recording) record() {
	argument := d.file + " " + seconds(d.controls.maxTime)
	if d.controls.finalSilence > 0 {
		argument += " " + strconv.Itoa(silenceThreshold) + " " + seconds(d.controls.finalSilence)
	}
	d.on.Execute("record", argument, func() {
		if d.state == mediaStarting {
			d.state = mediaStarted
			d.events.Started()
		}
	}, d.recorded)
	d.conversation.after(d.controls.maxTime+overtime, func() {
		if d.state == mediaStarted {
			d.on.Break() // FreeSWITCH should have ended it
		}
	})
}

// overtime is how much longer than asked for FreeSWITCH may record.
const overtime = 10 * time.Second

// seconds rounds up to whole ones, which is what record counts in.
func seconds(t time.Duration) string {
	return strconv.FormatInt(int64((t+time.Second-1)/time.Second), 10)
}

// recorded takes the end of the record application.
func (d *recording) recorded(done Completion) {
	if d.state == mediaEnded {
		return
	}
	duration := done.Elapsed
	values := Values{{"file", d.file}}
	if duration >= 0 {
		values = append(values, Value{"duration", duration.Milliseconds()})
	}
	if d.termDigit != "" {
		values = append(values, Value{"termdigit", d.termDigit})
	}
	values = append(values, Value{"reason", d.why(done, duration)})
	if d.controls.upload == "" {
		d.exit(Result{Values: values})
		return
	}
	d.upload(values)
}

// why says in one word what ended the recording.
func (d *recording) why(done Completion, duration time.Duration) string {
	switch {
	case d.terminated:
		return "terminated"
	case d.termDigit != "":
		return "termdigit"
	case done.Gone:
		return "hangup"
	case duration >= 0 && duration+time.Second/10 < d.controls.maxTime && d.controls.finalSilence > 0:
		return "silence"
	}
	return "maxtime"
}

// largestRecording bounds what is read to be uploaded: an hour of telephony.
const largestRecording = 64 << 20

// upload posts the recording. That it did not arrive is told with the result; the
// file stays where it is.
func (d *recording) upload(values Values) {
	uri, file := d.controls.upload, d.file
	d.conversation.background(func(ctx context.Context) func() {
		status, err := d.service.post(ctx, uri, file)
		return func() {
			result := Result{Values: append(values, Value{"uri", uri})}
			if err != nil {
				result.Reason = fmt.Sprintf("the recording was not uploaded: %v", err)
			} else {
				result.Values = append(result.Values, Value{"statuscode", status})
			}
			d.exit(result)
		}
	})
}

func (s *Service) post(ctx context.Context, uri, file string) (status int, err error) {
	if s.options.Fetcher == nil {
		return 0, errNoFetcher
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, fmt.Errorf("%w; dialog.recordings must be a directory that FreeSWITCH and ccxmld share", err)
	}
	if info.Size() > largestRecording {
		return 0, fmt.Errorf("%s is larger than %d MiB", file, largestRecording>>20)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	response, err := s.options.Fetcher.Fetch(ctx, fetch.Request{URI: uri, Method: "POST", Body: body, ContentType: "audio/wav"})
	if err != nil {
		return 0, err
	}
	return response.Status, nil
}

func (d *recording) exit(result Result) {
	if d.state == mediaStarting {
		d.events.Started()
	}
	d.state = mediaEnded
	d.conversation.Close()
	d.events.Exited(result)
}

// Digit implements Dialog.
func (d *recording) Digit(digit string) bool {
	if d.state != mediaStarted {
		return d.state == mediaStarting
	}
	if d.termDigit == "" && strings.Contains(d.controls.termDigits, digit) {
		d.termDigit = digit
		d.on.Break()
	}
	return true
}

// Terminate implements Dialog.
func (d *recording) Terminate(immediate bool) {
	switch {
	case d.state == mediaEnded:
	case immediate || d.state == mediaStarting:
		d.on.Break()
		d.exit(Result{})
	default:
		d.terminated = true
		d.on.Break()
	}
}

// Send implements Dialog.
func (d *recording) Send(Message) error {
	return errors.New("a recording takes no events; only VoiceXML dialogs do")
}

// Detached implements Dialog.
func (d *recording) Detached(reason string) bool {
	if d.state != mediaEnded {
		d.exit(Result{Values: Values{{"file", d.file}, {"reason", "terminated"}}, Reason: reason})
	}
	return false
}

// HungUp implements Dialog. What was said before the party hung up is there.
func (d *recording) HungUp() {
	switch d.state {
	case mediaEnded:
	case mediaStarting:
		d.state = mediaEnded
		d.conversation.Close()
		d.events.NotStarted("the call has ended")
	default:
		d.recorded(Completion{Elapsed: -1, Gone: true})
	}
}

// parseRecording reads the controls of a recording. Parameters win over the query
// of src, of which what is no control stays with the URI.
func parseRecording(r Request) (c recordingControls, err error) {
	c = recordingControls{beep: true, termDigits: "#", maxTime: time.Minute}
	uri, query, _ := strings.Cut(r.Source, "?")
	var rest []string
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		known, err := c.set(name, unescape(value))
		if err != nil {
			return c, err
		}
		if !known && part != "" {
			rest = append(rest, part)
		}
	}
	if len(rest) > 0 {
		uri += "?" + strings.Join(rest, "&")
	}
	switch schemeOf(uri) {
	case "null":
	case "", "http", "https":
		c.upload = uri
	default:
		return c, fmt.Errorf("src is %q; expected the HTTP URI that gets the recording, or null: for none", shorten(r.Source))
	}
	for _, p := range r.Parameters {
		if _, err := c.set(p.Name, p.Value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// set sets one control; known tells whether it is one.
func (c *recordingControls) set(name, value string) (known bool, err error) {
	name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
	switch name {
	case "beep":
		c.beep, err = boolean(value)
	case "termdigits":
		if strings.Trim(value, Digits) != "" {
			return true, fmt.Errorf("termdigits is %q; expected some of %s", value, Digits)
		}
		c.termDigits = value
	case "maxtime":
		if c.maxTime, err = ParseTime(value); err == nil && c.maxTime <= 0 {
			err = fmt.Errorf("%q is no time to record in", value)
		}
	case "finalsilence":
		c.finalSilence, err = ParseTime(value)
	default:
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}
