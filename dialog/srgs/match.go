package srgs

import (
	"errors"
	"fmt"
	"slices"

	"ccxmld/dialog"
)

const (
	// longestInput is how many digits a grammar looks at; a turn takes no more
	// than 100.
	longestInput = 256
	// mostItems bounds the work for one input.
	mostItems = 1 << 20
)

// errTooMuch is the error of an input that takes too much work.
var errTooMuch = fmt.Errorf("the grammar is too ambiguous: it takes more than %d steps for this input; write rules that begin differently", mostItems)

var errNoMatch = errors.New("the digits are not in the grammar")

// Match implements dialog.Grammar. An input for which the grammar takes too much
// work is in no grammar; Interpret says so.
func (g *Compiled) Match(digits string) dialog.Match {
	p := parse{network: &g.network}
	if p.run(digits) != nil {
		return dialog.NoMatch
	}
	switch {
	case p.matched && p.more:
		return dialog.Matched
	case p.matched:
		return dialog.Complete
	case p.more:
		return dialog.Partial
	}
	return dialog.NoMatch
}

// item says that a rule that was begun at a position of the input has got to a
// node.
type item struct {
	node   int32
	origin int32
}

// span is a rule that begins at a position.
type span struct {
	rule   int32
	origin int32
}

// items is a set of items in the order in which they came.
type items struct {
	list []item
	seen map[item]struct{} // those of a long list
}

// fewItems is how many are looked through one by one.
const fewItems = 12

func (s *items) add(at item) {
	switch {
	case len(s.list) < fewItems:
		if slices.Contains(s.list, at) {
			return
		}
	case len(s.list) == fewItems:
		if s.seen == nil {
			s.seen = make(map[item]struct{})
		}
		clear(s.seen)
		for _, known := range s.list {
			s.seen[known] = struct{}{}
		}
		fallthrough
	default:
		if _, known := s.seen[at]; known {
			return
		}
		s.seen[at] = struct{}{}
	}
	s.list = append(s.list, at)
}

// parse goes along an input with all items that there may be, by Earley's
// algorithm.
type parse struct {
	*network
	now, next items
	position  int32
	key       keySet // what comes next; none at the end
	// waiting are the items that wait for a rule that begins at a position.
	waiting map[span][]item
	work    int

	matched bool // the whole input is in the grammar
	more    bool // and longer ones that begin so may be

	// ends, if it is there, collects where each rule that was matched ends,
	// ascending.
	ends map[span][]int32
}

// run parses an input. The error says that this is too much work.
func (p *parse) run(input string) error {
	if len(p.rules) == 0 || p.rules[0].start == dead || len(input) > longestInput {
		return nil
	}
	p.next.add(item{p.rules[0].start, 0})
	for n := range len(input) + 1 {
		p.matched, p.more = false, false
		p.now, p.next = p.next, p.now
		p.next.list = p.next.list[:0]
		p.position, p.key = int32(n), 0
		if n < len(input) {
			if p.key = keyOf(input[n]); p.key == 0 {
				return nil
			}
		}
		for i := 0; i < len(p.now.list); i++ {
			if p.work++; p.work > mostItems {
				p.matched, p.more = false, false
				return errTooMuch
			}
			p.step(p.now.list[i])
		}
		if p.key != 0 && len(p.next.list) == 0 {
			p.matched, p.more = false, false
			return nil
		}
	}
	return nil
}

// add adds an item at this position. One that needs a key is looked at once and
// for all.
func (p *parse) add(at item) {
	n := &p.nodes[at.node]
	switch {
	case n.operation != take:
		p.now.add(at)
	case p.key == 0:
		p.more = true
	case n.keys&p.key != 0:
		p.next.add(item{n.next, at.origin})
	}
}

// step goes on from an item as far as no key is needed.
func (p *parse) step(at item) {
	n := &p.nodes[at.node]
	switch n.operation {
	case take:
		p.add(at)
	case split:
		p.work += len(n.alternatives)
		for _, alternative := range n.alternatives {
			p.add(item{alternative, at.origin})
		}
	case perform:
		p.add(item{n.next, at.origin})
	case call:
		p.call(n, at.origin)
	case accept:
		p.finish(span{n.rule, at.origin})
	}
}

// call begins a rule here.
func (p *parse) call(n *node, origin int32) {
	r := &p.rules[n.rule]
	if p.waiting == nil {
		p.waiting = make(map[span][]item)
	}
	begun := span{n.rule, p.position}
	p.waiting[begun] = append(p.waiting[begun], item{n.next, origin})
	p.add(item{r.start, p.position})
	if r.nullable {
		// Its end at this position may have been seen before this call.
		p.add(item{n.next, origin})
	}
}

// finish notes that a rule has been matched, and goes on where it was called.
func (p *parse) finish(done span) {
	if done == (span{0, 0}) {
		p.matched = true
	}
	if p.ends != nil {
		p.ends[done] = append(p.ends[done], p.position)
	}
	if done.origin == p.position {
		return // nullable: see call
	}
	callers := p.waiting[done]
	p.work += len(callers)
	for _, caller := range callers {
		p.add(caller)
	}
}
