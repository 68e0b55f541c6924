package interpreter

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// hostedData is an object of the session that a variable holds: the one member that is
// set.
type hostedData struct {
	Event      *eventData `json:"event,omitempty"`
	Connection int        `json:"connection,omitempty"` // places in the snapshot's lists, and one
	Dialog     int        `json:"dialog,omitempty"`
	Conference int        `json:"conference,omitempty"`
	Session    string     `json:"session,omitempty"` // the name of a variable of the session scope
}

var _ script.Hosted = (*snapshotWriter)(nil)

// Write writes an object of the session that a variable holds.
func (w *snapshotWriter) Write(object any) (text []byte, held []script.Held, why string) {
	var d hostedData
	switch o := object.(type) {
	case *eventObject:
		event := w.event(o.event)
		d.Event, held = &event, o.held()
	case *itemObject[*Connection]:
		d.Connection = find(&w.connections, o.item, nil)
	case *itemObject[*Dialog]:
		d.Dialog = find(&w.dialogs, o.item, nil)
	case *itemObject[*Conference]:
		d.Conference = find(&w.conferences, o.item, nil)
	case *directory[*Connection]:
		d.Session = "connections"
	case *directory[*Dialog]:
		d.Session = "dialogs"
	case *directory[*Conference]:
		d.Session = "conferences"
	case *mapObject[any]:
		d.Session = "values"
	case *mapObject[string]:
		d.Session = "ioprocessors"
	default:
		return nil, nil, "an object of the platform"
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, nil, err.Error()
	}
	return text, held, ""
}

// Read makes nothing again: a writer only writes.
func (w *snapshotWriter) Read([]byte) (*goja.Object, func(script.Held), error) {
	return nil, nil, errors.ErrUnsupported
}

// held gives what an event object has that is not made of its event anew: what a document
// has assigned, and the objects that it may have changed.
func (o *eventObject) held() (list []script.Held) {
	for _, p := range o.own {
		object, isObject := p.value.(*goja.Object)
		if p.made && (!isObject || object.Structure().Kind == goja.KindHost) {
			continue
		}
		list = append(list, script.Held{Name: p.key, Value: p.value})
	}
	return list
}

// Write writes nothing: a resumption only reads.
func (r *resumption) Write(any) ([]byte, []script.Held, string) {
	return nil, nil, "nothing is written"
}

// Read makes an object of the session again that a variable held.
func (r *resumption) Read(text []byte) (*goja.Object, func(script.Held), error) {
	var d hostedData
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, nil, fmt.Errorf("an object of the session cannot be read: %w", err)
	}
	s := r.session
	switch {
	case d.Event != nil:
		event, err := r.event(d.Event)
		if err != nil {
			return nil, nil, err
		}
		o := &eventObject{session: s, event: event}
		return s.runtime.VM().NewDynamicObject(o), func(h script.Held) { o.keep(property{key: h.Name, value: h.Value}) }, nil
	case d.Connection != 0:
		c, err := at(r.connections, d.Connection)
		if err != nil {
			return nil, nil, err
		}
		return s.connections.object(c.ID, c), nil, nil
	case d.Dialog != 0:
		d, err := at(r.dialogs, d.Dialog)
		if err != nil {
			return nil, nil, err
		}
		return s.dialogs.object(d.ID, d), nil, nil
	case d.Conference != 0:
		c, err := at(r.conferences, d.Conference)
		if err != nil {
			return nil, nil, err
		}
		return s.conferences.object(c.ID, c), nil, nil
	}
	v, err := s.runtime.Variable(sessionScope, d.Session)
	object, ok := v.(*goja.Object)
	if err != nil || !ok {
		return nil, nil, fmt.Errorf("the session scope has no object %.40q", d.Session)
	}
	return object, nil, nil
}
