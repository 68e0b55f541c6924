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

// explain tells where the error of an element arose and in which words. That is
// the attribute whose expression failed, and the place in it; if a function
// failed that is defined elsewhere, the words say where.
func explain(at *place, err error) (script.Position, string) {
	var scriptError *script.Error
	if !errors.As(err, &scriptError) {
		return at.position, err.Error()
	}
	where, origin := scriptError.Position, scriptError.Origin
	if origin.Line == 0 { // of no expression, but of what its value does
		origin = at.position
	}
	switch {
	case where.Line == 0:
		return origin, scriptError.Reason
	case where == origin || where.Column > 0 && where.URI == origin.URI:
		return where, scriptError.Reason
	case where.Line == origin.Line && where.URI == origin.URI:
		return origin, scriptError.Reason
	}
	return origin, scriptError.Error()
}
