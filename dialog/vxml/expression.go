package vxml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ccxmld/script"
)

// expression compiles an attribute that is evaluated when the element runs; nil
// where it is absent. One that does not compile throws error.semantic when it is
// reached (VoiceXML 2.0, 5.2.6). An empty one is as good as absent, and undefined where
// it cannot be absent.
func (e *element) expression(name string) *script.Expression {
	if !e.has(name) {
		return nil
	}
	at, references := e.value(name)
	text := attributeOf(e.node, "", name)
	if strings.TrimSpace(text) == "" {
		return e.emptyExpression(name, at)
	}
	compiled, err := e.language.Expression(text, at, references...)
	if err != nil {
		e.attributeMistake(name, err)
		return script.Unparsable(err)
	}
	e.lacks(compiled.Lacks())
	return compiled
}

// needed are the elements whose expr or cond has to be there.
var needed = map[string][]string{
	"expr": {"assign", "value", "audio", "param", "goto", "submit", "choice", "link"},
	"cond": {"if", "elseif"},
}

func (e *element) emptyExpression(name string, at script.Position) *script.Expression {
	optional := name == "expr" || name == "cond" || name == "aaiexpr" || name == "messageexpr"
	if optional && !slices.Contains(needed[name], e.tag) {
		e.noticeAt(CodeEmpty, at, "<%s %s=\"\"> is empty; it is read as if it were not there", e.tag, name)
		return nil
	}
	e.noticeAt(CodeEmpty, at, "<%s %s=\"\"> is empty; its value is undefined", e.tag, name)
	return script.Undefined(at)
}

// attributeMistake notes an expression that does not compile.
func (e *element) attributeMistake(name string, err error) {
	at, _ := e.value(name)
	e.mistake(CodeExpression, at, err, fmt.Sprintf("<%s %s=%.200q>: ", e.tag, name, e.text(name)))
}

// mistake notes what does not compile and is told when it is reached; at its own place
// in what was compiled, if it knows that.
func (e *element) mistake(code string, at script.Position, err error, about string) {
	reason := err.Error()
	var scriptError *script.Error
	if errors.As(err, &scriptError) {
		at, reason = scriptError.Position, scriptError.Reason
	}
	e.page.Mistakes = append(e.page.Mistakes, &Problem{Position: at, Element: e.tag, Code: code, Reason: about + reason})
}

// failing is an element of executable content that does not compile: it throws
// error.semantic when it is reached.
type failing struct{ err error }

func (f failing) run(*execution) error { return semantic(f.err) }

// variableName reads the name of a variable that an element declares. One with a scope
// before it, or a reserved word, is error.semantic when it is reached (VoiceXML 2.0, 5.3.1):
// failure is that.
func (e *element) variableName(name string) (failure action) {
	text := e.text(name)
	if text == "" || script.IsIdentifier(text) {
		return nil
	}
	for part := range strings.SplitSeq(text, ".") {
		if !isName(part) {
			e.problem("<%s %s=%.200q>: not a variable name", e.tag, name, text)
			return nil
		}
	}
	at, _ := e.value(name)
	err := errors.New("a word of ECMAScript cannot be the name of a variable")
	if strings.Contains(text, ".") {
		err = fmt.Errorf("a variable is declared without a scope before its name; write %s=%q", name, text[strings.LastIndexByte(text, '.')+1:])
	}
	e.mistake(CodeExpression, at, err, fmt.Sprintf("<%s %s=%.200q>: ", e.tag, name, text))
	return failing{fmt.Errorf("%s: <%s %s=%.200q>: %w", e.position, e.tag, name, text, err)}
}

// isName tells whether a text is a variable name, or would be if it were no reserved word.
func isName(text string) bool { return script.IsIdentifier(text) || script.IsIdentifier(text+"_") }
