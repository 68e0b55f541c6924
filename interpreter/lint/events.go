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
	exact := make(map[string]bool)
	for _, t := range c.transitions {
		if t.pattern.Exact() {
			exact[t.pattern.String()] = true
		}
	}
	var known []string
	for _, name := range interpreter.EventNames() {
		if !strings.HasSuffix(name.Name, ".*") {
			known = append(known, c.outline.EventName(name.Name))
		}
	}
	if len(sent.list) <= mostSuggested {
		known = append(known, sent.list...)
	}
	for _, t := range c.transitions {
		if t.event == "" || len(strings.Fields(t.event)) > 1 || strings.ContainsAny(t.event, `'"`) || c.matches(t, sent) {
			continue
		}
		c.event(t, known, exact)
	}
}

// sentEvents are the names of events that the document sends.
type sentEvents struct {
	list  []string        // each once
	names map[string]bool // in lower case, of today and of the document's dialect
}

// accepts tells whether a transition is for one of the events. Where a document sends
// more than are compared with a pattern, the pattern counts as one for them.
func (s *sentEvents) accepts(c *check, t *transition) bool {
	if t.pattern.Exact() {
		return s.names[t.pattern.String()]
	}
	return len(s.list) > mostCompared ||
		slices.ContainsFunc(s.list, func(name string) bool { return c.outline.Accepts(t.pattern, name) })
}

// matches tells whether a transition has an event that is known to come.
func (c *check) matches(t *transition, sent *sentEvents) bool {
	accepts := func(name string) bool { return c.outline.Accepts(t.pattern, name) }
	return slices.ContainsFunc(interpreter.EventNames(), func(n interpreter.EventName) bool { return n.Sent && accepts(n.Name) }) ||
		slices.ContainsFunc(c.outline.OldNames(), accepts) || sent.accepts(c, t)
}

// event says what is known of an event that does not come from the platform. exact are
// the events that transitions are for by their whole names.
func (c *check) event(t *transition, known []string, exact map[string]bool) {
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
	nearest := interpreter.Nearest(stem, known)
	switch ofPlatform := slices.ContainsFunc(families, family); {
	case nearest != "" && !ofPlatform && exact[c.outline.EventPattern(nearest).String()]: // another event, not that one misspelt
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

// sends lists the events that the document sends by a literal name, or by a variable
// that only ever has literals.
func (c *check) sends() *sentEvents {
	sent := &sentEvents{names: make(map[string]bool)}
	values, seen := c.literals(), make(map[string]bool)
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
			variable := lastOf(r.Path)
			texts = values[variable]
			delete(values, variable) // they are sent once they are listed
		}
		for _, outcome := range texts {
			if outcome.IsString && !seen[outcome.Text] {
				seen[outcome.Text] = true
				sent.list = append(sent.list, outcome.Text)
				for _, name := range c.outline.NamesOf(outcome.Text) {
					sent.names[name] = true
				}
			}
		}
	}
	return sent
}

// lastOf gives the last part of a path.
func lastOf(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// literals lists the literals that each variable is given by the document.
func (c *check) literals() map[string][]script.Outcome {
	values := make(map[string][]script.Outcome)
	for _, e := range c.elements {
		name := e.Attribute("name")
		if name == nil || e.Tag != "var" && e.Tag != "assign" {
			continue
		}
		if r := c.reading(e, "expr"); r != nil {
			variable := lastOf(strings.TrimSpace(name.Text))
			values[variable] = append(values[variable], r.Outcomes...)
		}
	}
	return values
}
