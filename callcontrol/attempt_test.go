package callcontrol

import (
	"testing"

	"ccxmld/freeswitch"
)

// A leg that comes from a node which was given up is not the call's; where it is not
// known what machine the node is, or there was no other attempt, it is.
func TestStrangers(t *testing.T) {
	again := &calling{tried: []*freeswitch.Node{{}}}
	for name, test := range map[string]struct {
		attempt      *calling
		machine, now string
		want         bool
	}{
		"from the node that was given up": {again, "fs1", "fs2", true},
		"from the node of the attempt":    {again, "fs2", "fs2", false},
		"the first attempt":               {&calling{}, "fs2", "fs1", false},
		"from a node without a name yet":  {again, "fs1", "", false},
	} {
		if got := test.attempt.isOver(test.machine, test.now); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if (&leg{}).strange("fs1") {
		t.Error("a call that was not placed by us is strange")
	}
}
