package interpreter

import (
	"ccxmld/script"
)

// Namespace is that of CCXML 1.0. Documents without any namespace are CCXML too.
const Namespace = "http://www.w3.org/2002/09/ccxml"

// scopes of CCXML's variables, outermost first (CCXML 1.0, 8.2).
const (
	sessionScope     = "session"
	applicationScope = "application"
	ccxmlScope       = "ccxml"
	transitionScope  = "transition"
)

// newLanguage gives ECMAScript with CCXML's scopes. Documents may make new
// properties on application without declaring them (VAR-7).
func newLanguage() *script.Language {
	return script.NewLanguage(sessionScope, applicationScope, ccxmlScope, transitionScope).
		ReadOnly(sessionScope).
		Open(applicationScope)
}

// Document is a compiled CCXML document. It does not change any more, but for
// which of its lenient readings have been told, and any number of sessions run it
// at a time.
type Document struct {
	URI string

	// Notices are lenient readings and elements that nobody registered: the
	// document loads, but its author should know.
	Notices Problems

	// Mistakes are expressions that do not parse: the document loads, and each of
	// them raises error.semantic when it is reached (GEN-3).
	Mistakes Problems

	// HTTPEquiv are the response headers that <meta http-equiv> stands in for
	// (CCXML 1.0, 6.2.2), by their name as it is written there.
	HTTPEquiv []Pair

	language      *script.Language
	dialect       *dialect
	lenient       bool // no CCXML namespace, or Voxeo's: undeclared targets are declared
	init          []action
	stateVariable string
	transitions   []*transition
	byName        map[string][]*transition // candidates for an exact event name
	byPattern     []*transition            // candidates for any other name
	wantsDebugLog bool                     // an extension asks for the session's debug log
	readings      readings
}

// PostEvent is the event that a POST without an event's name brings to a session that
// runs the document: http.post in the drafts of 2003 and 2004, else "" (OLD-56).
func (d *Document) PostEvent() string { return d.dialect.postEvent }

// Script is a compiled script that <fetch> brought.
type Script struct {
	URI     string
	program *script.Script
}

// transition is one <transition> (CCXML 1.0, 9.2.2).
type transition struct {
	position script.Position
	states   []string // nil: any
	pattern  pattern
	cond     *script.Expression // nil: true
	variable string             // the name attribute, "" for none
	actions  []action
}

// inState tells whether the transition may run in this state.
func (t *transition) inState(state string) bool {
	if t.states == nil {
		return true
	}
	for _, candidate := range t.states {
		if candidate == state {
			return true
		}
	}
	return false
}

// index sorts the transitions by the event names that can select them, keeping
// document order, so that an event with an exact name does not pay for the
// transitions of other names.
func (d *Document) index() {
	d.byName = make(map[string][]*transition)
	for _, t := range d.transitions {
		if t.pattern.exact() {
			d.byName[t.pattern.text] = nil
		} else {
			d.byPattern = append(d.byPattern, t)
		}
	}
	for name := range d.byName {
		names := d.dialect.names(name)
		for _, t := range d.transitions {
			if t.pattern.accepts(names) {
				d.byName[name] = append(d.byName[name], t)
			}
		}
	}
}

// candidates gives the transitions that an event name in lower case may select.
// Those of byPattern are still to be matched.
func (d *Document) candidates(name string) []*transition {
	if list, ok := d.byName[d.dialect.canonical(name)]; ok {
		return list
	}
	return d.byPattern
}

// action is a compiled element of executable content.
type action interface {
	// run does what the element says. An error is of the ECMAScript evaluation
	// kind: it becomes error.semantic, and the rest of the transition is skipped
	// (CCXML 1.0, 9.5.3). errStop ends the transition without an error.
	run(*Session) error
	// element tells which element it is, for error events.
	element() *place
}

// place is an element in a document. Actions embed it.
type place struct {
	tag      string
	position script.Position
	base     string // relative URIs resolve against it
}

func (p *place) element() *place { return p }
