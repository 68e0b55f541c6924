package interpreter

import (
	"fmt"
	"strings"

	"ccxmld/script"
)

// createElement is <createccxml> (CCXML 1.0, 6.2.9).
type createElement struct {
	place
	requestAttributes
	next, timeout, hints *script.Expression
	fetchid              *script.Expression // in the drafts, instead of next
	parameters           []namedValue
	sessionid            *script.Target
}

func compileCreate(e *element) action {
	c := &createElement{
		place: e.place, requestAttributes: compileRequest(e), next: e.expression("next"), timeout: e.expression("timeout"),
		hints: e.expression("hints"), parameters: e.namelist("parameters"), sessionid: e.receiver("sessionid"),
	}
	if e.document.dialect != ccxml10 {
		c.compileFetched(e)
	}
	return c
}

func (c *createElement) run(s *Session) error {
	r, err := c.request(s)
	if err != nil {
		return err
	}
	if err := s.receivable(c.sessionid); err != nil {
		return err
	}
	r.SessionID = s.newID()
	if err := s.receive(c.sessionid, r.SessionID); err != nil {
		return err
	}
	s.platform.CreateSession(r, await[error](s, &request{kind: createRequest, id: r.SessionID, target: r.Document.URI, at: c.place}))
	return nil
}

func (c *createElement) request(s *Session) (r CreateRequest, err error) {
	if err = c.document(s, &r); err != nil {
		return r, err
	}
	if r.Parameters, err = s.pairs(c.parameters); err != nil {
		return r, err
	}
	r.Hints, err = s.hints(c.hints)
	return r, err
}

// document says which document the session is to run.
func (c *createElement) document(s *Session, r *CreateRequest) (err error) {
	if c.fetchid != nil {
		fetch, err := s.fetched(c.fetchid)
		switch {
		case err != nil:
			return err
		case fetch.result.Document == nil:
			return fmt.Errorf("fetch %s did not bring a CCXML document", fetch.id)
		}
		r.Document, r.Fetched = fetch.request, fetch.result.Document
		return nil
	}
	d := &r.Document
	d.Base, d.Type, d.Mode = c.base, "application/ccxml+xml", "processed"
	if d.URI, err = s.required(c.next, "next"); err != nil {
		return err
	}
	if d.Timeout, err = s.interval(c.timeout, "timeout"); err != nil {
		return err
	}
	if d.Parameters, d.Method, d.Enctype, err = c.requestLine(s); err != nil {
		return err
	}
	if d.MaxAge, err = s.age(c.maxage, "maxage"); err != nil {
		return err
	}
	d.MaxStale, err = s.age(c.maxstale, "maxstale")
	return err
}

// sessionCreated queues the one event that a <createccxml> ends in (CCX-2).
func (s *Session) sessionCreated(at *place, session, uri string, err error) {
	id := Field{"sessionid", session}
	if err != nil {
		s.raise("error.createccxml", at, fmt.Sprintf("%s: %v", uri, err), id)
		return
	}
	s.enqueue(&Event{Name: "ccxml.created", Source: session, SourceType: "ccxml", Fields: []Field{id}})
}

// ExitEvent is the ccxml.exit by which a session's parent learns of its end
// (SES-15).
func ExitEvent(session string, e Ending) *Event {
	values := make(map[string]any, len(e.Values))
	for name, value := range e.Values {
		put(values, name, value)
	}
	return &Event{
		Name: "ccxml.exit", Source: session, SourceType: "ccxml",
		Fields: []Field{{"sessionid", session}, {"expr", e.Value}, {"values", values}, {"reason", optional(e.Reason)}},
	}
}

// Values gives the session.values that a session is created with: dotted names
// stand for nested objects, as in events (SND-8).
func Values(parameters []Pair) map[string]any {
	values := make(map[string]any, len(parameters))
	for _, parameter := range parameters {
		put(values, parameter.Name, parameter.Value)
	}
	return values
}

// put sets a value whose dotted name stands for nested objects.
func put(object map[string]any, name string, value any) {
	for {
		head, rest, dotted := strings.Cut(name, ".")
		if !dotted {
			object[name] = value
			return
		}
		child, ok := object[head].(map[string]any)
		if !ok {
			child = make(map[string]any)
			object[head] = child
		}
		object, name = child, rest
	}
}
