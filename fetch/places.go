package fetch

import (
	"bytes"
	"unicode/utf8"

	"github.com/antchfx/xmlquery"
)

// Places tells where the elements, attributes and texts of a document stand. It
// does not change, and keeps the text of the document.
type Places struct {
	text  []byte
	nodes map[*xmlquery.Node]mark
}

// mark is a place in a text: a byte, and its line and column in characters, which
// count from 1.
type mark struct {
	offset, line, column int
}

// after gives the place behind a text that begins at m.
func (m mark) after(text []byte) mark {
	m.offset += len(text)
	if last := bytes.LastIndexByte(text, '\n'); last >= 0 {
		m.line += bytes.Count(text, []byte("\n"))
		m.column, text = 1, text[last+1:]
	}
	m.column += utf8.RuneCount(text)
	return m
}

// Element gives the line and column of an element's tag; 0 for one of another
// document.
func (p *Places) Element(element *xmlquery.Node) (line, column int) {
	m := p.nodes[element]
	return m.line, m.column
}

// Attribute gives the value of an attribute as it is written, with its character
// references, and the line and column of its first character. The name is
// written with its prefix. The line is 0 for an attribute that is not there.
func (p *Places) Attribute(element *xmlquery.Node, name string) (written string, line, column int) {
	begin, ok := p.nodes[element]
	if !ok {
		return "", 0, 0
	}
	tag := p.text[begin.offset:]
	for at := endOfName(tag, 1); at < len(tag); {
		at += blanks(tag[at:])
		end := endOfName(tag, at)
		if end == at { // > or />
			break
		}
		found := string(tag[at:end]) == name
		at = end + blanks(tag[end:])
		if at >= len(tag) || tag[at] != '=' {
			break
		}
		at += 1 + blanks(tag[at+1:])
		if at >= len(tag) || tag[at] != '"' && tag[at] != '\'' {
			break
		}
		length := bytes.IndexByte(tag[at+1:], tag[at])
		if length < 0 {
			break
		}
		if found {
			m := begin.after(tag[:at+1])
			return string(tag[at+1 : at+1+length]), m.line, m.column
		}
		at += length + 2
	}
	return "", 0, 0
}

// Text gives a text as it is written, with its character references or as the
// CDATA section that it is, and the line and column at which it begins; 0 for one
// of another document.
func (p *Places) Text(text *xmlquery.Node) (written string, line, column int) {
	m, ok := p.nodes[text]
	if !ok {
		return "", 0, 0
	}
	rest, end := p.text[m.offset:], "<"
	if bytes.HasPrefix(rest, []byte("<![CDATA[")) {
		end = "]]>"
	}
	if length := bytes.Index(rest, []byte(end)); length >= 0 {
		rest = rest[:length]
	}
	return string(rest), m.line, m.column
}

// blanks counts the white space at the beginning of a part of a tag, where
// no-break spaces pass for it.
func blanks(tag []byte) int {
	n := 0
	for n < len(tag) {
		switch {
		case tag[n] == ' ' || tag[n] == '\t' || tag[n] == '\r' || tag[n] == '\n':
			n++
		case bytes.HasPrefix(tag[n:], noBreakSpace):
			n += len(noBreakSpace)
		default:
			return n
		}
	}
	return n
}

// endOfName gives where the name that begins at tag[at] ends.
func endOfName(tag []byte, at int) int {
	for at < len(tag) && blanks(tag[at:]) == 0 && tag[at] != '=' && tag[at] != '>' && tag[at] != '/' {
		at++
	}
	return at
}
