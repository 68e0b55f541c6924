package srgs

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ccxmld/script"
)

// longestABNF bounds a grammar in the ABNF form, in bytes.
const longestABNF = 1 << 20

// abnf reads a grammar in the ABNF form (SRGS 1.0, appendix D).
func (c *compilation) abnf(d *document, source Source) error {
	p := &parser{compilation: c, document: d, text: strings.TrimPrefix(source.Text, "\ufeff"), place: source.At}
	if p.place.Line == 0 {
		p.place.Line, p.place.Column = 1, 1
	}
	p.place.URI = d.uri
	if len(p.text) > longestABNF {
		c.problem(p.place, "grammar", "the grammar is longer than %d KiB", longestABNF>>10)
		return nil
	}
	p.identify()
	var formatAt script.Position
	format, speech := "", true
	for p.space(); p.failed == nil && p.offset < len(p.text) && !p.over(); p.space() {
		at := p.at()
		switch word := p.word(); {
		case p.peek() == '{' && word == "":
			d.header = append(d.header, p.tag())
			p.expect(';')
		case word == "mode":
			speech = p.mode() == "voice"
		case word == "root":
			d.root, d.rootAt = p.name(), at
			p.expect(';')
		case word == "tag-format":
			format, formatAt = p.uri(), at
			p.expect(';')
		case word == "base":
			p.base(at)
		case word == "language" || word == "meta" || word == "http-equiv" || word == "lexicon":
			p.declaration()
		case speech && (word == "" || word == "public" || word == "private"):
			if p.failed == nil && p.peekName() {
				return fmt.Errorf("%s: %w", at, ErrSpeech)
			}
			p.fail("a rule such as $name = 1 2; or a declaration such as mode dtmf;")
		case word == "" || word == "public" || word == "private":
			p.rule(at, word == "public")
		default:
			p.failAt(at, fmt.Sprintf("%q is no declaration; expected mode, root, tag-format, base, language, lexicon, meta, http-equiv, or a rule such as $name = 1 2;", shorten(word)))
		}
	}
	switch {
	case p.failed != nil:
		c.problems = append(c.problems, p.failed)
	case speech:
		return fmt.Errorf("%s: %w", p.at(), ErrSpeech)
	default:
		c.format(d, format, formatAt)
	}
	return nil
}

// parser reads the ABNF form. It stops at the first mistake.
type parser struct {
	*compilation
	document *document
	text     string
	offset   int
	// place is where the byte at placed stands: places are found going forward.
	place  script.Position
	placed int
	failed *script.Problem
	depth  int
	// reference is where the last reference to a rule ended.
	reference int
}

// at is the place of what comes next.
func (p *parser) at() script.Position {
	p.account.Tick()
	p.place, p.placed = after(p.place, p.text[p.placed:p.offset]), p.offset
	return p.place
}

// fail says what was expected instead of what comes next.
func (p *parser) fail(expected string) {
	if p.failed != nil {
		return
	}
	found := "the end of the grammar"
	if rest := p.text[p.offset:]; rest != "" {
		r, size := utf8.DecodeRuneInString(rest)
		if end := strings.IndexFunc(rest, isDelimiter); end > size {
			size = end
		}
		if found = fmt.Sprintf("%q", shorten(rest[:size])); r == '\n' {
			found = "the end of the line"
		}
	}
	p.failAt(p.at(), fmt.Sprintf("expected %s, found %s", expected, found))
}

func (p *parser) failAt(at script.Position, reason string) {
	if p.failed == nil {
		p.failed = &script.Problem{Position: at, Code: Code, Reason: reason}
	}
}

// identify reads the first line: #ABNF 1.0 and perhaps an encoding, which has been
// dealt with already.
func (p *parser) identify() {
	p.space()
	if !strings.HasPrefix(p.text[p.offset:], "#ABNF") {
		p.fail("#ABNF 1.0; at the beginning")
		return
	}
	at := p.at()
	end := strings.IndexAny(p.text[p.offset:], ";\n")
	if end < 0 || p.text[p.offset+end] != ';' {
		p.failAt(at, "the first line must end in a semicolon: #ABNF 1.0;")
		return
	}
	fields := strings.Fields(p.text[p.offset : p.offset+end])
	if len(fields) < 2 || fields[0] != "#ABNF" || fields[1] != "1.0" {
		p.notice(at, "", "%q is not the beginning of a grammar of version 1.0, which is #ABNF 1.0; it is read as one", shorten(p.text[p.offset:p.offset+end]))
	}
	p.offset += end + 1
}

// space skips white space and comments.
func (p *parser) space() {
	for {
		rest := strings.TrimLeftFunc(p.text[p.offset:], unicode.IsSpace)
		p.offset = len(p.text) - len(rest)
		switch {
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			p.offset += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 2 {
				p.failAt(p.at(), "the comment has no end; write */")
				p.offset = len(p.text)
				return
			}
			p.offset += end + len("*/")
		default:
			return
		}
	}
}

// peek gives the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.offset < len(p.text) {
		return p.text[p.offset]
	}
	return 0
}

// taken skips the next byte if it is this one.
func (p *parser) taken(c byte) bool {
	p.space()
	if p.failed != nil || p.peek() != c {
		return false
	}
	p.offset++
	return true
}

func (p *parser) expect(c byte) {
	if p.failed == nil && !p.taken(c) {
		p.fail(fmt.Sprintf("%q", string(rune(c))))
	}
}

// isDelimiter tells whether a character ends a word.
func isDelimiter(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune(`;=|+<>()[]{}/!$"~`, r)
}

// word reads a word: a token, a keyword; "" if there is none.
func (p *parser) word() string {
	p.space()
	rest := p.text[p.offset:]
	end := strings.IndexFunc(rest, isDelimiter)
	if end < 0 {
		end = len(rest)
	}
	p.offset += end
	return rest[:end]
}

// peekName tells whether the name of a rule follows.
func (p *parser) peekName() bool {
	p.space()
	return p.peek() == '$'
}

// name reads the name of a rule.
func (p *parser) name() string {
	if !p.taken('$') {
		p.fail("the name of a rule, such as $name")
		return ""
	}
	name := p.text[p.offset:]
	if end := strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}); end >= 0 {
		name = name[:end]
	}
	if name == "" {
		p.fail("the name of a rule, such as $name")
	}
	p.offset += len(name)
	return name
}

// until reads up to a closing text, and skips that.
func (p *parser) until(closing, what string) string {
	rest := p.text[p.offset:]
	end := strings.Index(rest, closing)
	if end < 0 {
		p.failAt(p.at(), fmt.Sprintf("%s has no end; write %s", what, closing))
		return ""
	}
	p.offset += end + len(closing)
	return rest[:end]
}

// uri reads a URI in angle brackets.
func (p *parser) uri() string {
	if !p.taken('<') {
		p.fail("a URI in angle brackets, such as <semantics/1.0>")
		return ""
	}
	return strings.TrimSpace(p.until(">", "the URI"))
}

func (p *parser) mode() string {
	p.space()
	at := p.at()
	mode := p.word()
	if p.failed == nil && mode != "dtmf" && mode != "voice" {
		p.failAt(at, fmt.Sprintf("mode is %q; expected dtmf or voice", shorten(mode)))
	}
	p.expect(';')
	return mode
}

func (p *parser) base(at script.Position) {
	base := p.uri()
	p.expect(';')
	absolute, err := resolveURI(p.document.base, base)
	if err != nil {
		p.failAt(at, fmt.Sprintf("base is %q, which is not a URI: %v", shorten(base), err))
		return
	}
	p.document.base = absolute
}

// declaration skips a declaration that changes nothing here. Its texts are in single or
// double quotes (SRGS 1.0, 4.11).
func (p *parser) declaration() {
	for p.failed == nil && !p.taken(';') {
		switch c := p.peek(); {
		case c == '"' || c == '\'':
			p.offset++
			p.until(string(rune(c)), "the text in quotes")
		case c == '<':
			p.uri()
		case c == '~':
			p.offset++
		case p.word() == "":
			p.fail(`";"`)
		}
	}
}

// rule reads the definition of a rule.
func (p *parser) rule(at script.Position, public bool) {
	r := &rule{at: at, public: public, name: p.name()}
	if specialRule(r.name, at) != nil {
		p.failAt(at, fmt.Sprintf("a rule cannot have the name $%s, which is special; choose another one", r.name))
	}
	p.expect('=')
	r.body = p.alternatives()
	if p.failed == nil && !p.taken(';') {
		p.fail(`";" behind the rule, or more of it`)
	}
	if p.failed == nil {
		p.add(p.document, r)
	}
}

// alternatives reads an expansion, which may have alternatives with weights.
func (p *parser) alternatives() *expansion {
	p.space()
	e := &expansion{kind: choice, at: p.at()}
	if p.depth++; p.depth > deepestRule {
		p.failAt(e.at, fmt.Sprintf("brackets are nested more than %d deep; make a rule of what is in them", deepestRule))
		return e
	}
	defer func() { p.depth-- }()
	for p.failed == nil {
		weight := 1.0
		if p.taken('/') {
			weight = p.fraction("the weight")
		}
		e.items, e.weights = append(e.items, p.sequence()), append(e.weights, weight)
		if !p.taken('|') {
			break
		}
	}
	if len(e.items) == 1 {
		return e.items[0]
	}
	e.sort()
	return e
}

// fraction reads a number up to a slash: a weight or a probability.
func (p *parser) fraction(what string) float64 {
	at := p.at()
	text := p.until("/", what)
	n, err := number(text)
	if err != nil && p.failed == nil {
		p.failAt(at, fmt.Sprintf("%s: %v", what, err))
	}
	return n
}

func (p *parser) sequence() *expansion {
	p.space()
	e := &expansion{kind: sequence, at: p.at()}
	for p.failed == nil {
		n := len(e.items)
		if !p.part(e) {
			break
		}
		p.language()
		p.repeats(e, n)
	}
	if p.failed == nil && len(e.items) == 0 {
		p.fail("keys, a rule such as $name, or something in brackets")
	}
	return e
}

// part adds the next part of a sequence to it; false if there is none.
func (p *parser) part(to *expansion) bool {
	p.space()
	at := p.at()
	switch p.peek() {
	case '"':
		p.offset++
		inside := p.until(`"`, "the text in quotes")
		for _, token := range words(inside) {
			p.token(to, token, at)
		}
	case '$':
		to.items = append(to.items, p.ruleReference(at))
		p.reference = p.offset
	case '{':
		to.items = append(to.items, &expansion{kind: tagged, at: at, tag: p.tag()})
	case '(':
		p.offset++
		if p.taken(')') {
			to.items = append(to.items, specialRule("NULL", at))
			break
		}
		to.items = append(to.items, p.alternatives())
		p.expect(')')
	case '[':
		p.offset++
		optional := p.alternatives()
		p.expect(']')
		to.items = append(to.items, &expansion{kind: repeat, at: at, items: []*expansion{optional}, most: 1})
	default:
		return p.bare(to, at)
	}
	return p.failed == nil
}

// bare adds the keys of a token without quotes; false if there is none. * and # are no
// characters of such a token (SRGS 1.0, 2.1), and other notations have * for a repeat.
func (p *parser) bare(to *expansion, at script.Position) bool {
	behind := p.offset > 0 && strings.IndexByte(`)]>"}`, p.text[p.offset-1]) >= 0 || p.reference != 0 && p.reference == p.offset
	word := p.word()
	switch {
	case word == "":
		return false
	case word[0] == '*' && behind:
		p.failAt(at, "* does not repeat what stands before it; write <0->, or for the key * a space before it")
		return false
	case strings.ContainsAny(word, "*#"):
		p.notice(at, "token", "%q stands without quotes, which tokens with * or # need; it is read as if it had them", shorten(word))
	}
	p.token(to, word, at)
	return p.failed == nil
}

// language skips the language of a token or bracket.
func (p *parser) language() {
	if p.taken('!') && p.word() == "" {
		p.fail("a language, such as en-US")
	}
}

// repeats reads how often the last part of a sequence comes, which begins with item
// first: a token may be several keys.
func (p *parser) repeats(e *expansion, first int) {
	for p.failed == nil && p.taken('<') {
		at := p.at()
		times, probability, hasProbability := strings.Cut(p.until(">", "the repeat"), "/")
		if hasProbability {
			probability = strings.TrimSuffix(strings.TrimSpace(probability), "/")
		}
		if p.failed != nil || len(e.items) == first {
			return
		}
		whole := &expansion{kind: sequence, at: e.items[first].at, items: append([]*expansion(nil), e.items[first:]...)}
		r, err := repeated(whole, times, strings.TrimSpace(probability))
		if err != nil {
			p.failAt(at, err.Error())
			return
		}
		e.items = append(e.items[:first], r)
	}
}

// ruleReference reads $name, $<uri#name> or a special rule.
func (p *parser) ruleReference(at script.Position) *expansion {
	if strings.HasPrefix(p.text[p.offset:], "$<") {
		p.offset++
		e := &expansion{kind: reference, at: at, uri: p.uri()}
		if p.peek() == '~' {
			p.offset++
			e.mediaType = p.uri()
		}
		if e.uri == "" && p.failed == nil {
			p.failAt(at, "the reference has no URI")
		}
		return e
	}
	name := p.name()
	if e := specialRule(name, at); e != nil {
		return e
	}
	return &expansion{kind: reference, at: at, uri: "#" + name}
}

// tag reads {text} or {!{text}!}.
func (p *parser) tag() *tag {
	closing := "}"
	if p.offset++; strings.HasPrefix(p.text[p.offset:], "!{") {
		p.offset += len("!{")
		closing = "}!}"
	}
	t := &tag{at: p.at()}
	t.text = p.until(closing, "the tag")
	return t
}
