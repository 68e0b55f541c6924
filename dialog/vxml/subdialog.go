package vxml

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/antchfx/xmlquery"
	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

// subdialog is a <subdialog> (VoiceXML 2.0, 2.3.4): a dialog with variables of its
// own, whose values come back.
type subdialog struct {
	src             string
	srcExpr         *script.Expression
	namelist        []namedValue
	method, enctype string
	fetching        fetching
	params          []param
}

// param is a <param> of a subdialog (VoiceXML 2.0, 6.4).
type param struct {
	name  string
	value string
	expr  *script.Expression
}

func (e *element) subdialog() *subdialog {
	e.attributes("name", "expr", "cond", "src", "srcexpr", "namelist", "method", "enctype", "fetchtimeout", "maxage", "maxstale")
	e.exactlyOne("src", "srcexpr")
	return &subdialog{
		src: e.text("src"), srcExpr: e.expression("srcexpr"), namelist: e.namelist(),
		method: e.method(), enctype: e.text("enctype"), fetching: e.fetching(),
	}
}

func (e *element) param() param {
	e.attributes("name", "value", "expr", "valuetype", "type")
	e.required("name")
	e.exactlyOne("value", "expr")
	return param{e.text("name"), e.text("value"), e.expression("expr")}
}

// deepestSubdialog bounds how deep subdialogs call each other.
const deepestSubdialog = 20

// call runs a subdialog and takes what it returns.
func (x *execution) call(i *item) error {
	s := i.subdialog
	if x.depth >= deepestSubdialog {
		return thrownf("error.semantic", "subdialogs call each other more than %d deep", deepestSubdialog)
	}
	to, err := x.callee(s)
	if err != nil {
		return err
	}
	child := x.newExecution(to.page)
	child.depth = x.depth + 1
	if child.params, err = x.parameters(s.params); err != nil {
		return err
	}
	err = child.interpret(to)
	var back *returned
	switch {
	case err == nil:
		return &exit{} // it has run out without <return> (VoiceXML 2.0, 2.1.6.2)
	case !errors.As(err, &back):
		return err
	case back.event != "":
		x.set(i.name, goja.Undefined())
		return &thrown{event: back.event, message: back.message, byPage: true}
	}
	vm := x.runtime.VM()
	result := vm.NewObject()
	for _, value := range back.values {
		set(result, value.Name, native(vm, value.Value))
	}
	x.set(i.name, result)
	return x.process(i)
}

// callee gets the page and form of a subdialog.
func (x *execution) callee(s *subdialog) (*jump, error) {
	src, err := x.reference(s.src, s.srcExpr)
	if err != nil {
		return nil, err
	}
	if id, ok := cutHash(src); ok {
		form := x.page.byID[id]
		if form == nil {
			return nil, thrownf("error.badfetch", "there is no dialog %q in %s", id, x.page.URI)
		}
		return &jump{page: x.page, root: x.root, form: form}, nil
	}
	how := x.how("document", s.fetching)
	how.Method, how.Enctype = s.method, s.enctype
	if err := x.submit(how, s.namelist); err != nil {
		return nil, err
	}
	return x.load(x.page, src, s.fetching, how, nil)
}

// cutHash gives the name of a dialog of the same page.
func cutHash(reference string) (id string, ok bool) {
	if len(reference) > 1 && reference[0] == '#' {
		return reference[1:], true
	}
	return "", false
}

// parameters evaluates what a subdialog is given. Objects are copied: the two
// share no variables.
func (x *execution) parameters(list []param) (map[string]any, error) {
	params := make(map[string]any, len(list))
	for _, p := range list {
		params[p.name] = p.value
		if p.expr == nil {
			continue
		}
		value, err := x.eval(p.expr)
		if err != nil {
			return nil, err
		}
		if params[p.name], err = x.runtime.Data(value, nodeOf); err != nil {
			return nil, semantic(fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return params, nil
}

// returned ends a subdialog (VoiceXML 2.0, 5.3.10): with values, or an event for
// whoever has called it.
type returned struct {
	values         dialog.Values
	event, message string
}

func (*returned) Error() string { return "return" }

type returnAction struct {
	namelist               []namedValue
	event, message         string
	eventExpr, messageExpr *script.Expression
}

func (e *element) returnAction() action {
	e.attributes("event", "eventexpr", "message", "messageexpr", "namelist")
	e.atMostOne("event", "eventexpr", "namelist")
	e.atMostOne("message", "messageexpr")
	return &returnAction{e.namelist(), e.text("event"), e.text("message"), e.expression("eventexpr"), e.expression("messageexpr")}
}

func (a *returnAction) run(x *execution) error {
	back := &returned{}
	var err error
	if x.depth == 0 {
		return thrownf("error.semantic", "<return> outside of a subdialog has nobody to return to")
	}
	if back.event, err = x.reference(a.event, a.eventExpr); err != nil {
		return err
	}
	if back.message = a.message; a.messageExpr != nil {
		if back.message, err = x.text(a.messageExpr); err != nil {
			return err
		}
	}
	back.values, err = x.valuesWith(a.namelist, nodeOf)
	if err != nil {
		return err
	}
	return back
}

// native makes data of another runtime a value of this one; what is undefined there is
// undefined here, and in arrays and objects null.
func native(vm *goja.Runtime, value any) goja.Value {
	if value == nil {
		return goja.Undefined()
	}
	return nativePart(vm, value)
}

func nativePart(vm *goja.Runtime, value any) goja.Value {
	switch value := value.(type) {
	case nil:
		return goja.Null()
	case *xmlquery.Node:
		return newNode(vm, value)
	case []any:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = nativePart(vm, item)
		}
		return vm.NewArray(items...)
	case map[string]any:
		object := vm.NewObject()
		for _, name := range slices.Sorted(maps.Keys(value)) {
			set(object, name, nativePart(vm, value[name]))
		}
		return object
	}
	return vm.ToValue(value)
}
