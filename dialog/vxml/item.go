package vxml

import (
	"fmt"
	"slices"
	"strings"

	"ccxmld/script"
)

// form compiles a <form>.
func (c *compilation) form(e *element) {
	e.attributes("id", "scope")
	f := &form{place: e.place, id: e.text("id"), everywhere: e.scope()}
	c.addForm(f, e)
	e.strayText()
	for child := range e.elements(e.node) {
		k := c.element(child)
		switch {
		case k.common(&f.level):
		case k.tag == "var" || k.tag == "script" || k.tag == "data":
			f.init = appendAction(f.init, k.action(dialogScope))
		case k.tag == "filled":
			f.filled = append(f.filled, k.filled(nil))
		case k.tag == "grammar":
			f.grammars = k.grammar(f.grammars)
		case kinds[k.tag] != 0 || k.tag == "block":
			i := c.item(k, f)
			f.items = append(f.items, i)
		default:
			k.stray()
		}
	}
	f.check(c)
}

// scope reads where the grammars of a form or menu are active.
func (e *element) scope() (everywhere bool) {
	scope, known := e.word("scope", "dialog", "document")
	if !known {
		e.problem("<%s scope=%.200q>: expected dialog or document", e.tag, scope)
	}
	return scope == "document"
}

func (c *compilation) addForm(f *form, e *element) {
	if f.id != "" && c.page.byID[f.id] != nil {
		e.problem("there are two dialogs with the id %.200q", f.id)
	}
	c.page.byID[f.id] = f
	c.page.forms = append(c.page.forms, f)
}

// check finds items of one name, and names of <filled> that are none of an item.
func (f *form) check(c *compilation) {
	names, inputs := make(map[string]bool), make(map[string]bool)
	for _, i := range f.items {
		if names[i.name] {
			c.problems = append(c.problems, &Problem{Position: i.position, Element: i.tag, Reason: fmt.Sprintf("there are two form items with the name %.200q", i.name)})
		}
		names[i.name], inputs[i.name] = true, i.isInput()
	}
	for _, filled := range f.filled {
		for _, name := range filled.names {
			if !inputs[name] {
				c.problems = append(c.problems, &Problem{Position: filled.position, Element: "filled", Reason: fmt.Sprintf("namelist has %.200q, which is no input item of this form", name)})
			}
		}
	}
}

// kinds are the form items by their names.
var kinds = map[string]kind{
	"block": block, "field": field, "initial": initial, "record": record,
	"transfer": transferItem, "subdialog": subdialogItem, "object": object,
}

func (c *compilation) newItem(e *element) *item {
	i := &item{place: e.place, kind: kinds[e.tag], name: e.text("name"), expr: e.expression("expr"), cond: e.expression("cond")}
	if i.name == "" {
		c.unnamed++
		// Documents cannot spell it.
		i.name = fmt.Sprintf("item %d", c.unnamed)
	} else if !isName(i.name) {
		e.problem("<%s name=%.200q>: not a variable name", e.tag, i.name)
	} else if !script.IsIdentifier(i.name) {
		at, _ := e.value("name")
		e.noticeAt(CodeBadValue, at, "<%s name=%.200q>: a word of ECMAScript, so that no expression can name it", e.tag, i.name)
	}
	return i
}

// item compiles a form item.
func (c *compilation) item(e *element, f *form) *item {
	i := c.newItem(e)
	switch i.kind {
	case block:
		e.attributes("name", "expr", "cond")
		i.actions = e.actions()
		return i
	case field:
		e.attributes("name", "expr", "cond", "type", "slot", "modal")
		i.slot = e.text("slot")
		if kind := e.text("type"); kind != "" {
			i.grammars = e.builtin(i.grammars, kind)
		}
		i.modal = e.boolean("modal", false)
	case initial:
		e.attributes("name", "expr", "cond")
	case record:
		i.record = e.recording()
		i.modal = e.boolean("modal", true)
	case transferItem:
		i.transfer = e.transfer()
	case subdialogItem:
		i.subdialog = e.subdialog()
	case object:
		e.attributes("name", "expr", "cond", "classid", "codebase", "codetype", "data", "type", "archive")
		e.notice("<object> is not supported; it throws error.unsupported.objectname when it is reached")
	}
	if i.slot == "" {
		i.slot = i.name
	}
	for run := range e.runs() {
		if run.element == nil {
			i.prompts = append(i.prompts, e.said(run.parts))
			continue
		}
		run.element.ofItem(i, f)
	}
	e.speechOnly(i)
	return i
}

// ofItem compiles a child of an input item.
func (e *element) ofItem(i *item, f *form) {
	switch {
	case e.common(&i.level):
	case e.tag == "prompt":
		i.prompts = append(i.prompts, e.prompt())
	case e.tag == "filled" && i.isInput():
		f.filled = append(f.filled, e.filled(i))
	case e.tag == "grammar" && i.kind != subdialogItem && i.kind != object && i.kind != initial:
		i.grammars = e.grammar(i.grammars)
	case e.tag == "option" && i.kind == field:
		i.choices = append(i.choices, e.option())
	case e.tag == "param" && i.kind == subdialogItem:
		i.subdialog.params = append(i.subdialog.params, e.param())
	case e.tag == "param" && i.kind == object:
	default:
		e.stray()
	}
}

func (e *element) filled(i *item) *filled {
	e.attributes("mode", "namelist")
	f := &filled{place: e.place, item: i, actions: e.actions()}
	mode, _ := e.word("mode", "all", "any")
	switch {
	case i != nil && (mode != "" || e.text("namelist") != ""):
		e.problem("<filled> of an item takes neither mode nor namelist")
	case mode == "any":
		f.any = true
	case mode != "" && mode != "all":
		e.problem("mode is %.200q; expected all or any", mode)
	}
	f.names = e.names("namelist")
	return f
}

// exactlyOne reports an element that does not have exactly one of the attributes.
func (e *element) exactlyOne(names ...string) {
	given := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !e.has(name) })
	if len(given) != 1 {
		e.problem("<%s> needs exactly one of %s", e.tag, listed(names))
	}
}

// atMostOne reports an element that has more than one of the attributes.
func (e *element) atMostOne(names ...string) {
	given := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !e.has(name) })
	if len(given) > 1 {
		e.problem("<%s> takes one of %s", e.tag, listed(names))
	}
}

func listed(names []string) string {
	if len(names) == 2 {
		return names[0] + " and " + names[1]
	}
	return strings.Join(names, ", ")
}
