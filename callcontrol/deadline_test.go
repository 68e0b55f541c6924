package callcontrol

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// deadlineNames are those of deadlines, by package.
var deadlineNames = map[string]*regexp.Regexp{
	".":             regexp.MustCompile(`(Timeout|After|Again)$`),
	"../freeswitch": regexp.MustCompile(`(Timeout|Deadline|After|Again)$`),
	"../peer":       regexp.MustCompile(`(Timeout|Deadline|After|Again)$`),
}

// All deadlines stand in each package's deadline.go, where a reader finds them, and
// docs/design.md has a table of them.
func TestDeadlinesStandInOnePlace(t *testing.T) {
	table, err := os.ReadFile("../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(table), "\n## Deadlines\n") {
		t.Error("docs/design.md has no section Deadlines")
	}
	for folder, deadline := range deadlineNames {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", folder, err)
		}
		lookForDeadlines(t, files, deadline)
	}
}

func lookForDeadlines(t *testing.T, files []string, deadline *regexp.Regexp) {
	t.Helper()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "deadline.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			list, ok := decl.(*ast.GenDecl)
			if !ok || list.Tok != token.CONST {
				continue
			}
			for _, spec := range list.Specs {
				for _, constant := range spec.(*ast.ValueSpec).Names {
					if deadline.MatchString(constant.Name) {
						t.Errorf("%s: %s belongs in deadline.go", name, constant.Name)
					}
				}
			}
		}
	}
}
