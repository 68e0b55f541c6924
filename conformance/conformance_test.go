package conformance_test

import (
	"context"
	"flag"
	"io"
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
	"ccxmld/conformance"
	"ccxmld/fsm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	update  = flag.Bool("update", false, "write docs/conformance.md and docs/vxml-conformance.md")
	only    = flag.String("only", "", "run the documents whose path contains this, and write no report")
	verbose = flag.Bool("daemon-log", false, "print the daemon's log")
)

// The pages that this package makes.
const (
	report     = "../docs/conformance.md"
	vxmlReport = "../docs/vxml-conformance.md"
)

// parallel is how many documents run at a time.
const parallel = 16

// TestConformance runs every document of the CCXML suite on the simulated switch,
// and compares the report with docs/conformance.md.
func TestConformance(t *testing.T) { prove(t, ccxml(t), report) }

// TestVoiceXMLConformance runs every page of the VoiceXML suite on the simulated
// switch, and compares the report with docs/vxml-conformance.md.
func TestVoiceXMLConformance(t *testing.T) { prove(t, voiceXML(t), vxmlReport) }

func ccxml(t *testing.T) *conformance.Suite {
	t.Helper()
	return suite(t, ccxmld.Conformance, "testdata/conformance", ccxmld.Requirements, conformance.CCXML)
}

func voiceXML(t *testing.T) *conformance.Suite {
	t.Helper()
	return suite(t, ccxmld.VoiceXML, "testdata/vxml", ccxmld.Assertions, conformance.VoiceXML)
}

func suite(t *testing.T, files fs.FS, folder, list string, load func(fs.FS, string) (*conformance.Suite, error)) *conformance.Suite {
	t.Helper()
	documents, err := fs.Sub(files, folder)
	if err != nil {
		t.Fatal(err)
	}
	s, err := load(documents, list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// prove runs a suite and compares its report with a file.
func prove(t *testing.T, suite *conformance.Suite, file string) {
	t.Helper()
	sw, err := conformance.NewSimulated(logger(t))
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, suite, sw, func(*conformance.Test) bool { return true })
	if r == nil {
		return
	}
	for _, id := range r.Unknown {
		t.Errorf("%s is named by the suite and is not in the list of requirements", id)
	}
	for _, section := range r.Sections {
		for _, item := range section.Items {
			if item.Verdict == conformance.NoTest {
				t.Errorf("%s: %s", item.ID, item.Reason)
			}
		}
	}
	compare(t, file, r.Markdown())
}

// run runs the tests of the suite that are chosen; no report if only some were.
func run(t *testing.T, suite *conformance.Suite, sw conformance.Switch, chosen func(*conformance.Test) bool) *conformance.Report {
	t.Helper()
	all, err := conformance.Load(suite.Documents)
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
	site, err := conformance.NewSite(ctx, suite.Documents, sw, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	results := site.Run(ctx, tests, parallel, func(r conformance.Result) {
		switch named := r.Test.Path + " (" + strings.Join(r.Test.Requirements, " ") + ")"; {
		case r.Failure != "" && r.Test.Failing == "":
			t.Errorf("%s: %s", named, r.Failure)
		case r.Failure != "":
			t.Logf("%s is known to fail: %s", named, r.Failure)
		case r.Test.Failing != "":
			t.Errorf("%s passes; take it out of failing.txt", named)
		}
	})
	if err := site.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d documents ran", len(results))
	if *only != "" {
		return nil
	}
	return conformance.NewReport(suite, results)
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what ran; make it anew by go test ./conformance -update", file)
	}
}

func logger(t *testing.T) *slog.Logger {
	if !*verbose {
		return slog.New(slog.NewTextHandler(tables{t, io.Discard}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	return slog.New(slog.NewTextHandler(tables{t, t.Output()}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// tables is a log that fails the test if a state machine's table is not complete.
type tables struct {
	*testing.T
	out io.Writer
}

func (w tables) Write(line []byte) (int, error) {
	if strings.Contains(string(line), fsm.NotInTable) {
		w.Errorf("a state machine is not complete: %s", line)
	}
	return w.out.Write(line)
}

// TestProofsInGo: the tests that prove what no document can are there.
func TestProofsInGo(t *testing.T) {
	for id, reason := range ccxml(t).Exceptions {
		named, isProof := strings.CutPrefix(reason, "go-test: ")
		if !isProof {
			continue
		}
		m := regexp.MustCompile(`^(Test\w+) \(([\w/]+)\): `).FindStringSubmatch(named)
		if m == nil {
			t.Errorf("%s: expected go-test: TestNAME (package): reason, not %q", id, reason)
			continue
		}
		if !declares(t, filepath.Join("..", m[2]), m[1]) {
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
