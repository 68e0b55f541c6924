package interpreter

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/antchfx/xmlquery"

	"ccxmld/script"
)

// element is an XML element being compiled, with its attributes under today's
// names.
type element struct {
	*compilation
	place
	node *xmlquery.Node
}

func (c *compilation) element(node *xmlquery.Node, base string) *element {
	e := &element{
		compilation: c,
		node:        node,
		place: place{
			tag:      node.Data,
			position: script.Position{URI: c.document.URI, Line: node.LineNumber},
			base:     base,
		},
	}
	for _, attribute := range node.Attr {
		if attribute.Name.Local == "base" && attribute.Name.Space == "xml" {
			if e.base = resolveBase(base, attribute.Value); e.base == "" {
				c.problem(&e.place, fmt.Sprintf("<%s xml:base=%q>: not a URI", e.tag, attribute.Value))
			}
		}
	}
	return e
}

// resolveBase applies xml:base (GEN-7); "" where there is no making a URI of it.
func resolveBase(base, reference string) string {
	parent, err := url.Parse(base)
	if err != nil {
		return ""
	}
	child, err := parent.Parse(strings.TrimSpace(reference))
	if err != nil {
		return ""
	}
	return child.String()
}

// attribute gives the text of an attribute, by today's name.
func (e *element) attribute(name string) (string, bool) {
	for _, attribute := range e.node.Attr {
		if attribute.Name.Space == "" && e.today(attribute.Name.Local) == name {
			return attribute.Value, true
		}
	}
	return "", false
}

// today gives today's name of an attribute.
func (e *element) today(name string) string {
	if current, ok := e.document.dialect.rename[e.tag][name]; ok {
		if e.tag == "send" && name == "name" && attributeOf(e.node, "event") == "" {
			return name // written as today, in an old document
		}
		return current
	}
	return name
}

// checkAttributes reports required attributes that are missing and attributes
// that the element does not have.
func (e *element) checkAttributes(specs []attributeSpec) {
	known := make(map[string]*attributeSpec, len(specs))
	for i := range specs {
		known[specs[i].name] = &specs[i]
		if _, ok := e.attribute(specs[i].name); !ok && specs[i].required {
			e.problem(&e.place, fmt.Sprintf("<%s> needs the attribute %s", e.tag, specs[i].name))
		}
	}
	for _, attribute := range e.node.Attr {
		name := e.today(attribute.Name.Local)
		if attribute.Name.Space != "" || name == "xmlns" || known[name] != nil {
			continue
		}
		e.notice(&e.place, fmt.Sprintf("<%s> has no attribute %s%s; it is ignored", e.tag, attribute.Name.Local, suggestion(name, known)))
	}
}

// expression compiles an attribute that is evaluated when the element runs; nil
// where it is absent.
func (e *element) expression(name string) *script.Expression {
	text, ok := e.attribute(name)
	if !ok {
		return nil
	}
	compiled, err := e.language.Expression(text, e.position)
	if err != nil {
		e.attributeProblem(name, text, err)
		return nil
	}
	return compiled
}

// target compiles an attribute that names a variable; nil where it is absent.
func (e *element) target(name string) *script.Target {
	text, ok := e.attribute(name)
	if !ok {
		return nil
	}
	compiled, err := e.language.Target(text, e.position)
	if err != nil {
		e.attributeProblem(name, text, err)
		return nil
	}
	return compiled
}

func (e *element) attributeProblem(name, text string, err error) {
	var scriptError *script.Error
	reason := err.Error()
	if errors.As(err, &scriptError) {
		reason = scriptError.Reason
	}
	e.problem(&e.place, fmt.Sprintf("<%s %s=%q>: %s", e.tag, name, text, reason))
}

// namedValue is one entry of a namelist.
type namedValue struct {
	name  string
	value *script.Expression
}

// namelist compiles an attribute that lists variables, dots allowed.
func (e *element) namelist(name string) []namedValue {
	text, _ := e.attribute(name)
	var list []namedValue
	for variable := range strings.FieldsSeq(text) {
		compiled, err := e.language.Expression(variable, e.position)
		if err != nil {
			e.attributeProblem(name, text, err)
			continue
		}
		list = append(list, namedValue{variable, compiled})
	}
	return list
}

// text gives the character data of an element and where it begins, which is not
// where the element begins if its tag has several lines. Of its comments the line
// breaks remain, so that lines keep their numbers.
func (e *element) text() (string, script.Position) {
	position := e.position
	if e.node.FirstChild != nil && e.node.FirstChild.LineNumber > position.Line {
		position.Line = e.node.FirstChild.LineNumber
	}
	var text strings.Builder
	for child := e.node.FirstChild; child != nil; child = child.NextSibling {
		switch child.Type {
		case xmlquery.TextNode, xmlquery.CharDataNode:
			text.WriteString(child.Data)
		case xmlquery.CommentNode:
			text.WriteString(strings.Repeat("\n", strings.Count(child.Data, "\n")))
		}
	}
	return text.String(), position
}

// suggestion names the known name nearest to a wrong one, if any is near.
func suggestion[V any](wrong string, known map[string]V) string {
	best, distance := "", 3
	for name := range known {
		if d := editDistance(wrong, name); d < distance || d == distance && best != "" && name < best {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// editDistance is the Levenshtein distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
