package esl_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"ccxmld/esl"
)

// However the bytes are cut into reads, the messages are the same; nothing
// panics; what a message holds is within the limits; and an Event made of it
// agrees with itself.
func FuzzReadMessage(f *testing.F) {
	for _, seed := range []string{
		"Content-Type: auth/request\n\n",
		"Content-Type: command/reply\nReply-Text: +OK accepted\n\n",
		"Content-Type: api/response\nContent-Length: 4\n\n+OK\n",
		eventText("Event-Name: DTMF\nDTMF-Digit: %23\n\n"),
		eventText("Event-Name: BACKGROUND_JOB\nJob-UUID: j\nContent-Length: 4\n\n+OK\n"),
		"Content-Type: text/event-plain\r\nContent-Length: 24\r\n\r\nEvent-Name: CUSTOM\r\nA: _undef_\r\n\r\n",
		"\n\r\n\nA: 1\r\r\n\r\nB:2\n\n",
		"Content-Length: -1\n\n", "Content-Length: 99999999999999999999\n\n", "Content-Length: x\n\n", "HTTP/1.1 200 OK\r\n\r\n",
		"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n",
	} {
		f.Add([]byte(seed))
	}
	limits := esl.Limits{Header: 200, Body: 300}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, wholeErr := esl.ReadMessages(bytes.NewReader(data), limits)
		single, singleErr := esl.ReadMessages(iotest.OneByteReader(bytes.NewReader(data)), limits)
		// How much of what is too long was read before it was refused differs.
		if !slices.Equal(whole, single) || kindOf(wholeErr) != kindOf(singleErr) {
			t.Fatalf("whole: %q, %v\nbyte by byte: %q, %v", whole, wholeErr, single, singleErr)
		}
		for _, m := range whole {
			if len(m.Head) > limits.Header || len(m.Body) > limits.Body {
				t.Errorf("message of %d and %d bytes", len(m.Head), len(m.Body))
			}
			checkEvent(t, esl.ParseEvent([]byte(m.Head)))
			checkEvent(t, esl.ParseEvent([]byte(m.Body)))
		}
	})
}

func kindOf(err error) string {
	var limit *esl.LimitError
	var protocol *esl.ProtocolError
	switch {
	case errors.As(err, &limit):
		return "limit of " + limit.What
	case errors.As(err, &protocol):
		return protocol.Message
	}
	return err.Error()
}

func checkEvent(t *testing.T, e *esl.Event) {
	seen := make(map[string]bool)
	clone := e.Clone()
	for name, value := range e.All() {
		if !seen[name] {
			seen[name] = true
			if got, ok := e.Lookup(name); !ok || got != value {
				t.Errorf("%q is %q, %v, but %q when iterated", name, got, ok, value)
			}
		}
		if got := clone.Get(name); got != e.Get(name) {
			t.Errorf("%q is %q in the clone", name, got)
		}
	}
	if clone.Body() != e.Body() || clone.Name() != e.Name() {
		t.Error("the clone differs")
	}
}

func TestReaderReportsEarlyEnd(t *testing.T) {
	for text, want := range map[string]error{
		"":                           io.EOF,
		"\n\r\n":                     io.EOF,
		"A: 1\n\n":                   io.EOF,
		"A: 1\n":                     io.ErrUnexpectedEOF,
		"Content-Length: 3\n\nab":    io.ErrUnexpectedEOF,
		"Content-Length: 0\n\n\n\nA": io.ErrUnexpectedEOF,
	} {
		if _, err := esl.ReadMessages(strings.NewReader(text), esl.Limits{}); err != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// A length that is announced but does not come takes no memory.
func TestAnnouncedBodyTakesNoMemoryBeforeItComes(t *testing.T) {
	text := "Content-Length: 16777216\n\nbegin"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := esl.ReadMessages(strings.NewReader(text), esl.Limits{}); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 256<<10 {
		t.Errorf("%d bytes were allocated", taken)
	}
}

// A header block that never ends is refused after its limit, in large reads:
// byte by byte it would cost seconds of CPU.
func TestEndlessHeader(t *testing.T) {
	source := &countedReads{}
	_, err := esl.ReadMessages(source, esl.Limits{})
	var limit *esl.LimitError
	if !errors.As(err, &limit) || limit.What != "header block" {
		t.Errorf("ended with %v", err)
	}
	if source.reads > 200 {
		t.Errorf("%d reads for %d bytes", source.reads, esl.DefaultHeaderLimit)
	}
}

// countedReads gives the letter x for ever.
type countedReads struct{ reads int }

func (r *countedReads) Read(p []byte) (int, error) {
	r.reads++
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
