package conformance_test

import (
	"context"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ccxmld"
	"ccxmld/interpreter/conformance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	update  = flag.Bool("update", false, "write docs/conformance.md")
	only    = flag.String("only", "", "run the documents whose path contains this, and write no report")
	verbose = flag.Bool("daemon-log", false, "print the daemon's log")
)

// report is the page that this package makes.
const report = "../../docs/conformance.md"

// parallel is how many documents run at a time.
const parallel = 16

// TestConformance runs every document of the suite on the simulated switch, and
// compares the report with docs/conformance.md.
func TestConformance(t *testing.T) {
	sw, err := conformance.NewSimulated(logger(t))
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, sw, func(*conformance.Test) bool { return true })
	if r == nil {
		return
	}
	for _, id := range r.Unknown {
		t.Errorf("%s is named by the suite and is not in docs/ccxml-conformance.md", id)
	}
	for _, section := range r.Sections {
		for _, item := range section.Items {
			if item.Verdict == conformance.NoTest {
				t.Errorf("%s: %s", item.ID, item.Reason)
			}
		}
	}
	compare(t, r.Markdown())
}

// run runs the tests of the suite that are chosen; no report if only some were.
func run(t *testing.T, sw conformance.Switch, chosen func(*conformance.Test) bool) *conformance.Report {
	t.Helper()
	suite, err := fs.Sub(ccxmld.Conformance, "testdata/conformance")
	if err != nil {
		t.Fatal(err)
	}
	all, err := conformance.Load(suite)
	if err != nil {
		t.Fatal(err)
	}
	exceptions, err := conformance.LoadExceptions(suite)
	if err != nil {
		t.Fatal(err)
	}
	var tests []*conformance.Test
	for _, test := range all {
		if strings.Contains(test.Path, *only) && chosen(test) {
			tests = append(tests, test)
		}
	}
	ctx := context.Background()
	house, err := conformance.NewHouse(ctx, suite, sw, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	results := house.Run(ctx, tests, parallel, func(r conformance.Result) {
		if r.Failure != "" {
			t.Errorf("%s (%s): %s", r.Test.Path, strings.Join(r.Test.Requirements, " "), r.Failure)
		}
	})
	if err := house.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d documents ran", len(results))
	if *only != "" {
		return nil
	}
	return conformance.NewReport(conformance.ParseRequirements(ccxmld.Requirements), results, exceptions)
}

func compare(t *testing.T, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(report, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.Clean(report))
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("docs/conformance.md is not what ran; make it anew by go test ./interpreter/conformance -update")
	}
}

func logger(t *testing.T) *slog.Logger {
	if !*verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// TestProofsInGo: the tests that prove what no document can are there.
func TestProofsInGo(t *testing.T) {
	suite, err := fs.Sub(ccxmld.Conformance, "testdata/conformance")
	if err != nil {
		t.Fatal(err)
	}
	exceptions, err := conformance.LoadExceptions(suite)
	if err != nil {
		t.Fatal(err)
	}
	for id, reason := range exceptions {
		named, isProof := strings.CutPrefix(reason, "go-test: ")
		if !isProof {
			continue
		}
		m := regexp.MustCompile(`^(Test\w+) \(([\w/]+)\): `).FindStringSubmatch(named)
		if m == nil {
			t.Errorf("%s: expected go-test: TestNAME (package): reason, not %q", id, reason)
			continue
		}
		if !declares(t, filepath.Join("../..", m[2]), m[1]) {
			t.Errorf("%s: there is no %s in %s", id, m[1], m[2])
		}
	}
}

// declares tells whether a folder's tests have one by a name.
func declares(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "\nfunc "+name+"(")
	})
}
