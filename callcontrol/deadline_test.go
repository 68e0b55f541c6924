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

var deadlineName = regexp.MustCompile(`(Patience|Deadline|After|Again)$`)

// All deadlines stand in deadline.go, where a reader finds them, and docs/design.md
// has a table of them.
func TestDeadlinesStandInOnePlace(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(table), "\n## Deadlines\n") {
		t.Error("docs/design.md has no section Deadlines")
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "deadline.go" {
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
					if deadlineName.MatchString(constant.Name) {
						t.Errorf("%s: %s belongs in deadline.go", name, constant.Name)
					}
				}
			}
		}
	}
}
