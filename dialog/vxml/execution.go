package vxml

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

// execution is a dialog's goroutine: it runs one page after the other.
type execution struct {
	browser *browser
	ctx     context.Context
	log     *slog.Logger
	runtime *script.Runtime

	page *Page
	form *form
	item *item // nil between items

	next     *item // where goto nextitem leads
	counts   map[string]int
	events   map[string]map[string]int // by item and event
	reprompt bool
	timeout  time.Duration // of the prompts that are queued, 0 for the property
	queued   []dialog.Prompt
	pending  []dialog.Message // events that came and are not thrown yet
	passed   []string         // prompts that could not be played and had no alternative
	final    bool             // the call is over: no more turns (VoiceXML 2.0, 1.5.4)
	steps    int              // form items since the party was heard or played to
}

// mostSteps bounds how many items are visited while nothing is heard: a page
// that goes in circles ends there.
const mostSteps = 1000

// run runs the dialog from its first page to its exit.
func (x *execution) run(first *Page, form *form) *exit {
	err := x.enterPage(first, form)
	for {
		var to *jump
		var end *exit
		switch {
		case err == nil:
			end = &exit{} // no item is left (VoiceXML 2.0, 2.1.6.2)
		case errors.As(err, &end), errors.As(err, &to):
		default:
			end = &exit{reason: err.Error()}
		}
		if end != nil {
			return x.playOut(end)
		}
		if x.steps++; x.steps > mostSteps {
			return x.playOut(x.circles())
		}
		if to.page != nil {
			err = x.enterPage(to.page, to.form)
		} else {
			err = x.enterForm(to.form)
		}
	}
}

// playOut plays what is still queued before the dialog ends.
func (x *execution) playOut(end *exit) *exit {
	if o, ok := x.turn(nil); ok && o.End == dialog.Failed && end.reason == "" {
		end.reason = o.Problems[len(o.Problems)-1]
	}
	if end.reason == "" {
		end.reason = strings.Join(x.passed, "; ")
	}
	return end
}

// enterPage initialises a page and runs it, from the given form or its first.
func (x *execution) enterPage(p *Page, f *form) error {
	x.page, x.form, x.item = p, nil, nil
	x.runtime.CleanGlobals()
	for _, scope := range []string{applicationScope, documentScope, dialogScope, anonymousScope} {
		x.runtime.OpenScope(scope)
	}
	x.events = make(map[string]map[string]int)
	x.runtime.Declare(applicationScope, "lastresult$", x.runtime.VM().NewArray())
	if err := x.runAll(p.init); err != nil {
		return x.caught(err)
	}
	if f == nil {
		f = p.forms[0]
	}
	return x.enterForm(f)
}

// caught gives an error that is an event to its handler. What the handler throws
// is for the handlers again, and so on, a few times.
func (x *execution) caught(err error) error {
	for range 20 {
		var t *thrown
		if !errors.As(err, &t) {
			return err
		}
		if isDisconnect(t.event) {
			x.final = true
		}
		if err = x.handle(t); err == nil {
			if x.final {
				return &exit{}
			}
			return nil
		}
	}
	return &exit{reason: fmt.Sprintf("%s: the event handlers go in circles: %v", x.where(), err)}
}

// enterForm runs the form interpretation algorithm on a form (VoiceXML 2.0,
// appendix C).
func (x *execution) enterForm(f *form) error {
	x.form, x.item, x.next = f, nil, nil
	x.runtime.OpenScope(dialogScope)
	x.openAnonymous()
	x.counts = make(map[string]int)
	x.events = make(map[string]map[string]int)
	x.reprompt = true
	if err := x.initialise(); err != nil {
		if err = x.caught(err); err != nil {
			return err
		}
	}
	for {
		done, err := x.step()
		var to *jump
		if errors.As(err, &to) && to.item != nil {
			x.next, x.reprompt = to.item, true
			continue
		}
		if err != nil || done {
			return err
		}
	}
}

// initialise declares the form's variables and those of its items.
func (x *execution) initialise() error {
	if err := x.runAll(x.form.init); err != nil {
		return err
	}
	for _, i := range x.form.items {
		value := goja.Undefined()
		if i.expr != nil {
			var err error
			if value, err = x.eval(i.expr); err != nil {
				return err
			}
		}
		x.runtime.Declare(dialogScope, i.name, value)
	}
	return nil
}

// step selects an item, collects its input and processes it. done is set when
// there is no item to select.
func (x *execution) step() (done bool, err error) {
	if err := x.ctx.Err(); err != nil {
		return true, &exit{}
	}
	if x.steps++; x.steps > mostSteps {
		return true, x.circles()
	}
	if !x.final && x.browser.hungUp() {
		return false, x.caught(&thrown{event: "connection.disconnect.hangup"})
	}
	x.item = nil
	wanted := x.next
	i, err := x.choose()
	if err != nil {
		return false, x.caught(err)
	}
	x.item = i
	if !x.final && (i == nil || !i.block) {
		// An event of the session is for the handlers of the item that is about
		// to listen. What this one has to say is still to be said.
		if m, ok := x.nextMessage(); ok {
			x.next = wanted
			reprompt := x.reprompt
			err := x.caught(external(m))
			x.reprompt = x.reprompt || reprompt
			return false, err
		}
	}
	if i == nil {
		return true, nil
	}
	return false, x.caught(x.visit(i))
}

func (x *execution) circles() *exit {
	return &exit{reason: fmt.Sprintf("%s: the page goes in circles without being heard", x.where())}
}

// choose selects the next item: where a goto leads, else the first whose
// variable is undefined and whose condition holds.
func (x *execution) choose() (*item, error) {
	if i := x.next; i != nil {
		x.next = nil
		return i, nil
	}
	for _, i := range x.form.items {
		if value := x.runtime.Scope(dialogScope).Get(i.name); value != nil && !goja.IsUndefined(value) {
			continue
		}
		if i.cond != nil {
			x.item = i
		}
		holds, err := x.holds(i.cond)
		if err != nil || holds {
			return i, err
		}
	}
	return nil, nil
}

// visit executes an item.
func (x *execution) visit(i *item) error {
	reprompt := x.reprompt
	x.reprompt = true // unless a handler ends the step
	switch {
	case i.unsupported != "":
		x.set(i.name, x.runtime.VM().ToValue(true)) // visited once
		return thrownf("error.unsupported."+i.unsupported, "<%s> with %s is not supported", i.tag, i.unsupported)
	case i.block:
		x.set(i.name, x.runtime.VM().ToValue(true))
		x.openAnonymous()
		return x.runAll(i.actions)
	}
	if reprompt || i.transfer != nil {
		if err := x.queuePrompts(i); err != nil {
			return err
		}
	}
	if i.transfer != nil {
		return x.transfer(i)
	}
	return x.collect(i)
}

// queuePrompts queues those prompts of an item whose condition holds and whose
// count is the highest that the item has reached (VoiceXML 2.0, 4.1.6).
func (x *execution) queuePrompts(i *item) error {
	x.counts[i.name]++
	best := 0
	var play []*prompt
	for _, p := range i.prompts {
		if p.count > x.counts[i.name] || p.count < best {
			continue
		}
		holds, err := x.holds(p.cond)
		if err != nil {
			return err
		}
		if !holds {
			continue
		}
		if p.count > best {
			best, play = p.count, nil
		}
		play = append(play, p)
	}
	for _, p := range play {
		if err := x.queue(p); err != nil {
			return err
		}
	}
	return nil
}

// collect takes the input of a field, and processes it.
func (x *execution) collect(i *item) error {
	listen := &dialog.Listen{
		Grammar: i.grammar, TermDigits: x.property("termchar"), First: x.interval("timeout"),
		Inter: x.interval("interdigittimeout"), Term: x.interval("termtimeout"),
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
	case o.End == dialog.Mismatch:
		return &thrown{event: "nomatch"}
	}
	x.assignResult(i, o.Digits)
	return x.process(i)
}

// interrupted throws the event that has ended a turn.
func (x *execution) interrupted() error {
	if m, ok := x.nextMessage(); ok {
		return external(m)
	}
	return &thrown{event: "connection.disconnect.hangup"}
}

// assignResult gives a field its value, its shadow variable, and sets
// application.lastresult$ (VoiceXML 2.0, 2.3.1 and 5.1.5).
func (x *execution) assignResult(i *item, digits string) {
	vm := x.runtime.VM()
	value := vm.ToValue(digits)
	x.set(i.name, value)
	result := func() *goja.Object {
		o := vm.NewObject()
		for _, property := range []struct {
			name  string
			value any
		}{{"utterance", digits}, {"inputmode", "dtmf"}, {"confidence", 1.0}, {"interpretation", digits}} {
			_ = o.Set(property.name, property.value) // a new object takes properties
		}
		return o
	}
	x.set(i.name+"$", result())
	last := vm.NewArray(result())
	for _, key := range result().Keys() {
		_ = last.Set(key, last.Get("0").(*goja.Object).Get(key))
	}
	x.runtime.Declare(applicationScope, "lastresult$", last)
}

// process runs the <filled> elements that the new value makes true: the item's,
// then the form's.
func (x *execution) process(i *item) error {
	for _, f := range i.filled {
		x.openAnonymous()
		if err := x.runAll(f.actions); err != nil {
			return err
		}
	}
	for _, f := range x.form.filled {
		if !x.applies(f, i) {
			continue
		}
		x.openAnonymous()
		if err := x.runAll(f.actions); err != nil {
			return err
		}
	}
	return nil
}

// applies tells whether a <filled> of the form is about an item that has just
// been filled: any of its names, or all of them.
func (x *execution) applies(f *filled, filled *item) bool {
	concerned, all := false, true
	for _, i := range x.form.items {
		if i.block || len(f.names) > 0 && !slices.Contains(f.names, i.name) {
			continue
		}
		concerned = concerned || i == filled
		value := x.runtime.Scope(dialogScope).Get(i.name)
		all = all && value != nil && !goja.IsUndefined(value)
	}
	return concerned && (f.any || all)
}

// turn plays what is queued and, if listen is given, takes digits. It reports
// false when the call is over.
func (x *execution) turn(listen *dialog.Listen) (dialog.Outcome, bool) {
	prompts := x.queued
	x.queued, x.timeout = nil, 0
	if x.final || x.ctx.Err() != nil {
		return dialog.Outcome{}, false
	}
	if listen == nil && len(prompts) == 0 {
		return dialog.Outcome{}, true
	}
	o, ok := x.browser.take(x.ctx, dialog.Turn{Prompts: prompts, Listen: listen, Forgiving: true}, &x.pending)
	if ok {
		x.steps = 0
		if o.End != dialog.Failed && len(x.passed) < 10 {
			x.passed = append(x.passed, o.Problems...)
		}
	}
	return o, ok
}

// disconnect asks for the call to be hung up, after what is queued was heard.
func (x *execution) disconnect(values dialog.Values) error {
	if _, ok := x.turn(nil); ok {
		x.browser.disconnect(values)
	}
	return &thrown{event: "connection.disconnect.hangup"}
}

// load gets another page, or finds a form of this one.
func (x *execution) load(next string, how *dialog.Fetch) (*Page, *form, error) {
	reference, id, hasID := strings.Cut(next, "#")
	page, err := x.browser.load(x.ctx, x.page.base, reference, how)
	if err != nil {
		return nil, nil, err
	}
	if !hasID || id == "" {
		return page, nil, nil
	}
	form := page.byID[id]
	if form == nil {
		return nil, nil, fmt.Errorf("there is no dialog %q in %s", id, page.URI)
	}
	return page, form, nil
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

func (x *execution) itemName() string {
	if x.item == nil {
		return ""
	}
	return x.item.name
}

// where says which element is being executed.
func (x *execution) where() string {
	switch {
	case x.item != nil:
		return x.item.position.String()
	case x.form != nil:
		return x.form.position.String()
	}
	return x.page.URI
}
