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

// Brief cuts what is said of a document when it is long, be it that it quotes the document.
func Brief(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:longestReason], "") + "…"
}

const longestReason = 2000 // bytes

// First gives the problems that are told one by one, and how many there are beyond them.
func (p Problems) First() (list Problems, more int) {
	return p[:min(len(p), mostProblems)], max(len(p)-mostProblems, 0)
}

const mostProblems = 100 // a document can have thousands

// Error returns each problem on a line of its own, the first hundred of them.
func (p Problems) Error() string {
	first, more := p.First()
	lines := make([]string, len(first), len(first)+1)
	for i, problem := range first {
		lines[i] = problem.Error()
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}
