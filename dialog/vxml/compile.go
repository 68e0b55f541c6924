package vxml

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/antchfx/xmlquery"

	"ccxmld/fetch"
	"ccxmld/processors"
	"ccxmld/script"
)

// Compiler turns parsed pages into compiled ones. It is safe for concurrent use.
type Compiler struct {
	language *script.Language
	ctx      context.Context // nil: any time
}

// NewCompiler gives a compiler.
func NewCompiler() *Compiler { return &Compiler{language: newLanguage()} }

// Until gives a compiler that breaks off what it compiles when ctx ends.
func (c *Compiler) Until(ctx context.Context) *Compiler {
	return &Compiler{c.language.Until(ctx), ctx}
}

// compilation is one page being compiled.
type compilation struct {
	account  *processors.Account
	page     *Page
	ctx      context.Context
	places   *fetch.Places // nil: lines are known, and no columns
	language *script.Language
	problems Problems
	unnamed  int // items without a name
}

// element is an XML element being compiled.
type element struct {
	*compilation
	place
	node *xmlquery.Node
}

// Compile compiles a page of which only the lines are known (see CompilePlaced).
func (c *Compiler) Compile(root *xmlquery.Node, uri string) (*Page, error) {
	return c.CompilePlaced(root, uri, nil)
}

// CompilePlaced compiles the page whose root element is root, or whose parsed form
// has it as a child. places tell where its parts stand. The error is of type
// Problems: everything that keeps the page from loading, and with it the mistakes that
// would not; or it is that of the context (Until).
func (c *Compiler) CompilePlaced(root *xmlquery.Node, uri string, places *fetch.Places) (*Page, error) {
	return c.compile(root, uri, places, nil)
}

func (c *Compiler) compile(root *xmlquery.Node, uri string, places *fetch.Places, account *processors.Account) (*Page, error) {
	k := &compilation{language: c.language, ctx: c.ctx, places: places, account: account, page: &Page{
		URI: uri, base: uri, language: c.language.Whole(), byID: make(map[string]*form),
	}}
	k.root(root)
	if c.ctx != nil && c.ctx.Err() != nil {
		return nil, fmt.Errorf("compiling %s was broken off: %w", uri, context.Cause(c.ctx))
	}
	if len(k.problems) > 0 {
		return nil, append(k.problems, k.page.Mistakes...)
	}
	return k.page, nil
}

func (c *compilation) element(node *xmlquery.Node) *element {
	c.account.Tick()
	at := script.Position{URI: c.page.URI, Line: node.LineNumber}
	if c.places != nil {
		if line, column := c.places.Element(node); line > 0 {
			at.Line, at.Column = line, column
		}
	}
	return &element{c, place{node.Data, at}, node}
}

func (c *compilation) root(node *xmlquery.Node) {
	for node != nil && node.Type != xmlquery.ElementNode {
		node = firstElement(node)
	}
	if node == nil {
		c.problems = append(c.problems, &Problem{Position: script.Position{URI: c.page.URI, Line: 1}, Element: "vxml", Reason: "the page has no root element; expected <vxml version=\"2.1\">"})
		return
	}
	e := c.element(node)
	if node.Data != "vxml" {
		e.problem("<%s>%s is not the root of a VoiceXML page; expected <vxml> of the namespace %s", node.Data, ofNamespace(node), Namespace)
		return
	}
	if !isVoiceXML(node) {
		e.noticeAt(CodeNamespace, e.position, "<vxml>%s is read as one of VoiceXML; its namespace is %s", ofNamespace(node), Namespace)
		adopt(node, node.NamespaceURI)
	}
	c.adoptGrammars(node)
	c.modernise(node, make(map[string]bool))
	c.dropEmpty(node)
	e.attributes("version", "application", "base")
	if version := e.text("version"); version != "2.0" && version != "2.1" {
		e.notice("version is %.200q; the page is read as 2.1", version)
	}
	if base, err := url.Parse(c.page.URI); err == nil {
		own := attributeOf(node, "xml", "base")
		if absolute, err := base.Parse(own); err == nil && len(own) <= longestBase {
			c.page.base = absolute.String()
		} else {
			e.notice("xml:base=%.200q is not a URI, or longer than %d bytes; it is ignored", own, longestBase)
		}
	}
	c.page.lang = attributeOf(node, "xml", "lang")
	if application := e.text("application"); application != "" {
		uri, err := fetch.Resolve(c.page.base, application)
		if err != nil {
			e.problem("application is %.200q: %v", application, err)
		}
		c.page.application, _, _ = strings.Cut(uri, "#")
	}
	e.strayText()
	for child := range c.elements(node) {
		c.topLevel(c.element(child))
	}
	if len(c.page.forms) == 0 {
		e.notice("the page has neither <form> nor <menu>: as an application root document it is fine, run by itself it ends at once")
	}
}

// longestBase bounds xml:base, in bytes: each of many references resolves against it.
const longestBase = 2000

// topLevel compiles a child of <vxml>.
func (c *compilation) topLevel(e *element) {
	switch {
	case e.common(&c.page.level):
	case e.tag == "form":
		c.form(e)
	case e.tag == "menu":
		c.menu(e)
	case e.tag == "var" || e.tag == "script" || e.tag == "data":
		c.page.init = appendAction(c.page.init, e.action(documentScope))
	default:
		e.stray()
	}
}

// common compiles what a document, a form and an item may have.
func (e *element) common(l *level) bool {
	switch {
	case !isVoiceXML(e.node):
		e.notice("<%s> is not of VoiceXML; it is ignored", e.node.Data)
	case e.tag == "property":
		e.property(l)
	case e.isHandler():
		l.handlers = append(l.handlers, e.handler())
	case e.tag == "link":
		l.links = append(l.links, e.link())
	case e.tag == "meta" && e.has("http-equiv"):
		if e.page.header == nil {
			e.page.header = make(http.Header)
		}
		e.page.header.Add(e.text("http-equiv"), e.text("content"))
	case e.tag == "meta" || e.tag == "metadata":
	default:
		return false
	}
	return true
}

func (e *element) problem(format string, args ...any) {
	e.problems = append(e.problems, &Problem{Position: e.position, Element: e.tag, Reason: script.Brief(fmt.Sprintf(format, args...))})
}

// lacks tells of what ECMAScript of other platforms has and ours has not.
func (e *element) lacks(lacks []script.Lack) {
	for _, lack := range lacks {
		e.page.Notices = append(e.page.Notices, &Problem{Position: lack.Position, Element: e.tag, Code: CodeUnavailable, Reason: lack.String()})
	}
}

func (e *element) notice(format string, args ...any) { e.noticeAt("", e.position, format, args...) }

func (e *element) noticeAt(code string, at script.Position, format string, args ...any) {
	e.page.Notices = append(e.page.Notices, &Problem{Position: at, Element: e.tag, Code: code, Reason: script.Brief(fmt.Sprintf(format, args...))})
}

// harmless are elements without which a page does the same, in content that executes or is
// said.
var harmless = []string{"catch", "error", "help", "meta", "metadata", "noinput", "nomatch", "property"}

// misplaced reports an element where it cannot stand.
func (e *element) misplaced() {
	if slices.Contains(harmless, e.tag) {
		e.noticeAt(CodeMisplaced, e.position, "<%s> cannot stand in <%s>, and is ignored there", e.tag, e.node.Parent.Data)
		return
	}
	if slices.Contains(vocabulary, e.tag) {
		e.problem("<%s> cannot stand in <%s>", e.tag, e.node.Parent.Data)
		return
	}
	e.problem("<%s> is not an element of VoiceXML", e.tag)
}

// stray reports what cannot stand in a document, a dialog or an item. Executable content
// is ignored there, as other platforms do.
func (e *element) stray() {
	if !slices.Contains(executable, e.tag) {
		e.misplaced()
		return
	}
	e.noticeAt(CodeMisplaced, e.position, "<%s> cannot stand in <%s>, where nothing executes it, and is ignored; put it into a <block>, <filled> or <catch>", e.tag, e.node.Parent.Data)
}

// strayText reports text where nothing says it.
func (e *element) strayText() {
	for child := e.node.FirstChild; child != nil; child = child.NextSibling {
		if text := strings.TrimSpace(child.Data); text != "" && (child.Type == xmlquery.TextNode || child.Type == xmlquery.CharDataNode) {
			at := e.position
			if e.places != nil {
				at = e.textAt(child)
			}
			e.noticeAt(CodeMisplaced, at, "the text %q cannot stand in <%s>, where nothing says it, and is ignored; put it into a <block> or <prompt>", shortened(text), e.tag)
			return
		}
	}
}

func shortened(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "") + "…"
	}
	return text
}

// attributes reports attributes that the element does not have, or that are not
// done here yet.
func (e *element) attributes(known ...string) {
	for _, a := range e.node.Attr {
		if a.Name.Space == "" && a.Name.Local != "xmlns" && !slices.Contains(known, a.Name.Local) && !slices.Contains(elsewhere, a.Name.Local) {
			at, _ := e.value(a.Name.Local)
			e.page.Notices = append(e.page.Notices, &Problem{Position: at, Element: e.tag, Code: CodeUnknownAttribute,
				Reason: fmt.Sprintf("the attribute %s of <%s> is not supported; it is ignored", a.Name.Local, e.tag)})
		}
	}
}

// elsewhere are attributes that change nothing here: fetches go by the rules of
// the HTTP cache, and prompts are not fetched ahead.
var elsewhere = []string{"fetchhint", "fetchaudio", "bargeintype", "xsi"}

func (e *element) text(name string) string { return strings.TrimSpace(attributeOf(e.node, "", name)) }

func (e *element) has(name string) bool {
	return slices.ContainsFunc(e.node.Attr, func(a xmlquery.Attr) bool { return a.Name.Space == "" && a.Name.Local == name })
}

func (e *element) required(name string) string {
	if !e.has(name) {
		e.problem("<%s> needs the attribute %s", e.tag, name)
	}
	return e.text(name)
}

// value gives the place of an attribute's value, with the character references in
// it; that of the element where no more is known.
func (e *element) value(name string) (script.Position, []script.Reference) {
	at := e.position
	if e.places == nil {
		return at, nil
	}
	written, line, column := e.places.Attribute(e.node, name)
	if line == 0 {
		return at, nil
	}
	at.Line, at.Column = line, column
	return at, script.References(written)
}

func attributeOf(node *xmlquery.Node, space, name string) string {
	for _, a := range node.Attr {
		if a.Name.Local == name && a.Name.Space == space {
			return a.Value
		}
	}
	return ""
}

// elements gives the child elements of a node until the context ends.
func (c *compilation) elements(node *xmlquery.Node) func(func(*xmlquery.Node) bool) {
	return func(yield func(*xmlquery.Node) bool) {
		for child := range elements(node) {
			if c.over() || !yield(child) {
				return
			}
		}
	}
}

// over tells whether the context has ended.
func (c *compilation) over() bool { return c.ctx != nil && c.ctx.Err() != nil }

// elements gives the child elements of a node.
func elements(node *xmlquery.Node) func(func(*xmlquery.Node) bool) {
	return func(yield func(*xmlquery.Node) bool) {
		for child := node.FirstChild; child != nil; child = child.NextSibling {
			if child.Type == xmlquery.ElementNode && !yield(child) {
				return
			}
		}
	}
}

func firstElement(node *xmlquery.Node) *xmlquery.Node {
	for child := range elements(node) {
		return child
	}
	return nil
}

func isVoiceXML(node *xmlquery.Node) bool {
	return node.NamespaceURI == "" && node.Prefix == "" || node.NamespaceURI == Namespace ||
		node.NamespaceURI == grammarNamespace && node.Data == "grammar"
}

func ofNamespace(node *xmlquery.Node) string {
	if node.NamespaceURI == "" {
		return ""
	}
	return " of the namespace " + node.NamespaceURI
}

// adopt makes what is of another namespace VoiceXML's, as the root of the page is.
func adopt(node *xmlquery.Node, namespace string) {
	if node.NamespaceURI == namespace {
		node.NamespaceURI = Namespace
	}
	for child := range elements(node) {
		adopt(child, namespace)
	}
}

// adoptGrammars makes grammars of other namespaces, such as those of drafts, ones of SRGS.
func (c *compilation) adoptGrammars(node *xmlquery.Node) {
	for child := range c.elements(node) {
		if child.Data != "grammar" || isVoiceXML(child) {
			c.adoptGrammars(child)
			continue
		}
		e := c.element(child)
		e.noticeAt(CodeNamespace, e.position, "<grammar>%s is read as one of SRGS; its namespace is %s", ofNamespace(child), grammarNamespace)
		adopt(child, child.NamespaceURI)
	}
}

// grammarNamespace is that of SRGS 1.0.
const grammarNamespace = "http://www.w3.org/2001/06/grammar"

// executable is the executable content (VoiceXML 2.0, 5.3, and 2.1), with what prompts
// consist of.
var executable = []string{
	"assign", "audio", "clear", "data", "disconnect", "enumerate", "exit", "foreach", "goto", "if", "log", "prompt", "reprompt", "rethrow",
	"return", "script", "send", "submit", "throw", "value", "var",
}

// vocabulary is all of VoiceXML 2.1, <send>, and the speech markup that prompts may have.
var vocabulary = append([]string{
	"assign", "audio", "block", "catch", "choice", "clear", "data", "disconnect", "else", "elseif", "enumerate", "error",
	"exit", "example", "field", "filled", "foreach", "form", "goto", "grammar", "help", "if", "initial", "item", "lexicon",
	"link", "log", "menu", "meta", "metadata", "noinput", "nomatch", "object", "one-of", "option", "param", "prompt",
	"property", "record", "reprompt", "rethrow", "return", "rule", "ruleref", "script", "send", "subdialog", "submit", "tag",
	"throw", "token", "transfer", "value", "var", "vxml",
}, markup...)
