package interpreter_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ccxmld/interpreter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestScenarios runs the files under testdata/scenarios. A file has any number
// of scenarios:
//
//	== EVT-23 what it shows
//	<transition event="ccxml.loaded"> … the document, or what is in it
//	--- next.ccxml
//	… further documents and scripts that it fetches
//	--- run
//	what the session does first, one line each
//	> what then happens to it
//	what it does then
//
// Lines that begin with # are comments. What may happen is in
// scenario.happen.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		for _, text := range strings.Split("\n"+string(data), "\n== ")[1:] {
			title, body, _ := strings.Cut(text, "\n")
			t.Run(name+"/"+title, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { runScenario(t, body) })
			})
		}
	}
}

// scenario is one run of a session.
type scenario struct {
	t        *testing.T
	compiler *interpreter.Compiler
	files    map[string]string
	platform *fakePlatform
	trace    *trace
	session  *interpreter.Session
}

func runScenario(t *testing.T, body string) {
	main, sections, _ := strings.Cut(body, "\n--- ")
	files := map[string]string{"doc.ccxml": document(main)}
	var steps string
	for _, section := range strings.Split(sections, "\n--- ") {
		name, content, _ := strings.Cut(section, "\n")
		if name == "run" {
			steps = content
		} else {
			files[name] = document(content)
		}
	}
	s := newScenario(t, files)
	s.session.Start()
	for _, step := range strings.Split("start\n"+steps, "\n> ") {
		command, want, _ := strings.Cut(step, "\n")
		if command != "start" {
			s.happen(strings.Fields(command))
		}
		synctest.Wait()
		s.expect(command, want)
	}
	s.session.End("end of scenario")
	<-s.session.Done()
	if !s.platform.released {
		t.Error("the platform was not released")
	}
}

// document completes the content of a document; what is complete stays.
func document(text string) string {
	head, transitions, found := strings.Cut(text, "<transition")
	if strings.Contains(text, "<ccxml") || !found {
		return text
	}
	return `<ccxml version="1.0" xmlns="` + interpreter.Namespace + `">` + head +
		`<eventprocessor><transition` + transitions + `</eventprocessor></ccxml>`
}

func newScenario(t *testing.T, files map[string]string) *scenario {
	s := &scenario{t: t, compiler: interpreter.NewCompiler(extensions...), files: files, trace: &trace{}}
	s.platform = &fakePlatform{trace: s.trace}
	ids := 0
	s.session = interpreter.NewSession(interpreter.Options{
		ID:           "s1",
		Document:     compile(t, s.compiler, "doc.ccxml", files["doc.ccxml"], s.load),
		Startup:      interpreter.External,
		Values:       map[string]any{"number": "4711"},
		IOProcessors: map[string]string{"basichttp": "http://host/basichttp"},
		Platform:     s.platform,
		Clock:        realClock{},
		NewID:        func() string { ids++; return fmt.Sprint("id", ids) },
		Limits:       interpreter.Limits{Errors: 10, Queue: 50, Connections: 3, Dialogs: 3, Sends: 3},
		Logger:       slog.New(slog.DiscardHandler),
		Observer:     s.trace,
		Ended:        s.trace.ended,
	})
	return s
}

// extensions are elements of another namespace that scenarios may use.
var extensions = []*interpreter.Extension{
	{
		Name:       interpreter.ExtensionName{Namespace: "urn:test", Local: "note"},
		Attributes: []string{"text"},
		Run: func(i interpreter.Invocation) error {
			if i.Values["text"] == "fail" {
				return errors.New("as asked")
			}
			return nil
		},
	},
}

func (s *scenario) load(_, src string) (text, uri string, err error) {
	text, ok := s.files[src]
	if !ok {
		return "", "", fmt.Errorf("%s: not found", src)
	}
	return text, src, nil
}

// expect compares what the session did with the lines that are wanted.
func (s *scenario) expect(after, want string) {
	s.t.Helper()
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	got := strings.Join(s.trace.take(), "\n")
	if wanted := strings.Join(lines, "\n"); got != wanted {
		s.t.Errorf("after %q the session did\n%s\nbut should have done\n%s", after, indent(got), indent(wanted))
	}
}

func indent(text string) string { return "\t" + strings.ReplaceAll(text, "\n", "\n\t") }

// happen lets something happen to the session. After the words that say what,
// name=value are fields of the event.
func (s *scenario) happen(words []string) {
	s.t.Helper()
	var fields []interpreter.Field
	var args []string
	for _, word := range words[1:] {
		if name, value, ok := strings.Cut(word, "="); ok && len(args) > 0 {
			fields = append(fields, interpreter.Field{Name: name, Value: value})
		} else {
			args = append(args, word)
		}
	}
	switch words[0] {
	case "event": // NAME FIELDS
		s.session.Post(&interpreter.Event{Name: args[0], Source: "outside", SourceType: "test", Fields: fields})
	case "connection": // alerting|progressing|connected|disconnected|failed|signal ID FIELDS
		s.session.Post(connectionEvent(args[0], args[1], fields))
	case "dialog": // started|exit|notstarted ID FIELDS (of exit: its values)
		s.session.Post(dialogEvent(args[0], args[1], fields))
	case "conference": // created|destroyed ID FIELDS
		s.session.Post(&interpreter.Event{
			Name: "conference." + args[0], Source: args[1], SourceType: "conference",
			Fields: append([]interpreter.Field{{Name: "conferenceid", Value: args[1]}}, fields...),
			Effect: interpreter.ConferenceEffect{ConferenceID: args[1], Attached: args[0] == "created"},
		})
	case "joined", "unjoined": // ID1 ID2 [half]
		s.session.Post(joinEvent(words[0], args))
	case "fetched": // answers the oldest fetch from the scenario's files
		s.answerFetch()
	case "sent": // FAILURE|ok FIELDS: answers the oldest send; fields name and others make a reply
		s.answerSend(args[0], fields)
	case "wait": // DURATION
		d, err := time.ParseDuration(args[0])
		if err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(d) // of the bubble
	case "end":
		s.session.End(strings.Join(args, " "))
	default:
		s.t.Fatalf("nothing is called %q", words[0])
	}
}

func connectionEvent(what, id string, fields []interpreter.Field) *interpreter.Event {
	effect := interpreter.ConnectionEffect{ConnectionID: id, State: interpreter.ConnectionState(strings.ToUpper(what))}
	switch what {
	case "alerting":
		effect.New = &interpreter.Connection{
			ID: id, Local: "sip:service@here", Remote: "tel:+4930123", Originator: "tel:+4930123",
			Protocol:  interpreter.Protocol{Name: "sip", Version: "2.0", Headers: []interpreter.Pair{{Name: "Call-ID", Value: "call-of-" + id}}},
			Redirects: []interpreter.Redirect{{URI: "sip:before@here", Reason: "busy"}},
		}
	case "redirected":
		effect.State = interpreter.Disconnected
	case "signal":
		effect.State = ""
	}
	return &interpreter.Event{
		Name: "connection." + what, Source: id, SourceType: "connection",
		Fields: append([]interpreter.Field{{Name: "connectionid", Value: id}}, fields...), Effect: effect,
	}
}

func dialogEvent(what, id string, fields []interpreter.Field) *interpreter.Event {
	e := &interpreter.Event{Name: "dialog." + what, Source: id, SourceType: "dialog",
		Fields: []interpreter.Field{{Name: "dialogid", Value: id}}}
	switch what {
	case "started":
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogStarted}
	case "exit":
		values := map[string]any{}
		for _, field := range fields {
			values[field.Name] = field.Value
		}
		if len(fields) > 0 {
			fields = []interpreter.Field{{Name: "values", Value: values}}
		}
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogEnded}
	case "notstarted":
		e.Name = "error.dialog.notstarted"
		e.Effect = interpreter.DialogEffect{DialogID: id, State: interpreter.DialogEnded}
	}
	e.Fields = append(e.Fields, fields...)
	return e
}

func joinEvent(what string, ids []string) *interpreter.Event {
	e := &interpreter.Event{
		Name: "conference." + what, Source: "s1", SourceType: "ccxml",
		Fields: []interpreter.Field{{Name: "id1", Value: ids[0]}, {Name: "id2", Value: ids[1]}},
		Effect: interpreter.UnjoinEffect{A: ids[0], B: ids[1]},
	}
	if what == "joined" {
		effect := interpreter.JoinEffect{A: endpoint(ids[0]), B: endpoint(ids[1])}
		if len(ids) > 2 {
			effect.Duplex = interpreter.Half
		}
		e.Effect = effect
	}
	return e
}

func endpoint(id string) interpreter.Endpoint {
	return interpreter.Endpoint{ID: id, Conference: interpreter.IsConferenceID(id)}
}

func (s *scenario) answerFetch() {
	s.t.Helper()
	if len(s.platform.fetches) == 0 {
		s.t.Fatal("nothing is being fetched")
	}
	fetch := s.platform.fetches[0]
	s.platform.fetches = s.platform.fetches[1:]
	fetch.done(s.fetch(fetch.request))
}

func (s *scenario) fetch(r interpreter.FetchRequest) interpreter.FetchResult {
	uri, _, _ := strings.Cut(r.URI, "?")
	result := interpreter.FetchResult{URI: r.URI, Status: 200, ContentType: r.Type}
	text, ok := s.files[uri]
	switch {
	case !ok:
		result.Status, result.Err = 404, errors.New("404 Not Found")
	case r.Mode == "text":
		result.Content = text
	case r.Type == "text/ecmascript":
		result.Script, result.Err = s.compiler.CompileScript(text, uri)
	default:
		root, err := parse(text)
		if err == nil {
			result.Document, err = s.compiler.Compile(root, r.URI, s.load)
		}
		result.Err = err
	}
	return result
}

func (s *scenario) answerSend(outcome string, fields []interpreter.Field) {
	s.t.Helper()
	if len(s.platform.sends) == 0 {
		s.t.Fatal("nothing is being sent")
	}
	send := s.platform.sends[0]
	s.platform.sends = s.platform.sends[1:]
	var result interpreter.SendResult
	if outcome != "ok" {
		result = interpreter.SendResult{Failure: outcome, Reason: "as asked"}
	}
	if len(fields) > 0 {
		result.Reply = &interpreter.Event{Name: fields[0].Value.(string), Source: send.request.Target, SourceType: "basichttp", Fields: fields[1:]}
	}
	send.done(result)
}
