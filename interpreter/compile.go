package interpreter

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/antchfx/xmlquery"

	"ccxmld/processors"
	"ccxmld/script"
)

// Compiler turns parsed documents into compiled ones. It is made once, by
// NewCompiler, and is safe for concurrent use.
type Compiler struct {
	language   *script.Language
	vocabulary map[string]*elementSpec
	extensions map[ExtensionName]*Extension
	ctx        context.Context // nil: any time
}

// NewCompiler gives a compiler that knows these extension elements.
func NewCompiler(extensions ...*Extension) *Compiler {
	c := &Compiler{
		language:   newLanguage(),
		vocabulary: vocabulary(),
		extensions: make(map[ExtensionName]*Extension, len(extensions)),
	}
	for _, extension := range extensions {
		c.extensions[extension.Name] = extension
	}
	return c
}

// ScriptRequest is a script that a document names by src (VAR-11).
type ScriptRequest struct {
	Src      string
	Base     string         // a relative Src resolves against it
	Charset  string         // the encoding, where neither the script nor its server says; may be empty
	Timeout  time.Duration  // 0: the platform's default
	MaxAge   *time.Duration // nil: as HTTP has it
	MaxStale *time.Duration
}

// LoadScript gets the text of a script, and the URI it came from.
type LoadScript func(ScriptRequest) (text, uri string, err error)

// Source is a parsed document.
type Source struct {
	// Root is the root element, or what has it as a child.
	Root *xmlquery.Node
	// URI is where the document came from.
	URI string
	// Hash is that of its text (TextHash), by which a session that runs it is resumed;
	// "" for one that is not to be.
	Hash string
	// Places tells where its parts stand; with none, positions are lines only.
	Places Places
	// Load gets the scripts that it names; nil where there are none to be had.
	Load LoadScript
	// Account is that of the time that this takes; nil for none.
	Account *processors.Account
}

// compilation is one document being compiled.
type compilation struct {
	*Compiler
	document   *Document
	places     Places
	load       LoadScript
	account    *processors.Account
	problems   Problems
	mistakes   int // problems that do not keep the document from loading
	processors int
	depth      int // of elements in the one being compiled
}

// Compile compiles a document of which only the lines are known (see
// CompileSource).
func (c *Compiler) Compile(root *xmlquery.Node, uri string, load LoadScript) (*Document, error) {
	return c.CompileSource(Source{Root: root, URI: uri, Load: load})
}

// CompileSource compiles a document. The error is of type Problems: everything
// that keeps the document from loading, and with it the mistakes that would not; or it
// is that of the context (Until).
func (c *Compiler) CompileSource(source Source) (*Document, error) {
	compilation := &compilation{
		Compiler: c,
		places:   source.Places,
		load:     source.Load,
		account:  source.Account,
		document: &Document{URI: source.URI, hash: source.Hash, language: c.language.Whole(), dialect: ccxml10},
	}
	compilation.root(source.Root)
	if c.ctx != nil && c.ctx.Err() != nil {
		return nil, fmt.Errorf("compiling %s was broken off: %w", source.URI, context.Cause(c.ctx))
	}
	if len(compilation.problems) > compilation.mistakes {
		return nil, compilation.problems
	}
	compilation.document.Mistakes = compilation.problems
	compilation.document.index()
	return compilation.document, nil
}

// Until gives a compiler that breaks off what it compiles or reads when ctx ends.
func (c *Compiler) Until(ctx context.Context) *Compiler {
	limited := *c
	limited.ctx, limited.language = ctx, c.language.Until(ctx)
	return &limited
}

// CompileScript compiles a script that was fetched on its own.
func (c *Compiler) CompileScript(text, uri string) (*Script, error) {
	program, err := c.language.Script(text, script.Position{URI: uri, Line: 1, Column: 1})
	if err != nil {
		return nil, err
	}
	return &Script{URI: uri, hash: TextHash(text), program: program}, nil
}

func (c *compilation) root(node *xmlquery.Node) {
	for node != nil && node.Type != xmlquery.ElementNode {
		node = firstElement(node)
	}
	if node == nil {
		c.problem(&place{tag: "ccxml", position: script.Position{URI: c.document.URI, Line: 1}},
			"the document has no root element; expected <ccxml version=\"1.0\">")
		return
	}
	foreign := node.Data == "ccxml" && !isCCXML(node)
	c.document.dialect = recognise(node)
	c.document.lenient = c.document.dialect != ccxml10 || node.NamespaceURI == "" || foreign || declaresVoxeo(node)
	root := c.element(node, c.document.URI)
	if foreign {
		c.noticeAs(CodeNamespace, &root.place, fmt.Sprintf("<ccxml> of the namespace %q is read as one of CCXML; its namespace is %s", node.NamespaceURI, Namespace))
		adopt(node, node.NamespaceURI)
	}
	if node.Data != "ccxml" {
		hint := ""
		if node.Data == "vxml" {
			hint = "; a route or token names a VoiceXML page with vxml: before its URI"
		}
		c.problem(&root.place, fmt.Sprintf("<%s> is not the root of a CCXML document; expected <ccxml>%s", qualifiedName(node), hint))
		return
	}
	if version, ok := root.attribute("version"); ok && !isBlank(version) && strings.TrimSpace(version) != "1.0" {
		c.problem(root.at("version"), fmt.Sprintf("version %.200q is not supported; expected 1.0", version))
	} else if !ok || isBlank(version) {
		c.notice(&root.place, `<ccxml> has no version; it is read as 1.0`)
	}
	for child := range c.children(node) {
		c.topLevel(c.element(child, root.base))
	}
	if c.processors == 0 {
		c.problem(&root.place, "the document has no <eventprocessor>, so no event could be handled")
	}
}

// topLevel compiles a child of <ccxml>. Those other than <eventprocessor> run
// before event processing, wherever they stand (DOC-2).
func (c *compilation) topLevel(e *element) {
	if !isCCXML(e.node) {
		c.notice(&e.place, fmt.Sprintf("<%s> is ignored here: elements of other namespaces run in a <transition>", qualifiedName(e.node)))
		return
	}
	switch e.tag {
	case "eventprocessor", "eventhandler":
		c.eventProcessor(e)
	case "meta":
		c.meta(e)
	case "metadata":
	case "var", "assign", "script", "log":
		c.appendAction(&c.document.init, e)
	default:
		if _, known := c.vocabulary[e.tag]; known {
			c.problemAs(CodeMisplaced, &e.place, fmt.Sprintf("<%s> cannot stand here; it belongs in a <transition>", e.tag))
			return
		}
		c.unknown(e)
	}
}

func (c *compilation) meta(e *element) {
	_, byName := e.attribute("name")
	header, byHeader := e.attribute("http-equiv")
	if byName == byHeader {
		c.problemAs(CodeExclusive, &e.place, "<meta> needs exactly one of name and http-equiv")
	}
	content, ok := e.attribute("content")
	if !ok {
		c.problemAs(CodeMissingAttribute, &e.place, "<meta> needs the attribute content")
	}
	if byHeader {
		c.document.HTTPEquiv = append(c.document.HTTPEquiv, Pair{strings.TrimSpace(header), content})
	}
}

func (c *compilation) eventProcessor(e *element) {
	c.processors++
	if c.processors > 1 {
		c.problem(&e.place, "a document has exactly one <eventprocessor>; this is another one")
	}
	e.checkAttributes(literals("statevariable", "id"))
	c.document.stateVariable = standardState
	if name, ok := e.filled("statevariable"); ok {
		if !script.IsIdentifier(strings.TrimSpace(name)) {
			c.problem(e.at("statevariable"), fmt.Sprintf("<%s statevariable=%.200q>: not a variable name", e.tag, name))
		}
		c.document.stateVariable = strings.TrimSpace(name)
	}
	for child := range c.children(e.node) {
		transition := c.element(child, e.base)
		if transition.tag != "transition" || !isCCXML(child) {
			c.problem(&transition.place, fmt.Sprintf("<%s> cannot stand in <%s>; only <transition> can", qualifiedName(child), e.tag))
			continue
		}
		c.transition(transition)
	}
}

func (c *compilation) transition(e *element) {
	event, given := e.attribute("event")
	if given && isBlank(event) { // LEN-20
		c.noticeAs(CodeEmptySelector, e.at("event"), `event="" is read as any event, as without the attribute`)
	}
	t := &transition{
		position: e.position,
		pattern:  compilePattern(c.document.dialect.pattern(event)),
		cond:     e.expression("cond"),
	}
	if len(strings.Fields(event)) > 1 { // EVT-12
		c.noticeAs(CodeEventList, e.at("event"), fmt.Sprintf("event=%.200q never matches: it is one pattern, not a list", event))
	}
	if states, ok := e.attribute("state"); ok {
		t.states = c.states(e, states)
	}
	if name, ok := e.filled("name"); ok {
		t.variable = strings.TrimSpace(name)
		if !script.IsIdentifier(t.variable) {
			c.problem(e.at("name"), fmt.Sprintf("<transition name=%.200q>: not a variable name", name))
		}
	}
	e.checkAttributes(all(literals("event", "state", "name"), expr("cond")))
	t.actions = c.actions(e)
	c.document.transitions = append(c.document.transitions, t)
}

// states reads the state attribute, nil for any: names separated by white space (EVT-5), or
// one in quotes, as some documents have it (LEN-2, OLD-2).
func (c *compilation) states(e *element, text string) []string {
	trimmed := strings.TrimSpace(text)
	for _, quote := range []string{"'", `"`} {
		if len(trimmed) >= 2 && strings.HasPrefix(trimmed, quote) && strings.HasSuffix(trimmed, quote) {
			trimmed = strings.TrimSpace(trimmed[1 : len(trimmed)-1])
			if !c.document.dialect.quotedStates {
				c.noticeAs(CodeQuotedState, e.at("state"), fmt.Sprintf("state=%.200q is literal text in CCXML 1.0; it is read without the quotes", text))
			}
		}
	}
	states := strings.Fields(trimmed)
	if len(states) == 0 { // LEN-20
		c.noticeAs(CodeEmptySelector, e.at("state"), fmt.Sprintf("state=%.200q is read as any state, as without the attribute", text))
		return nil
	}
	return states
}

// belonging tells where elements belong that are no executable content.
var belonging = map[string]string{
	"else": "an <if>", "elseif": "an <if>", "transition": "an <eventprocessor>",
	"eventprocessor": "<ccxml>", "eventhandler": "<ccxml>", "meta": "<ccxml>", "metadata": "<ccxml>",
}

// actions compiles executable content.
func (c *compilation) actions(parent *element) []action {
	var list []action
	for child := range c.children(parent.node) {
		c.appendAction(&list, c.element(child, parent.base))
	}
	return list
}

func (c *compilation) appendAction(list *[]action, e *element) {
	if a := c.action(e); a != nil {
		*list = append(*list, a)
	}
}

// action compiles one element of executable content; nil when it has problems.
func (c *compilation) action(e *element) action {
	if !isCCXML(e.node) {
		return c.extension(e)
	}
	spec, known := c.vocabulary[e.tag]
	if !known {
		c.unknown(e)
		return nil
	}
	if c.depth++; c.depth > deepestNesting {
		c.problem(&e.place, fmt.Sprintf("<%s> is nested more than %d deep", e.tag, deepestNesting))
		return nil
	}
	defer func() { c.depth-- }()
	e.checkAttributes(e.attributes(spec))
	if child := firstElement(e.node); child != nil && !mayContain(e.tag) {
		inner := c.element(child, e.base)
		c.problem(&inner.place, fmt.Sprintf("<%s> cannot stand in <%s>, which has no content", qualifiedName(child), e.tag))
	}
	if spec.compile == nil {
		c.noticeAs(CodeUnsupported, &e.place, fmt.Sprintf("<%s> is not supported yet; it raises error.unsupported when it is reached", e.tag))
		return &unsupported{place: e.place, reason: fmt.Sprintf("<%s> is not supported", e.tag)}
	}
	return spec.compile(e)
}

// deepestNesting bounds elements within elements, since they are compiled and
// run recursively.
const deepestNesting = 500

// mayContain tells which executable elements have elements in them.
func mayContain(tag string) bool {
	return tag == "if" || tag == "foreach" || tag == "send"
}

func (c *compilation) unknown(e *element) {
	if belongs, ok := belonging[e.tag]; ok {
		c.problemAs(CodeMisplaced, &e.place, fmt.Sprintf("<%s> cannot stand here; it belongs in %s", e.tag, belongs))
		return
	}
	if slices.Contains(c.document.dialect.gone, e.tag) {
		c.problemAs(CodeUnsupported, &e.place, fmt.Sprintf("<%s> is of %s, and not supported", e.tag, c.document.dialect.called))
		return
	}
	c.problemAs(CodeUnknownElement, &e.place, fmt.Sprintf("<%s> is not an element of CCXML%s", e.tag, suggestion(e.tag, c.vocabulary)))
}

// Codes of problems and notices that have one of their own.
const (
	CodeDocument         = "document" // any other problem
	CodeLenient          = "lenient"  // any other notice
	CodeExpression       = "expression"
	CodeMissingAttribute = "missing-attribute"
	CodeExclusive        = "exclusive-attributes"
	CodeUnknownAttribute = "unknown-attribute"
	CodeUnknownElement   = "unknown-element"
	CodeMisplaced        = "misplaced-element"
	CodeUnsupported      = "unsupported"
	CodeUnavailable      = "unavailable-name"
	CodeEventList        = "event-list"
	CodeQuotedState      = "quoted-state"
	CodeEmptySelector    = "empty-selector"
	CodeNamelessSend     = "nameless-send"
	CodeLiteralReceiver  = "literal-receiver"
	CodeUnquotedTime     = "unquoted-time"
	CodeUnquotedWord     = "unquoted-word"
	CodeEmpty            = "empty-expression"
	CodeNamespace        = "namespace"
)

func (c *compilation) problem(at *place, reason string) { c.problemAs(CodeDocument, at, reason) }

func (c *compilation) problemAs(code string, at *place, reason string) {
	c.problems = append(c.problems, &Problem{Position: at.position, Element: at.tag, Code: code, Reason: script.Brief(reason)})
}

func (c *compilation) notice(at *place, reason string) { c.noticeAs(CodeLenient, at, reason) }

func (c *compilation) noticeAs(code string, at *place, reason string) {
	c.document.Notices = append(c.document.Notices, &Problem{Position: at.position, Element: at.tag, Code: code, Reason: script.Brief(reason)})
}

// children gives the child elements of a node until the context ends.
func (c *compilation) children(node *xmlquery.Node) iter.Seq[*xmlquery.Node] {
	return func(yield func(*xmlquery.Node) bool) {
		for child := range children(node) {
			if c.ctx != nil && c.ctx.Err() != nil || !yield(child) {
				return
			}
		}
	}
}

// children gives the child elements of a node.
func children(node *xmlquery.Node) iter.Seq[*xmlquery.Node] {
	return func(yield func(*xmlquery.Node) bool) {
		for child := node.FirstChild; child != nil; child = child.NextSibling {
			if child.Type == xmlquery.ElementNode && !yield(child) {
				return
			}
		}
	}
}

func firstElement(node *xmlquery.Node) *xmlquery.Node {
	for child := range children(node) {
		return child
	}
	return nil
}

// isCCXML tells whether an element is CCXML's own: it has its namespace or none.
func isCCXML(node *xmlquery.Node) bool {
	return node.NamespaceURI == "" && node.Prefix == "" || node.NamespaceURI == Namespace
}

// adopt makes what is of another namespace CCXML's, as the root of the document is.
func adopt(node *xmlquery.Node, namespace string) {
	if node.NamespaceURI == namespace {
		node.NamespaceURI = Namespace
	}
	for child := range children(node) {
		adopt(child, namespace)
	}
}

func declaresVoxeo(root *xmlquery.Node) bool {
	for _, attribute := range root.Attr {
		if attribute.Name.Space == "xmlns" && strings.Contains(attribute.Value, "voxeo") {
			return true
		}
	}
	return false
}

func qualifiedName(node *xmlquery.Node) string {
	if node.Prefix != "" {
		return node.Prefix + ":" + node.Data
	}
	return node.Data
}

func attributeOf(node *xmlquery.Node, name string) string {
	for _, attribute := range node.Attr {
		if attribute.Name.Local == name && attribute.Name.Space == "" {
			return attribute.Value
		}
	}
	return ""
}
