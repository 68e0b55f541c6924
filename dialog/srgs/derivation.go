package srgs

import "slices"

const (
	// deepestDerivation bounds rules within rules within rules.
	deepestDerivation = 1000
	// mostSteps bounds the work of finding out how an input was matched.
	mostSteps = 1 << 20
)

// step is what happens on the way through a rule: a key, a tag or another rule.
type step struct {
	tag      *tag
	rule     int32 // -1 for none
	from, to int32 // what of the input a key or rule takes
}

// derivation finds out by which way through its rules an input was matched. Where
// there are several, it prefers the alternative of the greater weight, then the
// first one, more repetitions to fewer, and rules that take more.
type derivation struct {
	*network
	input string
	ends  map[span][]int32
	work  int
}

// derive parses an input that is in the grammar.
func (n *network) derive(input string) (*derivation, error) {
	p := parse{network: n, ends: make(map[span][]int32)}
	if err := p.run(input); err != nil {
		return nil, err
	}
	if !p.matched {
		return nil, errNoMatch
	}
	return &derivation{network: n, input: input, ends: p.ends}, nil
}

// way is a search for the way through one rule.
type way struct {
	*derivation
	end     int32
	visited map[item]struct{} // and led nowhere, or is being visited
	steps   []step            // backwards
}

// through gives the way through a rule that takes the input between two
// positions.
func (d *derivation) through(rule, from, to int32) ([]step, error) {
	w := way{derivation: d, end: to, visited: make(map[item]struct{})}
	if !w.find(d.rules[rule].start, from) {
		if d.work > mostSteps {
			return nil, errTooMuch
		}
		return nil, errNoMatch
	}
	slices.Reverse(w.steps)
	return w.steps, nil
}

// find goes on from a node at a position, and reports whether that leads to the
// end of the rule at the right position.
func (w *way) find(at, position int32) bool {
	here := item{at, position}
	if _, known := w.visited[here]; known {
		return false
	}
	w.visited[here] = struct{}{}
	if w.work++; w.work > mostSteps {
		return false
	}
	n := &w.nodes[at]
	switch n.operation {
	case accept:
		return position == w.end
	case take:
		return position < w.end && n.keys&keyOf(w.input[position]) != 0 &&
			w.find(n.next, position+1) && w.took(step{rule: -1, from: position, to: position + 1})
	case perform:
		return w.find(n.next, position) && w.took(step{tag: n.tag, rule: -1})
	case split:
		for _, alternative := range n.alternatives {
			if w.find(alternative, position) {
				return true
			}
		}
	case call:
		for _, end := range slices.Backward(w.ends[span{n.rule, position}]) {
			if end <= w.end && w.find(n.next, end) {
				return w.took(step{rule: n.rule, from: position, to: end})
			}
		}
	}
	return false
}

func (w *way) took(s step) bool {
	w.steps = append(w.steps, s)
	return true
}
