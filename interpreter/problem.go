package interpreter

import (
	"errors"
	"fmt"
	"strings"

	"ccxmld/script"
)

// Problem is something wrong with a document that can be seen without running
// it (CCXML 1.0, 9.5.1): where, in which element, and what would be right.
type Problem struct {
	Position script.Position
	Element  string
	Reason   string
}

// Error gives the problem as "uri:line: reason".
func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %s", p.Position, p.Reason)
}

// Problems is all that keeps a document from loading, in document order.
type Problems []*Problem

// Error gives each problem on a line of its own.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

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
