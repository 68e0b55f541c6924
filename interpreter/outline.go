package interpreter

import (
	"strings"

	"github.com/antchfx/xmlquery"

	"ccxmld/script"
)

// Outline is a document as its author wrote it, for tools that look at it
// without running it. Elements and attributes have today's names.
type Outline struct {
	URI string
	// Old: the document is of the dialect of 2002, or of the drafts of 2003 and 2004.
	Old bool
	// Lenient: variables that receive ids need not be declared, and names of a
	// namelist that are not declared are left out.
	Lenient bool
	// Dialect is what the document is written in, in words.
	Dialect string
	// Root is <ccxml>, nil if the document has no such element.
	Root *OutlineElement

	dialect *dialect
}

// OutlineElement is an element of an Outline.
type OutlineElement struct {
	Tag        string
	Foreign    bool // it is of another namespace than CCXML's
	Position   script.Position
	Base       string // what relative URIs in it are resolved against: the document's, or xml:base
	Attributes []*OutlineAttribute
	Parent     *OutlineElement
	Children   []*OutlineElement
	// Text is the text of a <script>.
	Text *OutlineAttribute
}

// OutlineAttribute is an attribute that the element has in CCXML, or a text.
type OutlineAttribute struct {
	Name     string
	Written  string // its name as it is written; an older dialect has its own
	Kind     AttributeKind
	Text     string
	Position script.Position // of the text

	language *script.Language
	value    value
}

// Outline reads a document of which only the XML need be right.
func (c *Compiler) Outline(source Source) *Outline {
	o := &Outline{URI: source.URI, dialect: ccxml10}
	node := source.Root
	for node != nil && node.Type != xmlquery.ElementNode {
		node = firstElement(node)
	}
	if node == nil || node.Data != "ccxml" || !isCCXML(node) {
		return o
	}
	compilation := &compilation{Compiler: c, places: source.Places,
		document: &Document{URI: source.URI, language: c.language, dialect: recognise(node)}}
	o.dialect = compilation.document.dialect
	o.Old, o.Dialect = o.dialect != ccxml10, o.dialect.called
	o.Lenient = o.Old || node.NamespaceURI == "" || declaresVoxeo(node)
	o.Root = compilation.outline(node, nil, source.URI, 0)
	return o
}

// outline reads an element and what it contains.
func (c *compilation) outline(node *xmlquery.Node, parent *OutlineElement, base string, depth int) *OutlineElement {
	e := c.element(node, base)
	result := &OutlineElement{Tag: e.tag, Foreign: !isCCXML(node), Position: e.position, Base: e.base, Parent: parent}
	if e.tag == "eventhandler" {
		result.Tag = "eventprocessor"
	}
	for _, spec := range e.specs() {
		if v, ok := e.value(spec.name); ok {
			result.Attributes = append(result.Attributes, &OutlineAttribute{Name: spec.name, Written: v.name, Kind: spec.kind,
				Text: v.text, Position: v.position, language: c.language, value: v})
		}
	}
	if e.tag == "script" {
		if text := e.text(); strings.TrimSpace(text.text) != "" {
			result.Text = &OutlineAttribute{Text: text.text, Position: text.position, language: c.language, value: text}
		}
	}
	if e.tag == "send" || e.tag == "metadata" || depth > deepestNesting { // what they contain is no CCXML
		return result
	}
	for child := range c.children(node) {
		result.Children = append(result.Children, c.outline(child, result, e.base, depth+1))
	}
	return result
}

// specs gives the attributes that an element has.
func (e *element) specs() []attributeSpec {
	if !isCCXML(e.node) {
		if extension, ok := e.extensions[ExtensionName{e.node.NamespaceURI, e.node.Data}]; ok {
			return expr(extension.Attributes...)
		}
		return nil
	}
	switch e.tag {
	case "eventprocessor", "eventhandler":
		return literals("statevariable", "id")
	case "transition":
		return all(literals("event", "state", "name"), expr("cond"))
	case "elseif":
		return needs("cond")
	}
	return e.attributes(e.vocabulary[e.tag])
}

// Attribute gives an attribute by today's name, nil where it is absent.
func (e *OutlineElement) Attribute(name string) *OutlineAttribute {
	for _, attribute := range e.Attributes {
		if attribute.Name == name {
			return attribute
		}
	}
	return nil
}

// Read reads the attribute as an expression; the error is an *script.Error.
func (a *OutlineAttribute) Read() (*script.Reading, error) {
	return a.language.ReadExpression(a.value.text, a.value.position, a.value.references...)
}

// LiteralEvent is the event that the attribute of a <send> names as it stands, unless
// there is such a variable; "" for none (OLD-51).
func (o *Outline) LiteralEvent(a *OutlineAttribute, path string) string {
	if o.dialect.bareEvents && a.Written == "event" && a.Name == "name" {
		return path
	}
	return ""
}

// InfersTargetType tells whether the document's dialect has no targettype for HTTP
// servers.
func (o *Outline) InfersTargetType() bool { return o.dialect.schemeTells }

// ReadScript reads the text as a script; the error is an *script.Error.
func (a *OutlineAttribute) ReadScript() (*script.Reading, error) {
	return a.language.ReadScript(a.value.text, a.value.position, a.value.references...)
}

// Fields gives the words of the attribute, which white space separates.
func (a *OutlineAttribute) Fields() []*OutlineAttribute {
	words := a.value.fields()
	list := make([]*OutlineAttribute, len(words))
	for i, word := range words {
		list[i] = &OutlineAttribute{Name: a.Name, Written: a.Written, Kind: a.Kind, Text: word.text, Position: word.position, language: a.language, value: word}
	}
	return list
}

// ReadScript reads a script that a document names by src.
func (c *Compiler) ReadScript(text, uri string) (*script.Reading, error) {
	return c.language.ReadScript(text, script.Position{URI: uri, Line: 1, Column: 1})
}

// Builtins tells whether a name is one of ECMAScript's global objects, functions
// and values. What it returns is not safe for concurrent use.
func (c *Compiler) Builtins() func(name string) bool {
	global := c.language.NewRuntime(script.Limits{}).VM().GlobalObject()
	return func(name string) bool { return global.Get(name) != nil }
}
