package vxml

import (
	"context"
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
	expr := e.expression("expr")
	if failure := e.variableName("name"); failure != nil {
		return failure
	}
	return &varAction{scope, e.required("name"), expr}
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

func (e *element) assignAction() action {
	e.attributes("name", "expr")
	e.required("name")
	e.required("expr")
	at, references := e.value("name")
	expr := e.expression("expr")
	target, err := e.language.Target(e.text("name"), at, references...)
	switch {
	case !e.has("name") || !e.has("expr"):
		return nil
	case err != nil:
		e.attributeMistake("name", err)
		return failing{err}
	}
	return &assignAction{target, expr}
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

// scriptAction is <script>: in the page, or fetched when it runs (VoiceXML 2.0,
// 5.3.12, and 2.1, 3).
type scriptAction struct {
	place
	scope    string
	program  *script.Script // nil for one that is fetched
	src      string
	srcExpr  *script.Expression
	charset  string
	fetching fetching
}

func (e *element) scriptAction(scope string) action {
	e.attributes("charset", "src", "srcexpr", "fetchtimeout", "maxage", "maxstale")
	if e.has("src") || e.has("srcexpr") {
		e.exactlyOne("src", "srcexpr")
		if text, _ := e.textOf(); strings.TrimSpace(text) != "" {
			e.problem("<script> has either src, srcexpr or content")
		}
		return &scriptAction{place: e.place, scope: scope, src: e.text("src"), srcExpr: e.expression("srcexpr"), charset: e.text("charset"), fetching: e.fetching()}
	}
	text, at := e.textOf()
	if strings.TrimSpace(text) == "" && e.hasComment() {
		e.noticeAt(CodeMisplaced, e.position, "<script>: what stands in <!-- and --> is a comment of XML, so that nothing runs; put it into <![CDATA[ and ]]>")
	}
	e.account.TickFor(len(text))
	program, err := e.language.Script(text, at)
	if err != nil {
		e.mistake(CodeExpression, at, err, "<script>: ")
		return failing{err}
	}
	e.lacks(program.Lacks())
	return &scriptAction{place: e.place, scope: scope, program: program}
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
	program := s.program
	if program == nil {
		src, err := x.reference(s.src, s.srcExpr)
		if err != nil {
			return err
		}
		err = x.fetch(s.fetching, func(ctx context.Context) (err error) {
			program, err = x.browser.pages.script(ctx, x.page, src, s.charset, x.how("script", s.fetching))
			return err
		})
		var syntax *script.Error
		switch {
		case errors.As(err, &syntax): // as of one in the page
			return semantic(err)
		case err != nil:
			return badFetch(err)
		}
	}
	if err := x.runtime.Run(program, s.scope); err != nil {
		return semantic(err)
	}
	return nil
}

// textOf collects the text of an element, as that of a <script>, and tells where it
// begins.
func (e *element) textOf() (string, script.Position) {
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
	return text.String(), at
}

// hasComment tells whether there is a comment in an element.
func (e *element) hasComment() bool {
	for child := e.node.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == xmlquery.CommentNode {
			return true
		}
	}
	return false
}

// dataAction is <data>: an XML document is fetched and read by scripts (VoiceXML
// 2.1, 5).
type dataAction struct {
	place
	scope, name     string
	src             string
	srcExpr         *script.Expression
	namelist        []namedValue
	method, enctype string
	fetching        fetching
}

func (e *element) dataAction(scope string) action {
	e.attributes("name", "src", "srcexpr", "namelist", "method", "enctype", "fetchtimeout", "maxage", "maxstale")
	e.exactlyOne("src", "srcexpr")
	if failure := e.variableName("name"); failure != nil {
		return failure
	}
	return &dataAction{
		place: e.place, scope: scope, name: e.text("name"), src: e.text("src"), srcExpr: e.expression("srcexpr"),
		namelist: e.namelist(), method: e.method(), enctype: e.text("enctype"), fetching: e.fetching(),
	}
}

func (d *dataAction) run(x *execution) error {
	src, err := x.reference(d.src, d.srcExpr)
	if err != nil {
		return err
	}
	how := x.how("data", d.fetching)
	how.Method, how.Enctype = d.method, d.enctype
	if err := x.submit(how, d.namelist); err != nil {
		return err
	}
	var root *xmlquery.Node
	err = x.fetch(d.fetching, func(ctx context.Context) error {
		response, err := x.browser.pages.fetch(ctx, x.page.base, src, how)
		if err != nil || d.name == "" {
			return err
		}
		root, err = x.browser.pages.data(ctx, response)
		return err
	})
	if err != nil {
		return badFetch(err)
	}
	if d.name != "" {
		x.runtime.Declare(d.scope, d.name, newDocument(x.runtime.VM(), root))
	}
	return nil
}

// foreachAction is <foreach> (VoiceXML 2.1, 6).
type foreachAction struct {
	item    string
	array   *script.Expression
	actions []action
}

func (e *element) foreachAction() action {
	item, array := e.each()
	return &foreachAction{item, array, e.actions()}
}

// each reads the attributes of a <foreach>.
func (e *element) each() (item string, array *script.Expression) {
	e.attributes("item", "array")
	e.required("array")
	if item = e.required("item"); item != "" && !script.IsIdentifier(item) {
		e.problem("<foreach item=%.200q>: not a variable name", item)
	}
	return item, e.expression("array")
}

func (f *foreachAction) run(x *execution) error {
	return x.forEach(f.item, f.array, func() error { return x.runAll(f.actions) })
}

// forEach runs a body for every entry of an array. What the body throws comes out
// as it is.
func (x *execution) forEach(item string, array *script.Expression, body func() error) error {
	value, err := x.eval(array)
	if err != nil {
		return err
	}
	if object, ok := value.(*goja.Object); !ok || object.ClassName() != "Array" {
		return thrownf("error.semantic", "%s is no array", array)
	}
	var thrown error
	err = x.runtime.Each(array, func(_ string, value goja.Value) error {
		x.runtime.Declare(anonymousScope, item, value)
		thrown = body()
		return thrown
	})
	if thrown != nil {
		return thrown
	}
	if err != nil {
		return semantic(err)
	}
	return nil
}

// variable gives a variable of the form, nil for none. A page may have made it one that
// is read by a function.
func (x *execution) variable(name string) (value goja.Value, err error) {
	if value, err = x.runtime.Variable(dialogScope, name); err != nil {
		return nil, semantic(err)
	}
	return value, nil
}

func (x *execution) set(name string, value goja.Value) {
	x.runtime.Declare(dialogScope, name, value)
}

func (x *execution) openAnonymous() { x.runtime.OpenScope(anonymousScope) }

// eval evaluates an expression; what goes wrong is error.semantic.
func (x *execution) eval(e *script.Expression) (goja.Value, error) {
	value, err := x.runtime.Eval(e)
	if err != nil {
		return nil, semantic(err)
	}
	return value, nil
}

func (x *execution) text(e *script.Expression) (string, error) {
	value, err := x.eval(e)
	if err != nil {
		return "", err
	}
	text, err := x.runtime.Text(value)
	if err != nil {
		return "", semantic(err)
	}
	return text, nil
}

// holds evaluates a condition; none holds.
func (x *execution) holds(cond *script.Expression) (bool, error) {
	if cond == nil {
		return true, nil
	}
	value, err := x.eval(cond)
	return err == nil && value.ToBoolean(), err
}
