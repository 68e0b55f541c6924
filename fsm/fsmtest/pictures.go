// Package fsmtest keeps the pictures of state machines in a document true.
package fsmtest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Drawn is a table of package fsm.
type Drawn interface {
	Name() string
	Mermaid() string
}

// Pictures compares the picture of each table in a Markdown file with the table. The
// file has it between <!-- state machine: NAME --> and the end of the code block that
// follows. With update set the file is written anew; how says how that is done.
func Pictures(t testing.TB, file string, update bool, how string, tables ...Drawn) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	was := string(text)
	now := was
	for _, table := range tables {
		begin := fmt.Sprintf("<!-- state machine: %s -->\n```mermaid\n", table.Name())
		before, rest, ok := strings.Cut(now, begin)
		_, after, closed := strings.Cut(rest, "```\n")
		switch {
		case !ok || !closed:
			t.Errorf("%s has no picture of %s: %q, a code block and its end", file, table.Name(), begin)
			continue
		case !update && !strings.HasPrefix(rest, table.Mermaid()+"```\n"):
			t.Errorf("%s: the picture of %s is not as its table; %s", file, table.Name(), how)
		}
		now = before + begin + table.Mermaid() + "```\n" + after
	}
	if update && now != was && !t.Failed() {
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
