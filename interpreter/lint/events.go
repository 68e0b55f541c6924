package lint

import (
	"slices"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// families are the first parts of names that belong to the platform.
var families = []string{"ccxml.", "connection.", "conference.", "dialog.", "error.", "send.", "fetch.", "cancel.", "move."}

// events finds event patterns that match nothing that the platform or the
// document itself sends, and likely misspellings (LEN-14, traps 2 and 6).
func (c *check) events() {
	sent := c.sends()
	var known []string
	for _, name := range interpreter.EventNames() {
		if !strings.HasSuffix(name.Name, ".*") {
			known = append(known, c.outline.EventName(name.Name))
		}
	}
	for _, t := range c.transitions {
		if t.event == "" || len(strings.Fields(t.event)) > 1 || strings.ContainsAny(t.event, `'"`) || c.matches(t, sent) {
			continue
		}
		c.event(t, known, sent)
	}
}

// matches tells whether a transition has an event that is known to come.
func (c *check) matches(t *transition, sent []string) bool {
	accepts := func(name string) bool { return c.outline.Accepts(t.pattern, name) }
	return slices.ContainsFunc(interpreter.EventNames(), func(n interpreter.EventName) bool { return n.Sent && accepts(n.Name) }) ||
		slices.ContainsFunc(c.outline.OldNames(), accepts) || slices.ContainsFunc(sent, accepts)
}

// event says what is known of an event that does not come from the platform.
func (c *check) event(t *transition, known, sent []string) {
	at, name := at(t.OutlineElement, "event"), t.pattern.String()
	family := func(f string) bool { return strings.HasPrefix(name, f) }
	if slices.Contains(families, name+".") && t.pattern.Exact() {
		c.report(at, Warning, "bare-event", "event=%q matches only an event of just that name, which never comes; write %s.* for all of them", t.event, name)
		return
	}
	for _, event := range interpreter.EventNames() {
		if !event.Sent && c.outline.Accepts(t.pattern, event.Name) {
			c.report(at, Note, "never-sent", "this platform does not send %s", t.event)
			return
		}
	}
	stem := strings.ReplaceAll(t.event, "*", "")
	nearest := interpreter.Nearest(stem, append(known, sent...))
	switch ofPlatform := slices.ContainsFunc(families, family); {
	case nearest != "" && !ofPlatform && c.handlesExactly(nearest): // another event, not that one misspelt
	case nearest != "":
		c.report(at, Warning, "unknown-event", "no event is called %s (did you mean %s?)", t.event, nearest)
		return
	case t.pattern.Exact() && ofPlatform, strings.HasPrefix(name, "call.call_"):
		c.report(at, Warning, "unknown-event", "no event of the platform is called %s", t.event)
		return
	case ofPlatform:
		c.report(at, Warning, "unknown-event", "no event of the platform matches %s", t.event)
		return
	}
	c.report(at, Note, "outside-event", "%s comes only from another session, a dialog or over HTTP: the document does not send it itself", t.event)
}

// handlesExactly tells whether a transition is for an event of this name alone.
func (c *check) handlesExactly(name string) bool {
	wanted := c.outline.EventPattern(name).String()
	return slices.ContainsFunc(c.transitions, func(t *transition) bool { return t.pattern.Exact() && t.pattern.String() == wanted })
}

// sends lists the events that the document sends by a literal name, or by a variable
// that only ever has literals.
func (c *check) sends() (sent []string) {
	for _, e := range c.elements {
		attribute := "name"
		switch {
		case e.Tag == "send" && e.Attribute("name") == nil:
			attribute = "data"
		case e.Tag == "send":
		case e.Tag == "move":
			attribute = "event"
		default:
			continue
		}
		r := c.reading(e, attribute)
		if r == nil {
			continue
		}
		texts := r.Outcomes
		if literal := c.outline.LiteralEvent(e.Attribute(attribute), r.Path); literal != "" && !c.declares(literal) {
			texts = []script.Outcome{{Text: literal, IsString: true}}
		} else if r.Path != "" {
			texts = c.valuesOf(r.Path)
		}
		for _, outcome := range texts {
			if outcome.IsString {
				sent = append(sent, outcome.Text)
			}
		}
	}
	return sent
}

// valuesOf lists the literals that a variable is given by the document.
func (c *check) valuesOf(path string) (list []script.Outcome) {
	variable := path[strings.LastIndexByte(path, '.')+1:]
	for _, e := range c.elements {
		name := e.Attribute("name")
		if name == nil || e.Tag != "var" && e.Tag != "assign" {
			continue
		}
		target := strings.TrimSpace(name.Text)
		if r := c.reading(e, "expr"); r != nil && target[strings.LastIndexByte(target, '.')+1:] == variable {
			list = append(list, r.Outcomes...)
		}
	}
	return list
}
