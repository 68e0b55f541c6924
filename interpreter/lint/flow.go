package lint

import (
	"ccxmld/interpreter"
	"ccxmld/script"
)

// flow finds elements that never run, because an <exit> or a <goto> before them
// ends the transition.
func (c *check) flow() {
	c.purged(c.outline.Root)
	for _, e := range c.elements {
		if e.Tag != "transition" && e.Tag != "if" && e.Tag != "foreach" || e.Foreign {
			continue
		}
		ended := (*interpreter.OutlineElement)(nil)
		for _, child := range e.Children {
			switch {
			case child.Foreign && ended == nil:
			case child.Tag == "else" || child.Tag == "elseif":
				ended = nil
			case ended != nil:
				c.report(child.Position, Warning, "unreachable-element", "<%s> never runs: <%s> in line %d ends the transition", child.Tag, ended.Tag, ended.Position.Line)
				ended = nil
			case child.Tag == "exit" || child.Tag == "goto":
				ended = child
			}
		}
	}
}

// purged finds delayed sends that an <exit> behind them, in the same partition of an
// <if>, takes back: they end with their session (SES-7). One that only some calls reach
// says nothing.
func (c *check) purged(e *interpreter.OutlineElement) {
	var before []*interpreter.OutlineElement // since the last <exit>
	for _, child := range e.Children {
		c.purged(child)
		switch {
		case child.Tag == "else", child.Tag == "elseif":
			before = nil
		case child.Tag == "exit" && !child.Foreign:
			for _, b := range before {
				c.purgedIn(b, child)
			}
			before = nil
		default:
			before = append(before, child)
		}
	}
}

// purgedIn reports the delayed sends in an element that runs before an <exit>.
func (c *check) purgedIn(e, exit *interpreter.OutlineElement) {
	if e.Tag == "send" && !e.Foreign && c.isDelayed(e) && !c.told[e] {
		c.told[e] = true
		c.report(at(e, "delay"), Warning, "purged-send", "this event is never sent: <exit> in line %d ends the session, and its delayed sends with it", exit.Position.Line)
	}
	for _, child := range e.Children {
		c.purgedIn(child, exit)
	}
}

// isDelayed tells whether a <send> has a delay, as far as can be seen.
func (c *check) isDelayed(e *interpreter.OutlineElement) bool {
	if e.Attribute("delay") == nil {
		return false
	}
	value, constant := c.constant(e, "delay")
	if !constant {
		return true
	}
	delay, err := script.ParseTime(value.Text)
	return err != nil || delay > 0
}

// handlers finds outcomes that no transition handles.
func (c *check) handlers() {
	if c.processor() == nil {
		return
	}
	accepted := func(name string) bool {
		for _, t := range c.transitions {
			if c.outline.Accepts(t.pattern, name) {
				return true
			}
		}
		return false
	}
	every := c.outline.EventPattern("error.*")
	caught := false
	for _, t := range c.transitions {
		caught = caught || t.pattern.Covers(every)
	}
	if !caught {
		c.report(c.processor().Position, Note, "no-error-handler", `no transition has event="error.*": an error that no other transition handles ends the session`)
	}
	first := make(map[string]*interpreter.OutlineElement)
	for _, e := range c.elements {
		if first[e.Tag] == nil && !e.Foreign {
			first[e.Tag] = e
		}
	}
	severity := Warning
	if first["goto"] != nil || first["move"] != nil { // another document or session may handle it
		severity = Note
	}
	for _, outcome := range []struct {
		tag, event, means string
		severity          Severity
	}{
		{"createcall", "connection.failed", "a call that is not answered is not noticed", severity},
		{"dialogstart", "error.dialog.notstarted", "a dialog that cannot start ends the session", Note},
		{"fetch", "fetch.done", "the document does not notice that it has come", Note},
	} {
		if e := first[outcome.tag]; e != nil && !accepted(outcome.event) {
			c.report(e.Position, outcome.severity, "unhandled-outcome", "no transition handles %s of <%s>: %s", outcome.event, e.Tag, outcome.means)
		}
	}
	c.mistakenOutcomes(first, accepted)
}

// mistakenOutcomes finds transitions that wait for an event that an element does
// not end in (traps 6 and 13).
func (c *check) mistakenOutcomes(first map[string]*interpreter.OutlineElement, accepted func(string) bool) {
	if e := first["reject"]; e != nil && !accepted("connection.failed") && (accepted("connection.rejected") || accepted("connection.disconnected")) {
		c.report(e.Position, Warning, "mistaken-outcome", "<reject> ends in connection.failed, for which there is no transition")
	}
	if e := first["redirect"]; e != nil && !accepted("connection.redirected") && accepted("connection.disconnected") {
		c.report(e.Position, Warning, "mistaken-outcome", "<redirect> ends in connection.redirected, for which there is no transition")
	}
	if e := first["createcall"]; e != nil && e.Attribute("joinid") != nil && first["join"] == nil && first["createconference"] == nil && accepted("conference.joined") &&
		!c.wide("conference.joined") {
		c.report(at(e, "joinid"), Note, "mistaken-outcome", "the bridge that joinid makes is not told by conference.joined; wait for connection.connected")
	}
}

// wide tells whether an event is only handled by patterns with stars.
func (c *check) wide(name string) bool {
	for _, t := range c.transitions {
		if t.pattern.Exact() && c.outline.Accepts(t.pattern, name) {
			return false
		}
	}
	return true
}
