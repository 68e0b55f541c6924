package srgs

import (
	"slices"
	"strings"
)

// analyse finds out which rules may match no digits, which may match anything at
// all, and refuses left recursion.
func (c *compilation) analyse() {
	rules := c.order
	for changed := true; changed; {
		changed = false
		// Rules stand before those they refer to.
		for _, r := range slices.Backward(rules) {
			if !r.nullable && r.body.nullable() {
				r.nullable, changed = true, true
			}
			if !r.productive && r.body.productive() {
				r.productive, changed = true, true
			}
		}
	}
	for _, r := range rules {
		r.body.leftmost(&r.left)
	}
	states := make(map[*rule]int, len(rules))
	for _, r := range rules {
		c.refuseLeftRecursion(r, states, nil)
	}
}

// nullable tells whether the expansion may match no digits.
func (e *expansion) nullable() bool {
	switch e.kind {
	case sequence:
		for _, item := range e.items {
			if !item.nullable() {
				return false
			}
		}
		return true
	case choice:
		for _, item := range e.items {
			if item.nullable() {
				return true
			}
		}
		return false
	case repeat:
		return e.least == 0 || e.items[0].nullable()
	case reference:
		return e.target.nullable
	case garbage, tagged:
		return true
	}
	return false // key, void
}

// productive tells whether there is anything that the expansion matches.
func (e *expansion) productive() bool {
	switch e.kind {
	case sequence:
		for _, item := range e.items {
			if !item.productive() {
				return false
			}
		}
		return true
	case choice:
		for _, item := range e.items {
			if item.productive() {
				return true
			}
		}
		return false
	case repeat:
		return e.least == 0 || e.items[0].productive()
	case reference:
		return e.target.productive
	}
	return e.kind != void
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
				e.target.name, strings.Join(lastOf(append(path, e.target.name), 10), " → "))
			continue
		}
		c.refuseLeftRecursion(e.target, states, path)
	}
	states[r] = left
}

func lastOf(list []string, n int) []string {
	return list[max(len(list)-n, 0):]
}
