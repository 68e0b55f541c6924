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

	"go.uber.org/goleak"

	"ccxmld/clock/clocktest"
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
	eachScenario(t, func(t *testing.T, body string) { runScenario(t, body, false) })
}

// eachScenario runs each scenario in a bubble of its own.
func eachScenario(t *testing.T, run func(t *testing.T, body string)) {
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
				synctest.Test(t, func(t *testing.T) { run(t, body) })
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
	options  interpreter.Options

	resumption resumption
}

// runScenario runs one, with a session that is resumed at each boundary or one that is
// not.
func runScenario(t *testing.T, body string, resumed bool) *scenario {
	return run(t, body, func(t *testing.T, files map[string]string) *scenario { return newScenario(t, files, resumed) })
}

// runScenarioWith runs one with other options.
func runScenarioWith(t *testing.T, body string, change func(*interpreter.Options)) {
	run(t, body, func(t *testing.T, files map[string]string) *scenario {
		s := newScenario(t, files, false)
		change(&s.options)
		s.resumption.session = interpreter.NewSession(s.options)
		return s
	})
}

func run(t *testing.T, body string, start func(*testing.T, map[string]string) *scenario) *scenario {
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
	s := start(t, files)
	s.current().Start()
	for _, step := range strings.Split("start\n"+steps, "\n> ") {
		command, want, _ := strings.Cut(step, "\n")
		if command != "start" {
			s.happen(strings.Fields(command))
		}
		synctest.Wait()
		s.expect(command, want)
	}
	s.current().End("end of scenario")
	<-s.current().Done()
	if !s.platform.released {
		t.Error("the platform was not released")
	}
	return s
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

func newScenario(t *testing.T, files map[string]string, resumed bool) *scenario {
	s := &scenario{t: t, files: files, trace: &trace{}}
	s.compiler = interpreter.NewCompiler(extensions(s.trace)...)
	s.platform = &fakePlatform{trace: s.trace}
	ids := 0
	s.options = interpreter.Options{
		ID:           "s1",
		Document:     compile(t, s.compiler, "doc.ccxml", files["doc.ccxml"], s.load),
		Startup:      interpreter.External,
		Values:       map[string]any{"number": "4711"},
		IOProcessors: map[string]string{"basichttp": "http://host/basichttp"},
		Platform:     s.platform,
		Clock:        clocktest.Real(),
		NewID:        func() string { ids++; return fmt.Sprint("id", ids) },
		Limits:       interpreter.Limits{Errors: 10, Queue: 50, Connections: 3, Dialogs: 3, Sends: 3},
		Logger:       slog.New(slog.DiscardHandler),
		Observer:     s.trace,
		Ended:        s.trace.ended,
	}
	if resumed {
		s.options.Platform, s.options.Boundary = &resumedPlatform{s.platform, s}, s.resume
	}
	s.resumption.session = interpreter.NewSession(s.options)
	return s
}

// extensions are elements of other namespaces that documents may use: test:note,
// which fails when asked to, and voxeo:sendemail, which is written down.
func extensions(tr *trace) []*interpreter.Extension {
	return []*interpreter.Extension{
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
		{
			Name:       interpreter.ExtensionName{Namespace: interpreter.VoxeoNamespace, Local: "sendemail"},
			Attributes: []string{"to", "from", "type", "body", "subject"},
			DebugLog:   true,
			Run: func(i interpreter.Invocation) error {
				tr.add("sendemail to=%s from=%s body=%s", i.Values["to"], i.Values["from"], i.Values["body"])
				for line := range strings.Lines(i.DebugLog) {
					tr.add("| %s", line)
				}
				return nil
			},
		},
	}
}

// load gets a script; the trace says what for, if there is anything special.
func (s *scenario) load(r interpreter.ScriptRequest) (text, uri string, err error) {
	if r.Charset != "" || r.Timeout != 0 || r.MaxAge != nil || r.MaxStale != nil || r.Base != "doc.ccxml" {
		s.trace.add("script %s base=%s charset=%s timeout=%s maxage=%s maxstale=%s",
			r.Src, r.Base, r.Charset, r.Timeout, show(r.MaxAge), show(r.MaxStale))
	}
	return s.quietly(r)
}

// quietly gets a script, of which the trace says nothing.
func (s *scenario) quietly(r interpreter.ScriptRequest) (text, uri string, err error) {
	text, ok := s.files[r.Src]
	if !ok {
		return "", "", fmt.Errorf("%s: not found", r.Src)
	}
	return text, r.Src, nil
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
	took := s.trace.take()
	if s.options.Ahead { // what is asked of the platform comes after what is logged
		lines, took = requestsLast(lines), requestsLast(took)
	}
	got := strings.Join(took, "\n")
	if wanted := strings.Join(lines, "\n"); got != wanted {
		s.t.Errorf("after %q the session did\n%s\nbut should have done\n%s", after, indent(got), indent(wanted))
	}
}

// requestsLast puts the lines of what a session asks of the platform behind the others.
func requestsLast(lines []string) (sorted []string) {
	var requests []string
	for _, line := range lines {
		switch word, _, _ := strings.Cut(line, " "); strings.TrimSuffix(word, ":") {
		case "log", "state", "ended", "sendemail", "|", "script", "record", "digits":
			sorted = append(sorted, line)
		default:
			requests = append(requests, line)
		}
	}
	return append(sorted, requests...)
}

func indent(text string) string { return "\t" + strings.ReplaceAll(text, "\n", "\n\t") }
