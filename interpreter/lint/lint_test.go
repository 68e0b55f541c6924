package lint_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/interpreter/lint"
)

var update = flag.Bool("update", false, "write what was found into testdata as what is wanted")

// TestFindings: each document under testdata has what its .txt says, and nothing
// else.
func TestFindings(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.ccxml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := found(t, filepath.Base(path), string(text))
			golden := strings.TrimSuffix(path, ".ccxml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("found\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// found checks a document and gives the findings, one a line.
func found(t testing.TB, uri, text string) string {
	t.Helper()
	root, places, err := fetch.ParsePlacedXML([]byte(text), uri, fetch.XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	source := interpreter.Source{Root: root, URI: uri, Places: places, Load: load}
	var lines strings.Builder
	for _, finding := range lint.Document(t.Context(), interpreter.NewCompiler(), source) {
		lines.WriteString(finding.Error() + "\n")
	}
	return lines.String()
}

func load(r interpreter.ScriptRequest) (string, string, error) {
	if r.Src == "lib.js" {
		return "var fromLibrary = 1; function f(x) { return x }", r.Src, nil
	}
	return "", "", errors.New("not found")
}

// TestExamplesAreClean: the published applications, as their authors wrote them,
// have no warnings, and neither have the documents that we ship.
func TestExamplesAreClean(t *testing.T) {
	for _, pattern := range []string{"conference/*.ccxml", "outbound-calls-with-tokens/*.ccxml", "conference-cgi/cgi/pages/*.ccxml"} {
		paths, err := filepath.Glob("../../examples/" + pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no documents %s: %v", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			mail := &interpreter.Extension{Name: interpreter.ExtensionName{Namespace: interpreter.VoxeoNamespace, Local: "sendemail"},
				Attributes: []string{"to", "from", "type", "body"}}
			root, places, err := fetch.ParsePlacedXML([]byte(strings.ReplaceAll(string(text), "{{.}}", "1234")), path, fetch.XMLLimits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range lint.Document(t.Context(), interpreter.NewCompiler(mail), interpreter.Source{Root: root, URI: path, Places: places}) {
				if finding.Severity > lint.Note {
					t.Error(finding)
				} else {
					t.Log(finding)
				}
			}
		}
	}
}

// TestCodesAreExplained: docs/check.md has every code that testdata shows, and
// those of the compiler.
func TestCodesAreExplained(t *testing.T) {
	docs, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{interpreter.CodeDocument: true, interpreter.CodeExclusive: true, interpreter.CodeUnknownAttribute: true, interpreter.CodeUnsupported: true, interpreter.CodeUnavailable: true}
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no findings: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)\[([a-z-]+)\]$`).FindAllStringSubmatch(string(text), -1) {
			codes[match[1]] = true
		}
	}
	for code := range codes {
		if !strings.Contains(string(docs), "| `"+code+"` |") {
			t.Errorf("docs/check.md does not explain %s", code)
		}
	}
}

// TestCheckingEnds with its context, and says so.
func TestCheckingEnds(t *testing.T) {
	root, places, err := fetch.ParsePlacedXML([]byte(`<ccxml version="1.0"><eventprocessor><transition event="nope"/></eventprocessor></ccxml>`), "a.ccxml", fetch.XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	findings := lint.Document(ctx, interpreter.NewCompiler(), interpreter.Source{Root: root, URI: "a.ccxml", Places: places})
	if len(findings) != 1 || findings[0].Error() != "a.ccxml: error: checking was broken off: context canceled [document]" {
		t.Errorf("found %v", findings)
	}
}

// FuzzDocument: no document makes the checks panic, and each finding has a place,
// a code and words.
func FuzzDocument(f *testing.F) {
	for _, pattern := range []string{"testdata/*.ccxml", "../testdata/bad/*.ccxml", "../testdata/lenient/*.ccxml"} {
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
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 20_000 {
			return
		}
		root, places, err := fetch.ParsePlacedXML([]byte(text), "doc.ccxml", fetch.XMLLimits{})
		if err != nil {
			return
		}
		source := interpreter.Source{Root: root, URI: "doc.ccxml", Places: places, Load: load}
		for _, finding := range lint.Document(t.Context(), interpreter.NewCompiler(), source) {
			if finding.Position.Line < 1 || finding.Code == "" || finding.Message == "" {
				t.Errorf("incomplete: %+v", finding)
			}
		}
	})
}
