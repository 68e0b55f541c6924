package goja

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notLooped are files whose loops are not those of scripts, and why.
var notLooped = map[string]string{
	"compiler.go":      "bounded by the source",
	"compiler_expr.go": "bounded by the source",
	"compiler_stmt.go": "bounded by the source",
	"profiler.go":      "the host's",
	"date_parser.go":   "bounded by the text of a date, which is one string",
	"live.go":          "bounded by what is held, and counted as steps afterwards",
	// Values of Go that the host gives to scripts.
	"object_goreflect.go": "the host's", "object_gomap_reflect.go": "the host's", "object_gomap.go": "the host's",
	"object_goslice.go": "the host's", "object_goslice_reflect.go": "the host's", "object_goarray_reflect.go": "the host's",
}

// TestLoops: each loop that scripts can have run calls step in each round, or says in
// a comment on its line what bounds it otherwise.
func TestLoops(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || notLooped[name] != "" {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		excused := make(map[int]bool)
		for _, group := range file.Comments {
			for _, comment := range group.List {
				if strings.Contains(comment.Text, "// bounded: ") {
					excused[set.Position(comment.Pos()).Line] = true
				}
			}
		}
		ast.Inspect(file, func(node ast.Node) bool {
			var body *ast.BlockStmt
			switch loop := node.(type) {
			case *ast.ForStmt:
				body = loop.Body
			case *ast.RangeStmt:
				body = loop.Body
			default:
				return true
			}
			at := set.Position(node.Pos())
			if !slices.ContainsFunc(body.List, isStep) && !excused[at.Line] {
				t.Errorf("%s: the loop neither calls step nor says what bounds it", at)
			}
			return true
		})
	}
}

// isStep tells whether a statement is a call of step.
func isStep(s ast.Stmt) bool {
	statement, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := statement.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "step"
}
