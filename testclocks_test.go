package ccxmld_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// realTime are the functions by which a test depends on how fast the machine is.
var realTime = map[string][]string{
	"time":      {"Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"clock":     {"Real", "Scaled"},
	"clocktest": {"Real"},
}

// onRealTime are the files of tests that go by the wall, and why. The ones that only
// hand a real clock to what does not wait are said to.
var onRealTime = map[string]string{
	// What is tested is not in this process, or not in memory.
	"callcontrol/freeswitch_trouble_test.go":    "a FreeSWITCH",
	"callcontrol/freeswitch_clamp_test.go":      "a FreeSWITCH",
	"cmd/ccxmld/attack_fetch_test.go":           "attacks on a process",
	"cmd/ccxmld/attack_test.go":                 "attacks on a process",
	"cmd/ccxmld/faultload_test.go":              "processes",
	"cmd/ccxmld/faultsite_test.go":              "processes",
	"cmd/ccxmld/process_test.go":                "a process",
	"daemon/bench_eslgo_test.go":                "a benchmark",
	"daemon/bench_switch_test.go":               "benchmarks, with a switch in a process of its own",
	"switchsim/bench_test.go":                   "a benchmark",
	"doctor/doctor_test.go":                     "TCP, as the doctor has it",
	"examples/conference-cgi/cgi/calls_test.go": "an HTTP server",
	"fetch/client_test.go":                      "HTTP over TCP",
	"freeswitch/observing_test.go":              "a switch over TCP",
	"interpreter/bench_test.go":                 "a benchmark",
	// Bounds of waits for what comes without time.
	"esl/conn_test.go":         "the bound of a wait for a peer in memory",
	"interpreter/fuzz_test.go": "the bound of a wait for a session's end",
	"script/each_test.go":      "what a script may take is work of the machine",
	// Functions of a table that run in a bubble.
	"clock/clock_test.go":         "the clocks of a bubble",
	"peer/create_test.go":         "handlers that are late in a bubble",
	"peer/claimed_test.go":        "what happens later in a bubble",
	"httpapi/connections_test.go": "a handler that is late in a bubble",
	// A clock that nobody waits by.
	"callcontrol/documents/documents_test.go": "no wait",
	"callcontrol/documents/fetch_test.go":     "no wait",
	"callcontrol/locks_test.go":               "no wait",
	"callcontrol/requests_test.go":            "no wait",
	"callcontrol/route_test.go":               "no wait",
	"dialog/vxml/grammars_test.go":            "no wait",
	"fetch/versions_test.go":                  "no wait",
	"interpreter/example_test.go":             "no wait",
	"interpreter/session_test.go":             "no wait outside of bubbles",
	"switchsim/command_internal_test.go":      "no wait",
}

// TestTestsAreOnVirtualTime: a test goes by the wall only in a bubble of
// testing/synctest, or for a reason that the table above has. In a directory whose
// tests have bubbles, a function that no test comes to outside of them is a helper of
// theirs, but for files with sitetest, which has no bubbles.
func TestTestsAreOnVirtualTime(t *testing.T) {
	used := make(map[string]bool)
	for _, tests := range testFiles(t) {
		bubbles := makersOfBubbles(tests)
		outside := namedOutside(tests, bubbles)
		for path, tree := range tests.trees {
			for _, use := range usesOfRealTime(tests, tree, bubbles, outside) {
				used[path] = true
				if onRealTime[path] == "" {
					t.Errorf("%s: use sitetest, a clock that was given in, or testing/synctest", use)
				}
			}
		}
	}
	for path := range onRealTime {
		if !used[path] {
			t.Errorf("%s goes by the wall no more", path)
		}
	}
}

// tests are the files of tests of a directory.
type tests struct {
	positions *token.FileSet
	trees     map[string]*ast.File // by path
}

func testFiles(t *testing.T) map[string]*tests {
	t.Helper()
	directories := make(map[string]*tests)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path == "third_party":
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		d := directories[filepath.Dir(path)]
		if d == nil {
			d = &tests{token.NewFileSet(), make(map[string]*ast.File)}
			directories[filepath.Dir(path)] = d
		}
		tree, err := parser.ParseFile(d.positions, path, nil, parser.SkipObjectResolution)
		d.trees[filepath.ToSlash(path)] = tree
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return directories
}

// makersOfBubbles are the functions whose arguments may run in a bubble: synctest.Test,
// and the helpers that call it.
func makersOfBubbles(d *tests) map[string]bool {
	makers := make(map[string]bool)
	for _, tree := range d.trees {
		for _, declaration := range tree.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && called(call) == "synctest.Test" {
					makers["synctest.Test"] = true
					if !isTest(f) {
						makers[f.Name.Name] = true
					}
				}
				return true
			})
		}
	}
	return makers
}

// usesOfRealTime lists where a file of tests goes by the wall outside of bubbles.
func usesOfRealTime(d *tests, tree *ast.File, bubbles, outside map[string]bool) (uses []string) {
	virtual := slices.ContainsFunc(tree.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"ccxmld/sitetest"` })
	for _, declaration := range tree.Decls {
		if f, ok := declaration.(*ast.FuncDecl); len(bubbles) > 0 && !virtual && !(ok && outside[f.Name.Name] && !inBubble(f)) {
			continue
		}
		outsideOf(bubbles, declaration, func(n ast.Node) {
			if n, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := n.X.(*ast.Ident); ok && slices.Contains(realTime[of.Name], n.Sel.Name) {
					uses = append(uses, d.positions.Position(n.Pos()).String()+": "+of.Name+"."+n.Sel.Name)
				}
			}
		})
	}
	return uses
}

// outsideOf visits what is in a node, but for what makers of bubbles are given.
func outsideOf(bubbles map[string]bool, node ast.Node, visit func(ast.Node)) {
	ast.Inspect(node, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && bubbles[called(call)] {
			return false
		}
		visit(n)
		return true
	})
}

// namedOutside are the names of functions and methods that tests come to outside of
// bubbles: the tests themselves, and what is named there or in what is named there.
func namedOutside(d *tests, bubbles map[string]bool) map[string]bool {
	functions := make(map[string][]*ast.FuncDecl)
	var next []string
	for _, tree := range d.trees {
		for _, declaration := range tree.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && !inBubble(f) {
				functions[f.Name.Name] = append(functions[f.Name.Name], f)
				if isTest(f) {
					next = append(next, f.Name.Name)
				}
			}
		}
	}
	outside := make(map[string]bool)
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if outside[name] || bubbles[name] {
			continue
		}
		outside[name] = true
		for _, f := range functions[name] {
			outsideOf(bubbles, f, func(n ast.Node) {
				if id, ok := n.(*ast.Ident); ok && functions[id.Name] != nil {
					next = append(next, id.Name)
				}
			})
		}
	}
	return outside
}

// inBubble tells whether a function asks for a bubble by synctest.Wait, which nothing
// else may call.
func inBubble(f *ast.FuncDecl) (in bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		in = in || ok && !isTest(f) && called(call) == "synctest.Wait"
		return !in
	})
	return in
}

// isTest tells whether go test calls the function.
func isTest(f *ast.FuncDecl) bool {
	return f.Recv == nil && slices.ContainsFunc([]string{"Test", "Benchmark", "Fuzz", "Example"}, func(kind string) bool {
		return strings.HasPrefix(f.Name.Name, kind)
	})
}

// called names the function of a call, "" if it has no name.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if of, ok := f.X.(*ast.Ident); ok {
			return of.Name + "." + f.Sel.Name
		}
	}
	return ""
}
