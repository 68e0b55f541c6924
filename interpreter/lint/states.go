package lint

import (
	"slices"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// states finds states that are handled but never reached, and reached but never
// handled, and a state variable that nobody declares.
func (c *check) states() {
	processor := c.processor()
	if processor == nil {
		return
	}
	name := "state$"
	if given := processor.Attribute("statevariable"); given != nil {
		name = strings.TrimSpace(given.Text)
	}
	assigned, certain := c.assignedStates(name)
	if given := processor.Attribute("statevariable"); given != nil && !c.declaresState(name) && c.declarationsKnown {
		c.undeclaredState(given, name)
	}
	if !certain {
		return
	}
	c.unreachedStates(assigned)
	c.unhandledStates(assigned)
}

// declaresState tells whether the document gives a variable a value before its first
// transition with a state. In older dialects an assignment declares (OLD-5), but one
// that stands in a transition with a state comes too late.
func (c *check) declaresState(name string) bool {
	if !c.declares(name) {
		return false
	}
	for _, e := range c.elements {
		if declares := e.Attribute("name"); e.Tag == "var" && declares != nil && strings.TrimSpace(declares.Text) == name {
			return true
		}
	}
	return c.setWithoutState(name) || slices.ContainsFunc(c.allReadings(), func(r *script.Reading) bool { return slices.Contains(r.Declares, name) })
}

// undeclaredState reports a state variable that nothing gives a value: no transition
// with a state ever runs, and a call that waits for one rings for ever. In older
// dialects it may be one of a page before, if this is not the page that calls reach.
func (c *check) undeclaredState(given *interpreter.OutlineAttribute, name string) {
	severity, means := Warning, ""
	first := slices.ContainsFunc(c.transitions, func(t *transition) bool {
		return c.outline.Accepts(t.pattern, "connection.alerting") && t.pattern.Exact()
	})
	switch used := slices.ContainsFunc(c.transitions, func(t *transition) bool { return t.states != nil }); {
	case used && (first || !c.outline.Old) && !c.setWithoutState(name):
		severity, means = Error, ", so no transition with a state ever runs"
	case c.outline.Old:
		severity = Note
	}
	c.report(given.Position, severity, "undeclared-state", "the state variable %s is declared nowhere%s; write <var name=%q expr=\"'init'\"/>", name, means, name)
}

// setWithoutState tells whether anything may set a variable before a transition with
// a state has run.
func (c *check) setWithoutState(variable string) bool {
	for _, r := range c.allReadings() {
		if slices.ContainsFunc(r.Uses, func(u script.Use) bool { return u.Assigned && u.Name == variable }) {
			return true
		}
	}
	inAnyState := map[*interpreter.OutlineElement]bool{nil: true}
	for _, t := range c.transitions {
		inAnyState[t.OutlineElement] = t.states == nil
	}
	for _, e := range c.elements {
		name := e.Attribute("name")
		if name == nil || e.Tag != "assign" || !strings.HasSuffix(strings.TrimSpace(name.Text), variable) {
			continue
		}
		if inAnyState[transitionOf(e)] {
			return true
		}
	}
	return false
}

func (c *check) processor() *interpreter.OutlineElement {
	for _, e := range c.outline.Root.Children {
		if e.Tag == "eventprocessor" {
			return e
		}
	}
	return nil
}

// state is a state with the attribute that assigns it.
type state struct {
	name string
	by   *interpreter.OutlineAttribute
}

// assignedStates lists the states that the document assigns to its variable. It
// reports false if there may be others.
func (c *check) assignedStates(variable string) (list []state, certain bool) {
	add := func(by *interpreter.OutlineAttribute) bool {
		if by == nil {
			return true
		}
		r := c.readings[by]
		if r == nil || r.Open {
			return false
		}
		for _, outcome := range r.Outcomes {
			list = append(list, state{outcome.Text, by})
		}
		return true
	}
	for _, r := range c.allReadings() {
		for _, use := range r.Uses {
			if use.Assigned && use.Name == variable {
				return nil, false
			}
		}
		if slices.Contains(r.Declares, variable) {
			return nil, false
		}
	}
	for _, e := range c.elements {
		name := e.Attribute("name")
		if name == nil || e.Tag != "var" && e.Tag != "assign" {
			continue
		}
		target := strings.TrimSpace(name.Text)
		if strings.ContainsAny(target, "[") {
			return nil, false
		}
		if last := target[strings.LastIndexByte(target, '.')+1:]; last == variable && !add(e.Attribute("expr")) {
			return nil, false
		}
	}
	return list, c.declarationsKnown
}

// unreachedStates finds transitions for states that nothing assigns.
func (c *check) unreachedStates(assigned []state) {
	var names []string
	for _, s := range assigned {
		names = append(names, s.name)
	}
	known := set(names)
	for _, t := range c.transitions {
		if t.stateIsExpression() || len(t.states) == 0 {
			continue
		}
		words := t.Attribute("state").Fields()
		for i, name := range t.states {
			if known[name] {
				continue
			}
			severity := Warning
			if c.outline.Old { // its variables outlive the page
				severity = Note
			}
			c.report(t.statePosition(i, words), severity, "unreachable-state", "no element of the document sets the state %s%s", name, didYouMean(name, names))
		}
	}
}

// statePosition is where a state of a transition stands, among the words of its attribute.
func (t *transition) statePosition(i int, words []*interpreter.OutlineAttribute) script.Position {
	if i < len(words) && words[i].Text == t.states[i] {
		return words[i].Position
	}
	return at(t.OutlineElement, "state") // in quotes
}

// unhandledStates finds states for which there is no transition.
func (c *check) unhandledStates(assigned []state) {
	var handled []string
	for _, t := range c.transitions {
		handled = append(handled, t.states...)
	}
	if len(handled) == 0 {
		return
	}
	known, told := set(handled), make(map[string]bool)
	for _, s := range assigned {
		if known[s.name] || told[s.name] {
			continue
		}
		told[s.name] = true
		severity, hint := Note, didYouMean(s.name, handled)
		if hint != "" {
			severity = Warning
		}
		c.report(s.by.Position, severity, "unhandled-state", "no transition names the state %s%s", s.name, hint)
	}
}

// mostSuggested bounds the names among which one is looked for that may have been
// meant: each is compared with each that is not known.
const mostSuggested = 200

func didYouMean(name string, known []string) string {
	if len(known) > mostSuggested {
		return ""
	}
	if nearest := interpreter.Nearest(name, known); nearest != "" {
		return " (did you mean " + nearest + "?)"
	}
	return ""
}
