package main

import (
	"strconv"
	"strings"

	"ccxmld/interpreter"
)

// things are the connections, dialogs and sends of a trace: their names, by kind and
// id.
type things map[string]map[string]string

// named gives a thing its name in the trace, with its id where it is named for the
// first time.
func (t things) named(kind, id string) string {
	if name, known := t[kind][id]; known {
		return name
	}
	return t.call(kind, id, kind+" "+strconv.Itoa(len(t[kind])+1)) + " = " + id
}

// call names a thing.
func (t things) call(kind, id, name string) string {
	if t[kind] == nil {
		t[kind] = make(map[string]string)
	}
	t[kind][id] = name
	return name
}

// leg names the leg of a party: caller, or callee with a number. It has its name
// before anything is told of it.
func (t *tracer) leg(id, name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.things.call("connection", id, name) + " = " + id
}

// about says of which leg, dialog and send an event is, where the trace tells them
// apart.
func (t *tracer) about(e *interpreter.Event) string {
	if !t.names {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, thing := range []struct{ kind, id string }{
		{"connection", e.ConnectionID()}, {"dialog", e.DialogID()}, {"send", e.String("sendid")},
	} {
		if thing.id != "" {
			all = append(all, t.things.named(thing.kind, thing.id))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " [" + strings.Join(all, ", ") + "]"
}
