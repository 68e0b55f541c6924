package script

import (
	"fmt"
	"strings"
)

// Problem is something wrong with a document that can be seen without running
// it: where, in which element, and what would be right.
type Problem struct {
	Position Position
	Element  string
	Code     string // its kind, short and stable, for tools; may be empty
	Reason   string
}

// Error returns the problem as "uri:line:column: reason".
func (p *Problem) Error() string { return fmt.Sprintf("%s: %s", p.Position, p.Reason) }

// Problems is all that keeps a document from loading, in document order.
type Problems []*Problem

// Error returns each problem on a line of its own.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}
