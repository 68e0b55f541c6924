package srgs

import (
	"errors"
	"fmt"

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

// parse goes along an input with all items that there may be, by Earley's
// algorithm.
type parse struct {
	*network
	set  []item // at this position
	seen map[item]struct{}
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
	p.seen = make(map[item]struct{})
	p.add(item{p.rules[0].start, 0})
	var next []item
	for position := int32(0); ; position++ {
		p.matched = false
		for i := 0; i < len(p.set); i++ {
			if p.work++; p.work > mostItems {
				p.matched, p.more = false, false
				return errTooMuch
			}
			p.step(p.set[i], position)
		}
		if int(position) == len(input) {
			break
		}
		next = next[:0]
		key := keyOf(input[position])
		for _, at := range p.set {
			if n := &p.nodes[at.node]; n.operation == take && n.keys&key != 0 {
				next = append(next, item{n.next, at.origin})
			}
		}
		p.set = p.set[:0]
		clear(p.seen)
		for _, at := range next {
			p.add(at)
		}
		if len(p.set) == 0 {
			p.matched = false
			return nil
		}
	}
	for _, at := range p.set {
		p.more = p.more || p.nodes[at.node].operation == take
	}
	return nil
}

func (p *parse) add(at item) {
	if _, known := p.seen[at]; !known {
		p.seen[at] = struct{}{}
		p.set = append(p.set, at)
	}
}

// step goes on from an item as far as no key is needed.
func (p *parse) step(at item, position int32) {
	n := &p.nodes[at.node]
	switch n.operation {
	case split:
		for _, alternative := range n.alternatives {
			p.add(item{alternative, at.origin})
		}
	case perform:
		p.add(item{n.next, at.origin})
	case call:
		r := &p.rules[n.rule]
		if r.start == dead {
			return
		}
		if p.waiting == nil {
			p.waiting = make(map[span][]item)
		}
		begun := span{n.rule, position}
		p.waiting[begun] = append(p.waiting[begun], item{n.next, at.origin})
		p.add(item{r.start, position})
		if r.nullable {
			// Its end at this position may have been seen before this call.
			p.add(item{n.next, at.origin})
		}
	case accept:
		p.finish(span{n.rule, at.origin}, position)
	}
}

// finish notes that a rule has been matched, and goes on where it was called.
func (p *parse) finish(done span, position int32) {
	if done == (span{0, 0}) {
		p.matched = true
	}
	if p.ends != nil {
		p.ends[done] = append(p.ends[done], position)
	}
	if done.origin == position {
		return // nullable: see call
	}
	for _, caller := range p.waiting[done] {
		p.add(caller)
	}
}
