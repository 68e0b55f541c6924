package fetch

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/antchfx/xmlquery"

	"ccxmld/processors"
)

// XMLLimits bound an XML document. Zero fields have the defaults.
type XMLLimits struct {
	// Bytes bounds the document, in UTF-8; 1 MiB by default.
	Bytes int
	// Depth bounds how deep elements are nested; 64 by default.
	Depth int
	// Attributes bounds those of one element; 64 by default.
	Attributes int
	// Nodes bounds elements, texts and comments together; 50,000 by default.
	Nodes int
	// Account is that of the time that parsing takes; nil for none.
	Account *processors.Account
	// Context breaks parsing off when it ends; nil does not.
	Context context.Context
}

// ended is the error of parsing whose context has ended.
func (l XMLLimits) ended() error {
	if l.Context == nil || l.Context.Err() == nil {
		return nil
	}
	return context.Cause(l.Context)
}

func (l XMLLimits) withDefaults() XMLLimits {
	for _, field := range []struct {
		value    *int
		standard int
	}{{&l.Bytes, 1 << 20}, {&l.Depth, 64}, {&l.Attributes, 64}, {&l.Nodes, 50_000}} {
		if *field.value <= 0 {
			*field.value = field.standard
		}
	}
	return l
}

// XMLError says why a document is no XML that we take.
type XMLError struct {
	URI    string
	Line   int // counting from 1
	Column int // in characters, counting from 1
	Reason string
	cause  error
}

// Error returns "uri:line:column: reason".
func (e *XMLError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.URI, e.Line, e.Column, e.Reason)
}

// Unwrap returns the error of the parser, or nil.
func (e *XMLError) Unwrap() error { return e.cause }

// XML parses the content as ParseXML does, with the encoding that the server
// gave.
func (r *Response) XML(limits XMLLimits) (*xmlquery.Node, error) {
	root, _, err := r.PlacedXML(limits)
	return root, err
}

// PlacedXML is XML that also tells where the attributes stand.
func (r *Response) PlacedXML(limits XMLLimits) (*xmlquery.Node, *Places, error) {
	return parseXML(r.Body, r.Charset, r.URI, limits)
}

// ParseXML parses a document and returns its document node. The LineNumber of
// each element, text and comment is the line on which it begins. A byte order
// mark and blank lines at the beginning are skipped, a DOCTYPE is too: nothing
// is loaded for it, and entities that only it could define are errors. The error is
// an *XMLError.
func ParseXML(data []byte, uri string, limits XMLLimits) (*xmlquery.Node, error) {
	root, _, err := ParsePlacedXML(data, uri, limits)
	return root, err
}

// ParsePlacedXML is ParseXML that also tells where the attributes stand.
func ParsePlacedXML(data []byte, uri string, limits XMLLimits) (*xmlquery.Node, *Places, error) {
	return parseXML(data, "", uri, limits)
}

func parseXML(data []byte, label, uri string, limits XMLLimits) (*xmlquery.Node, *Places, error) {
	limits = limits.withDefaults()
	if len(data) > limits.Bytes {
		return nil, nil, &XMLError{URI: uri, Line: 1, Column: 1, Reason: "the document is larger than " + sizeText(int64(limits.Bytes))}
	}
	text, err := decode(data, label)
	if err != nil {
		return nil, nil, &XMLError{URI: uri, Line: 1, Column: 1, Reason: err.Error(), cause: err}
	}
	begin := len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
	s := &scan{uri: uri, limits: limits, text: readAs10(spaceInTags(text[begin:])), written: text[begin:], at: mark{line: 1, column: 1}.after(text[:begin]),
		namespaces: make(map[string]bool)}
	s.at.offset = 0
	if err := s.run(); err != nil {
		return nil, nil, err
	}
	// The scanner has taken the document; what it takes the parser takes.
	document, err := xmlquery.ParseWithOptions(&pieces{bytes.NewReader(s.text), limits}, xmlquery.ParserOptions{
		Decoder: &xmlquery.DecoderOptions{Strict: true, CharsetReader: asItIs},
	})
	if err != nil {
		return nil, nil, &XMLError{URI: uri, Line: 1, Column: 1, Reason: err.Error(), cause: err}
	}
	places := &Places{text: text[begin:], nodes: make(map[*xmlquery.Node]mark, len(s.elements)+len(s.texts))}
	s.number(document, places)
	return document, places, nil
}

// version11 is the declaration of XML 1.1, which a parser of 1.0 need not take.
var version11 = regexp.MustCompile(`^<\?xml\s+version\s*=\s*["']1\.(1)["']`)

// readAs10 has a document of XML 1.1 read as one of 1.0: what it may have beyond that,
// such as control characters, is an error where it stands.
func readAs10(text []byte) []byte {
	at := version11.FindSubmatchIndex(text[:min(len(text), 200)])
	if at == nil {
		return text
	}
	text = bytes.Clone(text)
	text[at[2]] = '0'
	return text
}

// pieces lets a parser have its turns between pieces of a text.
type pieces struct {
	*bytes.Reader
	limits XMLLimits
}

// Read gives a piece.
func (p *pieces) Read(into []byte) (int, error) {
	p.limits.Account.Tick()
	if err := p.limits.ended(); err != nil {
		return 0, err
	}
	return p.Reader.Read(into[:min(len(into), 4<<10)])
}

// asItIs is for text that has been converted already, whatever its declaration
// says.
func asItIs(_ string, r io.Reader) (io.Reader, error) { return r, nil }

// scan goes through a document before its tree is built: it checks the limits,
// and notes the lines, which xmlquery gets wrong where something spans several.
type scan struct {
	uri    string
	limits XMLLimits
	text   []byte
	// written is text as it came, which looks the same but for no-break spaces.
	written []byte
	at      mark // the end of what has been read

	depth int
	nodes int
	roots int
	// namespaces are those declared so far. encoding/xml leaves a prefix that is
	// not declared in the place of its namespace.
	namespaces map[string]bool
	// where the elements, texts and comments begin, in their order.
	elements, texts, comments []mark
}

func (s *scan) errorf(cause error, format string, args ...any) *XMLError {
	reason := fmt.Sprintf(format, args...)
	if len(reason) > longestReason { // it quotes the document
		reason = strings.ToValidUTF8(reason[:longestReason], "") + "…"
	}
	return &XMLError{URI: s.uri, Line: s.at.line, Column: s.at.column, Reason: reason, cause: cause}
}

func (s *scan) run() error {
	d := xml.NewDecoder(bytes.NewReader(s.text))
	d.CharsetReader = asItIs
	for {
		// Where the token begins.
		s.advance(int(d.InputOffset()))
		s.limits.Account.Tick()
		if err := s.limits.ended(); err != nil {
			return s.errorf(err, "reading it was broken off: %v", err)
		}
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if s.roots == 0 {
				return s.errorf(nil, "the document has no element")
			}
			return nil
		}
		if err != nil {
			return s.syntaxError(err, int(d.InputOffset()))
		}
		if err := s.take(token); err != nil {
			return err
		}
	}
}

func (s *scan) advance(offset int) {
	s.at = s.at.after(s.written[s.at.offset:offset])
}

// syntaxError tells what the parser stumbled over behind which it stopped. A tag that
// closes another element is told where it begins.
func (s *scan) syntaxError(err error, stopped int) *XMLError {
	reason := strings.TrimPrefix(err.Error(), "xml: ")
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		reason = syntax.Msg
	}
	if entity, ok := strings.CutPrefix(reason, "invalid character entity "); ok {
		if begin := bytes.LastIndexByte(s.written[s.at.offset:stopped], '&'); begin >= 0 {
			stopped = s.at.offset + begin
		}
		reason = unknownEntity(entity)
	}
	if !strings.Contains(reason, " closed by </") {
		s.advance(stopped)
	}
	return s.errorf(err, "%s", reason)
}

// unknownEntity says what to write in the place of an entity that XML does not have
// by itself.
func unknownEntity(entity string) string {
	name, ok := strings.CutSuffix(strings.TrimPrefix(entity, "&"), ";")
	if !ok {
		return "& begins an entity, such as &amp;, and none is here; write &amp; for the character"
	}
	hint := "write its text in its place"
	if text, known := xml.HTMLEntity[name]; known {
		hint = "write " + references(text)
	}
	return fmt.Sprintf("the entity &%s; is not defined: DTDs are not read; %s", name, hint)
}

// references writes a text in character references.
func references(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// take notes a token, or returns the limit that it exceeds.
func (s *scan) take(token xml.Token) error {
	switch token := token.(type) {
	case xml.StartElement:
		if s.depth++; s.depth > s.limits.Depth {
			return s.errorf(nil, "elements are nested more than %d deep", s.limits.Depth)
		}
		if len(token.Attr) > s.limits.Attributes {
			return s.errorf(nil, "<%s> has more than %d attributes", token.Name.Local, s.limits.Attributes)
		}
		if err := s.names(token); err != nil {
			return err
		}
		if s.depth == 1 {
			if s.roots++; s.roots > 1 {
				return s.errorf(nil, "<%s> follows the end of the document", token.Name.Local)
			}
		}
		s.elements = append(s.elements, s.at)
	case xml.EndElement:
		s.depth--
		return nil
	case xml.CharData:
		if s.depth == 0 && len(bytes.TrimSpace(token)) > 0 {
			s.advance(s.at.offset + len(token) - len(bytes.TrimLeft(token, " \t\r\n")))
			return s.errorf(nil, "there is text outside of the document's element")
		}
		s.texts = append(s.texts, s.at)
	case xml.Comment:
		s.comments = append(s.comments, s.at)
	case xml.ProcInst:
		if token.Target == "xml" && (s.nodes > 0) {
			return s.errorf(nil, "the XML declaration is not at the beginning")
		}
	}
	if s.nodes++; s.nodes > s.limits.Nodes {
		return s.errorf(nil, "the document has more than %d nodes", s.limits.Nodes)
	}
	return nil
}

const longestReason = 500 // bytes

// longestName bounds names and namespaces, in bytes: each of many elements comes to the
// namespace that it is of, and messages name it.
const longestName = 1000

func (s *scan) tooLong(what, name string) error {
	return s.errorf(nil, "%s is longer than %d bytes: %q…", what, longestName, strings.ToValidUTF8(name[:40], ""))
}

// names finds what encoding/xml lets pass: an attribute given twice, and prefixes
// that nobody declared.
func (s *scan) names(element xml.StartElement) error {
	if len(element.Name.Local) > longestName {
		return s.tooLong("the name of an element", element.Name.Local)
	}
	for i, a := range element.Attr {
		if len(a.Name.Local) > longestName {
			return s.tooLong("the name of an attribute", a.Name.Local)
		}
		if (a.Name.Space == "xmlns" || a.Name.Local == "xmlns") && len(a.Value) > longestName {
			return s.tooLong("a namespace", a.Value)
		}
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			s.namespaces[a.Value] = true
		}
		if slices.ContainsFunc(element.Attr[:i], func(b xml.Attr) bool { return a.Name == b.Name }) {
			return s.errorf(nil, "<%s> has the attribute %s twice", element.Name.Local, a.Name.Local)
		}
	}
	if !s.declared(element.Name.Space) {
		return s.errorf(nil, "the prefix %s of <%[1]s:%s> is not declared", element.Name.Space, element.Name.Local)
	}
	for _, a := range element.Attr {
		if a.Name.Space != "xmlns" && !s.declared(a.Name.Space) {
			return s.errorf(nil, "the prefix %s of the attribute %[1]s:%s is not declared", a.Name.Space, a.Name.Local)
		}
	}
	return nil
}

func (s *scan) declared(space string) bool {
	return space == "" || space == "http://www.w3.org/XML/1998/namespace" || space == "xml" || s.namespaces[space]
}

// number gives the nodes their lines, and notes where they stand.
func (s *scan) number(node *xmlquery.Node, places *Places) {
	take := func(marks *[]mark) {
		if len(*marks) > 0 {
			places.nodes[node] = (*marks)[0]
			node.LineNumber, *marks = (*marks)[0].line, (*marks)[1:]
		}
	}
	switch node.Type {
	case xmlquery.ElementNode:
		take(&s.elements)
	case xmlquery.TextNode, xmlquery.CharDataNode:
		take(&s.texts)
	case xmlquery.CommentNode:
		take(&s.comments)
	}
	for child := node.FirstChild; child != nil; child = child.NextSibling {
		s.number(child, places)
	}
}
