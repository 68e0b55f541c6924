package main

import (
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// tracer prints what happens in sessions and on the phones, a line each, as it
// happens. It is safe for concurrent use.
type tracer struct {
	out    io.Writer
	colour bool
	pace   float64 // how many times as fast as ours the time of the calls runs
	began  time.Time

	mu       sync.Mutex
	sessions map[string]string // short names, by id
}

var _ interpreter.Observer = (*tracer)(nil)

func newTracer(out io.Writer, colour bool) *tracer {
	return &tracer{out: out, colour: colour, pace: 1, began: time.Now(), sessions: make(map[string]string)}
}

// The colours of a terminal, by what a line tells of.
const (
	plainColour = ""
	boldColour  = "1"
	phoneColour = "36"
	eventColour = "32"
	logColour   = "90"
	heardColour = "35"
	stateColour = "33"
)

// line prints who it is about, what it tells of, and the words.
func (t *tracer) line(colour, who, what, format string, args ...any) {
	words := fmt.Sprintf(format, args...)
	const widest = 150
	if len(words) > widest {
		words = strings.ToValidUTF8(words[:widest], "") + "…"
	}
	if t.colour && colour != plainColour {
		what, words = "\x1b["+colour+"m"+pad(what), words+"\x1b[0m"
	} else {
		what = pad(what)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "%6.2fs  %-12s %s %s\n", time.Since(t.began).Seconds()*t.pace, who, what, words)
}

func pad(what string) string { return fmt.Sprintf("%-10s", what) }

// title prints a heading.
func (t *tracer) title(format string, args ...any) {
	heading := fmt.Sprintf(format, args...)
	if t.colour {
		heading = "\x1b[" + boldColour + "m" + heading + "\x1b[0m"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "\n%s\n", heading)
}

// name gives a session a short name.
func (t *tracer) name(session string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	name, ok := t.sessions[session]
	if !ok {
		name = "session " + strconv.Itoa(len(t.sessions)+1)
		t.sessions[session] = name
	}
	return name
}

// EventHandled prints an event and the transition that it selected.
func (t *tracer) EventHandled(session string, e *interpreter.Event, at *script.Position) {
	where := "(no transition)"
	if at != nil {
		file, _, _ := strings.Cut(path.Base(at.URI), "?")
		if strings.HasPrefix(at.URI, voiceXMLScheme) {
			file = "voicexml.ccxml" // which runs pages
		}
		where = fmt.Sprintf("→ %s:%d", file, at.Line)
	}
	words := e.Name
	if reason := e.String("reason"); reason != "" {
		words += " (" + reason + ")"
	}
	t.line(eventColour, t.name(session), "event", "%s %s", words, where)
}

// Logged prints what a document logs.
func (t *tracer) Logged(session, label, text string) {
	t.line(logColour, t.name(session), "log", "%s", strings.TrimSpace(label+" "+text))
}

// StateChanged prints the new state of a document.
func (t *tracer) StateChanged(session, state string) {
	t.line(stateColour, t.name(session), "state", "%s", state)
}

// SessionEnded prints nothing: what ended the session was printed.
func (t *tracer) SessionEnded(string, string, interpreter.Ending) {}
