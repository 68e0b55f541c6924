package vxml

import (
	"strings"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
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

// grammar gives the simplest form; nil if there is none.
func (g anyOf) grammar() dialog.Grammar {
	switch len(g) {
	case 0:
		return nil
	case 1:
		return g[0]
	}
	return g
}

// builtin adds a builtin grammar, such as digits?length=4.
func (e *element) builtin(to anyOf, text string) anyOf {
	name, _, _ := strings.Cut(text, "?")
	if strings.TrimSpace(name) != "digits" {
		e.notice("the builtin grammar %s is not supported yet; it is ignored", name)
		return to
	}
	g, err := srgs.Builtin(text)
	if err != nil {
		e.problem("the grammar %s: %v", text, err)
		return to
	}
	return append(to, g)
}

// grammar compiles a <grammar> of a field.
func (e *element) grammar(to anyOf) anyOf {
	e.attributes("src", "type", "mode", "version", "root", "tag-format", "weight", "base", "maxage", "maxstale", "fetchtimeout")
	src := e.text("src")
	kind, rest, _ := strings.Cut(src, "/")
	switch {
	case kind == "builtin:dtmf" || kind == "builtin:grammar":
		return e.builtin(to, rest)
	case e.text("mode") == "voice" || e.text("mode") == "" && src == "" && firstElement(e.node) == nil:
		e.notice("speech grammars are not supported yet; digits go on")
	default:
		e.notice("grammars other than builtin:dtmf/digits are not supported yet; this one is ignored")
	}
	return to
}
