package srgs

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/antchfx/xmlquery"

	"ccxmld/fetch"
	"ccxmld/script"
)

// Namespace is that of the XML form.
const Namespace = "http://www.w3.org/2001/06/grammar"

// namespaces are those that elements of a grammar may have: an inline grammar of
// VoiceXML is of the page's.
var namespaces = []string{"", Namespace, "http://www.w3.org/2001/vxml"}

// reading reads the XML form into a document.
type reading struct {
	*compilation
	document *document
	places   *fetch.Places // nil: lines are known, and no columns
	depth    int
	// namespace is that of the root, if it is another one than SRGS's.
	namespace string
}

// xml reads a grammar in the XML form.
func (c *compilation) xml(d *document, source Source) error {
	x := &reading{compilation: c, document: d, places: source.Places}
	node := source.Root
	for node != nil && node.Type != xmlquery.ElementNode {
		node = firstElement(node)
	}
	if node == nil {
		return script.Problems{{Position: script.Position{URI: d.uri, Line: 1}, Element: "grammar", Code: Code, Reason: "the document has no root element; expected <grammar>"}}
	}
	at := x.at(node)
	if node.Data != "grammar" {
		return script.Problems{{Position: at, Element: node.Data, Code: Code, Reason: fmt.Sprintf("<%s>%s is not the root of a grammar; expected <grammar> of the namespace %s", node.Data, ofNamespace(node), Namespace)}}
	}
	switch mode := attribute(node, "mode"); mode {
	case "dtmf":
	case "", "voice":
		return fmt.Errorf("%s: %w", at, ErrSpeech)
	default:
		c.problem(x.attributeAt(node, "mode"), "grammar", "mode is %.200q; expected dtmf or voice", mode)
	}
	if version := attribute(node, "version"); version != "1.0" {
		c.notice(at, "grammar", "version is %.200q; the grammar is read as 1.0", version)
	}
	if alone := node.Parent == nil || node.Parent.Type != xmlquery.ElementNode; alone && node.NamespaceURI != Namespace {
		c.notice(at, "grammar", "<grammar>%s is read as one of %s", ofNamespace(node), Namespace)
		x.namespace = node.NamespaceURI
	}
	d.root, d.rootAt = strings.TrimSpace(attribute(node, "root")), x.attributeAt(node, "root")
	if base := spaced(node, "xml", "base"); base != "" {
		absolute, err := resolveURI(d.base, base)
		if err != nil {
			c.problem(at, "grammar", "xml:base is %.200q, which is not a URI: %v", base, err)
		}
		d.base = absolute
	}
	x.content(node)
	c.format(d, attribute(node, "tag-format"), x.attributeAt(node, "tag-format"))
	return nil
}

// content reads what stands in <grammar>.
func (x *reading) content(node *xmlquery.Node) {
	for child := node.FirstChild; child != nil && !x.over(); child = child.NextSibling {
		switch child.Type {
		case xmlquery.TextNode, xmlquery.CharDataNode:
			if text := strings.TrimSpace(child.Data); text != "" {
				x.problem(x.textAt(child, strings.Index(child.Data, text)), "grammar", "the text %q stands outside of any <rule>", shorten(text))
			}
			continue
		case xmlquery.ElementNode:
		default:
			continue
		}
		switch at := x.at(child); {
		case !x.ours(child):
			x.notice(at, child.Data, "<%s> is not of SRGS; it is ignored", child.Data)
		case child.Data == "rule":
			x.rule(child)
		case child.Data == "tag":
			x.document.header = append(x.document.header, x.tag(child))
		case child.Data == "lexicon":
			x.notice(at, "lexicon", "<lexicon> is for speech; it is ignored")
		case child.Data == "meta" || child.Data == "metadata":
		default:
			x.problem(at, child.Data, "<%s> cannot stand in <grammar>; expected <rule>, <tag> or <meta>", child.Data)
		}
	}
}

func (x *reading) rule(node *xmlquery.Node) {
	r := &rule{name: strings.TrimSpace(attribute(node, "id")), at: x.at(node)}
	x.attributes(node, "id", "scope")
	switch scope := attribute(node, "scope"); scope {
	case "public":
		r.public = true
	case "", "private":
	default:
		x.problem(x.attributeAt(node, "scope"), "rule", "scope is %.200q; expected public or private", scope)
	}
	switch r.name {
	case "":
		x.problem(r.at, "rule", "<rule> needs the attribute id")
	case "NULL", "VOID", "GARBAGE":
		x.problem(r.at, "rule", "a rule cannot have the name %s, which is special; choose another one", r.name)
	}
	r.body = x.sequence(node)
	x.add(x.document, r)
}

// sequence reads the content of a <rule> or <item>.
func (x *reading) sequence(node *xmlquery.Node) *expansion {
	e := &expansion{kind: sequence, at: x.at(node)}
	if x.depth++; x.depth > deepestRule {
		x.problem(e.at, node.Data, "<%s> is nested more than %d deep; make it a rule of its own", node.Data, deepestRule)
		return e
	}
	defer func() { x.depth-- }()
	for child := node.FirstChild; child != nil && !x.over(); child = child.NextSibling {
		switch child.Type {
		case xmlquery.TextNode, xmlquery.CharDataNode:
			x.tokens(e, child)
		case xmlquery.ElementNode:
			if part := x.element(e, child); part != nil {
				e.items = append(e.items, part)
			}
		}
	}
	return e
}

// element reads an element of a sequence; <token> adds its keys itself.
func (x *reading) element(to *expansion, node *xmlquery.Node) *expansion {
	at := x.at(node)
	if !x.ours(node) {
		x.notice(at, node.Data, "<%s> is not of SRGS; it is ignored", node.Data)
		return nil
	}
	switch node.Data {
	case "token":
		x.attributes(node)
		for child := node.FirstChild; child != nil && !x.over(); child = child.NextSibling {
			x.tokens(to, child)
		}
	case "ruleref":
		return x.reference(node)
	case "item":
		if attribute(node, "weight") != "" {
			x.problem(x.attributeAt(node, "weight"), "item", "only an <item> of a <one-of> has a weight")
		}
		return x.item(node)
	case "one-of":
		return x.oneOf(node)
	case "tag":
		return &expansion{kind: tagged, at: at, tag: x.tag(node)}
	case "example":
	default:
		x.problem(at, node.Data, "<%s> cannot stand in <%s>", node.Data, node.Parent.Data)
	}
	return nil
}

func (x *reading) item(node *xmlquery.Node) *expansion {
	x.attributes(node, "repeat", "repeat-prob", "weight")
	e := x.sequence(node)
	times, probability := attribute(node, "repeat"), attribute(node, "repeat-prob")
	if times == "" {
		if probability != "" {
			x.notice(e.at, "item", "repeat-prob has no meaning without repeat")
		}
		return e
	}
	r, err := repeated(e, times, probability)
	if err != nil {
		x.problem(x.attributeAt(node, "repeat"), "item", "%v", err)
		return e
	}
	return r
}

func (x *reading) oneOf(node *xmlquery.Node) *expansion {
	x.attributes(node)
	e := &expansion{kind: choice, at: x.at(node)}
	for child := node.FirstChild; child != nil && !x.over(); child = child.NextSibling {
		switch {
		case child.Type == xmlquery.ElementNode && child.Data == "item" && x.ours(child):
			weight := 1.0
			if text := attribute(child, "weight"); text != "" {
				var err error
				if weight, err = number(text); err != nil {
					x.problem(x.attributeAt(child, "weight"), "item", "weight: %v", err)
				}
			}
			e.items, e.weights = append(e.items, x.item(child)), append(e.weights, weight)
		case child.Type == xmlquery.ElementNode && !x.ours(child):
			x.notice(x.at(child), child.Data, "<%s> is not of SRGS; it is ignored", child.Data)
		case child.Type == xmlquery.ElementNode:
			x.problem(x.at(child), child.Data, "<%s> cannot stand in <one-of>; put it into an <item>", child.Data)
		case (child.Type == xmlquery.TextNode || child.Type == xmlquery.CharDataNode) && strings.TrimSpace(child.Data) != "":
			text := strings.TrimSpace(child.Data)
			x.problem(x.textAt(child, strings.Index(child.Data, text)), "one-of", "the text %q cannot stand in <one-of>; put it into an <item>", shorten(text))
		}
	}
	if len(e.items) == 0 {
		x.problem(e.at, "one-of", "<one-of> needs an <item> at least")
	}
	e.sort()
	return e
}

func (x *reading) reference(node *xmlquery.Node) *expansion {
	x.attributes(node, "uri", "special", "type")
	at := x.at(node)
	uri, special := strings.TrimSpace(attribute(node, "uri")), attribute(node, "special")
	if (uri == "") == (special == "") {
		x.problem(at, "ruleref", "<ruleref> needs exactly one of uri and special")
		return nil
	}
	if special == "" {
		return &expansion{kind: reference, at: at, uri: uri, mediaType: attribute(node, "type")}
	}
	e := specialRule(special, at)
	if e == nil {
		x.problem(x.attributeAt(node, "special"), "ruleref", "special is %q; expected NULL, VOID or GARBAGE", special)
	}
	return e
}

// specialRule gives a special rule (SRGS 1.0, 2.2.3), or nil.
func specialRule(name string, at script.Position) *expansion {
	switch name {
	case "NULL":
		return &expansion{kind: sequence, at: at}
	case "VOID":
		return &expansion{kind: void, at: at}
	case "GARBAGE":
		return &expansion{kind: garbage, at: at}
	}
	return nil
}

// tokens reads the tokens of a text: words, or what is in quotes.
func (x *reading) tokens(to *expansion, node *xmlquery.Node) {
	if node.Type != xmlquery.TextNode && node.Type != xmlquery.CharDataNode {
		return
	}
	begin, behind := x.textBegin(node)
	before := 0 // the offset that begin is of
	for offset, token := range words(node.Data) {
		if before == 0 && offset > 0 {
			begin.Column = behind
		}
		begin = after(begin, node.Data[before:offset])
		before = offset
		x.token(to, token, begin)
	}
}

// words gives the words of a text with their offsets. Quotes do not matter: keys
// have no spaces.
func words(text string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i := 0; i < len(text); {
			if strings.IndexByte(" \t\r\n\"", text[i]) >= 0 {
				i++
				continue
			}
			end := strings.IndexAny(text[i:], " \t\r\n\"")
			if end < 0 {
				end = len(text) - i
			}
			if !yield(i, text[i:i+end]) {
				return
			}
			i += end
		}
	}
}

// tag reads a <tag>.
func (x *reading) tag(node *xmlquery.Node) *tag {
	t := &tag{at: x.at(node)}
	var text strings.Builder
	for child := node.FirstChild; child != nil && !x.over(); child = child.NextSibling {
		switch child.Type {
		case xmlquery.TextNode, xmlquery.CharDataNode:
			if text.Len() == 0 {
				t.at = x.textAt(child, 0)
			}
			for _, r := range x.references(child) {
				r.Offset += text.Len()
				t.references = append(t.references, r)
			}
			text.WriteString(child.Data)
		case xmlquery.ElementNode:
			x.problem(x.at(child), child.Data, "<%s> cannot stand in <tag>, which has text only; write < as &lt; or use CDATA", child.Data)
		}
	}
	t.text = text.String()
	return t
}

// references lists the character references of a text.
func (x *reading) references(node *xmlquery.Node) []script.Reference {
	if x.places == nil {
		return nil
	}
	written, line, _ := x.places.Text(node)
	if line == 0 || strings.HasPrefix(written, "<![CDATA[") {
		return nil
	}
	return script.References(written)
}

// attributes reports attributes that an element does not have.
func (x *reading) attributes(node *xmlquery.Node, known ...string) {
	for _, a := range node.Attr {
		if a.Name.Space == "" && a.Name.Local != "xmlns" && a.Name.Local != "lang-list" && !slices.Contains(known, a.Name.Local) {
			x.notice(x.attributeAt(node, a.Name.Local), node.Data, "<%s> has no attribute %s; it is ignored", node.Data, a.Name.Local)
		}
	}
}

func (x *reading) at(node *xmlquery.Node) script.Position {
	x.account.Tick()
	p := script.Position{URI: x.document.uri, Line: node.LineNumber}
	if x.places != nil {
		if line, column := x.places.Element(node); line > 0 {
			p.Line, p.Column = line, column
		}
	}
	return p
}

func (x *reading) attributeAt(node *xmlquery.Node, name string) script.Position {
	p := x.at(node)
	if x.places != nil {
		if _, line, column := x.places.Attribute(node, name); line > 0 {
			p.Line, p.Column = line, column
		}
	}
	return p
}

// textAt is the place of an offset in a text. The column is not known behind
// character references.
func (x *reading) textAt(node *xmlquery.Node, offset int) script.Position {
	begin, behind := x.textBegin(node)
	if offset > 0 {
		begin.Column = behind
	}
	return after(begin, node.Data[:offset])
}

// textBegin is the place of a text, and the column to count from for what does not stand
// at its beginning.
func (x *reading) textBegin(node *xmlquery.Node) (begin script.Position, behind int) {
	begin = script.Position{URI: x.document.uri, Line: node.LineNumber}
	if x.places == nil {
		return begin, 0
	}
	written, line, column := x.places.Text(node)
	switch {
	case line == 0:
		return begin, 0
	case strings.HasPrefix(written, "<![CDATA["):
		column += len("<![CDATA[")
	case strings.Contains(written, "&"):
		begin.Line, begin.Column = line, column
		return begin, 0
	}
	begin.Line, begin.Column = line, column
	return begin, column
}

// after gives the place behind a text.
func after(begin script.Position, text string) script.Position {
	if newline := strings.LastIndexByte(text, '\n'); newline >= 0 {
		begin.Line += strings.Count(text, "\n")
		begin.Column = min(begin.Column, 1)
		text = text[newline+1:]
	}
	if begin.Column > 0 {
		begin.Column += utf8.RuneCountInString(text)
	}
	return begin
}

func (x *reading) ours(node *xmlquery.Node) bool {
	return slices.Contains(namespaces, node.NamespaceURI) || node.NamespaceURI == x.namespace
}

func ofNamespace(node *xmlquery.Node) string {
	if node.NamespaceURI == "" {
		return " of no namespace"
	}
	return " of the namespace " + node.NamespaceURI
}

func attribute(node *xmlquery.Node, name string) string { return spaced(node, "", name) }

func spaced(node *xmlquery.Node, space, name string) string {
	for _, a := range node.Attr {
		if a.Name.Local == name && a.Name.Space == space {
			return a.Value
		}
	}
	return ""
}

func firstElement(node *xmlquery.Node) *xmlquery.Node {
	for child := node.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == xmlquery.ElementNode {
			return child
		}
	}
	return nil
}
