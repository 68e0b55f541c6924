package lint

import (
	"context"
	"fmt"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// check is one document being checked.
type check struct {
	ctx      context.Context
	compiler *interpreter.Compiler
	outline  *interpreter.Outline
	findings []Finding
	loaded   []loaded // scripts that the document names by src

	elements    []*interpreter.OutlineElement // in document order
	transitions []*transition
	scripts     map[*interpreter.OutlineElement]*script.Reading
	readings    map[*interpreter.OutlineAttribute]*script.Reading
	others      []*script.Reading                      // of scripts by src
	unquoted    map[*interpreter.OutlineAttribute]bool // reported as texts without quotes
	told        map[*interpreter.OutlineElement]bool   // delayed sends that were reported
	builtin     func(string) bool

	declared          declared
	declarationsKnown bool
	otherwise         map[string]bool // see declaredOtherwise
}

type loaded struct{ text, uri string }

// transition is a transition with what selects it.
type transition struct {
	*interpreter.OutlineElement
	pattern interpreter.EventPattern
	event   string          // as it is written
	states  []string        // nil: any
	among   map[string]bool // the states
	cond    string
}

func (c *check) report(at script.Position, severity Severity, code, format string, args ...any) {
	c.findings = append(c.findings, Finding{at, severity, code, fmt.Sprintf(format, args...)})
}

// look runs every check.
func (c *check) look() {
	c.builtin = c.compiler.Builtins()
	c.scripts = make(map[*interpreter.OutlineElement]*script.Reading)
	c.unquoted = make(map[*interpreter.OutlineAttribute]bool)
	c.told = make(map[*interpreter.OutlineElement]bool)
	c.readings = make(map[*interpreter.OutlineAttribute]*script.Reading)
	c.gather(c.outline.Root)
	for _, l := range c.loaded {
		if reading, err := c.compiler.ReadScript(l.text, l.uri); err == nil {
			c.others = append(c.others, reading)
		}
	}
	c.declared, c.declarationsKnown = c.declarations(), c.allDeclarationsKnown()
	for _, look := range []func(){c.shadows, c.events, c.states, c.declareState, c.values, c.variables, c.flow, c.handlers, c.fleeting} {
		if c.ctx.Err() != nil {
			return
		}
		look()
	}
}

// gather reads the document into the lists that the checks go through.
func (c *check) gather(e *interpreter.OutlineElement) {
	if c.ctx.Err() != nil {
		return
	}
	c.elements = append(c.elements, e)
	for _, a := range e.Attributes {
		if a.Kind == interpreter.ExpressionAttribute || a.Kind == interpreter.TargetAttribute {
			if reading, err := a.Read(); err == nil {
				c.readings[a] = reading
			}
		}
	}
	if e.Tag == "script" && e.Text != nil {
		if reading, err := e.Text.ReadScript(); err == nil {
			c.scripts[e] = reading
		}
	}
	if e.Tag == "transition" && !e.Foreign && e.Parent != nil && e.Parent.Tag == "eventprocessor" {
		c.transitions = append(c.transitions, c.transition(e))
	}
	for _, child := range e.Children {
		c.gather(child)
	}
}

func (c *check) transition(e *interpreter.OutlineElement) *transition {
	t := &transition{OutlineElement: e}
	if event := e.Attribute("event"); event != nil {
		t.event = strings.TrimSpace(event.Text)
	}
	t.pattern = c.outline.EventPattern(t.event)
	if cond := e.Attribute("cond"); cond != nil {
		t.cond = strings.TrimSpace(cond.Text)
	}
	if state := e.Attribute("state"); state != nil {
		if names := strings.Fields(strings.Trim(strings.TrimSpace(state.Text), `'"`)); len(names) > 0 { // none is any (LEN-20)
			t.states, t.among = names, set(names)
		}
	}
	return t
}

// reading gives what an attribute's expression is, nil where there is none.
func (c *check) reading(e *interpreter.OutlineElement, name string) *script.Reading {
	return c.readings[e.Attribute(name)]
}

// constant gives the one literal that an attribute is.
func (c *check) constant(e *interpreter.OutlineElement, name string) (script.Outcome, bool) {
	r := c.reading(e, name)
	if r == nil || r.Open || len(r.Outcomes) != 1 {
		return script.Outcome{}, false
	}
	return r.Outcomes[0], true
}

// at gives the place of an attribute, or that of its element.
func at(e *interpreter.OutlineElement, name string) script.Position {
	if a := e.Attribute(name); a != nil {
		return a.Position
	}
	return e.Position
}

// set gives a list's words as a set.
func set(list []string) map[string]bool {
	words := make(map[string]bool, len(list))
	for _, word := range list {
		words[word] = true
	}
	return words
}
