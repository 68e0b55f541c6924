package callcontrol

import "testing"

// A leg that comes from a node which was given up is not the call's; where it is not
// known what machine the node is, or there was no other attempt, it is.
func TestStrangers(t *testing.T) {
	c, _ := askedController()
	first, second := newNode(c, NodeOptions{Name: "first"}), newNode(c, NodeOptions{Name: "second"})
	first.machine, second.machine = "fs1", "fs2"
	again := &calling{tried: []*Node{first}}
	for name, test := range map[string]struct {
		attempt *calling
		node    *Node
		machine string
		want    bool
	}{
		"from the node that was given up": {again, second, "fs1", true},
		"from the node of the attempt":    {again, second, "fs2", false},
		"the first attempt":               {&calling{}, first, "fs2", false},
		"not placed by us":                {nil, nil, "fs1", false},
		"from a node without a name yet":  {again, newNode(c, NodeOptions{Name: "third"}), "fs1", false},
	} {
		l := &leg{attempt: test.attempt, node: test.node}
		if got := l.strange(test.machine); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
