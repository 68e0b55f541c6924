package script

import (
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
)

// Sizes beyond which a source is refused before it is parsed: the parser
// descends recursively, and a Go stack that outgrows its bound ends the process.
const (
	longestExpression = 64 << 10  // bytes
	longestScript     = 512 << 10 // bytes
	deepestBrackets   = 1000      // ( [ { open at once
	widestIndent      = 256       // columns of the first line that are kept
)

// source is the text of an expression or script with its place in the document.
type source struct {
	text string
	at   Position
	// file is the text as it was parsed, in goja's terms.
	file *file.File
	// guards are the built-in functions that must be bounded before the source
	// runs, and checksKeys is set if it computes property names.
	guards     guardSet
	checksKeys bool
	// backtracking is set if regular expressions may need backtracking.
	backtracking bool
}

func (s *source) excerpt() string { return shorten(s.text) }

// position converts a place in the parsed text into one in the document. The
// columns of the first line are already right: the parsed text is indented as in
// the document.
func (s *source) position(line, column int) Position {
	p := Position{URI: s.at.URI, Line: line + max(s.at.Line-1, 0), Column: column}
	if s.at.Column == 0 {
		p.Column = 0
	}
	return p
}

// parse parses the text between prefix and suffix. The prefix takes the place
// of the blanks that stand for what precedes the text in its line.
func (s *source) parse(prefix, suffix string) (*ast.Program, error) {
	if deeperThan(s.text, deepestBrackets) {
		return nil, s.errorf(nil, "SyntaxError: brackets are nested more than %d deep", deepestBrackets)
	}
	indent := min(max(s.at.Column-1-len(prefix), 0), widestIndent)
	text := strings.Repeat(" ", indent) + prefix + s.text + suffix
	program, err := parser.ParseFile(nil, fileName(s.at), text, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, s.parseError(err)
	}
	s.file = program.File
	return program, nil
}

// deeperThan reports whether more than limit brackets are open at once. It does
// not know strings and comments: a source with that many in them is refused too.
func deeperThan(text string, limit int) bool {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(', '[', '{':
			if depth++; depth > limit {
				return true
			}
		case ')', ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return false
}
