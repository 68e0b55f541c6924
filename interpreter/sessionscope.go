package interpreter

import (
	"maps"
	"slices"

	"github.com/dop251/goja"
)

// publishSession fills the session scope (CCXML 1.0, 8.4). Documents cannot
// change it.
func (s *Session) publishSession() {
	vm := s.runtime.VM()
	s.publish("id", vm.ToValue(s.options.ID))
	s.publish("parentid", s.toValue(optional(s.options.ParentID)))
	s.publish("startupmode", vm.ToValue(string(s.options.Startup)))
	s.publish("values", vm.NewDynamicObject(&mapObject[any]{s, s.options.Values}))
	s.publish("ioprocessors", vm.NewDynamicObject(&mapObject[string]{s, s.options.IOProcessors}))
	s.publish("connections", vm.NewDynamicObject(&s.connections))
	s.publish("dialogs", vm.NewDynamicObject(&s.dialogs))
	s.publish("conferences", vm.NewDynamicObject(&s.conferences))
}

// publishURI sets session.uri, which changes with goto (FET-17).
func (s *Session) publishURI(uri string) {
	s.publish("uri", s.runtime.VM().ToValue(uri))
}

func (s *Session) publish(name string, value goja.Value) {
	s.runtime.Declare(sessionScope, name, value)
}

// mapObject is a read-only ECMAScript view of a map that sessions may share. Its
// values are made when a document asks for them.
type mapObject[V any] struct {
	session *Session
	values  map[string]V
}

var _ goja.DynamicObject = (*mapObject[any])(nil)

// Get gives a property, nil for none.
func (o *mapObject[V]) Get(key string) goja.Value {
	value, ok := o.values[key]
	if !ok {
		return nil
	}
	return o.session.toValue(value)
}

// Set refuses.
func (o *mapObject[V]) Set(string, goja.Value) bool { return false }

// Has tells whether there is such a property.
func (o *mapObject[V]) Has(key string) bool {
	_, ok := o.values[key]
	return ok
}

// Delete refuses.
func (o *mapObject[V]) Delete(string) bool { return false }

// Keys lists the properties in the order of their names.
func (o *mapObject[V]) Keys() []string { return slices.Sorted(maps.Keys(o.values)) }
