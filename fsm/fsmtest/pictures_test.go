package fsmtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ccxmld/fsm/fsmtest"
)

type table struct{}

func (table) Name() string    { return "door" }
func (table) Mermaid() string { return "stateDiagram-v2\n    s0 --> s1\n" }

// failing keeps what goes wrong.
type failing struct {
	testing.TB
	said []string
}

func (f *failing) Helper()                       {}
func (f *failing) Failed() bool                  { return len(f.said) > 0 }
func (f *failing) Errorf(text string, of ...any) { f.said = append(f.said, fmt.Sprintf(text, of...)) }

// A picture that is not as its table is told of, and written anew.
func TestPictures(t *testing.T) {
	const begin, end = "before\n<!-- state machine: door -->\n```mermaid\n", "```\nafter\n"
	right := begin + table{}.Mermaid() + end
	for _, test := range []struct {
		text   string
		update bool
		said   string // "" for nothing
		now    string
	}{
		{right, false, "", right},
		{right, true, "", right},
		{begin + "old\n" + end, false, "the picture of door is not as its table; ask somebody", begin + "old\n" + end},
		{begin + "old\n" + end, true, "", right},
		{begin + table{}.Mermaid() + "more\n" + end, true, "", right},
		{"nothing\n", true, "has no picture of door", "nothing\n"},
	} {
		file := filepath.Join(t.TempDir(), "design.md")
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := &failing{TB: t}
		fsmtest.Pictures(f, file, test.update, "ask somebody", table{})
		now, err := os.ReadFile(file)
		said := strings.Join(f.said, "\n")
		if err != nil || string(now) != test.now || (said == "") != (test.said == "") || !strings.Contains(said, test.said) {
			t.Errorf("%q, update %t: said %q, now %q, %v", test.text, test.update, said, now, err)
		}
	}
}
