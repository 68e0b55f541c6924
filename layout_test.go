// Package ccxmld_test holds what is true of the project as a whole.
package ccxmld_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// everything stands for all of our packages.
const everything = "*"

// mayImport is the table of packages in docs/design.md: which of our packages
// each may import. A package below a row's belongs to the row (dialog/vxml to
// dialog), and packages of one row may import each other. Tests may import
// what they like.
var mayImport = map[string][]string{
	"ccxmld":                nil,
	"clock":                 nil,
	"memnet":                {"clock"},
	"proxytest":             nil,
	"random":                nil,
	"fsm":                   nil,
	"remote":                nil,
	"site":                  {"random", "clock", "memnet", "interpreter", "switchsim", "conf", "daemon"},
	"sitetest":              {"fsm", "clock", "memnet", "interpreter", "script", "switchsim", "sessionstore", "conf", "callcontrol", "daemon", "site"},
	"switchsim":             {"random", "clock"},
	"processors":            nil,
	"script":                {"processors"},
	"fetch":                 {"clock", "processors"},
	"interpreter":           {"random", "clock", "processors", "script"},
	"conformance":           {"clock", "script", "interpreter", "switchsim", "esl", "callcontrol", "conf", "daemon", "site", "memnet"},
	"esl":                   {"fsm", "random", "remote", "clock", "logs"},
	"freeswitch":            {"fsm", "random", "clock", "sip", "esl"},
	"dialog":                {"logs", "processors", "random", "sip", "clock", "esl", "script", "fetch", "spool"},
	"spool":                 {"logs"},
	"conference":            {"random", "clock", "sessionstore"},
	"sessionstore":          {"clock", "memnet", "logs"},
	"operator":              nil,
	"records":               {"clock", "logs"},
	"metrics":               nil,
	"access":                {"conf", "remote"},
	"api":                   {"access", "clock", "conference", "operator", "peer", "records", "sessionstore"},
	"peer":                  {"clock", "operator", "sessionstore"},
	"callcontrol/documents": {"clock", "processors", "fetch", "interpreter"},
	"callcontrol":           {"callcontrol/documents", "processors", "random", "remote", "sip", "clock", "logs", "script", "fetch", "interpreter", "esl", "dialog", "conference", "sessionstore", "metrics", "operator", "records", "peer", "freeswitch", "fsm"},
	"httpapi":               {"access", "metrics", "remote", "logs", "callcontrol", "sessionstore", "conference", "conf"},
	"mail":                  {"clock", "logs"},
	"logs":                  {"remote"},
	"conf":                  {"remote", "sip"},
	"sip":                   nil,
	"daemon":                {"access", "api", "metrics", "records", "operator", "peer", "processors", "random", "clock", "script", "fetch", "interpreter", "esl", "dialog", "conference", "sessionstore", "callcontrol", "freeswitch", "httpapi", "mail", "conf", "memnet", "spool"},
	"doctor":                {"esl", "freeswitch", "sessionstore", "conf", "spool"},
	"cmd/ccxmld":            {everything},
	"examples":              nil,
}

// TestImportTable: an import against the table is a mistake in the table or in
// the code.
func TestImportTable(t *testing.T) {
	for _, p := range packages(t) {
		row := rowOf(p.ImportPath)
		if row == "" {
			t.Errorf("%s is in no row of the table of packages in docs/design.md", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, "ccxmld/")
			if !ours || rowOf(imported) == row {
				continue
			}
			allowed := mayImport[row]
			if !slices.Contains(allowed, rowOf(imported)) && !slices.Contains(allowed, everything) {
				t.Errorf("%s imports %s; of ours, %s may import %q", p.ImportPath, other, row, allowed)
			}
		}
	}
}

// listed is what go list tells of a package; Imports leaves its tests out.
type listed struct {
	ImportPath string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,GoFiles,Imports", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		t.Fatal("go list names no packages")
	}
	return all
}

// rowOf is the row of the table that a package belongs to, the nearest of those
// above it, or "".
func rowOf(importPath string) (row string) {
	path := strings.TrimPrefix(importPath, "ccxmld/")
	for candidate := range mayImport {
		if (path == candidate || strings.HasPrefix(path, candidate+"/")) && len(candidate) > len(row) {
			row = candidate
		}
	}
	return row
}

// TestFreeSWITCHIsKnownInOnePlace: call control has no names of FreeSWITCH's events,
// commands and modules; package freeswitch has.
func TestFreeSWITCHIsKnownInOnePlace(t *testing.T) {
	files, err := filepath.Glob("callcontrol/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	names := regexp.MustCompile(`uuid_|CHANNEL_|sofia`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if names.MatchString(line) {
				t.Errorf("%s:%d: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// wallClock are the functions of the time package that go by the clock on the
// wall; package clock stands in for them.
var wallClock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// timed are the packages whose time is injected (D12), with the files that may
// look at the wall, and why.
var timed = map[string]map[string]string{
	"interpreter": nil, "callcontrol": nil, "callcontrol/documents": nil, "dialog/vxml": nil, "dialog/srgs": nil, "conference": nil, "mail": nil,
	"sessionstore": nil, "peer": nil, "freeswitch": nil,
	"dialog": nil,
	"esl":    {"conn.go": "the deadlines of a net.Conn are on the wall", "outbox.go": "as in conn.go"},
	"script": {"watch.go": "what a script may take is work of this machine, however its calls' time passes"},
}

// TestTimeIsInjected: where calls depend on time, it is a clock's that was given in.
func TestTimeIsInjected(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, "ccxmld/")
		allowed, ours := timed[path]
		if !ours {
			continue
		}
		seen++
		for _, file := range p.GoFiles {
			if allowed[file] != "" {
				continue
			}
			for _, use := range usesOfTime(t, filepath.Join(path, file)) {
				t.Errorf("%s: use the clock that was given in", use)
			}
		}
	}
	if seen != len(timed) {
		t.Errorf("%d of the %d packages were looked at", seen, len(timed))
	}
}

// apart are the goroutines of timed packages that their clock does not know of, by
// file, and why; all others are started by clock.Go or clock.GoIn, so that a virtual
// clock knows who is at work.
var apart = map[string]string{
	"esl/outbox.go":        "it writes to a network that is not in memory",
	"mail/sender.go":       "a mail server is not on the clock",
	"sessionstore/mail.go": "it ends a read from Redis, which is not on the clock",
}

// TestGoroutinesAreOnTheClock: where calls depend on time, the clock knows of the
// goroutines.
func TestGoroutinesAreOnTheClock(t *testing.T) {
	used := make(map[string]bool)
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, "ccxmld/")
		if _, ours := timed[path]; !ours {
			continue
		}
		for _, file := range p.GoFiles {
			name := filepath.ToSlash(filepath.Join(path, file))
			for _, place := range goroutines(t, name) {
				used[name] = true
				if apart[name] == "" {
					t.Errorf("%s: start it by clock.Go, clock.GoIn or a clock.Group", place)
				}
			}
		}
	}
	for name := range apart {
		if !used[name] {
			t.Errorf("%s starts no goroutine any more", name)
		}
	}
}

// goroutines lists where a file starts goroutines other than by package clock.
func goroutines(t *testing.T, file string) (places []string) {
	t.Helper()
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			places = append(places, files.Position(n.Pos()).String())
		case *ast.CallExpr:
			if selector, ok := n.Fun.(*ast.SelectorExpr); ok && selector.Sel.Name == "Go" && len(n.Args) == 1 { // clock.Group's has two
				if of, ok := selector.X.(*ast.Ident); !ok || of.Name != "clock" {
					places = append(places, files.Position(n.Pos()).String())
				}
			}
		}
		return true
	})
	return places
}

// TestChanceIsInjected: where calls depend on time, ids and chance come from a source
// that was given in, too.
func TestChanceIsInjected(t *testing.T) {
	allowed := map[string]string{
		"sessionstore/try.go":      "the keys of a trial are of no call",
		"sessionstore/embedded.go": "a password must not be guessed",
		"sessionstore/process.go":  "which process of an id runs changes nothing in a call",
	}
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, "ccxmld/")
		if _, ours := timed[path]; !ours && path != "switchsim" {
			continue
		}
		for _, file := range p.GoFiles {
			name := filepath.ToSlash(filepath.Join(path, file))
			if allowed[name] != "" {
				continue
			}
			for _, use := range usesOf(t, name, map[string][]string{
				"uuid": {"New", "NewString", "NewRandom", "Must", "NewV7"},
				"rand": {"N", "Int", "IntN", "Int64", "Int64N", "Uint32", "Uint64", "Float64", "Perm", "Shuffle", "Read", "Text"},
			}) {
				t.Errorf("%s: use the random.Source that was given in", use)
			}
		}
	}
}

// usesOfTime lists where a file goes by the clock on the wall.
func usesOfTime(t *testing.T, file string) []string {
	t.Helper()
	return usesOf(t, file, map[string][]string{"time": wallClock})
}

// usesOf lists where a file uses functions of packages.
func usesOf(t *testing.T, file string, functions map[string][]string) (uses []string) {
	t.Helper()
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := selector.X.(*ast.Ident); ok && slices.Contains(functions[of.Name], selector.Sel.Name) {
				uses = append(uses, fmt.Sprintf("%s: %s.%s", files.Position(n.Pos()), of.Name, selector.Sel.Name))
			}
		}
		return true
	})
	return uses
}
