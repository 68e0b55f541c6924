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

// TestBuffersAreBounded: a buffer that no machine has is the error of the language, which
// scripts may catch, and one that is beyond the bound ends the script and says so.
func TestBuffersAreBounded(t *testing.T) {
	r := New()
	r.Bound(&Bounds{StringLength: 1000})
	r.BoundSteps(100_000, "more than %d steps", 100_000)
	if v, err := r.RunString(`try { new ArrayBuffer(9007199254740991) } catch (e) { e instanceof RangeError }`); err != nil || !v.ToBoolean() {
		t.Errorf("a buffer that no machine has: %v, %v", v, err)
	}
	for _, script := range []string{"new ArrayBuffer(1001)", "new Uint8Array(1001)", "new Float64Array(126)", "new Uint8Array({length: 1001})"} {
		_, err := r.RunString("try { " + script + " } catch (e) {}")
		if err == nil || !strings.Contains(err.Error(), "a buffer would be longer than 1000 bytes") {
			t.Errorf("%s: %v", script, err)
		}
	}
}
