package main

import (
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"ccxmld/callcontrol/documents"
	"ccxmld/interpreter"
	"ccxmld/script"
)

// tracer prints what happens in sessions and on the phones, a line each, as it
// happens. It is safe for concurrent use.
type tracer struct {
	out    io.Writer
	colour bool
	now    func() time.Time // by the calls' clock
	began  time.Time
	// columns bounds the width of lines, which are broken between words; 0: none is,
	// and long ones are cut.
	columns int
	// quiet leaves out what documents log.
	quiet bool
	// names says of which leg, dialog and send an event is.
	names bool

	mu       sync.Mutex
	finished bool              // nothing is printed any more
	sessions map[string]string // short names, by id
	things   things
}

var _ interpreter.Observer = (*tracer)(nil)

func newTracer(out io.Writer, colour bool) *tracer {
	return &tracer{out: out, colour: colour, now: time.Now, began: time.Now(), sessions: make(map[string]string), things: make(things)}
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
	words := t.fit(fmt.Sprintf(format, args...))
	if t.colour && colour != plainColour {
		what, words = "\x1b["+colour+"m"+pad(what), words+"\x1b[0m"
	} else {
		what = pad(what)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.finished {
		fmt.Fprintf(t.out, "%6.2fs  %-12s %s %s\n", t.now().Sub(t.began).Seconds(), who, what, words)
	}
}

// finish ends the trace.
func (t *tracer) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finished = true
}

// behind is where the words of a line begin.
const behind = 33

// fit cuts words to a length, or breaks them into lines of the columns.
func (t *tracer) fit(words string) string {
	const widest = 150
	switch {
	case t.columns > behind:
		return strings.Join(broken(words, t.columns-behind), "\n"+strings.Repeat(" ", behind))
	case len(words) > widest:
		return strings.ToValidUTF8(words[:widest], "") + "…"
	}
	return words
}

// broken breaks a text between its words into lines of at most so many characters; a
// word that is longer is broken, too.
func broken(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		for utf8.RuneCountInString(word) > width {
			runes := []rune(word)
			if line != "" {
				lines, line = append(lines, line), ""
			}
			lines, word = append(lines, string(runes[:width])), string(runes[width:])
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
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
		if strings.HasPrefix(at.URI, documents.PageScheme) {
			file = "voicexml.ccxml" // which runs pages
		}
		where = fmt.Sprintf("→ %s:%d", file, at.Line)
	}
	words := e.Name
	if reason := e.String("reason"); reason != "" {
		words += " (" + reason + ")"
	}
	t.line(eventColour, t.name(session), "event", "%s %s%s", words, where, t.about(e))
}

// Logged prints what a document logs.
func (t *tracer) Logged(session, label, text string) {
	if t.quiet {
		return
	}
	t.line(logColour, t.name(session), "log", "%s", strings.TrimSpace(label+" "+text))
}

// StateChanged prints the new state of a document.
func (t *tracer) StateChanged(session, state string) {
	t.line(stateColour, t.name(session), "state", "%s", state)
}

// SessionEnded prints nothing: what ended the session was printed.
func (t *tracer) SessionEnded(string, string, interpreter.Ending) {}
