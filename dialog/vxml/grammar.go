package vxml

import (
	"errors"
	"strings"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/script"
)

// anyOf is the union of grammars.
type anyOf []dialog.Grammar

// Match implements dialog.Grammar.
func (g anyOf) Match(input string) dialog.Match {
	matched, more := false, false
	for _, one := range g {
		switch one.Match(input) {
		case dialog.Complete:
			matched = true
		case dialog.Matched:
			matched, more = true, true
		case dialog.Partial:
			more = true
		}
	}
	switch {
	case matched && more:
		return dialog.Matched
	case matched:
		return dialog.Complete
	case more:
		return dialog.Partial
	}
	return dialog.NoMatch
}

// grammar is a <grammar>, a builtin type, or the digits of a choice.
type grammar struct {
	place
	page       *Page // that has it, which may be the application root document
	everywhere bool  // scope="document" of its own
	// compiled is nil for one that is not compiled with the page: it is, or refers
	// to, something that has to be fetched.
	compiled srgs.Grammar
	// spoken is what may be said, alone or beside what is pressed.
	spoken *spoken
	// refused is thrown when the grammar would be active.
	refused  *thrown
	inline   *srgs.Source
	src      string
	srcExpr  *script.Expression
	voice    bool // what is fetched is of speech
	fetching fetching
}

// press makes digits a grammar of their own, which means value.
func (e *element) press(digits string, value any) *grammar {
	compiled, err := srgs.Keys(digits, value)
	if err != nil {
		e.problem("<%s dtmf>: %v", e.tag, err)
	}
	return &grammar{place: e.place, compiled: compiled}
}

// builtin adds a builtin grammar, such as digits?length=4.
func (e *element) builtin(to []*grammar, text string) []*grammar {
	compiled, err := srgs.Builtin(text)
	switch {
	case errors.Is(err, srgs.ErrSpeech):
		return append(to, &grammar{place: e.place, spoken: builtinSpeech(text)})
	case errors.Is(err, srgs.ErrNoBuiltin):
		e.notice("%v; error.unsupported.builtin is thrown when it is reached", err)
		return append(to, &grammar{place: e.place, refused: thrownf("error.unsupported.builtin", "%v", err)})
	case err != nil:
		e.problem("the grammar %s: %v", text, err)
		return to
	}
	return append(to, &grammar{place: e.place, compiled: compiled, spoken: builtinSpeech(text)})
}

// grammar compiles a <grammar>.
func (e *element) grammar(to []*grammar) []*grammar {
	g := &grammar{place: e.place, page: e.page, everywhere: e.has("scope") && e.scope()}
	src, text := e.text("src"), ""
	named := e.has("src") || e.has("srcexpr")
	content, _ := e.textOf()
	switch filled := firstElement(e.node) != nil || strings.TrimSpace(content) != ""; {
	case named && filled:
		e.problem("<grammar> has either src, srcexpr or content")
		return to
	case !named && !filled:
		e.problem("<grammar> needs one of src, srcexpr and content")
		return to
	case strings.HasPrefix(src, "builtin:") && !e.has("srcexpr"):
		return e.builtin(to, src)
	case named:
		// The last ones are for content; where there is none they mean nothing.
		e.attributes("src", "srcexpr", "type", "mode", "scope", "weight", "fetchtimeout", "maxage", "maxstale", "version", "root", "tag-format")
		e.exactlyOne("src", "srcexpr")
		g.src, g.srcExpr, g.fetching = src, e.expression("srcexpr"), e.fetching()
		g.voice = strings.EqualFold(e.text("mode"), "voice")
		return append(to, g)
	}
	source := srgs.Source{URI: e.page.base, Root: e.node, Places: e.places}
	if firstElement(e.node) == nil {
		text, source.At = e.textOf()
		switch {
		case strings.EqualFold(e.text("mode"), "voice"):
			e.notice("%s", speechNotice)
			g.spoken = e.inlineSpeech()
			return append(to, g)
		case !srgs.IsABNF(text):
			advice := foreignAdvice(e.text("type"), text)
			e.notice("%s. error.unsupported.format is thrown when it is reached", advice)
			g.refused = thrownf("error.unsupported.format", "%s: %s", e.position, advice)
			return append(to, g)
		}
		source.Root, source.Text = nil, text
	}
	e.checkType(source)
	e.compileGrammar(g, source)
	return append(to, g)
}

// checkType notices a grammar in the page that is called one of the other form.
func (e *element) checkType(source srgs.Source) {
	kind, _, _ := strings.Cut(strings.ToLower(e.text("type")), ";")
	is := srgs.XMLType
	if source.Root == nil {
		is = srgs.ABNFType
	}
	if kind = strings.TrimSpace(kind); kind != "" && kind != is {
		e.noticeAt(srgs.Code, e.position, "<grammar type=%.200q>: it is %s, and is read as that", kind, is)
	}
}

const speechNotice = `a grammar of speech is listened to only with an engine under dialog.asr; digits go on. A grammar of digits has mode="dtmf"`

var errElsewhere = errors.New("elsewhere")

// compileGrammar compiles a grammar in the page. One that refers to others is
// compiled when it is needed.
func (e *element) compileGrammar(g *grammar, source srgs.Source) {
	elsewhere := false
	source.Context, source.Account = e.ctx, e.account
	compiled, err := srgs.Compile(source, func(string, string) (srgs.Source, error) {
		elsewhere = true
		return srgs.Source{}, errElsewhere
	})
	var problems Problems
	switch {
	case elsewhere:
		source.Context, source.Account = nil, nil
		g.inline = &source
	case errors.Is(err, srgs.ErrSpeech):
		g.spoken = e.inlineSpeech()
		e.notice("%s", speechNotice)
	case errors.As(err, &problems):
		e.page.Mistakes = append(e.page.Mistakes, problems...)
		g.refused = thrownf("error.badfetch", "%v", err)
	case err != nil:
		e.mistake(srgs.Code, e.position, err, "")
		g.refused = thrownf("error.badfetch", "%v", err)
	default:
		g.compiled = compiled
		e.page.bytes += compiled.Bytes()
		e.page.Notices = append(e.page.Notices, compiled.Notices...)
	}
}
