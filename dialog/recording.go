package dialog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ccxmld/fetch"
)

// RecordingType is the media type of dialogs that record the party.
const RecordingType = "application/x-record"

// Records tells whether dialogs of a media type record the party.
func Records(kind string) bool { return mediaType(kind) == RecordingType }

// recording is a dialog that records what the party says. Its src is the HTTP URI
// that gets the recording, or null: for none.
type recording struct {
	service      *Service
	request      Request
	events       Events
	do           func(func()) bool
	conversation *Conversation
	controls     recordingControls
	file         string // where FreeSWITCH writes it
	state        mediaState
	terminated   bool
	detached     string             // why it has lost its leg; "" while it has it
	uploading    context.CancelFunc // gives the upload up; nil while there is none
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
	d := &recording{service: s, request: r, events: e, do: do}
	d.conversation = s.Converse(on, do, append(r.LogAttributes(), "src", shorten(r.Source))...)
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
	c := d.controls
	d.conversation.Take(Turn{
		Record: &Record{File: d.file, Beep: c.beep, TermDigits: c.termDigits, MaxTime: c.maxTime, FinalSilence: c.finalSilence},
		Began: func() {
			if d.state == mediaStarting {
				d.state = mediaStarted
				d.events.Started()
			}
		},
	}, d.recorded)
}

// choose names the recording's file, which nobody else has.
func (d *recording) choose() (err error) {
	if d.file, err = d.service.RecordingFile(d.request.ID); err != nil {
		return err
	}
	if d.controls.upload != "" {
		uri, err := fetch.Resolve(d.request.Base, d.controls.upload)
		if err != nil {
			return err
		}
		d.controls.upload = uri
	}
	return nil
}

var errNoRecordings = errors.New("there is no directory for recordings; set dialog.recordings in the configuration")

// recorded takes the end of the recording.
func (d *recording) recorded(o Outcome) {
	if d.state == mediaEnded {
		return
	}
	if reason := map[End]string{Gone: "the call has ended", Failed: o.problem()}[o.End]; reason != "" && d.state == mediaStarting {
		d.state = mediaEnded
		d.conversation.Close()
		d.events.NotStarted(reason)
		return
	}
	values := Values{{"file", d.file}}
	if o.Recorded >= 0 {
		values = append(values, Value{"duration", o.Recorded.Milliseconds()})
	}
	if o.TermDigit != "" {
		values = append(values, Value{"termdigit", o.TermDigit})
	}
	values = append(values, Value{"reason", d.why(o)})
	if d.controls.upload == "" {
		d.exit(Result{Values: values, Reason: d.detached})
		return
	}
	d.upload(values)
}

// why says in one word what ended the recording.
func (d *recording) why(o Outcome) string {
	switch {
	case d.terminated:
		return "terminated"
	case o.TermDigit != "":
		return "termdigit"
	case o.End == Gone:
		return "hangup"
	case o.Recorded >= 0 && o.Recorded+time.Second/10 < d.controls.maxTime && d.controls.finalSilence > 0:
		return "silence"
	}
	return "maxtime"
}

// upload posts the recording, which outlives the leg and, if it must, the session.
// That it did not arrive is told with the result; the file stays where it is.
func (d *recording) upload(values Values) {
	uri, file := d.controls.upload, d.file
	values = append(values, Value{"uri", uri})
	cancel, err := d.service.startUpload(func(ctx context.Context) {
		status, err := d.service.post(ctx, uri, file)
		if d.do(func() { d.uploaded(values, status, err) }) {
			return
		}
		log := d.service.options.Logger.With(append(d.request.LogAttributes(), "file", file, "uri", uri)...)
		if err != nil {
			log.Warn("a recording was not uploaded, and its session has ended", "error", err)
		} else {
			log.Info("a recording was uploaded after its session had ended", "status", status)
		}
	})
	if err != nil {
		d.uploaded(values, 0, err)
		return
	}
	d.uploading = cancel
}

func (d *recording) uploaded(values Values, status int, err error) {
	if d.state == mediaEnded {
		return
	}
	result := Result{Values: values, Reason: d.detached}
	if err != nil {
		if status = statusOf(err); result.Reason != "" {
			result.Reason += "; "
		}
		result.Reason += fmt.Sprintf("the recording was not uploaded: %v", err)
	}
	if status != 0 {
		result.Values = append(result.Values, Value{"statuscode", status})
	}
	d.exit(result)
}

// statusOf is what a server said when it did not take what was sent; 0 for nothing.
func statusOf(err error) int {
	var failed *fetch.Error
	if errors.As(err, &failed) {
		return failed.Status
	}
	return 0
}

func (s *Service) post(ctx context.Context, uri, file string) (status int, err error) {
	if s.options.Uploads == nil {
		return 0, errNoFetcher
	}
	body, err := s.readRecording(file)
	if err != nil {
		return 0, err
	}
	response, err := s.options.Uploads.Fetch(ctx, fetch.Request{URI: uri, Method: "POST", Body: body, ContentType: recordingType})
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
	if d.uploading != nil {
		d.uploading() // it is over, or nobody wants it any more
	}
	d.events.Exited(result)
}

// Digit implements Dialog.
func (d *recording) Digit(digit string) bool {
	return d.state != mediaEnded && d.conversation.Digit(digit)
}

// Terminate implements Dialog.
func (d *recording) Terminate(immediate bool) {
	switch {
	case d.state == mediaEnded:
	case immediate || d.state == mediaStarting:
		d.exit(Result{})
	default:
		d.terminated = true
		d.conversation.Interrupt()
	}
}

// Send implements Dialog.
func (d *recording) Send(Message) error {
	return errors.New("a recording takes no events; only VoiceXML dialogs do")
}

// Detached implements Dialog. What is to be uploaded is waited for: the document
// hears how that went.
func (d *recording) Detached(reason string) bool {
	switch {
	case d.state == mediaEnded:
		return false
	case d.uploading != nil:
	case d.state == mediaStarted && d.controls.upload != "":
		d.terminated, d.detached = true, reason
		d.conversation.Interrupt() // FreeSWITCH closes the file
	default:
		d.exit(Result{Values: Values{{"file", d.file}, {"reason", "terminated"}}, Reason: reason})
		return false
	}
	return true
}

// HungUp implements Dialog. What was said before the party hung up is there, and is
// uploaded.
func (d *recording) HungUp() {
	d.conversation.HungUp()
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
