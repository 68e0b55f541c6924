package srgs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/antchfx/xmlquery"

	"ccxmld/dialog"
	"ccxmld/fetch"
	"ccxmld/processors"
	"ccxmld/script"
)

// Grammar is a set of digit strings with their meanings. It is immutable.
type Grammar interface {
	dialog.Grammar
	// Interpret gives what digits mean that the grammar matches (SISR 1.0): a
	// string, a bool, a float64, nil, or a map[string]any or []any of these.
	// Without tags it is the digits. Scripts in tags run under the limits, all of
	// them together as one evaluation.
	Interpret(digits string, limits script.Limits) (any, error)
}

// ErrSpeech is the error for grammars of words to be spoken (mode="voice", which
// is the default of SRGS 1.0, 4.6).
var ErrSpeech = errors.New(`the grammar is for speech (mode "voice", the default); one for keys has mode="dtmf"`)

// Source is a grammar as it was found.
type Source struct {
	// URI is where it came from; relative references resolve against it, unless
	// the grammar has a base of its own.
	URI string
	// Rule is the public rule to start from, as a reference names it behind #; ""
	// is the root.
	Rule string

	// Root is the <grammar> of the XML form, or the document node above it.
	Root *xmlquery.Node
	// Places tells where its parts stand; with none, positions are lines only.
	Places *fetch.Places

	// Text is the ABNF form, if Root is nil, and At where it begins in the
	// document, if that is not its first line.
	Text string
	At   script.Position

	// Context ends the compiling; nil does not.
	Context context.Context
	// Account is that of the time that compiling takes; nil for none.
	Account *processors.Account
}

// Load gets a grammar to which another one refers: uri is absolute and has no
// fragment, and mediaType is what the reference says of it, or "".
type Load func(uri, mediaType string) (Source, error)

// IsABNF tells whether a text is a grammar in the ABNF form, by its first line
// (SRGS 1.0, 4.1).
func IsABNF(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(text, "\ufeff"), " \t\r\n"), "#ABNF")
}

// Limits of grammars: what exceeds them is refused when it is compiled.
const (
	mostDocuments = 20
	mostRules     = 2000
	mostNodes     = 50_000 // of the network, in which repeats are written out
	mostRepeats   = 1000   // of one repeat
	deepestRule   = 50     // elements or brackets within a rule
)

// Compiled is a grammar of SRGS 1.0.
type Compiled struct {
	// Notices are lenient readings, and what is ignored.
	Notices script.Problems

	network
	scripts bool // some tags are scripts
}

// document is a grammar document.
type document struct {
	uri       string
	base      string
	mediaType string
	root      string
	rootAt    script.Position
	format    tagFormat
	header    []*tag // run before the tags of rules
	rules     []*rule
	byName    map[string]*rule
	folded    map[string]string // names of rules by theirs in lower case, once it is asked for
}

// rule is a <rule> (SRGS 1.0, 3).
type rule struct {
	document *document
	name     string
	public   bool
	at       script.Position
	body     *expansion

	nullable   bool         // matches no digits
	productive bool         // matches some digits, or none
	left       []*expansion // references that may come before any digit
}

// compilation is one grammar being compiled, with those it refers to.
type compilation struct {
	load      Load
	documents map[string]*document
	reached   map[*rule]bool
	order     []*rule // those reached, in that order
	problems  script.Problems
	notices   script.Problems
	rules     int
	scripts   bool
	language  *script.Language
	ctx       context.Context
	account   *processors.Account
}

// Compile compiles a grammar and all that it refers to, which load gets; with no
// load, references to other documents are problems.
func Compile(source Source, load Load) (*Compiled, error) {
	c := &compilation{load: load, documents: make(map[string]*document), reached: make(map[*rule]bool), language: language, ctx: source.Context, account: source.Account}
	if c.ctx != nil {
		c.language = language.Until(c.ctx)
	}
	main, err := c.parse(source)
	if err := c.ended(main); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	c.documents[main.uri] = main
	for _, r := range main.rules {
		c.reach(r)
	}
	for i := 0; i < len(c.order); i++ {
		c.account.Tick()
		if err := c.ended(main); err != nil {
			return nil, err
		}
		c.resolve(c.order[i])
	}
	start := c.start(main, source.Rule)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	c.analyse()
	if err := c.ended(main); err != nil {
		return nil, err
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	g := &Compiled{scripts: c.scripts}
	if err := g.build(start); err != nil {
		c.problem(start.at, "rule", "%v", err)
		return nil, c.problems
	}
	if !start.productive {
		c.notice(start.at, "rule", "the rule %s matches no digits at all", start.name)
	}
	g.Notices = c.notices
	return g, nil
}

// over tells whether the context has ended.
func (c *compilation) over() bool { return c.ctx != nil && c.ctx.Err() != nil }

// ended is the error of a compilation whose context has ended.
func (c *compilation) ended(d *document) error {
	if !c.over() {
		return nil
	}
	return fmt.Errorf("compiling %s was broken off: %w", d.uri, context.Cause(c.ctx))
}

// parse reads a document of either form.
func (c *compilation) parse(source Source) (*document, error) {
	uri, _, _ := strings.Cut(source.URI, "#")
	d := &document{uri: uri, base: uri, mediaType: XMLType, byName: make(map[string]*rule)}
	if source.Root != nil {
		return d, c.xml(d, source)
	}
	d.mediaType = ABNFType
	return d, c.abnf(d, source)
}

// add adds a rule to its document.
func (c *compilation) add(d *document, r *rule) {
	if c.rules++; c.rules == mostRules+1 {
		c.problem(r.at, "rule", "there are more than %d rules", mostRules)
	}
	if d.byName[r.name] != nil {
		c.problem(r.at, "rule", "there are two rules with the name %.200q", r.name)
		return
	}
	r.document = d
	d.byName[r.name] = r
	d.rules = append(d.rules, r)
}

// start finds the rule to begin with.
func (c *compilation) start(d *document, name string) *rule {
	at := script.Position{URI: d.uri, Line: 1}
	if name == "" {
		return c.root(d, at)
	}
	r := d.byName[name]
	switch {
	case r == nil:
		c.problem(at, "grammar", "the grammar has no rule %.200q%s", name, suggest(name, d))
	case !r.public:
		c.problem(r.at, "rule", "the rule %.200q is private; write scope=\"public\" so that others can refer to it", name)
	}
	return r
}

// root finds the root rule (SRGS 1.0, 4.7). A grammar with a single rule needs
// not say which it is.
func (c *compilation) root(d *document, at script.Position) *rule {
	switch r := d.byName[d.root]; {
	case r != nil:
		return r
	case d.root != "":
		c.problem(d.rootAt, "grammar", "the root is %.200q, but there is no such rule%s", d.root, suggest(d.root, d))
	case len(d.rules) == 1:
		c.notice(d.rules[0].at, "rule", "the grammar has no root; it is read as %.200q, its only rule", d.rules[0].name)
		return d.rules[0]
	case len(d.rules) == 0:
		c.problem(at, "grammar", "the grammar %s has no rules", d.uri)
	default:
		c.problem(at, "grammar", "the grammar %s has no root, and it has several rules; name one, as in root=%.200q", d.uri, d.rules[0].name)
	}
	return nil
}

// reach notes a rule that is needed: all of the grammar itself, and of others those
// that it refers to.
func (c *compilation) reach(r *rule) {
	if r != nil && !c.reached[r] {
		c.reached[r] = true
		c.order = append(c.order, r)
	}
}

// resolve finds what the references of a rule refer to.
func (c *compilation) resolve(r *rule) {
	r.body.each(func(e *expansion) {
		if e.kind == reference {
			e.target = c.target(r.document, e)
			c.reach(e.target)
		}
	})
}

// target finds the rule that a reference names (SRGS 1.0, 2.2).
func (c *compilation) target(d *document, e *expansion) *rule {
	uri, name, _ := strings.Cut(e.uri, "#")
	other := d
	if uri != "" {
		if other = c.document(d, e, uri); other == nil {
			return nil
		}
		c.checkType(e, other)
	}
	if name == "" {
		if uri == "" {
			c.problem(e.at, "ruleref", "the reference %.200q names no rule; write #NAME", e.uri)
			return nil
		}
		return c.root(other, e.at)
	}
	r := other.byName[name]
	switch {
	case r == nil:
		c.problem(e.at, "ruleref", "there is no rule %.200q in %s%s", name, other.uri, suggest(name, other))
	case other != d && !r.public:
		c.problem(e.at, "ruleref", "the rule %.200q of %s is private; write scope=\"public\" there", name, other.uri)
	}
	return r
}

// document gives another document, and loads it when it is needed first.
func (c *compilation) document(d *document, e *expansion, uri string) *document {
	absolute, err := resolveURI(d.base, uri)
	if err != nil {
		c.problem(e.at, "ruleref", "%.200q is not a URI: %v", uri, err)
		return nil
	}
	if other, known := c.documents[absolute]; known {
		return other
	}
	c.documents[absolute] = nil // refused once, if it cannot be had
	switch {
	case strings.HasPrefix(absolute, "builtin:"):
		c.problem(e.at, "ruleref", "%s cannot be a part of another grammar; give the field a <grammar> of its own for it", absolute)
		return nil
	case c.load == nil:
		c.problem(e.at, "ruleref", "the grammar refers to %s, but other documents cannot be loaded here", absolute)
		return nil
	case len(c.documents) > mostDocuments:
		c.problem(e.at, "ruleref", "the grammar refers to more than %d other documents", mostDocuments)
		return nil
	}
	source, err := c.load(absolute, e.mediaType)
	if err == nil {
		var other *document
		if other, err = c.parse(source); err == nil {
			c.documents[absolute] = other
			return other
		}
	}
	c.problem(e.at, "ruleref", "the grammar %s cannot be used here: %v", absolute, err)
	return nil
}

// checkType notices a reference that calls a grammar one of the other form: what it is
// decides (SRGS 1.0, 2.2.2).
func (c *compilation) checkType(e *expansion, other *document) {
	kind, _, _ := strings.Cut(strings.ToLower(e.mediaType), ";")
	if kind = strings.TrimSpace(kind); kind != "" && kind != other.mediaType {
		c.notice(e.at, "ruleref", "the reference says %s, but %s is %s, and is read as that", shorten(kind), e.uri, other.mediaType)
	}
}

// The media types of the two forms (SRGS 1.0, appendix G).
const (
	XMLType  = "application/srgs+xml"
	ABNFType = "application/srgs"
)

// longestURI bounds what refers to a grammar and its base, in bytes: each of many
// references resolves against that.
const longestURI = 2000

func resolveURI(base, reference string) (string, error) {
	if len(reference) > longestURI {
		return "", fmt.Errorf("it is longer than %d bytes", longestURI)
	}
	parent, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	child, err := parent.Parse(strings.TrimSpace(reference))
	if err != nil {
		return "", err
	}
	return child.String(), nil
}

// Code is that of problems and notices of grammars.
const Code = "grammar"

func (c *compilation) problem(at script.Position, element, format string, args ...any) {
	c.problems = append(c.problems, &script.Problem{Position: at, Element: element, Code: Code, Reason: script.Brief(fmt.Sprintf(format, args...))})
}

func (c *compilation) notice(at script.Position, element, format string, args ...any) {
	c.notices = append(c.notices, &script.Problem{Position: at, Element: element, Code: Code, Reason: script.Brief(fmt.Sprintf(format, args...))})
}

// suggest names the rule that may have been meant.
func suggest(name string, d *document) string {
	if d.folded == nil {
		d.folded = make(map[string]string, len(d.rules))
		for _, r := range slices.Backward(d.rules) {
			d.folded[strings.ToLower(r.name)] = r.name
		}
	}
	if meant, known := d.folded[strings.ToLower(name)]; known {
		return fmt.Sprintf(" (did you mean %.200q?)", meant)
	}
	return ""
}
