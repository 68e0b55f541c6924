package interpreter

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"ccxmld/script"
)

// SnapshotVersion is the version of what Snapshot writes. Resume reads those up to it.
const SnapshotVersion = 1

// Snapshot is what a session is between two transitions, as data. It encodes as JSON, and
// shares nothing with the session.
type Snapshot struct {
	Version  int         `json:"version"`
	ID       string      `json:"id"`
	Document []Text      `json:"document"`      // its text, and those of the scripts that it names by src
	URI      string      `json:"uri,omitempty"` // of the document with which it began
	Startup  StartupMode `json:"startup,omitempty"`
	ParentID string      `json:"parent,omitempty"`
	Values   fieldData   `json:"values,omitzero"` // session.values

	State       string            `json:"state,omitempty"`
	Variables   script.Variables  `json:"variables"`
	Connections []connectionData  `json:"connections,omitempty"`
	Dialogs     []dialogData      `json:"dialogs,omitempty"`
	Conferences []conferenceData  `json:"conferences,omitempty"`
	Media       []edgeData        `json:"media,omitempty"`
	Queue       []eventData       `json:"queue,omitempty"`
	Sends       []pendingSendData `json:"sends,omitempty"`
	Fetches     []fetchedData     `json:"fetches,omitempty"`
	Requests    []requestData     `json:"requests,omitempty"` // that wait for an answer

	Held   []heldData  `json:"held,omitempty"`   // requests that may have been made since, or not
	Ending *endingData `json:"ending,omitempty"` // once they are made

	Events    int      `json:"events,omitempty"` // there have been
	Sent      int      `json:"sent,omitempty"`   // delayed sends there have been
	ErrorsRow int      `json:"errors,omitempty"` // in a row
	DebugLog  []string `json:"debuglog,omitempty"`
}

// Encode gives the snapshot as JSON. It is shorter than what json.Marshal gives, which
// writes it for web pages.
func (snap *Snapshot) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(snap); err != nil {
		return nil, fmt.Errorf("session %s cannot be written down: %w", snap.ID, err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// Text is a text that a session needs again when it is resumed.
type Text struct {
	URI  string `json:"uri"`
	Hash string `json:"hash,omitempty"` // TextHash; "" where whoever compiled it did not say
	Src  string `json:"src,omitempty"`  // of a script: as the document names it
	Base string `json:"base,omitempty"` // and what that resolves against
}

// TextHash is by what a text is known: the same for the same text only.
func TextHash[T []byte | string](text T) string {
	const enough = 18
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:enough])
}

// Texts are the document's own text and those of the scripts that it names by src.
func (d *Document) Texts() []Text {
	return append([]Text{{URI: d.URI, Hash: d.hash}}, d.scripts...)
}

// Text is the script's text.
func (s *Script) Text() Text { return Text{URI: s.URI, Hash: s.hash} }

// ErrNoBoundary is that of a session which is not between two transitions, or was resumed and
// has not gone on.
var ErrNoBoundary = errors.New("the session is in a transition, has not begun or gone on, or has ended")

// Snapshot writes the session down. It is for the session's goroutine, between two
// transitions: in Options.Boundary or Do. What cannot be carried over of the variables is
// logged once for each document. The error says that there is too much of them.
func (s *Session) Snapshot() (Snapshot, error) {
	if s.ending != nil {
		return Snapshot{}, ErrNoBoundary
	}
	return s.snapshot()
}

// snapshot writes down a session that may be about to end.
func (s *Session) snapshot() (Snapshot, error) {
	if s.event != nil || s.document == nil || s.runtime == nil || s.waits {
		return Snapshot{}, ErrNoBoundary
	}
	w := &snapshotWriter{session: s}
	return w.write()
}

// snapshotWriter writes a session down. Connections, dialogs and conferences that the
// session has no more, and that events or variables still show, stand behind the others.
type snapshotWriter struct {
	session     *Session
	connections []*Connection
	dialogs     []*Dialog
	conferences []*Conference
	lost        []script.Lost
	bytes       int // of the texts in events
}

// mostWaiting bounds the bytes of the texts in events that are written down.
const mostWaiting = 1 << 20

func (w *snapshotWriter) write() (snap Snapshot, err error) {
	s := w.session
	snap = Snapshot{
		Version: SnapshotVersion, ID: s.ID(), Document: s.document.Texts(), URI: s.began,
		Startup: s.options.Startup, ParentID: s.options.ParentID,
		State: s.state, Events: s.eventCount, Sent: s.sendCount, ErrorsRow: s.loops.inRow,
	}
	if s.options.Values != nil {
		snap.Values = w.field("session.values", s.options.Values)
	}
	w.connections, w.dialogs, w.conferences = s.connections.all(), s.dialogs.all(), s.conferences.all()
	if snap.Variables, err = w.variables(); err != nil {
		return Snapshot{}, fmt.Errorf("session %s cannot be written down: %w", s.ID(), err)
	}
	for _, e := range s.queue.events[s.queue.head:] {
		snap.Queue = append(snap.Queue, w.event(e))
	}
	snap.Sends, snap.Fetches, snap.Requests = w.sends(), w.fetches(), w.requests()
	if snap.Held, err = s.ahead.data(); err != nil {
		return Snapshot{}, fmt.Errorf("session %s cannot be written down: %w", s.ID(), err)
	}
	snap.Ending = w.ending(s.ending)
	if w.bytes > mostWaiting {
		return Snapshot{}, fmt.Errorf("session %s cannot be written down: what waits takes more than %d KiB", s.ID(), mostWaiting>>10)
	}
	for _, edge := range s.media.edges {
		snap.Media = append(snap.Media, edgeData(edge))
	}
	if s.debug.enabled {
		snap.DebugLog = slices.Clone(s.debug.lines[max(0, len(s.debug.lines)-debugLinesKept):])
	}
	for i, c := range w.connections { // which by now are all that anything shows
		snap.Connections = append(snap.Connections, connectionOf(c, i >= s.connections.len()))
	}
	for i, d := range w.dialogs {
		snap.Dialogs = append(snap.Dialogs, dialogOf(d, i >= s.dialogs.len()))
	}
	for i, c := range w.conferences {
		snap.Conferences = append(snap.Conferences, conferenceData{c.ID, c.Name, c.attached, i >= s.conferences.len()})
	}
	w.tellLost()
	return snap, nil
}

// debugLinesKept are the last lines of the debug log that are carried over.
const debugLinesKept = 50

// variables writes those of the scopes that outlive a transition.
func (w *snapshotWriter) variables() (script.Variables, error) {
	v, lost, err := w.session.runtime.Snapshot(script.Carried{
		Scopes: carriedScopes, Scripts: w.session.document.made, Hosted: w,
	})
	w.lost = append(w.lost, lost...)
	return v, err
}

var carriedScopes = []string{applicationScope, ccxmlScope}

// tellLost logs what is not carried over, once for each document and variable.
func (w *snapshotWriter) tellLost() {
	d := w.session.document
	for _, lost := range w.lost {
		if d.readings.first(reading{script.Position{URI: d.URI}, "carried over: " + lost.Path}) {
			w.session.log().Warn("a value is not carried over to another controller", "document", d.URI, "variable", lost.Path, "reason", lost.Why)
		}
	}
}

// find gives the place of an item, which is added if it is not there; 0 for none, else
// the place and one.
func find[T comparable](list *[]T, item, none T) int {
	if item == none {
		return 0
	}
	i := slices.Index(*list, item)
	if i < 0 {
		i = len(*list)
		*list = append(*list, item)
	}
	return i + 1
}

// all gives what is in a directory.
func (d *directory[T]) all() (items []T) {
	for _, l := range d.items {
		items = append(items, l.item)
	}
	return items
}

// pendingSendData is a delayed send.
type pendingSendData struct {
	Order   int       `json:"order"`
	Delay   int64     `json:"delay"` // nanoseconds
	Due     time.Time `json:"due"`
	At      placeData `json:"at"`
	Request sendData  `json:"request"`
}

// sendData is a SendRequest.
type sendData struct {
	SendID     string    `json:"id"`
	Target     string    `json:"target"`
	TargetType string    `json:"type,omitempty"`
	Base       string    `json:"base,omitempty"`
	Event      string    `json:"event,omitempty"`
	Method     string    `json:"method,omitempty"`
	Parameters []string  `json:"parameters,omitempty"` // names and values
	Content    string    `json:"content,omitempty"`
	Hints      fieldData `json:"hints,omitzero"`
}

// placeData is a place in a document.
type placeData struct {
	Tag    string `json:"tag,omitempty"`
	URI    string `json:"uri,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Base   string `json:"base,omitempty"` // where it is not the URI
}

func placeOf(p *place) placeData {
	d := placeData{p.tag, p.position.URI, p.position.Line, p.position.Column, p.base}
	if d.Base == d.URI {
		d.Base = ""
	}
	return d
}

func (d placeData) place() place {
	if d.Base == "" {
		d.Base = d.URI
	}
	return place{tag: d.Tag, position: script.Position{URI: d.URI, Line: d.Line, Column: d.Column}, base: d.Base}
}

func (w *snapshotWriter) sends() (list []pendingSendData) {
	for _, send := range w.session.sends {
		r := send.request
		d := pendingSendData{
			Order: send.order, Delay: int64(send.delay), Due: send.due, At: placeOf(&send.at),
			Request: sendData{r.SendID, r.Target, r.TargetType, r.Base, r.Event, r.Method, flat(r.Parameters), r.Content, fieldData{}},
		}
		if r.Hints != nil {
			d.Request.Hints = w.field("the hints of <send>", map[string]any(r.Hints))
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b pendingSendData) int { return a.Order - b.Order })
	return list
}

func (d sendData) request() SendRequest {
	r := SendRequest{d.SendID, d.Target, d.TargetType, d.Base, d.Event, d.Method, pairsOf(d.Parameters), d.Content, nil}
	if hints, ok := d.Hints.value.(map[string]any); ok {
		r.Hints = hints
	}
	return r
}

// fetchedData is a fetch, finished or not. What it brought is compiled again of its texts.
type fetchedData struct {
	ID       string       `json:"id"`
	Done     bool         `json:"done,omitempty"`
	Request  FetchRequest `json:"request"`
	URI      string       `json:"uri,omitempty"`
	Document []Text       `json:"document,omitempty"`
	Script   []Text       `json:"script,omitempty"` // one
	Failure  string       `json:"failure,omitempty"`
}

func (w *snapshotWriter) fetches() (list []fetchedData) {
	for _, f := range w.session.fetches {
		d := fetchedData{ID: f.id, Done: f.done, Request: f.request, URI: f.result.URI}
		switch {
		case f.result.Document != nil:
			d.Document = f.result.Document.Texts()
		case f.result.Script != nil:
			d.Script = []Text{f.result.Script.Text()}
		case f.result.Err != nil:
			d.Failure = f.result.Err.Error()
		}
		list = append(list, d)
	}
	return list
}

// requestData is a request that waits for its answer.
type requestData struct {
	Kind   requestKind `json:"kind"`
	ID     string      `json:"id,omitempty"`
	Target string      `json:"target,omitempty"`
	At     placeData   `json:"at"`
}

func (w *snapshotWriter) requests() (list []requestData) {
	for _, r := range w.session.requests {
		list = append(list, requestData{r.kind, r.id, r.target, placeOf(&r.at)})
	}
	return list
}
