package lint

// mostCompared bounds the transitions that each other one is compared with, where
// comparing is all that finds which of them is meant: more than any call flow has.
const mostCompared = 500

// takers are the transitions so far that take all events of their pattern, by what
// they can take.
type takers struct {
	exact    map[string]*transition       // of any state, the first by the event's name
	inState  map[namedState][]*transition // of some states, by the event's name and each state
	patterns []*transition                // with stars in their event
}

type namedState struct{ event, state string }

// shadows finds transitions that are never selected, because an earlier one takes
// all their events (EVT-3, LEN-15).
func (c *check) shadows() {
	earlier := takers{exact: make(map[string]*transition), inState: make(map[namedState][]*transition)}
	for _, t := range c.transitions {
		if taker := earlier.taker(t); taker != nil {
			c.report(t.Position, Warning, "unreachable-transition",
				"this transition never runs: the one in line %d takes all its events first", taker.Position.Line)
		}
		if t.cond == "" || t.cond == "true" {
			earlier.add(t)
		}
	}
}

// add notes a transition without a condition.
func (k *takers) add(t *transition) {
	name := t.pattern.String()
	switch {
	case !t.pattern.Exact():
		if len(k.patterns) < mostCompared {
			k.patterns = append(k.patterns, t)
		}
	case t.states == nil:
		if k.exact[name] == nil {
			k.exact[name] = t
		}
	default:
		for state := range t.among {
			key := namedState{name, state}
			if len(k.inState[key]) < mostCompared {
				k.inState[key] = append(k.inState[key], t)
			}
		}
	}
}

// taker gives a transition that takes all events of a later one, the first of them;
// nil for none.
func (k *takers) taker(t *transition) *transition {
	var first *transition
	consider := func(candidate *transition) {
		if first == nil || candidate.Position.Line < first.Position.Line {
			first = candidate
		}
	}
	name := t.pattern.String()
	if all := k.exact[name]; all != nil {
		consider(all)
	}
	if t.states != nil {
		for _, candidate := range k.inState[namedState{name, t.states[0]}] {
			if candidate.coversStates(t) {
				consider(candidate)
				break
			}
		}
	}
	for _, candidate := range k.patterns {
		if candidate.pattern.Covers(t.pattern) && candidate.coversStates(t) {
			consider(candidate)
			break
		}
	}
	return first
}

// coversStates tells whether a transition is selected in every state in which another
// one is.
func (t *transition) coversStates(other *transition) bool {
	if t.states == nil {
		return true
	}
	if other.states == nil {
		return false
	}
	for _, state := range other.states {
		if !t.among[state] {
			return false
		}
	}
	return true
}
