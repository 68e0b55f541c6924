package vxml

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/antchfx/xmlquery"
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
	item *item
	form *form
	page *Page
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
	for _, run := range e.runs() {
		if run.element == nil {
			list = append(list, &promptAction{&prompt{place: e.place, count: 1, parts: run.parts}})
			continue
		}
		list = appendAction(list, run.element.action(anonymousScope))
	}
	return list
}

// later are executable elements that are not done here yet.
var later = []string{"rethrow", "return", "data", "foreach"}

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
		e.attributes("name", "expr")
		e.required("name")
		if e.required("expr"); !e.has("name") || !e.has("expr") {
			return nil
		}
		return &assignAction{e.target("name"), e.expression("expr")}
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
		return &exitAction{e.expression("expr"), e.namelist()}
	case "disconnect":
		e.attributes("namelist")
		return &disconnectAction{e.namelist()}
	case "clear":
		e.attributes("namelist")
		return &clearAction{strings.Fields(e.text("namelist"))}
	case "throw":
		return e.throwAction()
	case "goto", "submit":
		return e.gotoAction()
	}
	if slices.Contains(later, e.tag) {
		e.notice("<%s> is not supported yet; it throws error.unsupported.%s when it is reached", e.tag, e.tag)
		return &unsupported{e.tag}
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

type unsupported struct{ what string }

func (u *unsupported) run(*execution) error {
	return thrownf("error.unsupported."+u.what, "<%s> is not supported", u.what)
}

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
	compiled, err := e.language.Target(e.text(name), e.position)
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
	for child := e.node.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == xmlquery.TextNode || child.Type == xmlquery.CharDataNode {
			text.WriteString(child.Data)
		}
	}
	program, err := e.language.Script(text.String(), e.position)
	if err != nil {
		var scriptError *script.Error
		at := e.position
		if errors.As(err, &scriptError) {
			at = scriptError.Position
		}
		e.problems = append(e.problems, &Problem{Position: at, Element: e.tag, Reason: "<script>: " + reasonOf(err)})
		return nil
	}
	return &scriptAction{scope, program}
}

func (s *scriptAction) run(x *execution) error {
	if err := x.runtime.Run(s.program, s.scope); err != nil {
		return semantic(err)
	}
	return nil
}

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
	for _, run := range e.runs() {
		last := &result.branches[len(result.branches)-1]
		k := run.element
		switch {
		case k == nil:
			last.actions = append(last.actions, &promptAction{&prompt{place: e.place, count: 1, parts: run.parts}})
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
	for name := range strings.FieldsSeq(e.text("namelist")) {
		compiled, err := e.language.Expression(name, e.position)
		if err != nil {
			e.attributeProblem("namelist", err)
			continue
		}
		list = append(list, namedValue{name, compiled})
	}
	return list
}

// values evaluates a namelist into what the dialog returns.
func (x *execution) values(list []namedValue) (dialog.Values, error) {
	var values dialog.Values
	for _, entry := range list {
		value, err := x.eval(entry.value)
		if err != nil {
			return nil, err
		}
		exported, err := x.runtime.Export(value)
		if err != nil {
			return nil, semantic(err)
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

type clearAction struct{ names []string }

func (a *clearAction) run(x *execution) error {
	names := a.names
	if len(names) == 0 {
		for _, i := range x.form.items {
			names = append(names, i.name)
		}
	}
	for _, name := range names {
		scope, ok := x.runtime.Resolve(name)
		if !ok {
			return thrownf("error.semantic", "%s is not declared", name)
		}
		x.runtime.Declare(scope, name, goja.Undefined())
		delete(x.counts, name)
		delete(x.events, name)
	}
	return nil
}

type throwAction struct {
	event, message         string
	eventExpr, messageExpr *script.Expression
}

func (e *element) throwAction() action {
	e.attributes("event", "eventexpr", "message", "messageexpr")
	if e.has("event") == e.has("eventexpr") {
		e.problem("<throw> needs exactly one of event and eventexpr")
	}
	return &throwAction{e.text("event"), e.text("message"), e.expression("eventexpr"), e.expression("messageexpr")}
}

func (a *throwAction) run(x *execution) (err error) {
	t := &thrown{a.event, a.message}
	if a.eventExpr != nil {
		if t.event, err = x.text(a.eventExpr); err != nil {
			return err
		}
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

// gotoAction is <goto> (VoiceXML 2.0, 5.3.7) or <submit> (5.3.8).
type gotoAction struct {
	place
	submit           bool
	next             string
	expr             *script.Expression
	nextItem         string
	itemExpr         *script.Expression
	namelist         []namedValue
	method, enctype  string
	timeout          time.Duration
	maxAge, maxStale *time.Duration
}

func (e *element) gotoAction() action {
	a := &gotoAction{
		place: e.place, submit: e.tag == "submit", next: e.text("next"), expr: e.expression("expr"),
		nextItem: e.text("nextitem"), itemExpr: e.expression("expritem"), namelist: e.namelist(),
		method: strings.ToLower(e.text("method")), enctype: e.text("enctype"), timeout: e.time("fetchtimeout"),
		maxAge: e.age("maxage"), maxStale: e.age("maxstale"),
	}
	ways := []string{"next", "expr"}
	if a.submit {
		e.attributes("next", "expr", "namelist", "method", "enctype", "fetchtimeout", "maxage", "maxstale")
		if a.method != "" && a.method != "get" && a.method != "post" {
			e.problem("method is %q; expected get or post", a.method)
		}
	} else {
		e.attributes("next", "expr", "nextitem", "expritem", "fetchtimeout", "maxage", "maxstale")
		ways = append(ways, "nextitem", "expritem")
	}
	given := 0
	for _, way := range ways {
		if e.has(way) {
			given++
		}
	}
	if given != 1 {
		e.problem("<%s> needs exactly one of %s", e.tag, strings.Join(ways, ", "))
	}
	return a
}

// age reads maxage or maxstale, which are whole seconds in VoiceXML.
func (e *element) age(name string) *time.Duration {
	text := e.text(name)
	if text == "" {
		return nil
	}
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := dialog.ParseTime(text)
	if err != nil {
		e.problem("<%s %s=%q>: expected a number of seconds", e.tag, name, e.text(name))
	}
	return &d
}

func (a *gotoAction) run(x *execution) error {
	name := a.nextItem
	if a.itemExpr != nil {
		var err error
		if name, err = x.text(a.itemExpr); err != nil {
			return err
		}
	}
	if name != "" {
		for _, i := range x.form.items {
			if i.name == name {
				return &jump{item: i}
			}
		}
		return thrownf("error.badfetch", "there is no form item %q", name)
	}
	next := a.next
	if a.expr != nil {
		var err error
		if next, err = x.text(a.expr); err != nil {
			return err
		}
	}
	if id, ok := strings.CutPrefix(next, "#"); ok && !a.submit {
		form := x.page.byID[id]
		if form == nil {
			return thrownf("error.badfetch", "there is no dialog %q in %s", id, x.page.URI)
		}
		return &jump{form: form}
	}
	how := &dialog.Fetch{Method: a.method, Enctype: a.enctype, Timeout: a.timeout, MaxAge: a.maxAge, MaxStale: a.maxStale}
	if how.Timeout == 0 {
		how.Timeout = x.interval("fetchtimeout")
	}
	var err error
	if how.Form, err = a.form(x); err != nil {
		return err
	}
	page, form, err := x.load(next, how)
	if err != nil {
		return &thrown{"error.badfetch", err.Error()}
	}
	return &jump{page: page, form: form}
}

// form gives what a <submit> submits: by default all fields of the form that are
// filled.
func (a *gotoAction) form(x *execution) ([]dialog.Pair, error) {
	var pairs []dialog.Pair
	if !a.submit {
		return nil, nil
	}
	if a.namelist == nil {
		for _, i := range x.form.items {
			value := x.runtime.Scope(dialogScope).Get(i.name)
			if i.block || value == nil || goja.IsUndefined(value) {
				continue
			}
			text, err := x.runtime.Text(value)
			if err != nil {
				return nil, semantic(err)
			}
			pairs = append(pairs, dialog.Pair{Name: i.name, Value: text})
		}
		return pairs, nil
	}
	for _, entry := range a.namelist {
		text, err := x.text(entry.value)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, dialog.Pair{Name: entry.name, Value: text})
	}
	return pairs, nil
}
