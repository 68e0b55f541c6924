package vxml

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

// party is what all contexts of a dialog share: what is said to the party, and what
// came from it.
type party struct {
	browser *browser
	ctx     context.Context
	log     *slog.Logger
	limits  script.Limits

	timeout  time.Duration // of the prompts that are queued, 0 for the property
	queued   []dialog.Prompt
	pending  []dialog.Message // events that came and are not thrown yet
	passed   []string         // prompts that could not be played and had no alternative
	recorded map[string]bool  // files of recordings
	final    bool             // the call is over: no more turns (VoiceXML 2.0, 1.5.4)
	steps    int              // form items since the party was heard or played to
}

// execution runs one page after the other, in the dialog's goroutine. A subdialog
// has one of its own.
type execution struct {
	*party
	runtime *script.Runtime
	params  map[string]any // of a subdialog, for the form that it begins with
	depth   int            // of subdialogs

	page *Page
	root *Page // the application root document, which may be the page itself
	form *form
	item *item // nil between items

	next     *item // where goto nextitem leads
	counts   map[string]int
	events   map[string]map[string]int // by item and event
	reprompt bool
	last     *goja.Object // lastresult$, nil before the first one
}

// mostSteps bounds how many items are visited while nothing is heard: a page
// that goes in circles ends there.
const mostSteps = 1000

func (p *party) newExecution(page *Page) *execution {
	x := &execution{party: p, runtime: page.language.NewRuntime(p.limits)}
	p.browser.declareSession(x.runtime)
	return x
}

// run runs the dialog from its first page to its exit.
func (x *execution) run(first *jump) *exit {
	err := x.interpret(first)
	var end *exit
	switch {
	case err == nil: // no item is left (VoiceXML 2.0, 2.1.6.2)
		end = &exit{}
	case errors.As(err, &end):
	default:
		end = &exit{reason: err.Error()}
	}
	return x.playOut(end)
}

// interpret runs pages until there is nothing left to run, or an error that is no
// jump.
func (x *execution) interpret(first *jump) error {
	err := x.enterPage(first)
	for {
		var to *jump
		if !errors.As(err, &to) {
			return err
		}
		if x.steps++; x.steps > mostSteps {
			return x.circles()
		}
		if to.page != nil && to.page != x.page || to.fresh {
			err = x.enterPage(to)
		} else {
			err = x.enterForm(to.form, to.input)
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

// enterPage initialises a page and runs it, from the form that the jump leads to
// or its first.
func (x *execution) enterPage(to *jump) error {
	x.form, x.item = nil, nil
	x.events = make(map[string]map[string]int)
	x.runtime.CleanGlobals()
	before := x.page
	x.page = to.page
	if err := x.enterApplication(to, before); err != nil {
		return x.caught(err)
	}
	if err := x.enterDocument(); err != nil {
		return x.caught(err)
	}
	f := to.form
	if f == nil {
		if len(x.page.forms) == 0 {
			return nil
		}
		f = x.page.forms[0]
	}
	return x.enterForm(f, to.input)
}

// enterApplication makes the page's application root document the present one. Its
// variables stay when a page of the same application follows, or the root itself
// (VoiceXML 2.0, 1.5.2), unless it is the root that follows itself or is submitted to.
func (x *execution) enterApplication(to *jump, before *Page) error {
	root := to.root
	if root == nil { // a link or grammar of the root leads to it
		root = to.page
	}
	anew := root == to.page && (to.submitted || before != nil && before.URI == root.URI)
	if x.root != nil && x.root.URI == root.URI && !anew {
		return nil
	}
	x.page, x.root = root, root
	x.runtime.OpenScope(applicationScope)
	x.runtime.SwitchScope(documentScope, x.runtime.Scope(applicationScope))
	x.runtime.OpenScope(dialogScope)
	x.openAnonymous()
	if x.last != nil {
		x.runtime.Declare(applicationScope, "lastresult$", x.last)
	}
	if err := x.runAll(root.init); err != nil {
		return err
	}
	x.page = to.page
	return nil
}

// enterDocument runs what initialises the page, which its root has had already.
func (x *execution) enterDocument() error {
	x.runtime.OpenScope(dialogScope)
	x.openAnonymous()
	if x.page.URI == x.root.URI {
		x.runtime.SwitchScope(documentScope, x.runtime.Scope(applicationScope))
		return nil
	}
	x.runtime.OpenScope(documentScope)
	return x.runAll(x.page.init)
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
// appendix C). The input is what has led there, nil for none.
func (x *execution) enterForm(f *form, in *input) error {
	x.form, x.item, x.next = f, nil, nil
	x.runtime.OpenScope(dialogScope)
	x.openAnonymous()
	x.counts = make(map[string]int)
	x.events = make(map[string]map[string]int)
	x.reprompt = true
	err := x.initialise()
	if err == nil && in != nil {
		err = x.enterWith(in)
	}
	if err != nil {
		err = x.caught(err)
	}
	for done := false; !done; {
		var to *jump
		if errors.As(err, &to) && to.item != nil {
			x.next, x.reprompt, err = to.item, true, nil
			continue
		}
		if err != nil {
			return err
		}
		done, err = x.step()
	}
	return err
}

// enterWith processes an input that has led to the form.
func (x *execution) enterWith(in *input) error {
	if in.choice != nil {
		x.item = x.form.items[0]
		return x.chosen(x.item, in)
	}
	return x.fill(in)
}

// initialise declares the form's variables and those of its items. Parameters of a
// subdialog go before what the page has for them (VoiceXML 2.0, 2.3.4).
func (x *execution) initialise() error {
	params := x.params
	x.params = nil
	for _, a := range x.form.init {
		v, ok := a.(*varAction)
		if value, given := params[nameOfVar(v, ok)]; given {
			x.runtime.Declare(dialogScope, v.name, native(x.runtime.VM(), value))
			delete(params, v.name)
			continue
		}
		if err := a.run(x); err != nil {
			return err
		}
	}
	for name := range params {
		return thrownf("error.semantic", "the parameter %s is no <var> of the subdialog's form", name)
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

func nameOfVar(v *varAction, ok bool) string {
	if !ok {
		return ""
	}
	return v.name
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
	if !x.final && (i == nil || i.kind != block) {
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
	switch i.kind {
	case block:
		x.set(i.name, x.runtime.VM().ToValue(true))
		x.openAnonymous()
		return x.runAll(i.actions)
	case object:
		x.set(i.name, x.runtime.VM().ToValue(true)) // visited once
		return thrownf("error.unsupported.objectname", "<object> is not supported")
	}
	if reprompt || i.kind == transferItem {
		if err := x.queuePrompts(i); err != nil {
			return err
		}
	}
	switch i.kind {
	case transferItem:
		return x.transfer(i)
	case subdialogItem:
		return x.call(i)
	case record:
		return x.record(i)
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

// turn plays what is queued and, if listen is given, takes digits. It reports
// false when the call is over.
func (x *execution) turn(listen *dialog.Listen) (dialog.Outcome, bool) {
	if listen == nil && len(x.queued) == 0 {
		return dialog.Outcome{}, !x.final && x.ctx.Err() == nil
	}
	return x.take(dialog.Turn{Listen: listen})
}

// take has a turn that begins with what is queued.
func (x *execution) take(t dialog.Turn) (dialog.Outcome, bool) {
	t.Prompts, t.Forgiving = x.queued, true
	x.queued, x.timeout = nil, 0
	if x.final || x.ctx.Err() != nil {
		return dialog.Outcome{}, false
	}
	o, ok := x.browser.take(x.ctx, t, &x.pending, nil)
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

// load gets another page with its application root document, which may be the present
// one. base is the page that names it.
func (x *execution) load(base *Page, next string, f fetching, how *dialog.Fetch, present *Page) (*jump, error) {
	reference, id, _ := strings.Cut(next, "#")
	to := &jump{fresh: true}
	err := x.fetch(f, func(ctx context.Context) (err error) {
		if to.page, err = x.browser.load(ctx, base.base, reference, how); err == nil {
			to.root, err = x.browser.pages.root(ctx, to.page, present)
		}
		return err
	})
	var event *thrown
	switch {
	case errors.As(err, &event):
		return nil, event
	case err != nil:
		return nil, badFetch(err)
	case id == "":
		return to, nil
	}
	if to.form = to.page.byID[id]; to.form == nil {
		return nil, thrownf("error.badfetch", "there is no dialog %q in %s", id, to.page.URI)
	}
	return to, nil
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
	case x.page == nil:
		return x.browser.request.Source
	case x.item != nil:
		return x.item.position.String()
	case x.form != nil:
		return x.form.position.String()
	}
	return x.page.URI
}
