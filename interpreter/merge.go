package interpreter

import (
	"fmt"

	"ccxmld/script"
)

// mergeElement is <merge> (CCXML 1.0, 10.5.9).
type mergeElement struct {
	place
	connectionid1, connectionid2, hints *script.Expression
}

func compileMerge(e *element) action {
	return &mergeElement{e.place, e.expression("connectionid1"), e.expression("connectionid2"), e.expression("hints")}
}

func (m *mergeElement) run(s *Session) error {
	id1, err := s.required(m.connectionid1, "connectionid1")
	if err != nil {
		return err
	}
	id2, err := s.required(m.connectionid2, "connectionid2")
	if err != nil {
		return err
	}
	hints, err := s.hints(m.hints)
	if err != nil {
		return err
	}
	for _, id := range []string{id1, id2} {
		if s.connections.get(id) == nil {
			s.raiseUnknown(&m.place, "connection", id)
			return nil
		}
	}
	if reason := s.unmergeable(id1, id2); reason != "" {
		s.raise("connection.merge.failed", &m.place, reason, Field{"connectionid1", id1}, Field{"connectionid2", id2})
		return nil
	}
	s.platform.Merge(MergeRequest{id1, id2, hints})
	return nil
}

// unmergeable says why two connections cannot be merged, "" if they can.
func (s *Session) unmergeable(id1, id2 string) string {
	if id1 == id2 {
		return "a connection cannot be merged with itself"
	}
	for _, id := range []string{id1, id2} {
		if c := s.connections.get(id); c.State != Connected {
			return fmt.Sprintf("connection %s is %s; a merge needs two that are CONNECTED", id, orNone(c.State))
		}
	}
	return ""
}
