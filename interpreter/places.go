package interpreter

import (
	"strings"
	"unicode/utf8"

	"github.com/antchfx/xmlquery"

	"ccxmld/script"
)

// Places tells where the parts of a parsed document stand in its text. Lines and
// columns count from 1, columns in characters; the line is 0 where it is not
// known. fetch.Places is one.
type Places interface {
	// Element is where the tag of an element begins.
	Element(*xmlquery.Node) (line, column int)
	// Attribute is where the value of an attribute begins, and how it is written,
	// with its character references.
	Attribute(element *xmlquery.Node, name string) (written string, line, column int)
	// Text is where a text or a CDATA section begins, and how it is written.
	Text(*xmlquery.Node) (written string, line, column int)
}

// value is the text of an attribute with its place in the document.
type value struct {
	text       string
	name       string // as it is written; a document of 2002 has its own
	position   script.Position
	references []script.Reference
}

// value gives an attribute by today's name.
func (e *element) value(name string) (value, bool) {
	for _, attribute := range e.node.Attr {
		if attribute.Name.Space != "" || e.today(attribute.Name.Local) != name {
			continue
		}
		return e.placed(value{text: attribute.Value, name: attribute.Name.Local, position: e.position}), true
	}
	return value{}, false
}

// placed finds out where the value stands.
func (e *element) placed(v value) value {
	if e.places == nil {
		return v
	}
	written, line, column := e.places.Attribute(e.node, v.name)
	if line == 0 {
		return v
	}
	v.position.Line, v.position.Column = line, column
	v.references = script.References(written)
	return v
}

// part gives a part of the value, which begins at an offset.
func (v *value) part(offset, length int) value {
	result := value{text: v.text[offset : offset+length], name: v.name, position: v.position}
	before, lines := v.text[:offset], 0
	if newline := strings.LastIndexByte(before, '\n'); newline >= 0 {
		lines = strings.Count(before, "\n")
		before = before[newline+1:]
		result.position.Column = min(result.position.Column, 1)
	}
	result.position.Line += lines
	if result.position.Column > 0 {
		result.position.Column += utf8.RuneCountInString(before)
	}
	for _, r := range v.references {
		switch {
		case r.Offset >= offset:
			r.Offset -= offset
			result.references = append(result.references, r)
		case r.Offset >= offset-len(before):
			result.position.Column += r.Width
		}
	}
	return result
}

// mostWords bounds the words of a list: each is a piece of its own, with its place.
const mostWords = 1000

// tooMany tells whether a list has more words than are read.
func (v *value) tooMany() bool { return len(strings.Fields(v.text)) > mostWords }

// fields gives the words of the value, which white space separates, the first
// mostWords of them.
func (v *value) fields() (list []value) {
	at := 0
	words := strings.Fields(v.text)
	for _, word := range words[:min(len(words), mostWords)] {
		at += strings.Index(v.text[at:], word)
		list = append(list, v.part(at, len(word)))
		at += len(word)
	}
	return list
}
