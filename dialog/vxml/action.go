package vxml

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

// action is a compiled element of executable content (VoiceXML 2.0, 5.3). An
// error ends the content it stands in: *thrown, *jump or *exit.
type action interface {
	run(*execution) error
}

// jump goes on somewhere else: at an item of the form, a form of the page, or
// another page.
type jump struct {
	item      *item
	form      *form
	page      *Page
	root      *Page // its application root document; nil for the present one
	fresh     bool  // the page is initialised anew, though it may be the present one
	submitted bool
	input     *input // that has led there
}

func (*jump) Error() string { return "goto" }

// exit ends the dialog.
type exit struct {
	values dialog.Values
	reason string
}

func (*exit) Error() string { return "exit" }

func appendAction(list []action, a action) []action {
	if a != nil {
		list = append(list, a)
	}
	return list
}

// actions compiles executable content.
func (e *element) actions() []action {
	var list []action
	for run := range e.runs() {
		if run.element == nil {
			list = append(list, &promptAction{e.said(run.parts)})
			continue
		}
		list = appendAction(list, run.element.action(anonymousScope))
	}
	return list
}

// action compiles one element of executable content; nil when it has problems.
// Variables that it declares go to the scope.
func (e *element) action(scope string) action {
	if !isVoiceXML(e.node) {
		e.notice("<%s> is not of VoiceXML; it is ignored", e.node.Data)
		return nil
	}
	switch e.tag {
	case "var":
		return e.varAction(scope)
	case "assign":
		return e.assignAction()
	case "script":
		return e.scriptAction(scope)
	case "if":
		return e.ifAction()
	case "prompt":
		return &promptAction{e.prompt()}
	case "reprompt":
		e.attributes()
		return repromptAction{}
	case "log":
		e.attributes("label", "expr")
		return &logAction{e.place, e.text("label"), e.expression("expr"), e.parts()}
	case "exit":
		e.attributes("expr", "namelist")
		e.atMostOne("expr", "namelist")
		return &exitAction{e.expression("expr"), e.namelist()}
	case "disconnect":
		e.attributes("namelist")
		return &disconnectAction{e.namelist()}
	case "clear":
		return e.clearAction()
	case "throw":
		return e.throwAction()
	case "goto", "submit":
		return e.gotoAction()
	case "send":
		return e.sendAction()
	case "data":
		return e.dataAction(scope)
	case "foreach":
		return e.foreachAction()
	case "return":
		return e.returnAction()
	case "rethrow":
		e.attributes()
		return rethrowAction{}
	}
	e.misplaced()
	return nil
}

func (x *execution) runAll(actions []action) error {
	for _, a := range actions {
		if err := a.run(x); err != nil {
			return err
		}
	}
	return nil
}

type rethrowAction struct{}

func (rethrowAction) run(*execution) error { return errRethrow }

// ifAction is <if> with its parts (VoiceXML 2.0, 5.3.4).
type ifAction struct {
	branches []branch
}

type branch struct {
	cond    *script.Expression // nil: else
	actions []action
}

func (e *element) ifAction() action {
	e.attributes("cond")
	e.required("cond")
	result := &ifAction{branches: []branch{{cond: e.expression("cond")}}}
	closed := false
	for run := range e.runs() {
		last := &result.branches[len(result.branches)-1]
		k := run.element
		switch {
		case k == nil:
			last.actions = append(last.actions, &promptAction{e.said(run.parts)})
		case k.tag != "else" && k.tag != "elseif":
			last.actions = appendAction(last.actions, k.action(anonymousScope))
		default:
			if closed {
				k.problem("<%s> comes after <else/>", k.tag)
			}
			if k.tag == "elseif" {
				k.attributes("cond")
				k.required("cond")
			} else {
				k.attributes()
				closed = true
			}
			if firstElement(k.node) != nil {
				k.problem("<%s/> is an empty element that divides the content of <if>; move its content behind it", k.tag)
			}
			result.branches = append(result.branches, branch{cond: k.expression("cond")})
		}
	}
	return result
}

func (i *ifAction) run(x *execution) error {
	for _, b := range i.branches {
		if b.cond != nil {
			value, err := x.eval(b.cond)
			if err != nil {
				return err
			}
			if !value.ToBoolean() {
				continue
			}
		}
		return x.runAll(b.actions)
	}
	return nil
}

type promptAction struct{ prompt *prompt }

func (p *promptAction) run(x *execution) error {
	play, err := x.holds(p.prompt.cond)
	if err != nil || !play {
		return err
	}
	return x.queue(p.prompt)
}

type repromptAction struct{}

func (repromptAction) run(x *execution) error {
	x.reprompt = true
	return nil
}

type logAction struct {
	place
	label string
	expr  *script.Expression
	parts []part
}

func (l *logAction) run(x *execution) error {
	var text strings.Builder
	for _, p := range l.parts {
		text.WriteString(p.text)
		if p.value != nil {
			value, err := x.text(p.value)
			if err != nil {
				return err
			}
			text.WriteString(value)
		}
	}
	if l.expr != nil {
		value, err := x.text(l.expr)
		if err != nil {
			return err
		}
		text.WriteString(value)
	}
	x.log.Info("log", "page", l.position.String(), "label", l.label, "text", strings.TrimSpace(text.String()))
	return nil
}

// namedValue is one entry of a namelist.
type namedValue struct {
	name  string
	value *script.Expression
}

func (e *element) namelist() []namedValue {
	var list []namedValue
	at, _ := e.value("namelist")
	about := fmt.Sprintf("<%s namelist=%.200q>: ", e.tag, e.text("namelist"))
	for _, name := range e.names("namelist") {
		compiled, err := e.language.Expression(name, at)
		if err != nil {
			e.mistake(CodeExpression, at, err, about)
			compiled = script.Unparsable(err)
		}
		list = append(list, namedValue{name, compiled})
	}
	return list
}

// values evaluates a namelist into what the dialog returns: data, of which XML documents
// are text.
func (x *execution) values(list []namedValue) (dialog.Values, error) {
	return x.valuesWith(list, documentText)
}

// valuesWith evaluates a namelist. Objects that are none of ECMAScript are what other
// makes of them.
func (x *execution) valuesWith(list []namedValue, other func(any) any) (dialog.Values, error) {
	var values dialog.Values
	for _, entry := range list {
		value, err := x.eval(entry.value)
		if err != nil {
			return nil, err
		}
		exported, err := x.runtime.Data(value, other)
		if err != nil {
			return nil, semantic(fmt.Errorf("%s: %w", entry.name, err))
		}
		values = append(values, dialog.Value{Name: entry.name, Value: exported})
	}
	return values, nil
}

type exitAction struct {
	expr     *script.Expression
	namelist []namedValue
}

func (a *exitAction) run(x *execution) error {
	values, err := x.values(a.namelist)
	if err != nil {
		return err
	}
	if a.expr != nil {
		expr, err := x.values([]namedValue{{"expr", a.expr}})
		if err != nil {
			return err
		}
		values = append(values, expr...)
	}
	return &exit{values: values}
}

type disconnectAction struct{ namelist []namedValue }

func (a *disconnectAction) run(x *execution) error {
	values, err := x.values(a.namelist)
	if err != nil {
		return err
	}
	return x.disconnect(values)
}

// clearAction is <clear> (VoiceXML 2.0, 5.3.3).
type clearAction struct {
	names   []string // none: all form items
	targets []*script.Target
}

func (e *element) clearAction() action {
	e.attributes("namelist")
	a := &clearAction{}
	at, _ := e.value("namelist")
	for _, name := range e.names("namelist") {
		target, err := e.language.Target(name, at)
		if err != nil {
			e.attributeMistake("namelist", err)
			return failing{err}
		}
		a.names, a.targets = append(a.names, name), append(a.targets, target)
	}
	return a
}

func (a *clearAction) run(x *execution) error {
	for n, target := range a.targets {
		if err := x.runtime.Assign(target, goja.Undefined()); err != nil {
			return semantic(err)
		}
		x.forget(strings.TrimPrefix(a.names[n], dialogScope+"."))
	}
	if len(a.targets) > 0 {
		return nil
	}
	for _, i := range x.form.all() {
		x.set(i.name, goja.Undefined())
		x.forget(i.name)
	}
	return nil
}

// forget resets the counters of an item.
func (x *execution) forget(item string) {
	delete(x.counts, item)
	delete(x.events, item)
}

type throwAction struct {
	event, message         string
	eventExpr, messageExpr *script.Expression
}

func (e *element) throwAction() action {
	e.attributes("event", "eventexpr", "message", "messageexpr")
	e.exactlyOne("event", "eventexpr")
	return e.throws()
}

// throws compiles what an element throws.
func (e *element) throws() *throwAction {
	e.atMostOne("message", "messageexpr")
	return &throwAction{e.text("event"), e.text("message"), e.expression("eventexpr"), e.expression("messageexpr")}
}

func (a *throwAction) run(x *execution) (err error) {
	t := &thrown{message: a.message, byPage: true}
	if t.event, err = x.reference(a.event, a.eventExpr); err != nil {
		return err
	}
	if a.messageExpr != nil {
		if t.message, err = x.text(a.messageExpr); err != nil {
			return err
		}
	}
	if t.event == "" {
		return thrownf("error.semantic", "<throw> names no event")
	}
	return t
}
