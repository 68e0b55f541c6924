package interpreter

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

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
	c.account.Tick()
	e := &element{
		compilation: c,
		node:        node,
		place: place{
			tag:      node.Data,
			position: script.Position{URI: c.document.URI, Line: node.LineNumber},
			base:     base,
		},
	}
	if c.places != nil {
		if line, column := c.places.Element(node); line > 0 {
			e.position.Line, e.position.Column = line, column
		}
	}
	for _, attribute := range node.Attr {
		if attribute.Name.Local == "base" && attribute.Name.Space == "xml" {
			var err error
			if e.base, err = resolveBase(base, attribute.Value); err != nil {
				c.problem(&e.place, fmt.Sprintf("<%s xml:base=%.200q>: %v", e.tag, attribute.Value, err))
			}
		}
	}
	return e
}

// longestBase bounds xml:base, in bytes: each of many references resolves against it.
const longestBase = 2000

var errLongBase = fmt.Errorf("longer than %d bytes", longestBase)

// resolveBase applies xml:base (GEN-7).
func resolveBase(base, reference string) (string, error) {
	if len(reference) > longestBase {
		return "", errLongBase
	}
	parent, err := url.Parse(base)
	if err != nil {
		return "", errors.New("not a URI")
	}
	child, err := parent.Parse(strings.TrimSpace(reference))
	if err != nil {
		return "", errors.New("not a URI")
	}
	absolute := child.String()
	if len(absolute) > longestBase {
		return "", errLongBase
	}
	return absolute, nil
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

// filled gives the text of an attribute that may be absent. One with nothing in it is.
func (e *element) filled(name string) (string, bool) {
	v, ok := e.value(name)
	if ok && isBlank(v.text) {
		e.empty(name, v, true)
		return "", false
	}
	return e.attribute(name)
}

// either compiles two attributes that exclude each other; an empty one is none beside the
// other.
func (e *element) either(one, other string) (*script.Expression, *script.Expression) {
	_, byOne := e.attribute(one)
	_, byOther := e.attribute(other)
	if !byOne || !byOther {
		return e.expression(one), e.expression(other)
	}
	if _, byOther = e.filled(other); !byOther {
		return e.expression(one), nil
	}
	if _, byOne = e.filled(one); !byOne {
		return nil, e.expression(other)
	}
	return e.expression(one), e.expression(other)
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

// at gives the place of an attribute, or that of the element without it.
func (e *element) at(name string) *place {
	at := e.place
	if v, ok := e.value(name); ok {
		at.position = v.position
	}
	return &at
}

// attributes are those that the element has in the document's dialect.
func (e *element) attributes(spec *elementSpec) []attributeSpec {
	if special, ok := e.document.dialect.attributes[e.tag]; ok {
		return special
	}
	if spec == nil {
		return nil
	}
	return spec.attributes
}

// checkAttributes reports required attributes that are missing and attributes
// that the element does not have.
func (e *element) checkAttributes(specs []attributeSpec) {
	known := make(map[string]*attributeSpec, len(specs))
	for i := range specs {
		known[specs[i].name] = &specs[i]
		if _, ok := e.attribute(specs[i].name); !ok && specs[i].required {
			e.problemAs(CodeMissingAttribute, &e.place, fmt.Sprintf("<%s> needs the attribute %s", e.tag, specs[i].name))
		}
	}
	for _, attribute := range e.node.Attr {
		name := e.today(attribute.Name.Local)
		if attribute.Name.Space != "" || name == "xmlns" || known[name] != nil {
			continue
		}
		at := place{tag: e.tag, position: e.placed(value{name: attribute.Name.Local, position: e.position}).position}
		if slices.Contains(e.document.dialect.goneAttributes[e.tag], name) {
			e.problemAs(CodeUnsupported, &at, fmt.Sprintf("<%s %s> is of %s, and not supported", e.tag, name, e.document.dialect.called))
			continue
		}
		e.noticeAs(CodeUnknownAttribute, &at, fmt.Sprintf("<%s> has no attribute %s%s; it is ignored", e.tag, attribute.Name.Local, suggestion(name, known)))
	}
}

// expression compiles an attribute that is evaluated when the element runs; nil
// where it is absent. One that does not compile raises error.semantic when it is reached.
func (e *element) expression(name string) *script.Expression {
	v, ok := e.value(name)
	if !ok {
		return nil
	}
	if isBlank(v.text) {
		if e.empty(name, v, name == "cond"); name == "cond" && !e.isRequired(name) {
			return nil
		}
		return script.Undefined(v.position)
	}
	compiled, err := e.language.Expression(v.text, v.position, v.references...)
	if err != nil && isTimeAttribute(name) && script.IsTime(v.text) {
		return e.unquotedTime(name, v, err)
	}
	if err != nil {
		e.attributeMistake(name, v, err)
		return script.Unparsable(err)
	}
	if e.document.lenient && IsFixedWord(name, v.text) {
		return e.unquotedWord(name, v)
	}
	e.lacks(compiled.Lacks())
	return compiled
}

// timeAttributes are attributes whose expressions give times.
var timeAttributes = []string{"timeout", "delay", "maxage", "maxstale", "voxeo-cpa-maxsilence", "voxeo-cpa-maxtime", "voxeo-cpa-runtime"}

func isTimeAttribute(name string) bool { return slices.Contains(timeAttributes, name) }

// unquotedTime is a time with a unit in the place of an expression, such as 30s,
// which is none: it is the text in lenient documents (LEN-22).
func (e *element) unquotedTime(name string, v value, err error) *script.Expression {
	text := strings.TrimSpace(v.text)
	reason := fmt.Sprintf("a time with a unit is no expression; quote it: %s=\"'%s'\"", name, text)
	words := fmt.Sprintf("<%s %s=%.200q>: %s", e.tag, name, v.text, reason)
	at := &place{tag: e.tag, position: v.position}
	if quoted, quotedErr := e.language.Expression("'"+text+"'", v.position); quotedErr == nil && e.document.lenient {
		e.noticeAs(CodeUnquotedTime, at, words)
		return quoted
	}
	e.problemAs(CodeExpression, at, words)
	e.mistakes++
	var refused *script.Error
	if errors.As(err, &refused) {
		told := *refused
		told.Reason, told.Position = reason, v.position
		err = &told
	}
	return script.Unparsable(err)
}

// empty tells how an attribute with nothing in it is read: as undefined, or, if it may be
// absent, as absent.
func (e *element) empty(name string, v value, mayBeAbsent bool) {
	at, reading := place{tag: e.tag, position: v.position}, "its value is undefined"
	if mayBeAbsent && !e.isRequired(name) {
		reading = "it is read as if it were not there"
	}
	e.noticeAs(CodeEmpty, &at, fmt.Sprintf("<%s %s=\"\"> is empty; %s", e.tag, name, reading))
}

// isRequired tells whether the element must have the attribute.
func (e *element) isRequired(name string) bool {
	return slices.ContainsFunc(e.specs(), func(spec attributeSpec) bool { return spec.name == name && spec.required })
}

// target compiles an attribute that names a variable; nil where it is absent.
func (e *element) target(name string) *script.Target {
	v, ok := e.value(name)
	if !ok {
		return nil
	}
	if isBlank(v.text) && !e.isRequired(name) {
		e.empty(name, v, true)
		return nil
	}
	compiled, err := e.language.Target(v.text, v.position, v.references...)
	if err != nil {
		e.attributeProblem(name, v, err)
		return nil
	}
	e.lacks(compiled.Lacks())
	return compiled
}

// receiver compiles an attribute that names the variable which receives an id; nil
// where it is absent. A literal, into which nothing can go, is passed over in
// lenient documents: Voxeo's guide of 2002 has name="'Tick1'".
func (e *element) receiver(name string) *script.Target {
	if r := e.reading(name); r != nil && e.document.lenient && len(r.Outcomes) > 0 && !r.Open {
		v, _ := e.value(name)
		e.noticeAs(CodeLiteralReceiver, e.at(name), fmt.Sprintf("<%s %s=%.200q>: the id is not kept; the attribute needs the name of a variable", e.tag, v.name, v.text))
		return nil
	}
	return e.target(name)
}

// reading is what can be seen of an expression before it is evaluated; nil where it
// is absent or none.
func (e *element) reading(name string) *script.Reading {
	v, ok := e.value(name)
	if !ok {
		return nil
	}
	r, err := e.language.ReadExpression(v.text, v.position, v.references...)
	if err != nil {
		return nil
	}
	return r
}

// lacks tells of what ECMAScript of other platforms has and ours has not.
func (e *element) lacks(lacks []script.Lack) {
	for _, lack := range lacks {
		e.noticeAs(CodeUnavailable, &place{tag: e.tag, position: lack.Position}, lack.String())
	}
}

// attributeMistake notes an expression that does not compile: the document loads.
func (e *element) attributeMistake(name string, v value, err error) {
	e.attributeProblem(name, v, err)
	e.mistakes++
}

func (e *element) attributeProblem(name string, v value, err error) {
	var scriptError *script.Error
	at, reason := place{tag: e.tag, position: v.position}, err.Error()
	if errors.As(err, &scriptError) {
		at.position, reason = scriptError.Position, scriptError.Reason
	}
	e.problemAs(CodeExpression, &at, fmt.Sprintf("<%s %s=%.200q>: %s", e.tag, name, v.text, reason))
}

// namedValue is one entry of a namelist.
type namedValue struct {
	name  string
	value *script.Expression
}

// namelist compiles an attribute that lists variables, dots allowed.
func (e *element) namelist(name string) []namedValue {
	v, _ := e.value(name)
	var list []namedValue
	if v.tooMany() {
		e.problem(e.at(name), fmt.Sprintf("%s has more than %d names", name, mostWords))
	}
	if strings.Contains(v.text, ",") && e.document.lenient {
		e.notice(e.at(name), fmt.Sprintf("<%s %s=%.200q>: names are separated by spaces; commas are read as such", e.tag, name, v.text))
		v.text = strings.ReplaceAll(v.text, ",", " ")
	}
	for _, variable := range v.fields() {
		compiled, err := e.language.Expression(variable.text, variable.position, variable.references...)
		if err != nil {
			e.attributeMistake(name, v, err)
			compiled = script.Unparsable(err)
		}
		list = append(list, namedValue{variable.text, compiled})
	}
	return list
}

// text gives the character data of an element and where it begins, which is not
// where the element begins if its tag has several lines. Of its comments the line
// breaks remain, so that lines keep their numbers.
func (e *element) text() value {
	result := value{position: e.position}
	first := e.node.FirstChild
	if first == nil {
		return result
	}
	result.position.Line, result.position.Column = max(e.position.Line, first.LineNumber), 0
	var text strings.Builder
	for child := first; child != nil; child = child.NextSibling {
		switch child.Type {
		case xmlquery.TextNode, xmlquery.CharDataNode:
			e.placeText(child, text.Len(), &result)
			text.WriteString(child.Data)
			if child.Type == xmlquery.CharDataNode && text.Len() > 0 {
				result.references = append(result.references, script.Reference{Offset: text.Len() - 1, Width: len("]]>")})
			}
		case xmlquery.CommentNode:
			lines := strings.Count(child.Data, "\n")
			text.WriteString(strings.Repeat("\n", lines))
			width := utf8.RuneCountInString(child.Data[strings.LastIndexByte(child.Data, '\n')+1:]) + len("-->")
			if lines == 0 {
				width += len("<!--")
			}
			result.references = append(result.references, script.Reference{Offset: max(text.Len()-1, 0), Width: width})
		}
	}
	result.text = text.String()
	return result
}

// placeText notes where a text of an element stands that has this offset in the
// whole of them.
func (e *element) placeText(node *xmlquery.Node, offset int, whole *value) {
	if e.places == nil {
		return
	}
	written, line, column := e.places.Text(node)
	if line == 0 {
		return
	}
	content, isSection := strings.CutPrefix(written, "<![CDATA[")
	if offset == 0 && node == e.node.FirstChild {
		whole.position.Line, whole.position.Column = line, column
	}
	switch {
	case isSection && offset == 0:
		whole.position.Column += len(written) - len(content)
	case isSection:
		whole.references = append(whole.references, script.Reference{Offset: offset - 1, Width: len(written) - len(content)})
	default:
		for _, r := range script.References(content) {
			whole.references = append(whole.references, script.Reference{Offset: offset + r.Offset, Width: r.Width})
		}
	}
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
