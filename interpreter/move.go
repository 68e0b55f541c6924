package interpreter

import (
	"errors"
	"fmt"

	"ccxmld/script"
)

// moveElement is <move> (CCXML 1.0, 9.2.5).
type moveElement struct {
	place
	source, event, sessionid *script.Expression
}

func compileMove(e *element) action {
	source, event := e.either("source", "event")
	if (source == nil) == (event == nil) {
		e.problem(&e.place, "<move> takes exactly one of source and event")
	}
	return &moveElement{e.place, source, event, e.expression("sessionid")}
}

func (m *moveElement) run(s *Session) error {
	target, err := s.required(m.sessionid, "sessionid")
	if err != nil {
		return err
	}
	source, event, err := m.subject(s)
	if err != nil {
		return err
	}
	if reason := s.unmovable(source, event, target); reason != "" {
		s.moveFailed(&m.place, source, target, reason)
		return nil
	}
	connection := s.connections.get(source)
	r := MoveRequest{SessionID: target, Connection: *connection, Event: event.delivery()}
	connection.movingTo = target
	s.platform.Move(r, await[error](s, &request{kind: moveRequest, id: source, target: target, at: m.place}))
	return nil
}

// subject evaluates what is to be moved: the id of it, and the event that is to
// tell of it, if <move> names one.
func (m *moveElement) subject(s *Session) (source string, event *Event, err error) {
	if m.source != nil {
		source, err = s.required(m.source, "source")
		return source, nil, err
	}
	value, err := s.runtime.Eval(m.event)
	if err != nil {
		return "", nil, err
	}
	exported, err := s.runtime.Export(value)
	if err != nil {
		return "", nil, err
	}
	object, ok := exported.(*eventObject)
	if !ok {
		return "", nil, errors.New("event is not an event object, such as event$")
	}
	event = object.event
	if event.SourceType != "dialog" && event.connection != nil {
		return event.connection.ID, event, nil
	}
	return event.Source, event, nil
}

// unmovable says why something cannot be moved to a session, "" if it can
// (SND-21, SND-25).
func (s *Session) unmovable(source string, event *Event, target string) string {
	connection := s.connections.get(source)
	switch {
	case event != nil && event.hasTwoSources():
		return fmt.Sprintf("%s is about two connections; move them one by one with source", event.Name)
	case s.dialogs.get(source) != nil:
		return "a dialog stays on its connection; end it, and start one in the other session"
	case connection == nil && event != nil:
		return fmt.Sprintf("the source of %s is %s %q, which is no connection of this session", event.Name, event.SourceType, source)
	case connection == nil:
		return fmt.Sprintf("there is no connection %q in this session", source)
	case target == s.ID():
		return "the connection is in this session already"
	case connection.movingTo != "":
		return "the connection is being moved already, to session " + connection.movingTo
	case connection.State == "" || connection.State.final():
		return fmt.Sprintf("the connection is %s; one that is ALERTING, PROGRESSING or CONNECTED can be moved", orNone(connection.State))
	case len(s.media.Inputs(source))+len(s.media.Outputs(source)) > 0:
		return "the connection is bridged; unjoin it first, or end its dialog"
	}
	for _, dialog := range s.dialogs.items {
		if dialog.item.ConnectionID == source && dialog.item.State != DialogEnded {
			return fmt.Sprintf("dialog %s of the connection is %s; end it first", dialog.id, dialog.item.State)
		}
	}
	return ""
}

// hasTwoSources tells of events about two connections.
func (e *Event) hasTwoSources() bool {
	return e.Field("connectionid1") != nil || e.Field("connectionid2") != nil || e.Field("id1") != nil || e.Field("id2") != nil
}

// delivery is the event as another session gets it.
func (e *Event) delivery() *Event {
	if e == nil {
		return nil
	}
	return &Event{Name: e.Name, ID: e.ID, Source: e.Source, SourceType: e.SourceType, Fields: e.Fields}
}

// moved queues the one event that a <move> ends in (SND-23). Where it succeeded,
// the connection is not the session's any more.
func (s *Session) moved(at *place, connection, target string, err error) {
	if c := s.connections.get(connection); c != nil {
		c.movingTo = ""
	}
	if err != nil {
		s.moveFailed(at, connection, target, err.Error())
		return
	}
	s.media.Remove(connection)
	s.connections.remove(connection)
	s.enqueue(&Event{Name: "move.successful", Source: s.ID(), SourceType: "ccxml", Fields: movedFields(connection, target)})
}

func (s *Session) moveFailed(at *place, source, target, reason string) {
	s.raise("error.move", at, reason, movedFields(source, target)...)
}

func movedFields(source, target string) []Field {
	return []Field{{"sessionid", target}, {"source", source}, {"connectionid", source}}
}
