package vxml

import (
	"fmt"
	"regexp"
	"strings"

	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
)

// foreignForm names the form of a grammar that is none of SRGS, by its type or else by
// how it begins; "" for one that is not known.
func foreignForm(kind, text string) string {
	kind, text = strings.ToLower(kind), strings.TrimLeft(text, "\ufeff \t\r\n")
	switch {
	case strings.Contains(kind, "jsgf"), strings.HasPrefix(text, "#JSGF"):
		return "JSGF"
	case strings.Contains(kind, "gsl"), strings.Contains(kind, "nuance"), strings.HasPrefix(text, ";GSL"),
		strings.HasPrefix(text, "["), strings.HasPrefix(text, "."):
		return "GSL"
	}
	return ""
}

// ForeignGrammar says of a fetched grammar of GSL or JSGF what to write in its place; ""
// for another document.
func ForeignGrammar(response *fetch.Response) string {
	text := response.Text()
	if foreignForm(response.ContentType, text) == "" || strings.HasPrefix(strings.TrimLeft(text, "\ufeff \t\r\n"), "<") {
		return ""
	}
	return foreignAdvice(response.ContentType, text)
}

// foreignAdvice says of a grammar that is none of SRGS what to write in its place.
func foreignAdvice(kind, text string) string {
	form := foreignForm(kind, text)
	if form == "" {
		return "this <grammar> is neither of SRGS's XML form nor of its ABNF form, which begins with #ABNF 1.0; write it in one of these, such as " + inABNF("1 | 2", "dtmf")
	}
	if rule, mode, ok := translated(form, text); ok {
		return fmt.Sprintf("the grammar is of the form %s, which is not read; in SRGS's ABNF form it is %s", form, inABNF(rule, mode))
	}
	return fmt.Sprintf("the grammar is of the form %s, which is not read; write it in SRGS's ABNF form, which for alternatives of keys is %s, or in its XML form", form, inABNF("1 | 2", "dtmf"))
}

func inABNF(rule, mode string) string {
	if mode == "voice" {
		mode = "voice; language en"
	}
	return fmt.Sprintf("#ABNF 1.0; mode %s; root $r; $r = %s;", mode, rule)
}

var (
	foreignToken = regexp.MustCompile(`\{[^{}]*\}|[][()|?]|[^][()|?{}<>"*+~/$;=\s]+|\S`)
	foreignWord  = regexp.MustCompile(`^[\pL\pN][\pL\pN_'.-]*$`)
	foreignWords = regexp.MustCompile(`[\pL\pN_'.-]+`)
	foreignKey   = regexp.MustCompile(`^(?:dtmf-)?([0-9])$`)
	jsgfHead     = regexp.MustCompile(`^(?:#JSGF[^;]*;)?\s*(?:grammar\s[^;]*;)?\s*(?:public\s+)?(?:<[^<>]*>\s*=)?`)
	gslHead      = regexp.MustCompile(`^(?:\s*;[^\n]*\n)*\s*(?:\.[\pL\pN_]+\s)?`)
)

// longestForeign bounds the text for which a translation is shown.
const longestForeign = 1000

// translated gives the rule of SRGS's ABNF form that a grammar stands for, without its
// tags, and its mode. Those of several rules, or that refer to others, are not translated.
func translated(form, text string) (rule, mode string, ok bool) {
	if len(text) > longestForeign {
		return "", "", false
	}
	head := jsgfHead
	if text = strings.TrimLeft(text, "\ufeff \t\r\n"); form == "GSL" {
		head = gslHead
	}
	text = strings.TrimSuffix(strings.TrimSpace(text[len(head.FindString(text)):]), ";")
	f := &foreign{gsl: form == "GSL", tokens: foreignToken.FindAllString(text, -1)}
	rule = f.expansion("")
	if f.bad || len(f.tokens) > 0 || rule == "" || f.keys && f.words {
		return "", "", false
	}
	mode, shape := "dtmf", rule
	if f.words {
		mode, shape = "voice", foreignWords.ReplaceAllString(rule, "1")
	}
	// What is shown has to be a grammar, and compiled are those of keys.
	_, err := srgs.Compile(srgs.Source{Text: inABNF(shape, "dtmf")}, nil)
	return rule, mode, err == nil
}

// foreign is what remains of a grammar that is translated.
type foreign struct {
	gsl         bool
	tokens      []string
	keys, words bool // which it has
	bad         bool // it has what is not translated
}

// expansion reads up to a closing bracket, which it takes.
func (f *foreign) expansion(closing string) string {
	separator := " "
	if f.gsl && closing == "]" {
		separator = " | "
	}
	var parts []string
	for len(f.tokens) > 0 && !f.bad {
		if f.tokens[0] == closing {
			f.tokens = f.tokens[1:]
			return strings.Join(parts, separator)
		}
		if part := f.part(); part != "" {
			parts = append(parts, part)
		}
	}
	f.bad = f.bad || closing != ""
	return strings.Join(parts, separator)
}

// part reads one part of an expansion; "" for a tag.
func (f *foreign) part() string {
	token := f.tokens[0]
	f.tokens = f.tokens[1:]
	switch {
	case strings.HasPrefix(token, "{"):
		return ""
	case token == "[" && !f.gsl:
		return "[" + f.expansion("]") + "]"
	case token == "[":
		return "(" + f.expansion("]") + ")"
	case token == "(":
		return "(" + f.expansion(")") + ")"
	case token == "?" && f.gsl && len(f.tokens) > 0:
		return "[" + f.part() + "]"
	case token == "|" && !f.gsl:
		return token
	case token == "dtmf-star":
		f.keys = true
		return `"*"`
	case token == "dtmf-pound":
		f.keys = true
		return `"#"`
	case foreignKey.MatchString(token):
		f.keys = true
		return foreignKey.FindStringSubmatch(token)[1]
	case foreignWord.MatchString(token) && (!f.gsl || token == strings.ToLower(token)): // a name of a rule is not
		f.words = true
		return token
	}
	f.bad = true
	return ""
}
