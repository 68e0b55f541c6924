package vxml

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
)

// candidate is a grammar that is active while the page listens, and whose it is.
type candidate struct {
	match  srgs.Grammar // of digits; nil for speech
	spoken *spoken      // of speech; nil for digits
	item   *item        // of a grammar of the item itself
	choice *choice      // of a menu or field
	link   *link
	form   *form // of a grammar of a form, or of a menu that is active everywhere
	page   *Page // that has the form
}

// candidates are the grammars that are active at an item, those that win first
// (VoiceXML 2.0, 3.1.4): its own, the form's, the page's, those of the application
// root document.
// Those of digits and those of speech are apart.
func (x *execution) candidates(i *item) (list, voices []candidate, err error) {
	add := func(grammars []*grammar, c candidate) {
		for _, g := range grammars {
			match, said, problem := x.grammar(g)
			if problem != nil {
				err = problem
				return
			}
			one := c
			if match != nil {
				one.match, one.spoken = match, nil
				list = append(list, one)
			}
			if said != nil {
				one.match, one.spoken = nil, said
				voices = append(voices, one)
			}
		}
	}
	x.ofItem(i, candidate{}, add)
	if i.modal {
		return list, voices, err
	}
	for _, l := range i.links {
		add(l.grammars, candidate{link: l})
	}
	x.ofForm(x.form, x.page, add)
	for _, page := range x.pages() {
		for _, l := range page.links {
			add(l.grammars, candidate{link: l})
		}
		for _, f := range page.forms {
			if f != x.form {
				x.ofForm(f, page, add)
			}
		}
	}
	return list, voices, err
}

// ofItem adds the grammars of an item and its choices.
func (x *execution) ofItem(i *item, c candidate, add func([]*grammar, candidate)) {
	c.item = i
	add(i.grammars, c)
	for _, choice := range i.choices {
		c.choice = choice
		add(choice.grammars, c)
	}
}

// ofForm adds the grammars of a form and its links; of another one those that are
// active everywhere.
func (x *execution) ofForm(f *form, page *Page, add func([]*grammar, candidate)) {
	for _, l := range f.links {
		if f == x.form {
			add(l.grammars, candidate{link: l})
		}
	}
	c := candidate{form: f, page: page}
	for _, g := range f.grammars {
		if f == x.form || f.everywhere || g.everywhere {
			add([]*grammar{g}, c)
		}
	}
	if f != x.form && f.everywhere && f.items != nil && f.items[0].kind == menu {
		x.ofItem(f.items[0], c, add)
	}
}

// pages are the page and its application root document.
func (x *execution) pages() []*Page {
	if x.root == nil || x.root == x.page {
		return []*Page{x.page}
	}
	return []*Page{x.page, x.root}
}

// grammar gives a grammar, which may have to be fetched. One of speech is fetched by
// the engine.
func (x *execution) grammar(g *grammar) (match srgs.Grammar, said *spoken, err error) {
	switch {
	case g.refused != nil:
		return nil, nil, g.refused
	case g.compiled != nil:
		return g.compiled, g.spoken, nil
	case g.spoken != nil:
		return nil, g.spoken, nil
	}
	src, err := x.reference(g.src, g.srcExpr)
	if err != nil {
		return nil, nil, err
	}
	if g.inline == nil {
		uri, err := fetch.Resolve(g.page.base, src)
		if err != nil {
			return nil, nil, badFetch(err)
		}
		said = &spoken{uri: uri}
		if g.voice {
			return nil, said, nil
		}
	}
	err = x.fetch(g.fetching, func(ctx context.Context) (err error) {
		match, err = x.browser.pages.grammar(ctx, g, src, x.how("grammar", g.fetching))
		return err
	})
	var refused *thrown
	switch {
	case errors.As(err, &refused):
		return nil, nil, refused
	case errors.Is(err, srgs.ErrSpeech) && said != nil:
		return nil, said, nil
	case errors.Is(err, srgs.ErrSpeech):
		return nil, nil, thrownf("error.unsupported.language", "a grammar of digits refers to one of speech: %v", err)
	case err != nil:
		return nil, nil, badFetch(err)
	}
	return match, nil, nil
}

// matches is what all candidates take together.
func matches(list []candidate) dialog.Grammar {
	all := make(anyOf, 0, len(list))
	for _, c := range list {
		all = append(all, c.match)
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// collect takes digits or words for an item, and does what the grammar that they match is
// there for.
func (x *execution) collect(i *item) error {
	list, voices, err := x.candidates(i)
	all := slices.Concat(list, voices)
	modes := x.property("inputmodes")
	if !x.browser.pages.service.HearsSpeech() || !strings.Contains(modes, "voice") {
		voices = nil
	}
	switch {
	case err != nil:
		return err
	case len(list) == 0 && len(voices) == 0 && len(all) > 0:
		return thrownf("error.unsupported.language", "there are only grammars of speech here, and no speech recognition; add one with mode=\"dtmf\", or an engine under dialog.asr")
	case len(voices) > 0:
	case len(list) == 0:
		return thrownf("error.semantic", "no grammar is active here; <%s> needs one", i.tag)
	}
	listen := &dialog.Listen{
		Grammar: matches(list), TermDigits: x.property("termchar"), First: x.interval("timeout"),
		Inter: x.interval("interdigittimeout"), Term: x.interval("termtimeout"), GrammarFirst: true,
		Deaf: !strings.Contains(modes, "dtmf"),
	}
	if len(voices) > 0 {
		listen.Speech, listen.OnlySpeech = x.speech(voices), len(list) == 0 || listen.Deaf
	}
	if x.timeout > 0 {
		listen.First = x.timeout
	}
	listen.First = max(listen.First, time.Millisecond) // 0 would be for ever
	o, ok := x.turn(listen)
	switch {
	case !ok:
		return &thrown{event: "connection.disconnect.hangup"}
	case o.End == dialog.Interrupted:
		return x.interrupted()
	case o.End == dialog.Failed:
		return &thrown{event: "error.noresource", message: o.Problems[len(o.Problems)-1]}
	case o.End == dialog.Silence:
		return &thrown{event: "noinput"}
	case o.End == dialog.TooLong:
		return &thrown{event: "maxspeechtimeout"}
	case len(o.Spoken) > 0:
		return x.heard(i, voices, o)
	case o.End == dialog.Mismatch && o.Digits == "":
		return &thrown{event: "nomatch"}
	case o.End == dialog.Mismatch:
		x.noteResult(x.utterance(o, x.runtime.VM().ToValue(o.Digits)))
		return &thrown{event: "nomatch"}
	}
	return x.understand(i, list, o)
}

// interrupted throws the event that has ended a turn.
func (x *execution) interrupted() error {
	if m, ok := x.nextMessage(); ok {
		return external(m)
	}
	return &thrown{event: "connection.disconnect.hangup"}
}

// input is what a party has pressed or said and what it means.
type input struct {
	candidate
	value  goja.Value
	result *goja.Object // as lastresult$ and shadow variables have it
}

// understand finds out what digits mean, and goes where they lead.
func (x *execution) understand(i *item, list []candidate, o dialog.Outcome) error {
	at := slices.IndexFunc(list, func(c candidate) bool {
		m := c.match.Match(o.Digits)
		return m == dialog.Matched || m == dialog.Complete
	})
	if at < 0 {
		return &thrown{event: "nomatch"}
	}
	meaning, err := list[at].match.Interpret(o.Digits, x.limits)
	if err != nil {
		return semantic(err)
	}
	in := &input{candidate: list[at], value: srgs.Value(x.runtime.VM(), meaning)}
	in.result = x.utterance(o, in.value)
	x.noteResult(in.result)
	return x.follow(i, in)
}

// heard finds out what words mean, and goes where the likeliest lead. What else they
// could be is in lastresult$ (VoiceXML 2.0, 5.1.5).
func (x *execution) heard(i *item, voices []candidate, o dialog.Outcome) error {
	var first *input
	var results []*goja.Object
	most := int(max(1, x.number("maxnbest")))
	for _, s := range o.Spoken {
		whose, ok := belongs(voices, &s)
		if !ok || len(results) == most {
			continue
		}
		in := &input{candidate: whose, value: srgs.Value(x.runtime.VM(), whose.meaning(&s))}
		in.result = x.said(o, s, in.value)
		results = append(results, in.result)
		if first == nil {
			first = in
		}
	}
	if first == nil {
		return &thrown{event: "nomatch"}
	}
	if x.noteResult(results...); o.End == dialog.Mismatch {
		return &thrown{event: "nomatch"}
	}
	return x.follow(i, first)
}

// follow goes where an input leads.
func (x *execution) follow(i *item, in *input) error {
	switch {
	case in.link != nil:
		return in.link.then.run(x)
	case in.form != nil && in.form != x.form:
		return &jump{form: in.form, page: in.page, input: in}
	case i.kind == menu && in.choice != nil:
		return x.chosen(i, in)
	}
	return x.fill(in)
}

// utterance makes the object that shadow variables and lastresult$ show (VoiceXML
// 2.0, 2.3.1 and 5.1.5; VoiceXML 2.1, 4).
func (x *execution) utterance(o dialog.Outcome, value goja.Value) *goja.Object {
	return x.result("dtmf", o, dialog.Spoken{Utterance: o.Digits, Confidence: 1}, value)
}

// said makes it of what was said.
func (x *execution) said(o dialog.Outcome, s dialog.Spoken, value goja.Value) *goja.Object {
	return x.result("voice", o, s, value)
}

func (x *execution) result(mode string, o dialog.Outcome, s dialog.Spoken, value goja.Value) *goja.Object {
	vm := x.runtime.VM()
	result := vm.NewObject()
	set(result, "utterance", vm.ToValue(s.Utterance))
	set(result, "inputmode", vm.ToValue(mode))
	set(result, "confidence", vm.ToValue(s.Confidence))
	set(result, "interpretation", value)
	if o.Mark != "" {
		set(result, "markname", vm.ToValue(o.Mark))
		set(result, "marktime", vm.ToValue(o.SinceMark.Milliseconds()))
	}
	return result
}

// noteResult makes results application.lastresult$: an array, which has the properties of
// the first as well (VoiceXML 2.0, 5.1.5).
func (x *execution) noteResult(results ...*goja.Object) {
	entries := make([]any, len(results))
	for i, result := range results {
		entries[i] = result
	}
	last := x.runtime.VM().NewArray(entries...)
	for _, key := range results[0].Keys() {
		set(last, key, results[0].Get(key))
	}
	x.last = last
	x.runtime.Declare(applicationScope, "lastresult$", last)
}

// chosen does what a choice of a menu is there for.
func (x *execution) chosen(i *item, in *input) error {
	x.set(i.name, in.value)
	err := in.choice.then.run(x)
	x.set(i.name, goja.Undefined()) // an event may lead back to the menu
	return err
}

// fill gives input items what the input has for them, and processes it (VoiceXML
// 2.0, 3.1.6 and appendix C).
func (x *execution) fill(in *input) error {
	object, structured := in.value.(*goja.Object)
	if in.item != nil {
		value := in.value
		if structured {
			if own := slotOf(object, in.item.slot); own != nil {
				value = own
			}
		}
		x.assignResult(in.item, value, in.result)
		return x.process(in.item)
	}
	var filled []*item
	for _, i := range x.form.items {
		if !structured || i.kind != field {
			continue
		}
		if value := slotOf(object, i.slot); value != nil && !goja.IsUndefined(value) {
			x.assignResult(i, value, in.result)
			filled = append(filled, i)
		}
	}
	return x.process(filled...)
}

// slotOf gives the property of an object that a slot names, which may be nested; nil
// for none.
func slotOf(object *goja.Object, slot string) goja.Value {
	for {
		head, rest, dotted := strings.Cut(slot, ".")
		value := object.GetOwn(head)
		if !dotted || value == nil {
			return value
		}
		next, ok := value.(*goja.Object)
		if !ok {
			return nil
		}
		object, slot = next, rest
	}
}

// assignResult gives an item its value and its shadow variable.
func (x *execution) assignResult(i *item, value goja.Value, result *goja.Object) {
	x.set(i.name, value)
	shadow := x.runtime.VM().NewObject()
	for _, key := range result.Keys() {
		set(shadow, key, result.Get(key))
	}
	x.set(i.name+"$", shadow)
}

// process runs the <filled> elements that new values make true, in document order.
func (x *execution) process(just ...*item) error {
	if len(just) == 0 {
		return nil
	}
	for _, i := range x.form.items {
		if i.kind == initial {
			x.set(i.name, x.runtime.VM().ToValue(true))
		}
	}
	for _, f := range x.form.filled {
		if f.item != nil && !slices.Contains(just, f.item) || f.item == nil && !x.applies(f, just) {
			continue
		}
		x.item = f.item
		x.openAnonymous()
		if err := x.runAll(f.actions); err != nil {
			return err
		}
	}
	return nil
}

// applies tells whether a <filled> of the form is about items that have just been
// filled: any of its names, or all of them.
func (x *execution) applies(f *filled, just []*item) bool {
	concerned, all := false, true
	for _, i := range x.form.items {
		if len(f.names) > 0 && !slices.Contains(f.names, i.name) || len(f.names) == 0 && !i.isInput() {
			continue
		}
		concerned = concerned || slices.Contains(just, i)
		all = all && x.isFilled(i)
	}
	return concerned && (f.any || all)
}

func (x *execution) isFilled(i *item) bool {
	value, err := x.variable(i.name)
	return err != nil || value != nil && !goja.IsUndefined(value)
}
