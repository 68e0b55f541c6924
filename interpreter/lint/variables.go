package lint

import (
	"slices"
	"strings"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// allReadings gives what is known of every expression and script.
func (c *check) allReadings() []*script.Reading {
	list := slices.Clone(c.others)
	for _, e := range c.elements {
		for _, a := range e.Attributes {
			if r := c.readings[a]; r != nil {
				list = append(list, r)
			}
		}
		if r := c.scripts[e]; r != nil {
			list = append(list, r)
		}
	}
	return list
}

// allDeclarationsKnown tells whether every script could be read: one that is
// fetched later may declare anything.
func (c *check) allDeclarationsKnown() bool {
	loaded := 0
	for _, e := range c.elements {
		if e.Tag != "script" {
			continue
		}
		switch {
		case e.Attribute("fetchid") != nil, e.Text != nil && c.scripts[e] == nil:
			return false
		case e.Attribute("src") != nil:
			loaded++
		}
	}
	return loaded <= len(c.others)
}

// transitionOf gives the transition that an element stands in, nil for none.
func transitionOf(e *interpreter.OutlineElement) *interpreter.OutlineElement {
	for ; e != nil; e = e.Parent {
		if e.Tag == "transition" {
			return e
		}
	}
	return nil
}

// declared are the variables of the document by the transition in which they are
// declared; nil stands for the document.
type declared struct {
	names map[*interpreter.OutlineElement][]string
	known map[scopedName]bool
	inner map[string]bool // declared in any transition
}

type scopedName struct {
	scope *interpreter.OutlineElement
	name  string
}

func (d declared) add(scope *interpreter.OutlineElement, names ...string) {
	for _, name := range names {
		d.names[scope] = append(d.names[scope], name)
		d.known[scopedName{scope, name}] = true
		if scope != nil {
			d.inner[name] = true
		}
	}
}

// declarations lists what the document declares. In the dialect of 2002 there is
// no transition scope (OLD-4), and what receives an id is declared by that (OLD-6),
// as in lenient documents (LEN-5). What any source sets counts as declared.
func (c *check) declarations() declared {
	d := declared{make(map[*interpreter.OutlineElement][]string), make(map[scopedName]bool), make(map[string]bool)}
	d.add(nil, interpreter.SessionVariables()...)
	for _, r := range c.others {
		d.add(nil, r.Declares...)
	}
	for _, r := range c.allReadings() {
		for _, use := range r.Uses {
			if use.Scope == "application" || use.Assigned && use.Scope == "" {
				d.add(nil, use.Name)
			}
		}
	}
	for _, e := range c.elements {
		scope := transitionOf(e)
		if c.outline.Old {
			scope = nil
		}
		if r := c.scripts[e]; r != nil {
			d.add(scope, r.Declares...)
		}
		for _, a := range e.Attributes {
			switch {
			case e.Tag == "var" && a.Name == "name", e.Tag == "transition" && a.Name == "name",
				e.Tag == "foreach" && (a.Name == "item" || a.Name == "name"):
				d.add(scope, strings.Trim(strings.TrimSpace(a.Text), `'"`))
			case a.Kind == interpreter.TargetAttribute && (c.outline.Old || c.outline.Lenient && e.Tag != "assign"):
				d.add(nil, strings.TrimSpace(a.Text))
			case a.Kind == interpreter.TargetAttribute && strings.HasPrefix(strings.TrimSpace(a.Text), "application."):
				d.add(nil, strings.TrimPrefix(strings.TrimSpace(a.Text), "application."))
			}
		}
	}
	return d
}

// declares tells whether anything in the document declares a variable.
func (c *check) declares(name string) bool {
	return c.declared.known[scopedName{nil, name}] || c.declared.inner[name]
}

// declareState counts the state variable as declared, which was reported if it
// is not.
func (c *check) declareState() {
	c.declared.add(nil, "state$")
	if processor := c.processor(); processor != nil {
		if name := processor.Attribute("statevariable"); name != nil {
			c.declared.add(nil, strings.TrimSpace(name.Text))
		}
	}
}

// variables finds uses of variables that are not declared where they are used.
func (c *check) variables() {
	if !c.declarationsKnown {
		return
	}
	d := c.declared
	told := make(map[string]bool)
	c.otherwise = c.declaredOtherwise()
	for _, e := range c.elements {
		if e.Foreign && len(e.Attributes) == 0 {
			continue
		}
		scope := transitionOf(e)
		for _, a := range e.Attributes {
			switch {
			case a.Kind == interpreter.NamesAttribute:
				c.names(e, a, d, scope, told)
			case a.Kind == interpreter.TargetAttribute:
				c.receiver(e, a, d, scope, told)
			case c.readings[a] == nil, c.unquoted[a], c.outline.Old && mayNameConference(a.Name):
			default:
				c.uses(e, c.readings[a], d, scope, told)
			}
		}
		if r := c.scripts[e]; r != nil && !c.insideFunctions(r) {
			c.uses(e, r, d, scope, told)
		}
	}
}

// mayNameConference tells whether an undeclared variable in an attribute is the
// name of a conference in the dialect of 2002 (OLD-14).
func mayNameConference(attribute string) bool {
	return attribute == "id1" || attribute == "id2" || attribute == "conferenceid"
}

// insideFunctions tells whether a script is too rich to say which of its uses
// ever run: one that declares functions, which see what their callers' scopes
// declare later.
func (c *check) insideFunctions(r *script.Reading) bool { return len(r.Declares) > 0 }

func (d declared) has(name string, scope *interpreter.OutlineElement) bool {
	return d.known[scopedName{nil, name}] || d.known[scopedName{scope, name}]
}

// uses reports the variables of an expression that are not declared.
func (c *check) uses(e *interpreter.OutlineElement, r *script.Reading, d declared, scope *interpreter.OutlineElement, told map[string]bool) {
	for _, use := range r.Uses {
		if use.Scope != "" || use.Assigned || use.Guarded || c.known(use.Name, d, scope) || told[use.Name] {
			continue
		}
		told[use.Name] = true
		c.undeclared(use.Position, use.Name, e, d, scope)
	}
}

func (c *check) known(name string, d declared, scope *interpreter.OutlineElement) bool {
	switch name {
	case "session", "application", "ccxml", "transition", "undefined", "arguments":
		return true
	case "event$":
		return scope != nil
	case "_event":
		return scope != nil && c.outline.Old
	}
	return d.has(name, scope) || c.builtin(name) || script.IsLacking(name) // which has its own warning
}

// undeclared reports a variable that is declared nowhere, or elsewhere.
func (c *check) undeclared(at script.Position, name string, e *interpreter.OutlineElement, d declared, scope *interpreter.OutlineElement) {
	if name == "event$" {
		c.report(at, Warning, "undeclared-variable", "event$ exists only while a transition runs")
		return
	}
	if d.inner[name] {
		c.report(at, Warning, "undeclared-variable", "%s is declared in another transition, and gone when that ends; declare it under <ccxml>", name)
		return
	}
	hint := didYouMean(name, d.names[nil])
	if hint == "" && scope != nil {
		hint = didYouMean(name, d.names[scope])
	}
	if c.outline.Old && hint == "" { // the page before may have declared it
		c.report(at, Note, "undeclared-variable", "%s is not declared in this document; a page before it must have", name)
		return
	}
	c.report(at, Warning, "undeclared-variable", "%s is not declared%s; <%s> will raise error.semantic unless a document before this one declared it in the application scope", name, hint, e.Tag)
}

// names checks a namelist: names that are not declared are left out in lenient
// documents (LEN-6).
func (c *check) names(e *interpreter.OutlineElement, a *interpreter.OutlineAttribute, d declared, scope *interpreter.OutlineElement, told map[string]bool) {
	for _, word := range a.Fields() {
		name, _, _ := strings.Cut(word.Text, ".")
		if c.known(name, d, scope) || told[name] || strings.ContainsAny(name, "[('\"") {
			continue
		}
		if !c.outline.Lenient {
			told[name] = true
			c.undeclared(word.Position, name, e, d, scope)
			continue
		}
		c.report(word.Position, Note, "undeclared-name", "%s is not declared in this document; it is left out of %s where it has no value", name, a.Name)
	}
}

// receiver checks an attribute that receives a value.
func (c *check) receiver(e *interpreter.OutlineElement, a *interpreter.OutlineAttribute, d declared, scope *interpreter.OutlineElement, told map[string]bool) {
	r := c.readings[a]
	if r == nil || c.outline.Old {
		return
	}
	if c.outline.Lenient && e.Tag != "assign" {
		if r.Path != "" && !strings.Contains(r.Path, ".") && !c.otherwise[r.Path] && !told["receives "+r.Path] {
			told["receives "+r.Path] = true
			c.report(a.Position, Note, "undeclared-receiver", "%s is not declared; it is declared for the document when the element runs", r.Path)
		}
		return
	}
	c.uses(e, r, d, scope, told)
}

// declaredOtherwise lists the variables that a <var>, a script or an assignment
// declares, be it that they also receive an id.
func (c *check) declaredOtherwise() map[string]bool {
	names := make(map[string]bool)
	for _, e := range c.elements {
		if v := e.Attribute("name"); v != nil && (e.Tag == "var" || e.Tag == "transition") {
			names[strings.TrimSpace(v.Text)] = true
		}
	}
	for _, r := range c.allReadings() {
		for _, name := range r.Declares {
			names[name] = true
		}
		for _, use := range r.Uses {
			if use.Assigned {
				names[use.Name] = true
			}
		}
	}
	return names
}
