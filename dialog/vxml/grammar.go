package vxml

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"ccxmld/dialog"
)

// digits is the builtin grammar of that name (VoiceXML 2.0, appendix P).
type digits struct {
	least, most int // most 0: any number
}

// Match implements dialog.Grammar.
func (g digits) Match(input string) dialog.Match {
	switch n := len(input); {
	case strings.Trim(input, "0123456789") != "", g.most > 0 && n > g.most:
		return dialog.NoMatch
	case n < g.least:
		return dialog.Partial
	case n == g.most:
		return dialog.Complete
	}
	return dialog.Matched
}

// longestInput is how many digits a grammar may ask for.
const longestInput = 100

// parseDigits reads the parameters of the builtin grammar: "minlength=4;maxlength=6"
// or "length=10". What contradicts itself is an error (VoiceXML 2.0, appendix P).
func parseDigits(parameters string) (g digits, err error) {
	g.least = 1
	length := 0
	for parameter := range strings.FieldsFuncSeq(parameters, func(r rune) bool { return r == ';' || r == '&' }) {
		name, value, _ := strings.Cut(parameter, "=")
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < 1 || n > longestInput {
			return g, fmt.Errorf("%q: expected a number from 1 to %d", parameter, longestInput)
		}
		switch strings.TrimSpace(name) {
		case "minlength":
			g.least = n
		case "maxlength":
			g.most = n
		case "length":
			length = n
		default:
			return g, fmt.Errorf("%q: digits has length, minlength and maxlength", parameter)
		}
	}
	if length > 0 {
		if g.most > 0 && g.most < length || g.least > length {
			return g, errors.New("length contradicts minlength or maxlength")
		}
		g.least, g.most = length, length
	}
	if g.most > 0 && g.least > g.most {
		return g, errors.New("minlength is greater than maxlength")
	}
	return g, nil
}

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
	name, parameters, _ := strings.Cut(text, "?")
	if strings.TrimSpace(name) != "digits" {
		e.notice("the builtin grammar %s is not supported yet; it is ignored", name)
		return to
	}
	if decoded, err := url.PathUnescape(parameters); err == nil {
		parameters = decoded
	}
	g, err := parseDigits(parameters)
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
