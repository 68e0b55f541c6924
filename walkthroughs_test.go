package ccxmld_test

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

// TestWalkThroughsAreTrue: what docs/walkthroughs.md names is there.
func TestWalkThroughsAreTrue(t *testing.T) {
	text, err := os.ReadFile("docs/walkthroughs.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]map[string]bool{} // by package, of those that are named
	seen := 0
	for _, match := range regexp.MustCompile("`([a-z]+)\\.([A-Za-z]+(?:\\.[A-Za-z]+)?)`").FindAllStringSubmatch(string(text), -1) {
		name, what := match[1], match[2]
		if declared[name] == nil {
			declared[name] = declarations(t, folderOf(t, name))
		}
		if declared[name] == nil || name == "conference" && strings.ToLower(what) == what || name == "connection" || name == "package" || name == "send" || name == "error" {
			continue // the name of an event
		}
		seen++
		if !declared[name][what] {
			t.Errorf("there is no %s in package %s", what, name)
		}
	}
	if seen < 80 {
		t.Errorf("%d names were looked up", seen)
	}
}

// folderOf finds a package of ours by its name, "" for none.
func folderOf(t *testing.T, name string) string {
	t.Helper()
	for _, pattern := range []string{name, "*/" + name} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// declarations are the names that a package declares at its top: Name, Type.method.
func declarations(t *testing.T, folder string) map[string]bool {
	t.Helper()
	if folder == "" {
		return nil
	}
	files, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				names[receiver(decl)+decl.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							names[name.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// receiver is "Type." for a method, "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	kind := f.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	if generic, ok := kind.(*ast.IndexExpr); ok {
		kind = generic.X
	}
	if name, ok := kind.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}
