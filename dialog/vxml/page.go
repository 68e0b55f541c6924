package vxml

import (
	"ccxmld/dialog"
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

	base     string // relative URIs resolve against it
	language *script.Language
	init     []action // var and script, in document order
	level             // of the document
	forms    []*form
	byID     map[string]*form
}

// level is what a document, a form and an item each may have: properties and
// event handlers, which those inside inherit.
type level struct {
	properties map[string]string
	handlers   []*handler
}

// form is a <form> (VoiceXML 2.0, 2.1).
type form struct {
	place
	level
	id     string
	init   []action
	items  []*item
	filled []*filled
}

// item is a form item: a <block> or a <field> (VoiceXML 2.0, 2.3).
type item struct {
	place
	level
	name    string // of its variable
	expr    *script.Expression
	cond    *script.Expression
	prompts []*prompt
	filled  []*filled

	// A block has actions, a field a grammar, a transfer itself; unsupported says which kind of
	// item is neither.
	block       bool
	actions     []action
	grammar     dialog.Grammar
	transfer    *transfer
	unsupported string
}

// filled is a <filled> (VoiceXML 2.0, 2.4).
type filled struct {
	place
	any     bool
	names   []string // of a form; nil for all of its fields
	actions []action
}

// place is an element in a page.
type place struct {
	tag      string
	position script.Position
}
