package callcontrol

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ccxmld/fsm/fsmtest"
)

var update = flag.Bool("update", false, "write the pictures of the state machines in docs/design.md anew")

// TestPicturesOfStateMachines: docs/design.md shows the tables as they are.
func TestPicturesOfStateMachines(t *testing.T) {
	fsmtest.Pictures(t, "../docs/design.md", *update, "go test ./callcontrol -run TestPicturesOfStateMachines -update",
		legStates, clearings, connectionStates, socketStates, homeStates, ownerStates, joinStates)
}

// begins are the functions in which a machine may begin in a state of its choice: where
// what it is the state of is made.
var begins = []string{
	"newLeg", "CreateCall", "handleIncoming", "expect", "callFailed", "restore",
}

// TestStatesChangeByTheirTables: a state changes by Take alone, since no machine is made
// anew but where what it is the state of is. The compiler sees to the rest.
func TestStatesChangeByTheirTables(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`\.(At|Restore)\(|fsm\.Machine\[[^]]*\]\{`)
	function := regexp.MustCompile(`^func (?:\([^)]*\) )?(\w+)`)
	var found []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var in string
		for i, line := range strings.Split(string(text), "\n") {
			if m := function.FindStringSubmatch(line); m != nil {
				in = m[1]
			}
			if made.MatchString(line) {
				found = append(found, in)
				if !slices.Contains(begins, in) {
					t.Errorf("%s:%d, in %s: a state machine is made: %s", file, i+1, in, strings.TrimSpace(line))
				}
			}
		}
	}
	for _, in := range begins {
		if !slices.Contains(found, in) {
			t.Errorf("no state machine is made in %s", in)
		}
	}
}
