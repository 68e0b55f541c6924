package esl_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"ccxmld/esl"
	"ccxmld/esl/recording"
)

// header is one header of an event, decoded.
type header struct{ name, value string }

// A plainEvent is an event as a naive reader of a recording understands it.
type plainEvent struct {
	headers []header
	body    string
}

func parsePlain(t testing.TB, text string, decoded bool) plainEvent {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	var e plainEvent
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		if decoded {
			plain, err := url.PathUnescape(value)
			if err != nil {
				t.Fatalf("header %q: %v", line, err)
			}
			value = plain
		}
		e.headers = append(e.headers, header{name, value})
	}
	e.body = body
	return e
}

func (e plainEvent) get(name string) string {
	for _, h := range e.headers {
		if h.name == name {
			return h.value
		}
	}
	return ""
}

// recordings are the conversations under testdata, by file name.
func recordings(t testing.TB) map[string][]recording.Block {
	t.Helper()
	files, err := filepath.Glob("testdata/traces/*.txt")
	if err != nil || len(files) < 18 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	all := make(map[string][]recording.Block)
	for _, file := range files {
		blocks, err := recording.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = blocks
	}
	return all
}

// rawCommand sends a recorded command as it stands.
type rawCommand string

func (c rawCommand) BuildMessage() string { return strings.ReplaceAll(string(c), "\n", "\r\n") }

// Every recorded conversation is had again: each event comes, in order and with
// its headers, each command gets the reply it got then, and the connection ends
// for the same reason. The bytes arrive in pieces of several sizes.
func TestReplayRecordings(t *testing.T) {
	for name, blocks := range recordings(t) {
		for _, piece := range []int{0, 13, 1000} {
			t.Run(fmt.Sprintf("%s/%d", name, piece), func(t *testing.T) { replay(t, blocks, piece) })
		}
	}
}

func replay(t *testing.T, blocks []recording.Block, piece int) {
	here, there := net.Pipe()
	c := esl.NewConn(here, esl.Options{})
	var events []string
	var clones []*esl.Event
	var lingers int
	c.SetLingerHandler(func(e *esl.Event) { lingers++ })
	wait := run(t, c, func(e *esl.Event) {
		events = append(events, e.Name())
		clones = append(clones, e.Clone())
	})
	type answer struct {
		line  int
		reply *esl.Reply
		err   error
	}
	answers := make(chan answer, len(blocks))
	var wantEvents []recording.Block
	var wantReplies []plainEvent
	var wantLingers int
	disconnected := false
	p := newPeer(t, there)
	for _, block := range blocks {
		switch block.Direction {
		case recording.Sent:
			go c.Send(rawCommand(block.Text), func(r *esl.Reply, err error) { answers <- answer{block.Line, r, err} })
			if _, err := p.read(); err != nil {
				t.Fatal(err)
			}
		case recording.Received:
			outer := parsePlain(t, string(block.Wire()), false)
			kind := outer.get("Content-Type")
			switch {
			case kind == "text/event-plain":
				wantEvents = append(wantEvents, block)
			case kind == "text/disconnect-notice" && outer.get("Content-Disposition") == "linger":
				wantLingers++
			case kind == "text/disconnect-notice":
				disconnected = true
			case kind == "command/reply" || kind == "api/response":
				wantReplies = append(wantReplies, outer)
			}
			writePieces(t, there, block.Wire(), piece)
		}
	}
	there.Close()
	if err := wait(); disconnected && err != esl.ErrDisconnected || !disconnected && err != io.EOF {
		t.Errorf("ended with %v, disconnected %v", err, disconnected)
	}
	if lingers != wantLingers {
		t.Errorf("%d linger notices, want %d", lingers, wantLingers)
	}
	if len(clones) != len(wantEvents) {
		t.Fatalf("%d events, want %d", len(clones), len(wantEvents))
	}
	for i, e := range clones {
		_, inner, _ := strings.Cut(string(wantEvents[i].Wire()), "\n\n")
		compareEvent(t, wantEvents[i].Line, events[i], e, inner)
	}
	for _, want := range wantReplies {
		got := receive(t, answers)
		if got.err != nil {
			t.Errorf("command in line %d: %v", got.line, got.err)
			continue
		}
		compareReply(t, got.line, got.reply, want)
	}
}

// writePieces writes data in pieces of that size, or in one with 0.
func writePieces(t testing.TB, to net.Conn, data []byte, size int) {
	t.Helper()
	for len(data) > 0 {
		n := len(data)
		if size > 0 {
			n = min(n, size)
		}
		if _, err := to.Write(data[:n]); err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
}

func compareEvent(t *testing.T, line int, name string, e *esl.Event, inner string) {
	t.Helper()
	want := parsePlain(t, inner, true)
	if name != want.get("Event-Name") || e.Name() != name {
		t.Errorf("line %d: event %s, then %s, want %s", line, name, e.Name(), want.get("Event-Name"))
	}
	i := 0
	for name, value := range e.All() {
		if i >= len(want.headers) || want.headers[i] != (header{name, value}) {
			t.Errorf("line %d: header %d is %s: %q", line, i, name, value)
			return
		}
		i++
		first := want.get(name) // headers such as Content-Length may come twice
		if got, ok := e.Lookup(name); !ok || got != first {
			t.Errorf("line %d: %s is %q, %v, want %q", line, name, got, ok, first)
		}
	}
	if i != len(want.headers) {
		t.Errorf("line %d: %d headers, want %d", line, i, len(want.headers))
	}
	if _, ok := e.Lookup("Unique"); ok {
		t.Errorf("line %d: half a name was found", line)
	}
	if e.Body() != want.body {
		t.Errorf("line %d: body %q, want %q", line, e.Body(), want.body)
	}
}

func compareReply(t *testing.T, line int, r *esl.Reply, want plainEvent) {
	t.Helper()
	encoded := want.get("Event-Name") == "CHANNEL_DATA"
	for _, h := range want.headers {
		value := h.value
		if encoded {
			value, _ = url.PathUnescape(value)
		}
		if got := r.Get(h.name); got != value {
			t.Errorf("command in line %d: %s of the reply is %q, want %q", line, h.name, got, value)
		}
		if encoded && r.Event().Get(h.name) != value {
			t.Errorf("channel data: %s is %q, want %q", h.name, r.Event().Get(h.name), value)
		}
	}
	text := want.get("Reply-Text")
	if encoded {
		text = "+OK"
	}
	if want.get("Content-Type") == "api/response" {
		text = want.body
	}
	if r.Text != strings.TrimSpace(text) {
		t.Errorf("command in line %d: answered %q, want %q", line, r.Text, text)
	}
}

// Messages with CRLF line ends, and empty lines between them, are the same.
func TestReadsBothLineEnds(t *testing.T) {
	c, p := connect(t, esl.Options{})
	seen := make(chan string, 2)
	run(t, c, func(e *esl.Event) {
		seen <- fmt.Sprint(e.Get("Event-Name"), "|", e.Get("X"), "|", e.Get("Empty"), "|", e.Body())
	})
	inner := "Event-Name: CUSTOM\r\nX: a%20b%\r\nEmpty: _undef_\r\nContent-Length: 4\r\n\r\nbody"
	p.write(fmt.Sprintf("\r\n\r\nContent-Length: %d\r\nContent-Type: text/event-plain\r\n\r\n%s\n\n", len(inner), inner))
	inner = strings.ReplaceAll(inner, "\r", "")
	p.write(fmt.Sprintf("content-length:%d\ncontent-type:  text/event-plain\n\n%s", len(inner), inner))
	for range 2 {
		if got := receive(t, seen); got != "CUSTOM|a b%||body" {
			t.Errorf("seen %q", got)
		}
	}
}

// A body larger than any buffer held comes whole, and small events after it.
func TestLargeBodies(t *testing.T) {
	c, p := connect(t, esl.Options{})
	run(t, c, nil)
	for _, size := range []int{1000, 16 << 10, 17 << 10, 100 << 10, 3 << 20, 10} {
		reply := make(chan *esl.Reply, 1)
		c.Send(esl.API("conference", "json_list"), func(r *esl.Reply, err error) { reply <- r })
		body := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		p.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", size, body))
		if r := receive(t, reply); r.Text != body {
			t.Errorf("body of %d bytes arrived as %d", size, len(r.Text))
		}
	}
}

func TestEventFromText(t *testing.T) {
	e := esl.ParseEvent([]byte("Event-Name: DTMF\nDTMF-Digit: %23\nDTMF-Digit: 2\nno colon\n"))
	if e.Name() != "DTMF" || e.Get("DTMF-Digit") != "#" || e.Body() != "" {
		t.Errorf("parsed %s %q", e.Name(), e.Get("DTMF-Digit"))
	}
	n := 0
	for range e.All() {
		n++
		break
	}
	if n != 1 {
		t.Error("iteration does not stop")
	}
}

func TestHeadersWithPrefix(t *testing.T) {
	e := esl.ParseEvent([]byte("Event-Name: A\nvariable_sip_h_X-One: 1%2C2\nvariable_sip_h: 3\nvariable_sip_h_X-Two: _undef_\n\nvariable_sip_h_body: 4"))
	got := make(map[string]string)
	for name, value := range e.WithPrefix("variable_sip_h_") {
		got[name] = value
	}
	if want := map[string]string{"variable_sip_h_X-One": "1,2", "variable_sip_h_X-Two": ""}; !maps.Equal(got, want) {
		t.Errorf("headers are %q, want %q", got, want)
	}
}
