package script

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode/utf8"

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
)

// source is the text of an expression or script with its place in the document.
type source struct {
	text       string
	at         Position
	references []Reference
	ctx        context.Context // in which it is compiled; nil: in any time, or compiled
	parsed     string          // what was parsed
	prefix     int             // bytes of it before the text
	// file is the text as it was parsed, in goja's terms.
	file  *file.File
	lacks []Lack // what it uses that is not there
}

// Reference is a character reference of the document (XML 1.0, 4.1), such as
// &amp;, which the text of an expression holds decoded: columns behind it differ.
type Reference struct {
	Offset int // of the byte that it stands for
	Width  int // characters that it takes in the document beyond those of its value
}

// References lists the character references of a value as it is written.
func References(written string) (list []Reference) {
	offset := 0 // in the value
	for {
		begin := strings.IndexByte(written, '&')
		if begin < 0 {
			return list
		}
		offset += begin - strings.Count(written[:begin], "\r\n") // read as \n
		end := strings.IndexByte(written[begin:], ';')
		if end < 0 {
			return list
		}
		reference := written[begin : begin+end+1]
		stands := html.UnescapeString(reference)
		list = append(list, Reference{Offset: offset, Width: utf8.RuneCountInString(reference) - utf8.RuneCountInString(stands)})
		offset += len(stands)
		written = written[begin+end+1:]
	}
}

func (s *source) excerpt() string { return shorten(s.text) }

// position converts a place in the parsed text, whose column counts bytes, into
// one in the document.
func (s *source) position(line, column int) Position {
	c := s.cursor()
	return c.position(s.offset(line, column))
}

// cursor finds positions without counting anew each time.
type cursor struct {
	source *source
	counted
	// stops are what is counted at each stopEvery bytes, for what stands before the last
	// position: a tree need not be in the order of the text.
	stops []counted
}

// counted is what is known of a part of a text, from its beginning.
type counted struct {
	at         int // bytes of the text
	here       Position
	references []Reference // behind it
}

const stopEvery = 256

func (s *source) cursor() cursor {
	p := s.at
	p.Line = max(p.Line, 1)
	begin := counted{here: p, references: s.references}
	return cursor{source: s, counted: begin, stops: []counted{begin}}
}

// position gives the position of the byte at an offset of the text, which it may lie
// before or behind.
func (c *cursor) position(offset int) Position {
	text := c.source.text
	offset = min(max(offset, 0), len(text))
	if offset < c.at {
		c.counted = c.stops[offset/stopEvery]
	}
	columns := c.source.at.Column > 0
	for ; c.at < offset; c.at++ {
		if c.at == len(c.stops)*stopEvery {
			c.stops = append(c.stops, c.counted)
		}
		width := 0
		for len(c.references) > 0 && c.references[0].Offset <= c.at {
			width, c.references = c.references[0].Width, c.references[1:]
		}
		switch {
		case text[c.at] == '\n':
			c.here.Line++
			if columns {
				c.here.Column = 1
			}
		case columns:
			c.here.Column += width
			if utf8.RuneStart(text[c.at]) {
				c.here.Column++
			}
		}
	}
	return c.here
}

// offset converts a place in the parsed text into one in the text, which it may
// lie before or behind.
func (s *source) offset(line, column int) int {
	return lineStart(s.parsed, line) + column - 1 - s.prefix
}

// referenced tells whether the byte at an offset stands in the document as a
// character reference.
func (s *source) referenced(offset int) bool {
	_, found := slices.BinarySearchFunc(s.references, offset, func(r Reference, offset int) int { return cmp.Compare(r.Offset, offset) })
	return found
}

// spaced returns the text of an attribute as XML has it: line breaks and tabs are
// spaces, unless they are character references (XML 1.0, 3.3.3).
func (s *source) spaced() string {
	if !strings.ContainsAny(s.text, "\t\n\r") {
		return s.text
	}
	text := []byte(s.text)
	for i, c := range text {
		if (c == '\t' || c == '\n' || c == '\r') && !s.referenced(i) {
			text[i] = ' '
		}
	}
	return string(text)
}

// lineStart returns the offset at which a line, counting from 1, begins.
func lineStart(text string, line int) int {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			return len(text)
		}
		at += next + 1
	}
	return at
}

// parse parses a text of the same length as the source's, between prefix and
// suffix.
func (s *source) parse(prefix, text, suffix string) (*ast.Program, error) {
	if deeperThan(s.text, deepestBrackets) {
		return nil, s.errorf(nil, "SyntaxError: brackets are nested more than %d deep", deepestBrackets)
	}
	s.prefix, s.parsed = len(prefix), prefix+text+suffix
	var program *ast.Program
	err := s.guarded(func() (err error) {
		program, err = parser.ParseFile(nil, s.fileName(), s.parsed, 0, parser.WithDisableSourceMaps, parser.WithContext(s.ctx))
		return err
	})
	if err != nil {
		return nil, s.parseError(err)
	}
	s.file = program.File
	return program, nil
}

// guarded calls a part of the compiler, unless there is no time for it any more. A mistake
// in it is an error of the source, and nothing that ends the process.
func (s *source) guarded(compile func() error) (err error) {
	if s.ctx != nil && s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("%w: %v", errEngine, x)
		}
	}()
	return compile()
}

// compiled ends the use of the context: what is compiled later, for another scope, is
// not compiled in it.
func (s *source) compiled() { s.ctx = nil }

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
