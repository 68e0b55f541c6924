package interpreter

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// createElement is <createccxml> (CCXML 1.0, 6.2.9).
type createElement struct {
	place
	requestAttributes
	next, timeout, hints *script.Expression
	parameters           []namedValue
	sessionid            *script.Target
}

func compileCreate(e *element) action {
	return &createElement{
		place: e.place, requestAttributes: compileRequest(e), next: e.expression("next"), timeout: e.expression("timeout"),
		hints: e.expression("hints"), parameters: e.namelist("parameters"), sessionid: e.target("sessionid"),
	}
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
	s.platform.CreateSession(r, func(err error) {
		s.Do(func() { s.sessionCreated(&c.place, r, err) })
	})
	return nil
}

func (c *createElement) request(s *Session) (r CreateRequest, err error) {
	d := &r.Document
	d.Base, d.Type, d.Mode = c.base, "application/ccxml+xml", "processed"
	if d.URI, err = s.required(c.next, "next"); err != nil {
		return r, err
	}
	if d.Timeout, err = s.interval(c.timeout, "timeout"); err != nil {
		return r, err
	}
	if d.Parameters, d.Method, d.Enctype, err = c.requestLine(s); err != nil {
		return r, err
	}
	if d.MaxAge, err = s.age(c.maxage, "maxage"); err != nil {
		return r, err
	}
	if d.MaxStale, err = s.age(c.maxstale, "maxstale"); err != nil {
		return r, err
	}
	if r.Parameters, err = s.pairs(c.parameters); err != nil {
		return r, err
	}
	r.Hints, err = s.hints(c.hints)
	return r, err
}

// sessionCreated queues the one event that a <createccxml> ends in (CCX-2).
func (s *Session) sessionCreated(at *place, r CreateRequest, err error) {
	id := Field{"sessionid", r.SessionID}
	if err != nil {
		s.raise("error.createccxml", at, fmt.Sprintf("%s: %v", r.Document.URI, err), id)
		return
	}
	s.enqueue(&Event{Name: "ccxml.created", Source: r.SessionID, SourceType: "ccxml", Fields: []Field{id}})
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

// maxParts bounds the values that leave a session, so that one that contains
// itself does not go on for ever.
const maxParts = 10000

// plain gives a value as data that may leave the session, as JSON has it:
// functions and what is not a number become undefined.
func (s *Session) plain(value goja.Value) (any, error) {
	exported, err := s.runtime.Export(value)
	if err != nil {
		return nil, err
	}
	parts := 0
	data := plainData(exported, &parts)
	if parts > maxParts {
		return nil, fmt.Errorf("the value has more than %d parts, or contains itself", maxParts)
	}
	return data, nil
}

func plainData(value any, parts *int) any {
	if *parts++; *parts > maxParts {
		return nil
	}
	switch value := value.(type) {
	case string, bool, int64:
		return value
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil
		}
		return value
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	case []any:
		list := make([]any, 0, min(len(value), maxParts))
		for _, item := range value {
			if *parts > maxParts {
				break
			}
			list = append(list, plainData(item, parts))
		}
		return list
	case map[string]any:
		object := make(map[string]any, min(len(value), maxParts))
		for key, item := range value {
			if *parts > maxParts {
				break
			}
			object[key] = plainData(item, parts)
		}
		return object
	}
	return nil
}
