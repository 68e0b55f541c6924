package vxml

import (
	"errors"

	"ccxmld/script"
)

// Problem is something wrong with a page that can be seen without running it.
type Problem = script.Problem

// Problems is all that keeps a page from loading, in document order.
type Problems = script.Problems

// The kinds of problems that have a code of their own; the others have none.
const (
	CodeExpression       = "expression"        // does not compile
	CodeUnavailable      = "unavailable-name"  // of ECMAScript of other platforms
	CodeUnknownAttribute = "unknown-attribute" // the element has none of this name, or not yet
)

// reasonOf gives the words of an error without the place where it happened, if
// it knows that.
func reasonOf(err error) string {
	var scriptError *script.Error
	if errors.As(err, &scriptError) {
		return scriptError.Reason
	}
	return err.Error()
}
