package callcontrol

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strings"
	"testing"
	"time"
)

// rowsOf says in which row of docs/design.md's tables each constant of a deadline.go
// is told, by the beginning of the row; "…" rows by their whole first cell. A count is
// told as a number of times, or is a part of another one: "" here.
var rowsOf = map[string]map[string]string{
	".": {
		"acceptTimeout": "`accept`", "hangupAgain": "`reject`, `disconnect`", "hangupAsked": "", "jobTimeout": "the result of a job",
		"leaveTimeout": "`unjoin`",
		"replyTimeout": "any command on a leg's socket", "probeTimeout": "anything, of a FreeSWITCH", "joinTimeout": "`join` of connections",
		"strandedAfter": "a bridge of which", "homeAgain": "a leg on its way home", "homeAsked": "", "homeTimeout": "a leg on its way home",
		"fetchAfter": "a leg whose socket was cut", "secondSocketTimeout": "a leg's own socket",
		"browserTimeout": "… on a VoiceXML server", "refusalTimeout": "`reject` with",
		"publishTimeout": "Redis to have the record", "releaseTimeout": "a leg whose session has ended", "endTimeout": "the end of what ccxmld gives up",
		"askTimeout": "an operator, of a session", "overdueAfter": "a call that FreeSWITCH was told to end",
		"forwardAfter": "FreeSWITCH to forget a leg", "hangupTimeout": "FreeSWITCH to hang up", "adriftTimeout": "… whose link has dropped",
		"sendTimeout": "`send`", "attachTimeout": "… that is answered", "detailTimeout": "the hangup of a failed call",
		"pairTimeout": "… of two sessions", "cascadeTimeout": "… whose FreeSWITCH is another", "cascadeAgain": "", "attendAfter": "a cascade of which no controller", "cascadeTries": "a cascade that is lost", "cascadeRetry": "a cascade that is lost", "retireAfter": "calls on a node", "takeOverTimeout": "a session whose controller is gone",
		"confirmTimeout": "Redis to tell a process", "confirmAgain": "Redis to tell a process", "oursTimeout": "Redis to tell whether a session", "makeTimeout": "the scripts of a document, when", "textAgain": "Redis to have a text", "settlesAfter": "timers of a process",
		"refusedTimeout": "… the port of",
		"resumeTimeout":  "… its legs", "unseenTimeout": "… a leg whose", "standInTimeout": "a dialog on a conference",
		"probeAfter": "anything, of a FreeSWITCH", "redirectTimeout": "`redirect`", "referTimeout": "… and then",
	},
	"../freeswitch": {
		"jobTimeout": "the result of a job", "jobAsked": "the result of a job", "cutsToldAfter": "cuts of sockets",
		"beginTimeout": "… a prompt whose turn", "breakAgainAfter": "`dialogterminate`", "breakTimeout": "`dialogterminate`",
		"moment": "", "cascadeUnattended": "a cascade of which no controller", "cascadeSilence": "audio of another node", "comeAgainAfter": "a leg of which no controller", "mostUnattended": "a leg of which no controller",
		"shortestRest": "a node that fails", "longestRest": "a node that fails",
	},
	"../peer": {
		"operateTimeout": "an operator, of another controller", "sendTimeout": "a mail to another", "claimTimeout": "a session whose controller has died", "createTimeout": "`createccxml` on another", "ArrivalTimeout": "a leg whose socket was cut", "moveTimeout": "`move` to another",
	},
}

// told are rows whose time no deadline.go has: a setting, a sum, or a time of another
// package.
var told = []string{
	"`createcall`", "`join` with a conference", "`join` of two conferences", "`createconference`", "`dialogstart`", "… the upload",
	"… a recording", "`dialogprepare`", "a call that is refused",
}

// TestTheTableOfDeadlinesIsTrue: each deadline of the code stands in docs/design.md with
// its time, and each row of the tables there is of a deadline.
func TestTheTableOfDeadlinesIsTrue(t *testing.T) {
	rows := deadlineRows(t)
	meant := map[string]bool{}
	for folder, names := range rowsOf {
		values := deadlineValues(t, folder+"/deadline.go")
		for name, value := range values {
			beginning, known := names[name]
			if !known {
				t.Errorf("%s: %s has no row in docs/design.md", folder, name)
				continue
			}
			if beginning == "" {
				continue
			}
			found := false
			for _, row := range rows {
				if strings.HasPrefix(row, "| "+beginning) {
					found, meant[row] = true, true
					if !strings.Contains(row, value) {
						t.Errorf("%s: %s is %s, which is not in %q", folder, name, value, row)
					}
				}
			}
			if !found {
				t.Errorf("%s: docs/design.md has no row %q", folder, beginning)
			}
		}
		for name := range names {
			if _, there := values[name]; !there {
				t.Errorf("%s: there is no deadline %s", folder, name)
			}
		}
	}
	for _, row := range rows {
		for _, beginning := range told {
			meant[row] = meant[row] || strings.HasPrefix(row, "| "+beginning)
		}
		if !meant[row] {
			t.Errorf("no deadline of the code is meant by %q", row)
		}
	}
}

// deadlineRows are the rows of the tables in docs/design.md's section.
func deadlineRows(t *testing.T) (rows []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Deadlines\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") && !strings.HasPrefix(line, "| what") {
			rows = append(rows, line)
		}
	}
	return rows
}

// deadlineValues are the constants of a file with their values as the table has them.
func deadlineValues(t *testing.T, name string) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kept []ast.Decl // functions need the rest of the package
	for _, decl := range file.Decls {
		if list, ok := decl.(*ast.GenDecl); ok && list.Tok == token.CONST {
			kept = append(kept, list)
		}
	}
	file.Decls = append([]ast.Decl{timeImport(file)}, kept...)
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: durations{files}}
	if _, err := config.Check("deadlines", files, []*ast.File{file}, info); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for name, object := range info.Defs {
		if c, ok := object.(*types.Const); ok {
			n, _ := constant.Int64Val(c.Val())
			values[name.Name] = inTable(c.Type().String(), n)
		}
	}
	return values
}

// durations is what constants need of package time.
type durations struct{ files *token.FileSet }

func (d durations) Import(string) (*types.Package, error) {
	file, err := parser.ParseFile(d.files, "time.go", `package time
type Duration int64
const (
	Microsecond Duration = 1000
	Millisecond = 1000 * Microsecond
	Second = 1000 * Millisecond
	Minute = 60 * Second
	Hour = 60 * Minute
)`, 0)
	if err != nil {
		return nil, err
	}
	return (&types.Config{}).Check("time", d.files, []*ast.File{file}, nil)
}

// timeImport keeps the import of time alone.
func timeImport(file *ast.File) ast.Decl {
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` {
			file.Imports = []*ast.ImportSpec{spec}
			return &ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{spec}}
		}
	}
	return &ast.GenDecl{Tok: token.IMPORT}
}

func inTable(kind string, n int64) string {
	switch d := time.Duration(n); {
	case kind != "time.Duration":
		return fmt.Sprintf("%d times", n)
	case d == time.Second:
		return "s" // "each second", "1 s"
	case d >= time.Minute:
		return fmt.Sprintf("%g min", d.Minutes())
	default:
		return fmt.Sprintf("%g s", d.Seconds())
	}
}
