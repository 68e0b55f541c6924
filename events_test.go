package ccxmld_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ccxmld/interpreter"
)

var platformEvent = regexp.MustCompile(`^(connection|conference|dialog|ccxml|error|fetch|send|cancel|move)(\.[a-z]+)+$`)

// notEvents look like events: names that documents of 2002 have for them, what
// VoiceXML calls its own, and what no transition sees.
var notEvents = map[string]bool{
	"ccxml.joined": true, "ccxml.unjoined": true, "ccxml.fetch.done": true, "error.statemismatch": true,
	"connection.disconnect.hangup": true,
}

// TestEventNamesAreComplete: each event that the code names is in the table that
// `ccxmld check` goes by.
func TestEventNamesAreComplete(t *testing.T) {
	sent := make(map[string]bool)
	for _, name := range interpreter.EventNames() {
		sent[name.Name] = name.Sent
	}
	for _, folder := range []string{"interpreter", "callcontrol"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", folder, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				if text, _ := strconv.Unquote(literal.Value); platformEvent.MatchString(text) && !notEvents[text] && !sent[text] {
					t.Errorf("%s names %s, which interpreter.EventNames does not list as sent", file, text)
				}
				return true
			})
		}
	}
}
