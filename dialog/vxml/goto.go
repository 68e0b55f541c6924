package vxml

import (
	"errors"
	"strings"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/fetch"
	"ccxmld/script"
)

// gotoAction is <goto> (VoiceXML 2.0, 5.3.7), <submit> (5.3.8), or where a choice or
// link leads.
type gotoAction struct {
	place
	from            *Page // that has it; nil for the active one
	submit          bool
	next            string
	expr            *script.Expression
	nextItem        string
	itemExpr        *script.Expression
	namelist        []namedValue
	method, enctype string
	fetching        fetching
}

func (e *element) gotoAction() action {
	a := &gotoAction{
		place: e.place, submit: e.tag == "submit", next: e.text("next"), expr: e.expression("expr"),
		nextItem: e.text("nextitem"), itemExpr: e.expression("expritem"), namelist: e.namelist(),
		method: e.method(), enctype: e.text("enctype"), fetching: e.fetching(),
	}
	if a.submit {
		e.attributes("next", "expr", "namelist", "method", "enctype", "fetchtimeout", "maxage", "maxstale")
		e.exactlyOne("next", "expr")
	} else {
		e.attributes("next", "expr", "nextitem", "expritem", "fetchtimeout", "maxage", "maxstale")
		e.exactlyOne("next", "expr", "nextitem", "expritem")
	}
	return a
}

// method reads get or post.
func (e *element) method() string {
	method := strings.ToLower(e.text("method"))
	if method != "" && method != "get" && method != "post" {
		e.problem("method is %.200q; expected get or post", method)
	}
	return method
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
		for _, i := range x.form.all() {
			if i.name == name {
				return &jump{item: i}
			}
		}
		return thrownf("error.badfetch", "there is no form item %q", name)
	}
	next, err := x.reference(a.next, a.expr)
	if err != nil {
		return err
	}
	from := a.from
	if from == nil {
		from = x.page
	}
	if id, ok := cutHash(next); ok && !a.submit {
		form := from.byID[id]
		if form == nil {
			return thrownf("error.badfetch", "there is no dialog %q in %s", id, from.URI)
		}
		return &jump{page: from, form: form}
	}
	how := x.how("document", a.fetching)
	if a.submit {
		how.Method, how.Enctype = a.method, a.enctype
		list := a.namelist
		if list == nil {
			list = x.inputs()
		}
		if err := x.submit(how, list); err != nil {
			return err
		}
	}
	to, err := x.load(from, next, a.fetching, how, x.root)
	if err != nil {
		return err
	}
	to.submitted = a.submit
	return to
}

// inputs are all input items of the form, which is what a <submit> submits where it
// names nothing.
func (x *execution) inputs() []namedValue {
	var list []namedValue
	for _, i := range x.form.all() {
		if i.isInput() && x.isFilled(i) {
			list = append(list, namedValue{name: i.name})
		}
	}
	return list
}

// submit puts values into a request: objects by their properties, recordings as
// files, and what is undefined not at all.
func (x *execution) submit(how *dialog.Fetch, list []namedValue) error {
	made := submission{how: how}
	for _, entry := range list {
		var value goja.Value
		var err error
		if entry.value != nil {
			value, err = x.eval(entry.value)
		} else {
			value, err = x.variable(entry.name)
		}
		if err != nil {
			return err
		}
		var event *thrown
		err = x.runtime.Together(func() error { return x.submitValue(&made, entry.name, value, 0) })
		switch {
		case errors.As(err, &event):
			return event
		case err != nil: // of a function that gives a property
			return semantic(err)
		}
	}
	return nil
}

// submission is a request with what has been put into it so far.
type submission struct {
	how         *dialog.Fetch
	parts, size int
}

// mostSubmitted and mostSubmittedSize bound the values of what is submitted at once, and
// the bytes of their text.
const (
	mostSubmitted     = 10000
	mostSubmittedSize = 4 << 20
)

func (x *execution) submitValue(to *submission, name string, value goja.Value, depth int) error {
	if goja.IsUndefined(value) {
		return nil
	}
	if to.parts++; to.parts > mostSubmitted {
		return thrownf("error.semantic", "%s: more than %d values are submitted, or an object contains itself", name, mostSubmitted)
	}
	if o, ok := value.(*goja.Object); ok && depth < 10 && o.ClassName() == "Object" {
		for _, key := range o.Keys() {
			if err := x.submitValue(to, name+"."+key, o.Get(key), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	text, err := x.runtime.Text(value)
	if to.size += len(name) + len(text); to.size > mostSubmittedSize {
		return thrownf("error.semantic", "%s: more than %d MiB are submitted", name, mostSubmittedSize>>20)
	}
	how := to.how
	switch {
	case err != nil:
		return semantic(err)
	case !x.recorded[text]:
		how.Form = append(how.Form, dialog.Pair{Name: name, Value: text})
	case how.Method != "post" || how.Enctype != fetch.Multipart:
		return thrownf("error.semantic", "%s is a recording; submit it by method=\"post\" and enctype=\"%s\"", name, fetch.Multipart)
	default:
		how.Recordings = append(how.Recordings, dialog.Pair{Name: name, Value: text})
	}
	return nil
}
