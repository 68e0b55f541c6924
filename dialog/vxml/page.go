package vxml

import (
	"net/http"

	"ccxmld/script"
)

// Namespace is that of VoiceXML. Pages without any namespace are VoiceXML too.
const Namespace = "http://www.w3.org/2001/vxml"

// The scopes of VoiceXML's variables, outermost first (VoiceXML 2.0, 5.1.2).
const (
	sessionScope     = "session"
	applicationScope = "application"
	documentScope    = "document"
	dialogScope      = "dialog"
	anonymousScope   = "anonymous"
)

func newLanguage() *script.Language {
	return script.NewLanguage(sessionScope, applicationScope, documentScope, dialogScope, anonymousScope).
		ReadOnly(sessionScope)
}

// Page is a compiled VoiceXML document. It does not change any more, and any
// number of dialogs run it at a time.
type Page struct {
	URI string
	// Notices are what the page has and this interpreter has not: the page
	// loads, but its author should know.
	Notices Problems
	// Mistakes are expressions, scripts and grammars that do not compile. The page
	// loads; reached, an expression or script throws error.semantic and a grammar
	// error.badfetch (VoiceXML 2.0, 5.2.6).
	Mistakes Problems

	version     string      // of its text
	bytes       int64       // that its grammars take beside it
	base        string      // relative URIs resolve against it
	header      http.Header // what <meta http-equiv> says
	lang        string      // in which it speaks and listens, "" where it does not say
	application string      // the URI of its application root document, "" for none
	language    *script.Language
	init        []action // var, script and data, in document order
	level                // of the document
	forms       []*form
	byID        map[string]*form
}

// level is what a document, a form and an item each may have: properties, event
// handlers and links, which those inside inherit.
type level struct {
	properties map[string]string
	handlers   []*handler
	links      []*link
}

// form is a <form> (VoiceXML 2.0, 2.1), or a <menu>, which is a form with one item
// (2.2).
type form struct {
	place
	level
	id         string
	everywhere bool // scope="document": its grammars are active in the whole page
	init       []action
	items      []*item
	filled     []*filled // its own and those of its items, in document order
	grammars   []*grammar
}

// all gives the items of a form; none before there is one.
func (f *form) all() []*item {
	if f == nil {
		return nil
	}
	return f.items
}

// kind is what a form item is.
type kind int

const (
	block kind = iota
	field
	initial
	menu
	record
	transferItem
	subdialogItem
	object
)

// item is a form item (VoiceXML 2.0, 2.3), or what a <menu> listens with.
type item struct {
	place
	level
	kind    kind
	name    string // of its variable
	expr    *script.Expression
	cond    *script.Expression
	prompts []*prompt

	slot     string // of a field
	modal    bool   // only its own grammars are active
	grammars []*grammar
	choices  []*choice // of a menu, or the options of a field
	actions  []action  // of a block

	record    *recording
	transfer  *transfer
	subdialog *subdialog
}

// isInput tells whether it is an input item: one that <filled> is about.
func (i *item) isInput() bool { return i.kind != block && i.kind != initial }

// waits tells whether a visit waits for the party.
func (i *item) waits() bool {
	switch i.kind {
	case block, subdialogItem, object:
		return false
	}
	return true
}

// filled is a <filled> (VoiceXML 2.0, 2.4).
type filled struct {
	place
	item    *item // nil for one of the form
	any     bool
	names   []string // of a form; nil for all of its items
	actions []action
}

// place is an element in a page.
type place struct {
	tag      string
	position script.Position
}
