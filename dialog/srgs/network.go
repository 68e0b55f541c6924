package srgs

import "fmt"

// operation is what a node does on the way through a rule.
type operation uint8

const (
	take    operation = iota // one of the keys
	split                    // goes on at each of the alternatives, the first being preferred
	call                     // goes through a rule
	perform                  // notes a tag
	accept                   // the end of the rule
)

// dead is the node that leads nowhere.
const dead int32 = -1

// node is a node of the network. From each one the end of its rule can be reached.
type node struct {
	operation    operation
	keys         keySet
	next         int32
	rule         int32 // that is called
	tag          *tag
	alternatives []int32
}

// network is the rules that can be reached from the first, with repeats written
// out.
type network struct {
	nodes []node
	rules []routine
}

// routine is a rule in the network.
type routine struct {
	*rule
	start int32 // dead if nothing matches the rule
}

// nodeBytes is what a node takes, with its place in the alternatives of others.
const nodeBytes = 56

// Bytes is roughly what the grammar takes beside what comes of its text: a short one may
// have many repeats.
func (n *network) Bytes() int64 { return int64(len(n.nodes)) * nodeBytes }

// builder writes rules out into a network.
type builder struct {
	*network
	steps   int
	tooMuch error
	numbers map[*rule]int32
	queue   []*rule
}

// build makes the network of a rule and all that it needs.
func (n *network) build(start *rule) error {
	b := &builder{network: n, numbers: make(map[*rule]int32)}
	b.number(start)
	for i := 0; i < len(b.queue) && b.tooMuch == nil; i++ {
		r := b.queue[i]
		if !r.productive {
			continue
		}
		end := b.add(node{operation: accept, rule: int32(i)})
		n.rules[i].start = b.expand(r.body, end)
		if b.tooMuch != nil {
			return fmt.Errorf("%w; the rule %s is where it got too big", b.tooMuch, r.name)
		}
	}
	return b.tooMuch
}

// number gives a rule its number in the network.
func (b *builder) number(r *rule) int32 {
	if i, known := b.numbers[r]; known {
		return i
	}
	i := int32(len(b.rules))
	b.numbers[r] = i
	b.rules = append(b.rules, routine{r, dead})
	b.queue = append(b.queue, r)
	return i
}

func (b *builder) add(n node) int32 {
	if len(b.nodes) >= mostNodes {
		b.exceed()
		return dead
	}
	b.nodes = append(b.nodes, n)
	return int32(len(b.nodes) - 1)
}

func (b *builder) exceed() {
	b.tooMuch = fmt.Errorf("the grammar is too big: with its repeats written out it has more than %d steps; use 0- or smaller repeats", mostNodes)
}

// expand writes an expansion out before the node next, and gives its first node.
func (b *builder) expand(e *expansion, next int32) int32 {
	// What adds no node, such as nothing repeated, takes time too.
	if b.steps++; b.steps > 10*mostNodes && b.tooMuch == nil {
		b.exceed()
	}
	if next == dead || b.tooMuch != nil {
		return dead
	}
	switch e.kind {
	case key:
		return b.add(node{operation: take, keys: e.keys, next: next})
	case sequence:
		for i := len(e.items) - 1; i >= 0; i-- {
			next = b.expand(e.items[i], next)
		}
		return next
	case choice:
		return b.choice(e.items, next)
	case repeat:
		return b.repeat(e, next)
	case reference:
		if !e.target.productive {
			return dead
		}
		return b.add(node{operation: call, rule: b.number(e.target), next: next})
	case garbage:
		return b.loop(&expansion{kind: key, keys: anyKey}, next, true)
	case tagged:
		return b.add(node{operation: perform, tag: e.tag, next: next})
	}
	return dead // void
}

// choice writes alternatives out; keys that follow each other become one node.
func (b *builder) choice(items []*expansion, next int32) int32 {
	var alternatives []int32
	for i := 0; i < len(items); i++ {
		if keys := items[i].only(); keys != 0 {
			for i+1 < len(items) && items[i+1].only() != 0 {
				i++
				keys |= items[i].only()
			}
			alternatives = append(alternatives, b.add(node{operation: take, keys: keys, next: next}))
			continue
		}
		if first := b.expand(items[i], next); first != dead {
			alternatives = append(alternatives, first)
		}
	}
	return b.split(alternatives...)
}

// only gives the key if the expansion is no more than that.
func (e *expansion) only() keySet {
	for e.kind == sequence && len(e.items) == 1 {
		e = e.items[0]
	}
	if e.kind == key {
		return e.keys
	}
	return 0
}

func (b *builder) split(alternatives ...int32) int32 {
	switch len(alternatives) {
	case 0:
		return dead
	case 1:
		return alternatives[0]
	}
	return b.add(node{operation: split, alternatives: alternatives})
}

// repeat writes an expansion out as often as it must come, and then as often as it
// may.
func (b *builder) repeat(e *expansion, next int32) int32 {
	body := e.items[0]
	if e.most < 0 {
		next = b.loop(body, next, e.rarely)
	} else {
		end := next
		for i := e.least; i < e.most && b.tooMuch == nil; i++ {
			next = b.either(b.expand(body, next), end, e.rarely)
		}
	}
	for i := 0; i < e.least && b.tooMuch == nil; i++ {
		next = b.expand(body, next)
	}
	return next
}

// loop writes out what may come any number of times.
func (b *builder) loop(body *expansion, next int32, rarely bool) int32 {
	again := b.add(node{operation: split})
	if again == dead {
		return dead
	}
	first := b.expand(body, again)
	if first == dead {
		return next
	}
	b.nodes[again].alternatives = []int32{first, next}
	if rarely {
		b.nodes[again].alternatives = []int32{next, first}
	}
	return again
}

func (b *builder) either(first, end int32, rarely bool) int32 {
	switch {
	case first == dead || first == end:
		return end
	case rarely:
		return b.split(end, first)
	}
	return b.split(first, end)
}
