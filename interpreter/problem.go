package interpreter

import (
	"errors"

	"ccxmld/script"
)

// Problem is something wrong with a document that can be seen without running
// it (CCXML 1.0, 9.5.1).
type Problem = script.Problem

// Problems is all that keeps a document from loading, in document order.
type Problems = script.Problems

// reasonOf gives the words of an error of the element at a place. If it arose
// elsewhere, in a later line of a script or in a function, they say where.
func reasonOf(at *place, err error) string {
	var scriptError *script.Error
	if !errors.As(err, &scriptError) {
		return err.Error()
	}
	if where := scriptError.Position; where.Line != 0 && (where.Line != at.position.Line || where.URI != at.position.URI) {
		return scriptError.Error()
	}
	return scriptError.Reason
}
