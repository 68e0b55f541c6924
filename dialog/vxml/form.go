package vxml

import (
	"errors"

	"github.com/dop251/goja"
)

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
			x.next, err = to.item, nil // with prompts or without, as for the next item (VoiceXML 2.0, appendix C)
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
		if v, ok := a.(*varAction); ok {
			if value, given := params[v.name]; given {
				x.runtime.Declare(dialogScope, v.name, native(x.runtime.VM(), value))
				delete(params, v.name)
				continue
			}
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

// step selects an item, collects its input and processes it. done is set when
// there is no item to select.
func (x *execution) step() (done bool, err error) {
	if err := x.ctx.Err(); err != nil {
		return true, &exit{}
	}
	if err := x.visiting(); err != nil {
		return true, err
	}
	x.item = nil
	wanted := x.next
	i, err := x.choose()
	if err != nil {
		return false, x.caught(err)
	}
	x.item = i
	if !x.final && (i == nil || i.kind != block) {
		// The end of the call and events of the session are for the handlers of the
		// item that is about to listen (VoiceXML 2.0, 4.1.8). What this one has to say
		// is still to be said.
		if x.browser.hungUp() {
			return false, x.caught(&thrown{event: "connection.disconnect.hangup"})
		}
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
	if x.final && i.waits() {
		return true, &exit{} // (VoiceXML 2.0, 1.5.4)
	}
	return false, x.caught(x.visit(i))
}

// choose selects the next item: where a goto leads, else the first whose
// variable is undefined and whose condition holds.
func (x *execution) choose() (*item, error) {
	if i := x.next; i != nil {
		x.next = nil
		return i, nil
	}
	for _, i := range x.form.items {
		x.item = i
		value, err := x.variable(i.name)
		if err != nil {
			return nil, err
		}
		if value != nil && !goja.IsUndefined(value) {
			x.item = nil
			continue
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
