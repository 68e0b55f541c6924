package interpreter

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// errStop ends a transition early without an error: <exit> and <goto>.
var errStop = errors.New("the transition has ended")

// handle processes one event to completion (CCXML 1.0, 9.1): the objects change,
// one transition is selected, and its actions run. It reports whether there was one.
func (s *Session) handle(e *Event) (taken bool) {
	if e.Effect != nil {
		e.Effect.apply(s, e)
	}
	s.resolveObjects(e)
	s.event = e
	name := strings.ToLower(e.Name)
	transition := s.selectTransition(e, name)
	s.observe(e, transition)
	switch {
	case transition != nil:
		s.loops.last = transition
		s.run(transition)
	case isError(name):
		s.end(Ending{Reason: because("no transition handled "+e.Name, e)})
	case name == "ccxml.kill":
		s.end(Ending{Reason: because("killed", e)})
	}
	s.event = nil
	s.guardErrors(e, name, transition)
	s.forget(e)
	s.reportState()
	if next := s.document.dialect.follows(e); next != nil {
		s.enqueue(next)
	}
	return transition != nil
}

func isError(name string) bool { return strings.HasPrefix(name, "error.") }

// because adds the reason that an event carries, if any.
func because(what string, e *Event) string {
	if words := e.String("reason"); words != "" {
		return what + ": " + words
	}
	return what
}

// resolveObjects finds the connection, dialog and conference an event is about,
// for events without an effect on them.
func (s *Session) resolveObjects(e *Event) {
	if e.connection == nil {
		e.connection = s.connections.get(e.String("connectionid"))
	}
	if e.dialog == nil {
		e.dialog = s.dialogs.get(e.String("dialogid"))
	}
	if e.conference == nil {
		e.conference = s.conferences.get(e.String("conferenceid"))
	}
}

// forget drops what has ended, now that its final event has been handled
// (SOB-7, DEV-11).
func (s *Session) forget(e *Event) {
	if c := e.connection; c != nil && c.State.final() {
		s.connections.remove(c.ID)
	}
	if d := e.dialog; d != nil && d.State == DialogEnded {
		s.dialogs.remove(d.ID)
	}
	if effect, ok := e.Effect.(ConferenceEffect); ok && !effect.Attached {
		s.conferences.remove(effect.ConferenceID)
	}
}

// selectTransition finds the first transition in document order whose state,
// event and condition all match (CCXML 1.0, 9.2.2). The event is bound only
// when a condition or a transition can see it.
func (s *Session) selectTransition(e *Event, name string) *transition {
	state, bound := s.currentState(), false
	for t := range s.document.candidates(s.document.dialect.names(name)) {
		if !t.inState(state) {
			continue
		}
		if !bound {
			s.bindEvent(e)
			bound = true
		}
		if s.holds(t, e) {
			return t
		}
	}
	return nil
}

// bindEvent opens the transition scope of an event, with event$ in it (EVT-16).
func (s *Session) bindEvent(e *Event) {
	scope := s.runtime.OpenScope(transitionScope)
	object := s.runtime.VM().NewDynamicObject(&eventObject{session: s, event: e})
	s.setProperty(scope, "event$", object)
	if s.document.dialect.oldFields {
		s.setProperty(scope, "_event", object)
	}
}

func (s *Session) boundEvent() goja.Value {
	event, err := s.runtime.Variable(transitionScope, "event$")
	if err != nil {
		s.log().Warn("event$ cannot be read", "error", err)
		return goja.Undefined()
	}
	return event
}

// currentState is the value of the state variable, which is one of the document
// or, in the 2002 dialect, of the application.
func (s *Session) currentState() string {
	name := s.document.stateVariable
	value, err := s.runtime.Variable(ccxmlScope, name)
	if value == nil && err == nil {
		value, err = s.runtime.Variable(applicationScope, name)
	}
	if err != nil {
		s.log().Warn("the state variable cannot be read", "variable", name, "error", err)
		return ""
	}
	if value == nil || goja.IsUndefined(value) {
		return ""
	}
	if _, isObject := value.(*goja.Object); !isObject {
		return value.String()
	}
	text, err := s.runtime.Text(value) // may run the document's code
	if err != nil {
		s.log().Warn("the state variable has no text", "variable", name, "error", err)
	}
	return text
}

// holds evaluates a transition's condition. One that throws raises
// error.semantic and counts as false (EVT-15).
func (s *Session) holds(t *transition, e *Event) bool {
	if t.cond == nil {
		return true
	}
	value, err := s.runtime.Eval(t.cond)
	if err != nil {
		if e.Name == "error.semantic" {
			s.log().Warn("condition failed while error.semantic was handled", "document", t.position.String(), "error", err)
			return false
		}
		s.raiseSemantic(&place{tag: "transition", position: t.position}, err)
		return false
	}
	return value.ToBoolean()
}

// run executes the actions of a transition in document order. An evaluation
// error skips the rest (EVT-23).
func (s *Session) run(t *transition) {
	if t.variable != "" {
		s.runtime.Declare(transitionScope, t.variable, s.boundEvent())
		if s.document.dialect.keepVariables { // OLD-3
			s.runtime.Declare(applicationScope, t.variable, s.boundEvent())
		}
	}
	s.runActions(t.actions)
}

func (s *Session) runActions(actions []action) {
	for _, a := range actions {
		err := a.run(s)
		if errors.Is(err, errStop) {
			return
		}
		if err != nil {
			s.raiseSemantic(a.element(), err)
			return
		}
	}
}

// raise queues an error event for an element (CCXML 1.0, 9.5).
func (s *Session) raise(name string, at *place, reason string, fields ...Field) {
	s.info("error event", "event", name, "document", at.position.String(), "element", at.tag, "reason", reason)
	s.enqueue(&Event{
		Name: name, Source: s.ID(), SourceType: "ccxml",
		Fields: append([]Field{{"reason", fmt.Sprintf("%s: <%s>: %s", at.position, at.tag, reason)}, {"tagname", at.tag}}, fields...),
	})
}

// raiseSemantic queues error.semantic. An element inside <if> that failed knows
// its own place.
func (s *Session) raiseSemantic(at *place, err error) {
	var inner *actionError
	if errors.As(err, &inner) {
		at, err = inner.at, inner.err
	}
	position, reason := explain(at, err)
	s.raise("error.semantic", &place{tag: at.tag, position: position}, reason)
}

// actionError is the error of an element that stands in another one.
type actionError struct {
	at  *place
	err error
}

func (e *actionError) Error() string { return e.err.Error() }
func (e *actionError) Unwrap() error { return e.err }

func (s *Session) observe(e *Event, t *transition) {
	var at *script.Position
	if t != nil {
		at = &t.position
	}
	if s.debug.enabled {
		s.debug.event(at, e.Name)
	}
	if s.logs(slog.LevelDebug) {
		s.log().Debug("event", "event", e.Name, "eventid", e.ID, "handled", t != nil)
	}
	if s.options.Observer != nil {
		s.options.Observer.EventHandled(s.ID(), e, at)
	}
}

// reportState tells the observer when the state variable has changed.
func (s *Session) reportState() {
	if s.options.Observer == nil {
		return
	}
	if state := s.currentState(); state != s.state {
		s.state = state
		s.options.Observer.StateChanged(s.ID(), state)
	}
}
