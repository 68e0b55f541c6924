package vxml

import "ccxmld/script"

// Problem is something wrong with a page that can be seen without running it.
type Problem = script.Problem

// Problems is all that keeps a page from loading, in document order.
type Problems = script.Problems

// The kinds of problems that have a code of their own; the others have none.
const (
	CodeExpression       = "expression"        // does not compile
	CodeUnavailable      = "unavailable-name"  // of ECMAScript of other platforms
	CodeEmpty            = "empty-expression"  // there is nothing in it
	CodeBareTime         = "bare-time"         // a time without a unit
	CodeMisplaced        = "misplaced-element" // ignored where it stands
	CodeNamespace        = "namespace"         // is not VoiceXML's
	CodeSpeechOnly       = "speech-only"       // cannot be chosen by keys
	CodeLenient          = "lenient"           // is read as it is meant
	CodeBadValue         = "bad-value"         // is not a value of the attribute, and ignored
	CodeUnknownAttribute = "unknown-attribute" // the element has none of this name, or not yet
)
