package vxml

import (
	"slices"
	"strconv"
	"strings"
)

// choice is a <choice> of a menu (VoiceXML 2.0, 2.2), or an <option> of a field
// (2.3.1.3).
type choice struct {
	place
	dtmf     string // what is pressed for it; "" for none
	text     string // what <enumerate> says
	grammars []*grammar
	then     action // of a choice
}

// menu compiles a <menu> to a form with one item.
func (c *compilation) menu(e *element) {
	e.attributes("id", "scope", "dtmf", "accept")
	f := &form{place: e.place, id: e.text("id"), everywhere: e.scope()}
	c.addForm(f, e)
	c.unnamed++
	i := &item{place: e.place, kind: menu, name: "item " + strconv.Itoa(c.unnamed)}
	f.items = []*item{i}
	for run := range e.runs() {
		switch k := run.element; {
		case k == nil:
			i.prompts = append(i.prompts, e.said(run.parts))
		case k.common(&f.level):
		case k.tag == "prompt":
			i.prompts = append(i.prompts, k.prompt())
		case k.tag == "choice":
			i.choices = append(i.choices, k.choice())
		case k.tag == "script" || k.tag == "var" || k.tag == "data":
			f.init = appendAction(f.init, k.action(dialogScope))
		default:
			k.stray()
		}
	}
	if e.boolean("dtmf", false) {
		e.numberChoices(i.choices)
	}
	if len(i.choices) == 0 {
		e.problem("<menu> has no <choice>")
	}
	e.speechOnly(i)
}

// speechOnly reports choices and options that no key chooses: without an engine for speech
// they cannot be taken.
func (e *element) speechOnly(i *item) {
	var deaf []*choice
	for _, c := range i.choices {
		if !slices.ContainsFunc(c.grammars, (*grammar).ofKeys) {
			deaf = append(deaf, c)
		}
	}
	switch {
	case len(deaf) == 0 || slices.ContainsFunc(i.grammars, (*grammar).ofKeys):
	case len(deaf) == len(i.choices):
		e.noticeAt(CodeSpeechOnly, e.position, "nothing of <%s> can be chosen by keys: without an engine under dialog.asr, error.unsupported.language is thrown when it listens; give each <%s> a dtmf%s",
			e.tag, deaf[0].tag, map[bool]string{true: ", or write <menu dtmf=\"true\">"}[e.tag == "menu"])
	default:
		for _, c := range deaf {
			e.noticeAt(CodeSpeechOnly, c.position, "this <%s> can be chosen by speech alone, which needs an engine under dialog.asr; give it a dtmf", c.tag)
		}
	}
}

// ofKeys tells whether a grammar takes keys, or may turn out to.
func (g *grammar) ofKeys() bool {
	return g.compiled != nil || !g.voice && (g.spoken == nil || g.inline != nil)
}

// numberChoices gives the first nine choices that have no digit of their own the
// digits 1 to 9 (VoiceXML 2.0, 2.2.1).
func (e *element) numberChoices(choices []*choice) {
	n := 0
	for _, c := range choices {
		if c.dtmf != "" {
			if !strings.Contains("*#0", c.dtmf) {
				e.problem("<menu dtmf=\"true\">: a choice has dtmf=%.200q; of their own choices can have 0, * and # then", c.dtmf)
			}
			continue
		}
		if n++; n > 9 {
			return
		}
		c.dtmf = strconv.Itoa(n)
		c.grammars = append(c.grammars, e.press(c.dtmf, nil))
	}
}

func (e *element) choice() *choice {
	e.attributes("dtmf", "accept", "next", "expr", "event", "eventexpr", "message", "messageexpr", "fetchtimeout", "maxage", "maxstale")
	c := &choice{place: e.place, then: e.leap(), dtmf: e.dtmf()}
	c.grammars = e.pressed(c.dtmf, nil)
	var text strings.Builder
	for run := range e.runs() {
		switch k := run.element; {
		case k == nil:
			text.WriteString(written(run.parts))
		case k.tag == "grammar":
			c.grammars = k.grammar(c.grammars)
		case k.tag == "prompt":
			k.noticeAt(CodeMisplaced, k.position, "<prompt> cannot stand in <choice>; its content is the choice's")
			text.WriteString(written(k.parts()))
		default:
			k.misplaced()
		}
	}
	c.text = strings.Join(strings.Fields(text.String()), " ")
	c.grammars = e.phrase(c.grammars, c.text, nil)
	return c
}

func (e *element) option() *choice {
	e.attributes("dtmf", "accept", "value")
	c := &choice{place: e.place, text: strings.Join(strings.Fields(written(e.parts())), " "), dtmf: e.dtmf()}
	value := c.text
	switch {
	case e.has("value"):
		value = e.text("value")
	case value == "":
		value = c.dtmf
	}
	c.grammars = e.phrase(e.pressed(c.dtmf, value), c.text, value)
	return c
}

// dtmf reads the digits of a choice, option or link.
func (e *element) dtmf() string { return strings.Join(strings.Fields(e.text("dtmf")), "") }

// pressed gives the grammar of these digits, if there are any.
func (e *element) pressed(digits string, value any) []*grammar {
	if digits == "" {
		return nil
	}
	return []*grammar{e.press(digits, value)}
}

// written gives the text of a prompt as it stands in the page.
func written(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return b.String()
}

// link is a <link> (VoiceXML 2.0, 2.5): grammars that lead elsewhere from wherever
// they are active.
type link struct {
	place
	grammars []*grammar
	then     action
}

func (e *element) link() *link {
	e.attributes("dtmf", "next", "expr", "event", "eventexpr", "message", "messageexpr", "fetchtimeout", "maxage", "maxstale")
	l := &link{place: e.place, grammars: e.pressed(e.dtmf(), nil), then: e.leap()}
	for child := range e.elements(e.node) {
		if k := e.compilation.element(child); k.tag == "grammar" {
			l.grammars = k.grammar(l.grammars)
		} else {
			k.misplaced()
		}
	}
	return l
}

// leap compiles where a choice or link leads: to another dialog, or to an event.
func (e *element) leap() action {
	e.exactlyOne("next", "expr", "event", "eventexpr")
	if e.has("event") || e.has("eventexpr") {
		return e.throws()
	}
	return &gotoAction{place: e.place, from: e.page, next: e.text("next"), expr: e.expression("expr"), fetching: e.fetching()}
}

// enumerate says what can be chosen (VoiceXML 2.0, 2.2.4): the content of the
// element for each choice, in which _prompt and _dtmf are its text and digits.
type enumerate struct{ parts []part }

func (e *element) enumerate() *enumerate {
	e.attributes()
	return &enumerate{e.parts()}
}

func (x *execution) enumerate(n *enumerate, to *rendering) error {
	if x.item == nil || len(x.item.choices) == 0 {
		return thrownf("error.semantic", "<enumerate> stands where there is nothing to choose from")
	}
	vm := x.runtime.VM()
	for _, c := range x.item.choices {
		if len(n.parts) == 0 {
			to.speech.say(c.announcement())
			continue
		}
		x.runtime.Declare(anonymousScope, "_prompt", vm.ToValue(c.text))
		x.runtime.Declare(anonymousScope, "_dtmf", vm.ToValue(strings.Join(strings.Split(c.dtmf, ""), " ")))
		if err := x.renderTo(to, n.parts); err != nil {
			return err
		}
	}
	return nil
}

// announcement is what is said of a choice unless the page says how.
func (c *choice) announcement() string {
	switch {
	case c.dtmf == "":
		return c.text + ". "
	case c.text == "":
		return "Press " + c.dtmf + ". "
	}
	return "For " + c.text + ", press " + c.dtmf + ". "
}
