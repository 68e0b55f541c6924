package interpreter_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ccxmld/interpreter"
)

// FuzzCompile: no document makes the compiler panic or hang, and what compiles
// can be run: whatever it does, the session can be ended.
func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.ccxml", "testdata/lenient/*.ccxml", tutorial} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no documents %s: %v", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	scenarios, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range scenarios {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, scenario := range strings.Split("\n"+string(text), "\n== ")[1:] {
			_, body, _ := strings.Cut(scenario, "\n")
			text, _, _ := strings.Cut(body, "\n--- ")
			f.Add(document(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 20_000 {
			return
		}
		source, err := parseSource("http://host/doc.ccxml", text)
		if err != nil {
			return
		}
		source.Load = func(r interpreter.ScriptRequest) (string, string, error) { return r.Src, r.Src, nil }
		compiler := interpreter.NewCompiler(extensions(&trace{})...)
		d, err := compiler.CompileSource(source)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		runAnything(t, d)
	})
}

// runAnything sends a session what a typical call brings.
func runAnything(t *testing.T, d *interpreter.Document) {
	s, _ := newSession(t, `<transition event="*"/>`, func(o *interpreter.Options) {
		o.Document = d
		o.Limits = interpreter.Limits{Queue: 100, Errors: 5}
		o.Limits.Script.Time = 50 * time.Millisecond
		o.Platform = &atOncePlatform{o.Platform.(*fakePlatform), map[string]*interpreter.Document{"next": d}}
	})
	s.Start(connectionEvent("alerting", "c1", nil))
	s.Post(connectionEvent("connected", "c1", nil))
	s.Post(dialogEvent("started", "id1", nil))
	s.Post(dialogEvent("exit", "id1", []interpreter.Field{{Name: "digits", Value: "1"}}))
	s.Post(joinEvent("joined", []string{"c1", "conference:x"}))
	post(s, "user.a")
	s.Post(connectionEvent("disconnected", "c1", nil))
	handled := make(chan struct{})
	if s.Do(func() { close(handled) }) {
		<-handled
	}
	s.End("enough")
	select {
	case <-s.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the session does not end")
	}
}
