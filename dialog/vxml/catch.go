package vxml

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

// thrown is an event on its way to its handler (VoiceXML 2.0, 5.2). Actions
// return it as an error.
type thrown struct {
	event   string
	message string
	sent    *dialog.Message // that brought it; nil for one of the page
	outside int             // levels whose handlers have had it (<rethrow>)
	byPage  bool            // the page throws it itself
}

func (t *thrown) Error() string {
	if t.message == "" {
		return t.event
	}
	return t.event + ": " + t.message
}

func thrownf(event, format string, args ...any) *thrown {
	return &thrown{event: event, message: fmt.Sprintf(format, args...)}
}

// semantic makes error.semantic of what went wrong in ECMAScript.
func semantic(err error) error { return &thrown{event: "error.semantic", message: err.Error()} }

// handler is a <catch>, or its short forms (VoiceXML 2.0, 5.2.2 and 5.2.3).
type handler struct {
	place
	events  []string // none: all
	count   int
	cond    *script.Expression
	actions []action
}

func (e *element) isHandler() bool {
	switch e.tag {
	case "catch", "noinput", "nomatch", "help", "error":
		return true
	}
	return false
}

func (e *element) handler() *handler {
	h := &handler{place: e.place, count: 1, cond: e.expression("cond")}
	if e.tag == "catch" {
		e.attributes("event", "count", "cond")
		h.events = e.names("event")
	} else {
		e.attributes("count", "cond")
		h.events = []string{e.tag}
	}
	for _, name := range h.events {
		if today := todays(name); today != "" {
			h.events = append(h.events, today)
			e.readAs("event", fmt.Sprintf("the event %q, of VoiceXML 1.0,", name), today)
		}
	}
	if slices.Contains(h.events, ".") {
		h.events = nil
	}
	if text := e.text("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			e.problem("<%s count=%.200q>: expected a number from 1", e.tag, text)
		}
		h.count = n
	}
	h.actions = e.actions()
	return h
}

// catches tells whether the handler is for an event: its name, or the beginning
// of its name up to a dot.
func (h *handler) catches(event string) bool {
	return len(h.events) == 0 || slices.ContainsFunc(h.events, func(name string) bool { return within(event, name) })
}

// find selects the handler for an event (VoiceXML 2.0, 5.2.4): of those that
// catch it, the first, from the inside out, with the highest count that the
// event has reached. It also tells at which level that is.
func (x *execution) find(t *thrown) (best *handler, at int, err error) {
	for depth, l := range x.levels() {
		if depth < t.outside {
			continue
		}
		for _, h := range l.handlers {
			if !h.catches(t.event) || h.count > x.counted(h, t.event) || best != nil && h.count <= best.count {
				continue
			}
			holds, err := x.holds(h.cond)
			if err != nil {
				return nil, 0, err
			}
			if holds {
				best, at = h, depth
			}
		}
	}
	return best, at, nil
}

// counted is how often an event that the handler catches has come to the item:
// events of one family count together for a handler of the family.
func (x *execution) counted(h *handler, event string) int {
	n := 0
	for name, times := range x.events[x.itemName()] {
		if name == event || h.family(event, name) {
			n += times
		}
	}
	return n
}

// family tells whether two events are caught by the same name of the handler.
func (h *handler) family(one, other string) bool {
	return slices.ContainsFunc(h.events, func(name string) bool { return within(one, name) && within(other, name) })
}

// within tells whether an event has the name, or begins with it up to a dot.
func within(event, name string) bool {
	name = strings.TrimRight(name, ".")
	return event == name || strings.HasPrefix(event, name+".")
}

// count notes that an event has come to the present item.
func (x *execution) count(event string) {
	const most = 1000 // names that a page could make up
	events := x.events[x.itemName()]
	if events == nil {
		events = make(map[string]int)
		x.events[x.itemName()] = events
	}
	if len(events) < most || events[event] > 0 {
		events[event]++
	}
}

// handle runs the handler of an event. The error is what the handler does, if
// it is not to go on with the form.
func (x *execution) handle(t *thrown) error {
	x.log.Debug("event", "page", x.where(), "event", t.event, "message", t.message)
	if t.outside == 0 {
		x.count(t.event)
		if err := x.guardErrors(t); err != nil {
			return err
		}
	}
	x.reprompt = false
	h, at, err := x.find(t)
	if err != nil {
		return err
	}
	if h == nil {
		return x.handleByDefault(t)
	}
	x.openAnonymous()
	vm := x.runtime.VM()
	x.runtime.Declare(anonymousScope, "_event", vm.ToValue(t.event))
	message := goja.Undefined()
	switch {
	case t.message != "":
		message = vm.ToValue(t.message)
	case t.sent != nil && len(t.sent.Parameters) > 0:
		message = parameters(vm, *t.sent)
	}
	x.runtime.Declare(anonymousScope, "_message", message)
	err = x.runAll(h.actions)
	if errors.Is(err, errRethrow) {
		again := *t
		again.outside = at + 1
		return &again
	}
	return err
}

// errRethrow is <rethrow>: the event is for the handlers further out.
var errRethrow = errors.New("rethrow")

// handleByDefault does what is said for events that nobody catches (VoiceXML
// 2.0, 5.2.5).
func (x *execution) handleByDefault(t *thrown) error {
	switch {
	case t.event == "cancel":
		return nil
	case t.event == "help" || t.event == "noinput" || t.event == "maxspeechtimeout" || t.event == "nomatch" || strings.HasPrefix(t.event, "nomatch."):
		x.reprompt = true
		return nil
	case isDisconnect(t.event):
		return &exit{}
	case t.sent != nil && !isError(t.event):
		x.log.Info("nothing catches an event from the session", "event", t.event, "page", x.where())
		return nil
	}
	return &exit{reason: fmt.Sprintf("%s: nothing catches %v", x.where(), t)}
}

// levels are the item, the form, the page and the application root document, from
// the inside out.
func (x *execution) levels() []*level {
	list := make([]*level, 0, 4)
	if x.item != nil {
		list = append(list, &x.item.level)
	}
	if x.form != nil {
		list = append(list, &x.form.level)
	}
	list = append(list, &x.page.level)
	if x.root != nil && x.root != x.page {
		list = append(list, &x.root.level)
	}
	return list
}
