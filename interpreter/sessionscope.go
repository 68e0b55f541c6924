package interpreter

import (
	"github.com/dop251/goja"
)

// publishSession fills the session scope (CCXML 1.0, 8.4). Documents cannot
// change it.
func (s *Session) publishSession() {
	vm := s.runtime.VM()
	s.publish("id", vm.ToValue(s.options.ID))
	s.publish("parentid", s.toValue(optional(s.options.ParentID)))
	s.publish("startupmode", vm.ToValue(string(s.options.Startup)))
	s.publish("values", s.toValue(s.options.Values))
	processors := make(map[string]any, len(s.options.IOProcessors))
	for name, uri := range s.options.IOProcessors {
		processors[name] = uri
	}
	s.publish("ioprocessors", s.toValue(processors))
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
