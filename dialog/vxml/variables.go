package vxml

import (
	"errors"
	"strings"

	"github.com/antchfx/xmlquery"
	"github.com/dop251/goja"

	"ccxmld/script"
)

type varAction struct {
	scope, name string
	expr        *script.Expression
}

func (e *element) varAction(scope string) action {
	e.attributes("name", "expr")
	name := e.required("name")
	if !script.IsIdentifier(name) {
		e.problem("<var name=%q>: not a variable name", name)
		return nil
	}
	return &varAction{scope, name, e.expression("expr")}
}

func (v *varAction) run(x *execution) error {
	value := goja.Undefined()
	if v.expr != nil {
		var err error
		if value, err = x.eval(v.expr); err != nil {
			return err
		}
	}
	x.runtime.Declare(v.scope, v.name, value)
	return nil
}

type assignAction struct {
	target *script.Target
	expr   *script.Expression
}

func (e *element) target(name string) *script.Target {
	at, _ := e.value(name)
	compiled, err := e.language.Target(e.text(name), at)
	if err != nil {
		e.attributeProblem(name, err)
		return nil
	}
	return compiled
}

func (a *assignAction) run(x *execution) error {
	value, err := x.eval(a.expr)
	if err != nil {
		return err
	}
	if err := x.runtime.Assign(a.target, value); err != nil {
		return semantic(err)
	}
	return nil
}

type scriptAction struct {
	scope   string
	program *script.Script
}

func (e *element) scriptAction(scope string) action {
	e.attributes("charset")
	if e.has("src") || e.has("srcexpr") {
		e.problem("<script src> is not supported yet; put the script into the page")
		return nil
	}
	var text strings.Builder
	at := e.position
	for child := e.node.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == xmlquery.TextNode || child.Type == xmlquery.CharDataNode {
			if text.Len() == 0 && e.places != nil {
				at = e.textAt(child)
			}
			text.WriteString(child.Data)
		}
	}
	program, err := e.language.Script(text.String(), at)
	if err != nil {
		var scriptError *script.Error
		if errors.As(err, &scriptError) {
			at = scriptError.Position
		}
		e.problems = append(e.problems, &Problem{Position: at, Element: e.tag, Code: CodeExpression, Reason: "<script>: " + reasonOf(err)})
		return nil
	}
	return &scriptAction{scope, program}
}

// textAt gives the place of a text, inside of its CDATA section if it is one.
func (e *element) textAt(text *xmlquery.Node) script.Position {
	written, line, column := e.places.Text(text)
	at := script.Position{URI: e.page.URI, Line: line, Column: column}
	const section = "<![CDATA["
	if line == 0 {
		return e.position
	}
	if strings.HasPrefix(written, section) {
		at.Column += len(section)
	}
	return at
}

func (s *scriptAction) run(x *execution) error {
	if err := x.runtime.Run(s.program, s.scope); err != nil {
		return semantic(err)
	}
	return nil
}
