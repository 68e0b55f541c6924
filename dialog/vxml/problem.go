package vxml

import (
	"errors"
	"fmt"
	"strings"

	"ccxmld/script"
)

// Problem is something wrong with a page that can be seen without running it.
type Problem struct {
	Position script.Position
	Element  string
	Reason   string
}

// Error gives the problem as "uri:line: reason".
func (p *Problem) Error() string { return fmt.Sprintf("%s: %s", p.Position, p.Reason) }

// Problems is all that keeps a page from loading, in document order.
type Problems []*Problem

// Error gives each problem on a line of its own.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// reasonOf gives the words of an error without the place where it happened, if
// it knows that.
func reasonOf(err error) string {
	var scriptError *script.Error
	if errors.As(err, &scriptError) {
		return scriptError.Reason
	}
	return err.Error()
}
