package vxml

import (
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

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
		return &thrown{event: "error.badfetch", message: err.Error()}
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
