package interpreter

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// endpointID is an attribute whose value is the id of a connection, dialog or
// conference. In the 2002 dialect it may be the bare name of a conference, which
// is no variable (OLD-14).
type endpointID struct {
	expr *script.Expression
	bare string // the identifier, where the attribute is one and the dialect allows it
}

func (e *element) endpointID(attribute string) endpointID {
	id := endpointID{expr: e.expression(attribute)}
	text, _ := e.attribute(attribute)
	if name := strings.TrimSpace(text); e.document.dialect.bareNames && script.IsIdentifier(name) {
		id.bare = name
	}
	return id
}

func (id endpointID) value(s *Session, name string) (string, error) {
	if id.bare != "" {
		if _, declared := s.runtime.Resolve(id.bare); !declared {
			return s.platform.ConferenceID(id.bare), nil
		}
	}
	return s.required(id.expr, name)
}

// joinElement is <join> (CCXML 1.0, 10.5.1).
type joinElement struct {
	place
	id1, id2                                        endpointID
	duplex, entertone, exittone, termdigits, hints_ *script.Expression
	dtmfclamp                                       *script.Expression
}

func compileJoin(e *element) action {
	return &joinElement{
		place: e.place, id1: e.endpointID("id1"), id2: e.endpointID("id2"), duplex: e.expression("duplex"),
		entertone: e.expression("entertone"), exittone: e.expression("exittone"),
		termdigits: e.expression("voxeo-termdigits"), hints_: e.expression("hints"), dtmfclamp: e.expression("dtmfclamp"),
	}
}

func (j *joinElement) run(s *Session) error {
	r, err := j.request(s)
	if err != nil {
		return err
	}
	if r.ID1 == r.ID2 {
		s.raise("error.conference.join", &j.place, "an endpoint cannot be joined to itself",
			Field{"id1", r.ID1}, Field{"id2", r.ID2})
		return nil
	}
	if !s.knownEndpoints(&j.place, r.ID1, r.ID2) {
		return nil
	}
	if reason := s.unjoinable(r.ID1, r.ID2); reason != "" {
		s.raise("error.conference.join", &j.place, reason, Field{"id1", r.ID1}, Field{"id2", r.ID2})
		return nil
	}
	s.platform.Join(r)
	return nil
}

// unjoinable says why endpoints cannot be joined now, "" if they can: a
// connection must be connected, or progressing, which may have early media
// (JOIN-10).
func (s *Session) unjoinable(ids ...string) string {
	for _, id := range ids {
		if c := s.connections.get(id); c != nil && c.State != Connected && c.State != Progressing {
			return fmt.Sprintf("connection %s is %s; a join needs one that is CONNECTED", id, orNone(c.State))
		}
	}
	return ""
}

func (j *joinElement) request(s *Session) (r JoinRequest, err error) {
	r.Base = j.base
	if r.ID1, err = j.id1.value(s, "id1"); err != nil {
		return r, err
	}
	if r.ID2, err = j.id2.value(s, "id2"); err != nil {
		return r, err
	}
	duplex, err := s.choice(j.duplex, "duplex", "full", "half")
	if err != nil {
		return r, err
	}
	r.Half = duplex == "half"
	if r.EnterTone, err = s.tone(j.entertone); err != nil {
		return r, err
	}
	if r.ExitTone, err = s.tone(j.exittone); err != nil {
		return r, err
	}
	if r.TermDigits, err = s.text(j.termdigits, ""); err != nil {
		return r, err
	}
	if r.ClampDigits, err = s.boolean(j.dtmfclamp, "dtmfclamp"); err != nil {
		return r, err
	}
	r.Hints, err = s.hints(j.hints_)
	return r, err
}

// tone evaluates entertone or exittone: a boolean, as such or as text, or the
// URI of a sound (JOIN-3). No tone is "".
func (s *Session) tone(e *script.Expression) (string, error) {
	text, err := s.text(e, "")
	switch trimmed := strings.TrimSpace(text); {
	case strings.EqualFold(trimmed, "false"):
		return "", err
	case strings.EqualFold(trimmed, "true"):
		return "true", err
	}
	return text, err
}

// unjoinElement is <unjoin> (CCXML 1.0, 10.5.2).
type unjoinElement struct {
	place
	id1, id2 endpointID
	hints    *script.Expression
}

func compileUnjoin(e *element) action {
	return &unjoinElement{e.place, e.endpointID("id1"), e.endpointID("id2"), e.expression("hints")}
}

func (u *unjoinElement) run(s *Session) error {
	id1, err := u.id1.value(s, "id1")
	if err != nil {
		return err
	}
	id2, err := u.id2.value(s, "id2")
	if err != nil {
		return err
	}
	hints, err := s.hints(u.hints)
	if err != nil {
		return err
	}
	if s.knownEndpoints(&u.place, id1, id2) {
		s.platform.Unjoin(UnjoinRequest{id1, id2, hints})
	}
	return nil
}

// knownEndpoints reports ids that name nothing; the transition goes on (JOIN-7).
func (s *Session) knownEndpoints(at *place, ids ...string) bool {
	for _, id := range ids {
		if !s.knownEndpoint(id) {
			s.raiseUnknown(at, "connection, dialog or conference", id)
			return false
		}
	}
	return true
}

// knownEndpoint tells whether an id may name something: what the session has, a
// connection of another session (JOIN-8), or a conference that another session
// created (CNF-9), which only the platform can tell.
func (s *Session) knownEndpoint(id string) bool {
	return s.connections.get(id) != nil || s.dialogs.get(id) != nil ||
		s.conferences.get(id) != nil || IsConferenceID(id) || s.platform.HasConnection(id)
}

// ConferenceScheme begins the id of every conference, which is a URI (CNF-5).
const ConferenceScheme = "conference:"

// IsConferenceID tells whether an id has the form of a conference's.
func IsConferenceID(id string) bool { return strings.HasPrefix(id, ConferenceScheme) }

// createConferenceElement is <createconference> (CCXML 1.0, 10.5.3).
type createConferenceElement struct {
	place
	conferenceid                        *script.Target
	confname, talkers, listeners, hints *script.Expression
	bare                                string // 2002: the variable's name, which others join by (OLD-12)
}

func compileCreateConference(e *element) action {
	c := &createConferenceElement{
		place: e.place, conferenceid: e.receiver("conferenceid"), confname: e.expression("confname"),
		talkers: e.expression("reservedtalkers"), listeners: e.expression("reservedlisteners"), hints: e.expression("hints"),
	}
	if _, ok := e.attribute("conferenceid"); !ok && !e.document.lenient {
		e.problemAs(CodeMissingAttribute, &e.place, "<createconference> needs the attribute conferenceid")
	}
	if e.document.dialect.bareNames && attributeOf(e.node, "name") != "" {
		c.bare = e.conferenceName(c.conferenceid)
	}
	return c
}

// conferenceName is the name that stands where the variable for the id does, as a
// word or in quotes.
func (e *element) conferenceName(target *script.Target) string {
	if target != nil {
		return target.Variable()
	}
	if r := e.reading("conferenceid"); r != nil && len(r.Outcomes) == 1 && script.IsIdentifier(r.Outcomes[0].Text) {
		return r.Outcomes[0].Text
	}
	return ""
}

func (c *createConferenceElement) run(s *Session) error {
	r, err := c.request(s)
	if err != nil {
		return err
	}
	if err := s.receivable(c.conferenceid); err != nil {
		return err
	}
	r.ConferenceID = s.platform.ConferenceID(r.Name)
	if err := s.receive(c.conferenceid, r.ConferenceID); err != nil {
		return err
	}
	if s.conferences.get(r.ConferenceID) == nil {
		s.conferences.add(r.ConferenceID, &Conference{ID: r.ConferenceID, Name: r.Name})
	}
	s.platform.CreateConference(r)
	return nil
}

func (c *createConferenceElement) request(s *Session) (r ConferenceRequest, err error) {
	if r.Name, err = s.text(c.confname, ""); err != nil {
		return r, err
	}
	if r.Name == "" && c.bare != "" {
		// An undeclared variable is meant as the conference's name, by which other
		// sessions join; a declared one just receives the id, unless it has that
		// of the conference with its own name, from when it was undeclared.
		scope, declared := s.runtime.Resolve(c.bare)
		if !declared || s.holdsText(scope, c.bare, s.platform.ConferenceID(c.bare)) {
			r.Name = c.bare
		}
	}
	if r.ReservedTalkers, err = s.number(c.talkers, "reservedtalkers"); err != nil {
		return r, err
	}
	if r.ReservedListeners, err = s.number(c.listeners, "reservedlisteners"); err != nil {
		return r, err
	}
	r.Hints, err = s.hints(c.hints)
	return r, err
}

func (s *Session) holdsText(scope, variable, text string) bool {
	value, err := s.runtime.Variable(scope, variable)
	if err != nil {
		return false // which the element tells when it assigns
	}
	held, ok := value.(goja.String)
	return ok && held.String() == text
}

// destroyConferenceElement is <destroyconference> (CCXML 1.0, 10.5.4).
type destroyConferenceElement struct {
	place
	conferenceid endpointID
	hints        *script.Expression
}

func compileDestroyConference(e *element) action {
	return &destroyConferenceElement{e.place, e.endpointID("conferenceid"), e.expression("hints")}
}

func (d *destroyConferenceElement) run(s *Session) error {
	id, err := d.conferenceid.value(s, "conferenceid")
	if err != nil {
		return err
	}
	hints, err := s.hints(d.hints)
	if err != nil {
		return err
	}
	if s.conferences.get(id) == nil {
		s.raiseUnknown(&d.place, "conference", id)
		return nil
	}
	s.platform.DestroyConference(DestroyRequest{id, hints})
	return nil
}
