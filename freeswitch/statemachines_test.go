package freeswitch

import (
	"flag"
	"testing"

	"ccxmld/fsm/fsmtest"
)

var update = flag.Bool("update", false, "write the pictures of the state machines in docs/design.md anew")

// TestPicturesOfStateMachines: docs/design.md shows the tables as they are.
func TestPicturesOfStateMachines(t *testing.T) {
	fsmtest.Pictures(t, "../docs/design.md", *update, "go test ./freeswitch -run TestPicturesOfStateMachines -update", healthStates, serviceStates)
}
