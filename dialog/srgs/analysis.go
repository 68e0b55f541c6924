package srgs

import (
	"slices"
	"strings"
)

// analyse finds out which rules may match no digits, which may match anything at
// all, and refuses left recursion.
func (c *compilation) analyse() {
	rules := c.order
	spread(rules, func(e *expansion) bool {
		switch e.kind {
		case garbage, tagged:
			return true
		case sequence:
			return len(e.items) == 0
		case repeat:
			return e.least == 0
		}
		return false // key, void; those with items by what these are
	}, func(r *rule) { r.nullable = true })
	spread(rules, func(e *expansion) bool {
		switch e.kind {
		case garbage, tagged, key:
			return true
		case sequence:
			return len(e.items) == 0
		case repeat:
			return e.least == 0
		}
		return false
	}, func(r *rule) { r.productive = true })
	for _, r := range rules {
		r.body.leftmost(&r.left)
	}
	states := make(map[*rule]int, len(rules))
	for _, r := range rules {
		c.refuseLeftRecursion(r, states, nil)
	}
}

// use is where a part of a rule stands: in another part, or, with none, as its body.
type use struct {
	in   *expansion
	rule *rule
}

// spread finds the rules of which something holds that holds of some parts by
// themselves, of a sequence if it does of all in it, of a choice or a repeat if it does
// of one, and of a reference if it does of its rule. Each part is looked at as often as
// others stand in it.
func spread(rules []*rule, holds func(*expansion) bool, tell func(*rule)) {
	uses := make(map[*expansion]use)
	references := make(map[*rule][]*expansion)
	left := make(map[*expansion]int) // in a sequence, of which it does not hold so far
	known := make(map[*expansion]bool)
	var found []*expansion
	note := func(e *expansion) {
		if !known[e] {
			known[e] = true
			found = append(found, e)
		}
	}
	for _, r := range rules {
		uses[r.body] = use{rule: r}
		r.body.each(func(e *expansion) {
			for _, item := range e.items {
				uses[item] = use{in: e}
			}
			if e.kind == reference {
				references[e.target] = append(references[e.target], e)
			}
			left[e] = len(e.items)
			if holds(e) {
				note(e)
			}
		})
	}
	for len(found) > 0 {
		e := found[len(found)-1]
		found = found[:len(found)-1]
		switch u := uses[e]; {
		case u.in == nil:
			tell(u.rule)
			for _, reference := range references[u.rule] {
				note(reference)
			}
		case u.in.kind == sequence:
			if left[u.in]--; left[u.in] == 0 {
				note(u.in)
			}
		default:
			note(u.in)
		}
	}
}

// leftmost lists the references of which the expansion may begin, and reports
// whether what follows it may be the beginning too.
func (e *expansion) leftmost(list *[]*expansion) bool {
	switch e.kind {
	case sequence:
		for _, item := range e.items {
			if !item.leftmost(list) {
				return false
			}
		}
		return true
	case choice:
		open := false
		for _, item := range e.items {
			if item.leftmost(list) {
				open = true
			}
		}
		return open
	case repeat:
		if e.most == 0 {
			return true
		}
		open := e.items[0].leftmost(list)
		return open || e.least == 0
	case reference:
		*list = append(*list, e)
		return e.target.nullable
	case garbage, tagged:
		return true
	}
	return false
}

const (
	entered = iota + 1
	left
)

// refuseLeftRecursion goes through the rules with which a rule may begin.
func (c *compilation) refuseLeftRecursion(r *rule, states map[*rule]int, path []string) {
	if states[r] != 0 {
		return
	}
	states[r] = entered
	path = append(path, r.name)
	for _, e := range r.left {
		if states[e.target] == entered {
			c.problem(e.at, "ruleref", "the rule %q refers to itself before it takes a key (%s): left recursion is not supported; use repeat, or put the key first",
				e.target.name, strings.Join(append(slices.Clone(path[max(len(path)-9, 0):]), e.target.name), " → "))
			continue
		}
		c.refuseLeftRecursion(e.target, states, path)
	}
	states[r] = left
}
