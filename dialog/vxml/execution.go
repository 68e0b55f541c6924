package vxml

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/fetch"
	"ccxmld/random"
	"ccxmld/script"
)

// party is what all contexts of a dialog share: what is said to the party, and what
// came from it.
type party struct {
	browser *browser
	ctx     context.Context
	log     *slog.Logger
	limits  script.Limits
	random  *random.Source

	timeout     time.Duration // of the prompts that are queued, 0 for the property
	bargeInType string        // of the prompts that are queued, "" for the property
	queued      []dialog.Prompt
	pending     []dialog.Message // events that came and are not thrown yet
	passed      []string         // prompts that could not be played and had no alternative
	recorded    map[string]bool  // files of recordings
	cookies     *fetch.Cookies   // of all that is fetched
	final       bool             // the call is over: no more turns (VoiceXML 2.0, 1.5.4)
	loops       loops
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

func (p *party) newExecution(page *Page) *execution {
	x := &execution{party: p}
	limits := p.limits
	limits.Crowded = func() { p.browser.crowd(x) }
	x.runtime = page.language.NewRuntime(limits)
	x.runtime.SetNow(p.browser.clock().Now)
	x.runtime.SetRandom(p.random.Float64)
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
		if err := x.visiting(); err != nil {
			return err
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

// caught gives an error that is an event to its handler. What the handler throws
// is for the handlers again, and so on, a few times.
func (x *execution) caught(err error) error {
	for range 20 {
		var t *thrown
		if !errors.As(err, &t) {
			return err
		}
		if isDisconnect(t.event) && !t.byPage {
			x.final = true
		}
		if err = x.handle(t); err == nil {
			return nil
		}
	}
	return &exit{reason: fmt.Sprintf("%s: the event handlers go in circles: %v", x.where(), err)}
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
	x.queued, x.timeout, x.bargeInType = nil, 0, ""
	if x.final || x.ctx.Err() != nil {
		return dialog.Outcome{}, false
	}
	begun := x.browser.clock().Now()
	o, ok := x.browser.take(x.ctx, t, &x.pending, nil)
	if ok {
		x.loops.heard(clock.Since(x.browser.clock(), begun))
		if o.End != dialog.Failed && len(x.passed) < 10 {
			x.passed = append(x.passed, o.Problems...)
		}
	}
	return o, ok
}

// disconnect asks for the call to be hung up, after what is queued was heard. Where the
// page has been told that the call is over, it ends the page.
func (x *execution) disconnect(values dialog.Values) error {
	if x.final {
		return &exit{values: values}
	}
	if _, ok := x.turn(nil); ok {
		x.browser.disconnect(values)
	}
	return &thrown{event: "connection.disconnect.hangup"}
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
