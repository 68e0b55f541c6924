package interpreter_test

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// fakePlatform writes down what a session asks for, one line a request, and
// keeps fetches and sends until the test answers them.
type fakePlatform struct {
	trace       *trace
	conferences int
	fetches     []waiting[interpreter.FetchRequest, interpreter.FetchResult]
	sends       []waiting[interpreter.SendRequest, interpreter.SendResult]
	creations   []waiting[interpreter.CreateRequest, error]
	moves       []waiting[interpreter.MoveRequest, error]
	before      func(request string) // called before a request is written down; may be nil
	released    bool
}

// waiting is a request whose answer is due.
type waiting[Request, Result any] struct {
	request Request
	done    func(Result)
}

var _ interpreter.Platform = (*fakePlatform)(nil)

// note writes a request down: its name, what it is about, and then the options
// that differ from the zero value.
func (p *fakePlatform) note(request string, about []string, options ...any) {
	if p.before != nil {
		p.before(request)
	}
	line := strings.TrimSpace(request + " " + strings.Join(about, " "))
	for i := 0; i < len(options); i += 2 {
		if text := show(options[i+1]); text != "" {
			line += fmt.Sprintf(" %s=%s", options[i], text)
		}
	}
	p.trace.add("%s", line)
}

// show gives a value as text, "" for a zero value.
func show(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case bool, int:
		if text := fmt.Sprint(value); text != "false" && text != "0" {
			return text
		}
	case time.Duration:
		if value != 0 {
			return value.String()
		}
	case *time.Duration:
		if value != nil {
			return value.String()
		}
	case []interpreter.Pair:
		var texts []string
		for _, pair := range value {
			texts = append(texts, pair.Name+":"+pair.Value)
		}
		return strings.Join(texts, ",")
	case interpreter.Hints:
		if value != nil {
			return strings.TrimPrefix(fmt.Sprint(value), "map")
		}
	}
	return ""
}

func (p *fakePlatform) Accept(r interpreter.AcceptRequest) {
	p.note("accept", []string{r.ConnectionID}, "hints", r.Hints)
}

func (p *fakePlatform) Reject(r interpreter.RejectRequest) {
	p.note("reject", []string{r.ConnectionID}, "reason", r.Reason, "hints", r.Hints)
}

func (p *fakePlatform) Redirect(r interpreter.RedirectRequest) {
	p.note("redirect", []string{r.ConnectionID, r.Destination}, "reason", r.Reason, "hints", r.Hints)
}

func (p *fakePlatform) Disconnect(r interpreter.DisconnectRequest) {
	p.note("disconnect", []string{r.ConnectionID}, "reason", r.Reason, "hints", r.Hints)
}

func (p *fakePlatform) CreateCall(r interpreter.CallRequest) {
	p.note("createcall", []string{r.ConnectionID, r.Destination}, "callerid", r.CallerID, "aai", r.AAI,
		"timeout", r.Timeout, "joinid", r.JoinID, "joindirection", notDefault(r.JoinDirection, "both"), "analysis", analysisText(r.Analysis), "hints", r.Hints)
}

func analysisText(a *interpreter.Analysis) string {
	if a == nil {
		return ""
	}
	return fmt.Sprint(a.MaxTime, ",", a.MaxSilence, ",", a.Runtime, ",", a.Report, ",", a.Stop)
}

func (p *fakePlatform) Join(r interpreter.JoinRequest) {
	p.note("join", []string{r.ID1, r.ID2}, "half", r.Half, "entertone", r.EnterTone, "exittone", r.ExitTone,
		"termdigits", r.TermDigits, "hints", r.Hints)
}

func (p *fakePlatform) SendDigits(connectionID, digits string) error {
	p.trace.add("digits %s %s", connectionID, digits)
	return nil
}

func (p *fakePlatform) Record(r interpreter.RecordRequest) (string, error) {
	p.trace.add("record %s on=%t tag=%s", r.ConnectionID, r.On, r.Tag)
	if r.Tag == "refused" {
		return "", errors.New("as asked")
	}
	return "/recordings/" + r.ConnectionID + ".wav", nil
}

func (p *fakePlatform) Unjoin(r interpreter.UnjoinRequest) {
	p.note("unjoin", []string{r.ID1, r.ID2}, "hints", r.Hints)
}

func (p *fakePlatform) Merge(r interpreter.MergeRequest) {
	p.note("merge", []string{r.ConnectionID1, r.ConnectionID2}, "hints", r.Hints)
}

// HasConnection knows the connections of one other session.
func (p *fakePlatform) HasConnection(id string) bool { return strings.HasPrefix(id, "foreign-") }

func (p *fakePlatform) StartDialog(r interpreter.DialogRequest) { p.noteDialog("dialogstart", r) }

func (p *fakePlatform) PrepareDialog(r interpreter.DialogRequest) { p.noteDialog("dialogprepare", r) }

func (p *fakePlatform) noteDialog(what string, r interpreter.DialogRequest) {
	p.note(what, []string{r.DialogID, r.Source}, "prepared", r.Prepared, "connection", r.ConnectionID, "conference", r.ConferenceID,
		"base", notDefault(r.Base, "doc.ccxml"), "type", notDefault(r.Type, "application/voicexml+xml"),
		"direction", notDefault(r.MediaDirection, "both"), "namelist", r.Namelist, "parameters", r.Parameters,
		"method", notDefault(r.Method, "get"), "enctype", notDefault(r.Enctype, "application/x-www-form-urlencoded"),
		"maxage", r.MaxAge, "maxstale", r.MaxStale, "beside", r.Beside, "hints", r.Hints)
}

func (p *fakePlatform) TerminateDialog(r interpreter.TerminateRequest) {
	p.note("dialogterminate", []string{r.DialogID}, "immediate", r.Immediate, "hints", r.Hints)
}

func (p *fakePlatform) ConferenceID(name string) string {
	if name == "" {
		p.conferences++
		name = fmt.Sprint("anonymous", p.conferences)
	}
	return interpreter.ConferenceScheme + name
}

func (p *fakePlatform) CreateConference(r interpreter.ConferenceRequest) {
	p.note("createconference", []string{r.ConferenceID}, "name", r.Name, "talkers", r.ReservedTalkers,
		"listeners", r.ReservedListeners, "hints", r.Hints)
}

func (p *fakePlatform) DestroyConference(r interpreter.DestroyRequest) {
	p.note("destroyconference", []string{r.ConferenceID}, "hints", r.Hints)
}

func (p *fakePlatform) Send(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	p.note("send", []string{r.SendID, r.Event, "to", r.Target}, "type", notDefault(r.TargetType, "ccxml"),
		"method", r.Method, "namelist", r.Parameters, "content", r.Content, "hints", r.Hints)
	p.sends = append(p.sends, waiting[interpreter.SendRequest, interpreter.SendResult]{r, done})
}

func (p *fakePlatform) CreateSession(r interpreter.CreateRequest, done func(error)) {
	d := r.Document
	p.note("createccxml", []string{r.SessionID, d.URI}, "base", notDefault(d.Base, "doc.ccxml"), "method", notDefault(d.Method, "get"),
		"enctype", notDefault(d.Enctype, "application/x-www-form-urlencoded"), "namelist", d.Parameters, "parameters", r.Parameters,
		"timeout", d.Timeout, "maxage", d.MaxAge, "maxstale", d.MaxStale, "fetched", r.Fetched != nil, "hints", r.Hints)
	p.creations = append(p.creations, waiting[interpreter.CreateRequest, error]{r, done})
}

func (p *fakePlatform) Move(r interpreter.MoveRequest, done func(error)) {
	event := ""
	if r.Event != nil {
		event = r.Event.Name
	}
	p.note("move", []string{r.Connection.ID, "to", r.SessionID}, "state", string(r.Connection.State), "event", event)
	p.moves = append(p.moves, waiting[interpreter.MoveRequest, error]{r, done})
}

func (p *fakePlatform) Fetch(r interpreter.FetchRequest, done func(interpreter.FetchResult)) {
	p.note("fetch", []string{r.URI}, "base", notDefault(r.Base, "doc.ccxml"), "type", notDefault(r.Type, "application/ccxml+xml"),
		"mode", notDefault(r.Mode, "processed"), "method", notDefault(r.Method, "get"),
		"enctype", notDefault(r.Enctype, "application/x-www-form-urlencoded"), "parameters", r.Parameters,
		"timeout", r.Timeout, "maxage", r.MaxAge, "maxstale", r.MaxStale)
	p.fetches = append(p.fetches, waiting[interpreter.FetchRequest, interpreter.FetchResult]{r, done})
}

func (p *fakePlatform) Release() {
	p.released = true
	if p.before != nil {
		p.before("release")
	}
}

func notDefault(text, standard string) string {
	if text == standard {
		return ""
	}
	return text
}

// trace is what a session did, line by line.
type trace struct {
	mu      sync.Mutex
	lines   []string
	handled atomic.Int64 // events
}

var _ interpreter.Observer = (*trace)(nil)

func (tr *trace) add(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.lines = append(tr.lines, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (tr *trace) take() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	lines := tr.lines
	tr.lines = nil
	return lines
}

func (tr *trace) EventHandled(string, *interpreter.Event, *script.Position) { tr.handled.Add(1) }

func (tr *trace) Logged(_, label, text string) {
	if label != "" {
		text = "[" + label + "] " + text
	}
	tr.add("log %s", text)
}

func (tr *trace) StateChanged(_, state string) { tr.add("state %s", state) }

func (tr *trace) SessionEnded(string, string, interpreter.Ending) {}

func (tr *trace) ended(e interpreter.Ending) {
	line := "ended"
	if e.Reason != "" {
		line += ": " + e.Reason
	}
	if e.Value != nil {
		line += fmt.Sprintf(" value=%v", e.Value)
	}
	var names []string
	for name := range e.Values {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		line += fmt.Sprintf(" %s=%v", name, e.Values[name])
	}
	tr.add("%s", line)
}
