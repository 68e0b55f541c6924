package interpreter

import (
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"
)

// Event is one entry of a session's queue (CCXML 1.0, 9). It belongs to the one
// session that it is posted to, and whoever posts it must not touch it again.
type Event struct {
	Name       string
	ID         string // eventid; given by the session when empty
	Source     string // eventsource: the id of what it comes from
	SourceType string // eventsourcetype: connection, dialog, ccxml, basichttp …
	Fields     []Field

	// Effect changes the session's objects when the event is taken from the
	// queue, before a transition is selected (CCXML 1.0, 8.4); nil for none.
	Effect Effect

	came       time.Time // at its session, if that is measured
	connection *Connection
	dialog     *Dialog
	conference *Conference
}

// Field is a property of an event object. Its value is nil (undefined), a
// string, a bool, a number, a []any or a map[string]any of these, or a []Pair,
// which becomes an object with dotted names nested.
type Field struct {
	Name  string
	Value any
}

// Field gives the value of a field, or nil.
func (e *Event) Field(name string) any {
	for _, field := range e.Fields {
		if field.Name == name {
			return field.Value
		}
	}
	return nil
}

// String gives a field as text, "" where it is absent or not a string.
func (e *Event) String(name string) string {
	text, _ := e.Field(name).(string)
	return text
}

// ConnectionID is the id of the connection that the event is about, directly or as that
// of its dialog; "" for none.
func (e *Event) ConnectionID() string {
	switch id := e.String("connectionid"); {
	case id != "":
		return id
	case e.connection != nil:
		return e.connection.ID
	case e.dialog != nil:
		return e.dialog.ConnectionID
	}
	return ""
}

// DialogID is the id of the dialog that the event is about; "" for none.
func (e *Event) DialogID() string {
	if e.dialog != nil {
		return e.dialog.ID
	}
	return e.String("dialogid")
}

// implied gives the fields that an event of its kind has even if whoever posted
// it left them out (CCXML 1.0, 6.3, 7.4 and 10.6; ERR-4).
func (e *Event) implied(s *Session, key string) (any, bool) {
	switch {
	case key == "sessionid" && e.Name == "ccxml.kill": // SES-12
		return s.ID(), true
	case key == "reason" && e.Name == "ccxml.kill":
		return "no reason was given", true
	case key == "values" && (e.dialog != nil || strings.HasPrefix(e.Name, "dialog.")): // DEV-3
		return map[string]any{}, true
	case key == "connectionid":
		return optional(e.ConnectionID()), e.ConnectionID() != ""
	case key == "dialogid" && e.dialog != nil:
		return e.dialog.ID, true
	case key == "conferenceid" && e.dialog != nil:
		return optional(e.dialog.ConferenceID), true
	case key == "protocol" && e.connection != nil:
		return e.connection.Protocol.Name, true
	case key == "info" && e.connection != nil: // CEV-1
		return map[string]any{}, true
	case key == "reason" && isError(e.Name):
		return "no reason was given", true
	}
	return nil, false
}

// Effect is what an event does to the session's objects when it is handled. The
// effects are the types of this package whose names end in Effect.
type Effect interface {
	apply(*Session, *Event)
}

// ConnectionEffect moves a connection to a state. New is set when the event
// brings a connection that the session did not know.
type ConnectionEffect struct {
	ConnectionID string
	State        ConnectionState // "" leaves it as it is
	New          *Connection
}

func (effect ConnectionEffect) apply(s *Session, e *Event) {
	if effect.New != nil {
		s.connections.add(effect.New.ID, effect.New)
	}
	connection := s.connections.get(effect.ConnectionID)
	if connection == nil {
		return
	}
	e.connection = connection
	if effect.State != "" {
		connection.moveTo(effect.State)
	}
	if effect.State.final() {
		s.media.Remove(connection.ID)
	}
}

// DialogEffect moves a dialog to a state. One that has started is bridged to its
// connection or conference, also when that is said again.
type DialogEffect struct {
	DialogID string
	State    DialogState // "" leaves it as it is
}

func (effect DialogEffect) apply(s *Session, e *Event) {
	dialog := s.dialogs.get(effect.DialogID)
	if dialog == nil {
		return
	}
	e.dialog = dialog
	dialog.moveTo(effect.State)
	switch effect.State {
	case DialogStarted:
		s.bridgeDialog(dialog)
	case DialogEnded:
		s.media.Remove(dialog.ID)
	}
}

// ConferenceEffect attaches the session to a conference or detaches it.
type ConferenceEffect struct {
	ConferenceID string
	Attached     bool
}

func (effect ConferenceEffect) apply(s *Session, e *Event) {
	conference := s.conferences.get(effect.ConferenceID)
	if conference == nil {
		return
	}
	e.conference = conference
	conference.attached = effect.Attached
	if !effect.Attached {
		s.media.Remove(conference.ID)
	}
}

// JoinEffect bridges two endpoints in the session's media graph.
type JoinEffect struct {
	A, B     Endpoint
	Duplex   Duplex
	Implicit bool // made by a call's joinid rather than by <join>
}

func (effect JoinEffect) apply(s *Session, _ *Event) {
	s.media.Join(effect.A, effect.B, effect.Duplex, !effect.Implicit)
}

// UnjoinEffect takes the bridge between two endpoints away.
type UnjoinEffect struct {
	A, B string
}

func (effect UnjoinEffect) apply(s *Session, _ *Event) {
	s.media.Unjoin(effect.A, effect.B)
}

// eventObject is the ECMAScript view of an event. It makes values when they are
// asked for, since most documents look at few of them.
type eventObject struct {
	session *Session
	event   *Event
	own     []property // what was made or set before
}

// property is a property of an object with few of them.
type property struct {
	key   string
	value goja.Value
	made  bool // of the event, and not by the document
}

var _ goja.DynamicObject = (*eventObject)(nil)

// Get gives a property, as goja asks for it; nil for none.
func (o *eventObject) Get(key string) goja.Value {
	for _, p := range o.own {
		if p.key == key {
			return p.value
		}
	}
	value, ok := o.lookup(key)
	if !ok {
		return nil
	}
	o.keep(property{key: key, value: value, made: true})
	return value
}

func (o *eventObject) keep(p property) {
	o.Delete(p.key)
	o.own = append(o.own, p)
}

// lookup makes a property: the standard fields of every event (CCXML 1.0, 9.1),
// the objects it is about, and its own fields.
func (o *eventObject) lookup(key string) (goja.Value, bool) {
	s, e := o.session, o.event
	switch key {
	case "name":
		return s.toValue(s.document.dialect.eventName(e.Name)), true
	case "eventid":
		return s.toValue(e.ID), true
	case "eventsource":
		return s.toValue(e.Source), true
	case "eventsourcetype":
		return s.toValue(e.SourceType), true
	case "connection":
		if e.connection != nil {
			return s.connections.object(e.connection.ID, e.connection), true
		}
	case "dialog":
		if e.dialog != nil {
			return s.dialogs.object(e.dialog.ID, e.dialog), true
		}
	case "conference":
		if e.conference != nil {
			return s.conferences.object(e.conference.ID, e.conference), true
		}
	}
	for _, field := range e.Fields {
		if field.Name == key {
			return s.toValue(field.Value), true
		}
	}
	if value, ok := s.document.dialect.field(e, key); ok {
		return s.toValue(value), true
	}
	if value, ok := e.implied(s, key); ok {
		return s.toValue(value), true
	}
	return nil, false
}

// Set keeps what a document assigns to the event object.
func (o *eventObject) Set(key string, value goja.Value) bool {
	o.keep(property{key: key, value: value})
	return true
}

// Has tells whether there is such a property.
func (o *eventObject) Has(key string) bool { return o.Get(key) != nil }

// Delete takes away what was assigned.
func (o *eventObject) Delete(key string) bool {
	o.own = slices.DeleteFunc(o.own, func(p property) bool { return p.key == key })
	return true
}

// Keys lists the properties for for-in loops: the standard ones, then the
// event's own.
func (o *eventObject) Keys() []string {
	keys := []string{"name", "eventid", "eventsource", "eventsourcetype"}
	if o.event.connection != nil {
		keys = append(keys, "connection")
	}
	if o.event.dialog != nil {
		keys = append(keys, "dialog")
	}
	if o.event.conference != nil {
		keys = append(keys, "conference")
	}
	for _, field := range o.event.Fields {
		keys = append(keys, field.Name)
	}
	return keys
}
