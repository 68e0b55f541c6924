// Package ccxmld_test holds what is true of the project as a whole.
package ccxmld_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
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
	"ccxmld":                  nil,
	"script":                  nil,
	"fetch":                   nil,
	"interpreter":             {"script"},
	"interpreter/conformance": {"script", "interpreter", "esl", "callcontrol", "conf", "daemon"},
	"esl":                     nil,
	"dialog":                  {"esl", "script", "fetch"},
	"conference":              {"esl", "sessionstore"},
	"sessionstore":            nil,
	"callcontrol":             {"script", "fetch", "interpreter", "esl", "dialog", "conference", "sessionstore"},
	"httpapi":                 {"callcontrol", "sessionstore", "conference", "conf"},
	"mail":                    nil,
	"conf":                    nil,
	"daemon":                  {"script", "fetch", "interpreter", "esl", "dialog", "conference", "sessionstore", "callcontrol", "httpapi", "mail", "conf"},
	"doctor":                  {"esl", "sessionstore", "callcontrol", "conf"},
	"cmd/ccxmld":              {everything},
	"examples":                nil,
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
