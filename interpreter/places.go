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

// mostWords bounds the words of a list: each is a piece of its own, with its place.
const mostWords = 1000

// tooMany tells whether a list has more words than are read.
func (v *value) tooMany() bool { return len(strings.Fields(v.text)) > mostWords }

// fields gives the words of the value, which white space separates, the first
// mostWords of them.
func (v *value) fields() (list []value) {
	rest := *v
	at := 0 // where rest begins in v
	words := strings.Fields(v.text)
	for _, word := range words[:min(len(words), mostWords)] {
		before := strings.Index(rest.text, word)
		rest.skip(at, before)
		at += before
		list = append(list, rest.word(at, len(word)))
		rest.skip(at, len(word))
		at += len(word)
	}
	return list
}

// skip takes a number of bytes off a value's beginning, which is at an offset that its
// references count from.
func (v *value) skip(at, length int) {
	skipped := v.text[:length]
	v.text = v.text[length:]
	if newline := strings.LastIndexByte(skipped, '\n'); newline >= 0 {
		v.position.Line += strings.Count(skipped, "\n")
		v.position.Column = min(v.position.Column, 1)
		skipped = skipped[newline+1:]
	}
	if v.position.Column > 0 {
		v.position.Column += utf8.RuneCountInString(skipped)
	}
	for len(v.references) > 0 && v.references[0].Offset < at+length {
		if v.references[0].Offset >= at+length-len(skipped) {
			v.position.Column += v.references[0].Width
		}
		v.references = v.references[1:]
	}
}

// word gives what a value begins with, as a value of its own.
func (v *value) word(at, length int) value {
	result := value{text: v.text[:length], name: v.name, position: v.position}
	for _, r := range v.references {
		if r.Offset >= at+length {
			break
		}
		result.references = append(result.references, script.Reference{Offset: r.Offset - at, Width: r.Width})
	}
	return result
}
