package interpreter

import (
	"iter"

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

	// Sources are what Texts names, in that order, as whoever had the document compiled
	// keeps it to compile it again; nil where it is not kept.
	Sources [][]byte

	hash          string           // of its text; "" if it is not known
	scripts       []Text           // those that it names by src
	made          []*script.Script // that it runs when it is loaded
	language      *script.Language
	dialect       *dialect
	lenient       bool // no CCXML namespace, or Voxeo's: undeclared targets are declared
	init          []action
	stateVariable string
	transitions   []*transition
	byName        map[string][]*transition // those for one event, by its name
	byPattern     []*transition            // those whose event has stars
	wantsDebugLog bool                     // an extension asks for the session's debug log
	readings      readings
}

// PostEvent is the event that a POST without an event's name brings to a session that
// runs the document: http.post in the drafts of 2003 and 2004, else "" (OLD-56).
func (d *Document) PostEvent() string { return d.dialect.postEvent }

// Script is a compiled script that <fetch> brought.
type Script struct {
	URI string
	// Source is its text, as whoever had it compiled keeps it; nil where it is not kept.
	Source []byte

	hash    string
	program *script.Script
}

// transition is one <transition> (CCXML 1.0, 9.2.2).
type transition struct {
	position script.Position
	index    int      // of the document's transitions
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

// index sorts the transitions by the event names that can select them, so that an event
// does not pay for the transitions of other names.
func (d *Document) index() {
	d.byName = make(map[string][]*transition)
	for i, t := range d.transitions {
		t.index = i
		if t.pattern.exact() {
			d.byName[t.pattern.text] = append(d.byName[t.pattern.text], t)
		} else {
			d.byPattern = append(d.byPattern, t)
		}
	}
}

// candidates gives the transitions that an event of these names selects by its name, in
// document order.
func (d *Document) candidates(names eventNames) iter.Seq[*transition] {
	lists := [][]*transition{d.byName[names.now], d.byPattern}
	if names.then != names.now {
		lists = append(lists, d.byName[names.then])
	}
	return func(yield func(*transition) bool) {
		for {
			next := -1 // the list whose first transition is the first of all
			for i, list := range lists {
				if len(list) > 0 && (next < 0 || list[0].index < lists[next][0].index) {
					next = i
				}
			}
			if next < 0 {
				return
			}
			t := lists[next][0]
			lists[next] = lists[next][1:]
			if (t.pattern.exact() || t.pattern.accepts(names)) && !yield(t) {
				return
			}
		}
	}
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
