package interpreter

// Apply changes the session's objects without an event of its own, for what the
// specification does not report: the bridge of a call that was created with
// joinid (CCXML 1.0, 10.5.6). It may only be called in the session's goroutine.
func (s *Session) Apply(effect Effect) {
	effect.apply(s, &Event{})
	s.changed = true
}
