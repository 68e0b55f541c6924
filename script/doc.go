// Package script runs ECMAScript for the languages that control calls: it
// compiles the expressions and scripts of a document once, with their places in
// that document, and evaluates them in named scopes, within limits.
//
// A Language is a chain of named scopes, outermost first. For CCXML it is
// session, application, ccxml, transition (CCXML 1.0, section 8.2). Each scope
// is an object without a prototype that can be reached by its name; a name
// without a prefix is looked up from the innermost scope outwards.
//
//	Language ──Expression/Script/Target──▶ compiled, immutable, shared by all sessions
//	    │                                        │
//	    └──NewRuntime──▶ Runtime (one session) ◀─┘ Eval, Run, Assign
//
// Every compiled piece is wrapped in one with statement a scope,
//
//	with (session) with (application) with (ccxml) with (transition) EXPRESSION
//
// and this is done on the syntax tree, so that nothing in a document can break
// out of it and every position stays that of the document.
//
// The variables of a Runtime can be written down as data (Snapshot), and given to
// another one for the same document (Restore).
//
// A Runtime belongs to one goroutine at a time. The package starts no goroutine;
// a timer of the runtime, armed while it is in use, watches over the limits.
package script
