package interpreter

import (
	"fmt"
	"slices"
	"strings"

	"ccxmld/script"
)

// connectionElement is what the elements on one connection have in common
// (CCXML 1.0, 10.5). Without connectionid they mean the connection of the event
// being handled (CON-13).
type connectionElement struct {
	place
	connectionid, reason, dest, hints *script.Expression
}

func compileConnection(e *element) connectionElement {
	return connectionElement{e.place, e.expression("connectionid"), e.expression("reason"),
		e.expression("dest"), e.expression("hints")}
}

// connection finds the connection of an element; nil when there is none or it is
// in the wrong state, which has been reported then.
func (c *connectionElement) connection(s *Session, states ...ConnectionState) (*Connection, error) {
	id, err := s.connectionID(c.connectionid)
	if err != nil {
		return nil, err
	}
	connection := s.connections.get(id)
	if connection == nil {
		s.raiseUnknown(&c.place, "connection", id)
		return nil, nil
	}
	if connection.movingTo != "" || !slices.Contains(states, connection.State) {
		s.raiseWrongState(&c.place, connection)
		return nil, nil
	}
	return connection, nil
}

// reasonAndHints evaluates the attributes of these names.
func (c *connectionElement) reasonAndHints(s *Session) (reason string, hints Hints, err error) {
	if reason, err = s.text(c.reason, ""); err != nil {
		return "", nil, err
	}
	hints, err = s.hints(c.hints)
	return reason, hints, err
}

// connectionID evaluates a connectionid, or takes that of the event.
func (s *Session) connectionID(e *script.Expression) (string, error) {
	if e != nil {
		return s.required(e, "connectionid")
	}
	if s.event != nil {
		if id := s.event.ConnectionID(); id != "" {
			return id, nil
		}
	}
	return "", fmt.Errorf("connectionid is missing, and the event has no connection")
}

// raiseUnknown reports an id that names nothing. The transition goes on (EVT-24).
func (s *Session) raiseUnknown(at *place, kind, id string) {
	s.raise("error.semantic", at, fmt.Sprintf("there is no %s %q in this session", kind, id))
}

func (s *Session) raiseWrongState(at *place, c *Connection) {
	state := orNone(c.State)
	if c.movingTo != "" {
		state = "being moved to session " + c.movingTo
	}
	s.raise(wrongState, at, "the connection is "+state, Field{"connectionid", c.ID})
}

func orNone(state ConnectionState) string {
	if state == "" {
		return "not yet progressing"
	}
	return string(state)
}

type acceptElement struct{ connectionElement }

func compileAccept(e *element) action { return &acceptElement{compileConnection(e)} }

func (a *acceptElement) run(s *Session) error {
	connection, err := a.connection(s, Alerting)
	if connection == nil {
		return err
	}
	hints, err := s.hints(a.hints)
	if err != nil {
		return err
	}
	s.platform.Accept(AcceptRequest{connection.ID, hints})
	return nil
}

type rejectElement struct{ connectionElement }

func compileReject(e *element) action { return &rejectElement{compileConnection(e)} }

func (r *rejectElement) run(s *Session) error {
	connection, err := r.connection(s, Alerting)
	if connection == nil {
		return err
	}
	reason, hints, err := r.reasonAndHints(s)
	if err != nil {
		return err
	}
	s.platform.Reject(RejectRequest{connection.ID, reason, hints})
	return nil
}

type redirectElement struct{ connectionElement }

func compileRedirect(e *element) action { return &redirectElement{compileConnection(e)} }

func (r *redirectElement) run(s *Session) error {
	connection, err := r.connection(s, Alerting, Connected)
	if connection == nil {
		return err
	}
	destination, err := s.required(r.dest, "dest")
	if err != nil {
		return err
	}
	reason, hints, err := r.reasonAndHints(s)
	if err != nil {
		return err
	}
	s.platform.Redirect(RedirectRequest{connection.ID, addressOf(destination), reason, hints})
	return nil
}

type disconnectElement struct{ connectionElement }

func compileDisconnect(e *element) action { return &disconnectElement{compileConnection(e)} }

func (d *disconnectElement) run(s *Session) error {
	connection, err := d.connection(s, "", Alerting, Progressing, Connected)
	if connection == nil {
		return err
	}
	reason, hints, err := d.reasonAndHints(s)
	if err != nil {
		return err
	}
	s.platform.Disconnect(DisconnectRequest{connection.ID, reason, hints})
	return nil
}

// createCallElement is <createcall> (CCXML 1.0, 10.5.6).
type createCallElement struct {
	place
	dest, callerid, aai, timeout, joinid, joindirection, hints *script.Expression
	connectionid                                               *script.Target
	analysis                                                   *analysisAttributes // nil for none
}

func compileCreateCall(e *element) action {
	return &createCallElement{
		place: e.place, dest: e.expression("dest"), callerid: e.expression("callerid"), aai: e.expression("aai"),
		timeout: e.expression("timeout"), joinid: e.expression("joinid"), joindirection: e.expression("joindirection"),
		hints: e.expression("hints"), connectionid: e.receiver("connectionid"), analysis: compileAnalysis(e),
	}
}

func (c *createCallElement) run(s *Session) error {
	request, err := c.request(s)
	if err != nil {
		return err
	}
	if request.JoinID != "" && !s.knownEndpoint(request.JoinID) {
		s.raiseUnknown(&c.place, "connection, dialog or conference", request.JoinID)
		return nil
	}
	if err := s.receivable(c.connectionid); err != nil {
		return err
	}
	request.ConnectionID = s.newID()
	if err := s.receive(c.connectionid, request.ConnectionID); err != nil {
		return err
	}
	s.connections.add(request.ConnectionID, &Connection{
		ID: request.ConnectionID, Local: request.CallerID, Remote: request.Destination, Originator: request.CallerID,
		Protocol: Protocol{Name: "sip", Version: "2.0"}, AAI: request.AAI,
	})
	if s.connections.len() > s.limits.Connections {
		s.Queue(&Event{
			Name: "connection.failed", Source: request.ConnectionID, SourceType: "connection",
			Fields: []Field{{"connectionid", request.ConnectionID},
				{"reason", fmt.Sprintf("the session has more than %d connections", s.limits.Connections)}},
			Effect: ConnectionEffect{ConnectionID: request.ConnectionID, State: Failed},
		})
		return nil
	}
	s.platform.CreateCall(request)
	return nil
}

func (c *createCallElement) request(s *Session) (r CallRequest, err error) {
	destination, err := s.required(c.dest, "dest")
	if err != nil {
		return r, err
	}
	r.Destination = addressOf(destination)
	if r.CallerID, err = s.text(c.callerid, ""); err != nil {
		return r, err
	}
	if r.AAI, err = s.text(c.aai, ""); err != nil {
		return r, err
	}
	if r.Timeout, err = s.interval(c.timeout, "timeout"); err != nil {
		return r, err
	}
	if r.JoinID, err = s.text(c.joinid, ""); err != nil {
		return r, err
	}
	if r.JoinDirection, err = s.choice(c.joindirection, "joindirection", "both", "calltransmit", "callreceive"); err != nil {
		return r, err
	}
	if r.Analysis, err = c.analysis.request(s); err != nil {
		return r, err
	}
	r.Hints, err = s.hints(c.hints)
	return r, err
}

// addressOf gives a destination its scheme: a bare number is a telephone number
// (LEN-8).
func addressOf(destination string) string {
	destination = strings.TrimSpace(destination)
	if strings.Contains(destination, ":") {
		return destination
	}
	return "tel:" + destination
}
