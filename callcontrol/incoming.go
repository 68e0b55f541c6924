package callcontrol

import (
	"context"

	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/fetch"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/metrics"
)

// documentVariable is the dialplan variable that names a call's document.
const documentVariable = "variable_ccxml_uri"

// newCall is a call that has come to our socket and belongs to no session.
type newCall struct {
	id, uri              string // uri is the dialplan's document, "" for none
	destination, context string
	machine              string
	answered             bool
	incoming             bool // a caller's
	conn                 *esl.Conn
	connection           *interpreter.Connection
}

// newCallOf reads a call. The channel is read while it is valid.
func newCallOf(call *esl.Call, id string) newCall {
	channel := call.Channel
	return newCall{
		id: id, uri: channel.Get(documentVariable), destination: channel.Get("Caller-Destination-Number"), context: channel.Get("Caller-Context"),
		machine: freeswitch.MachineOf(channel), answered: freeswitch.IsAnswered(channel), conn: call.Conn, connection: connectionOf(channel, id),
		incoming: channel.Get("Call-Direction") == "inbound",
	}
}

// handleIncoming gives a new call its session. It does not wait; the document is got in
// another goroutine.
func (c *Controller) handleIncoming(call newCall) {
	if c.isDraining() {
		c.log.Info("call given back to its dialplan: the controller is draining", "connection", call.id)
		c.giveBack(call.conn)
		return
	}
	uri := c.documentOf(call)
	if uri == "" {
		c.refuse(call.conn, call.id, call.machine, "UNALLOCATED_NUMBER")
		return
	}
	if err := c.reserve(origin{call: true}); err != nil {
		c.log.Warn("call refused", "connection", call.id, "error", err)
		c.refuse(call.conn, call.id, call.machine, c.limits().RefuseCause)
		return
	}
	l := c.newLeg(call.id, legAlerting)
	l.connection = connectionStates.At(connectionAlerting)
	l.call, l.incoming, l.session = callOf(call.connection), true, c.newID()
	l.machine, l.answered = call.machine, call.answered
	c.options.Metrics.CallBegan(metrics.In)
	c.addLeg(l)
	l.attach(c, call.conn, l.machine, func() {})
	started := c.background(func(ctx context.Context) {
		document, err := c.documents.ForCall(ctx, fetch.Request{URI: uri})
		if err != nil {
			l.log().Error("call refused: its document could not be loaded", "document", uri, "error", err)
			c.unreserve(origin{call: true})
			c.refuseLeg(l, call.conn, "NORMAL_TEMPORARY_FAILURE")
			return
		}
		_ = c.gate.Wait(ctx) // its end is the controller's, which takes no calls then
		c.beginCall(l, call.conn, call.connection, document)
	})
	if !started {
		l.log().Error("call refused: too much is under way already", "document", uri)
		c.unreserve(origin{call: true})
		c.refuseLeg(l, call.conn, c.limits().RefuseCause)
	}
}

func (c *Controller) beginCall(l *leg, conn *esl.Conn, connection *interpreter.Connection, document *interpreter.Document) {
	control := c.newControl(beginning{id: l.session, document: document, mode: interpreter.NewCall, by: origin{call: true}})
	control.own(l)
	l.bind(control) // before it starts: its first transition may answer
	err := c.begin(control, &interpreter.Event{
		Name: "connection.alerting", Source: l.id, SourceType: "connection",
		Fields: connectionFields(l.id),
		Effect: interpreter.ConnectionEffect{ConnectionID: l.id, State: interpreter.Alerting, New: connection},
	})
	if err != nil {
		l.log().Warn("call refused", "error", err)
		c.refuseLeg(l, conn, c.limits().RefuseCause)
	}
}

// documentOf chooses the document of a call: the dialplan's, else the first
// route that matches.
func (c *Controller) documentOf(call newCall) string {
	if call.uri != "" {
		return call.uri
	}
	uri, ok := c.options.Document(call.destination, call.context)
	if !ok {
		c.log.Error("call refused: no document route matches; add one to documents.routes, or set ccxml_uri in the dialplan",
			"connection", call.id, "destination", call.destination, "context", call.context)
	}
	return uri
}

// refuseLeg ends a call that has come so far as to be one of our legs, and
// forgets it once it is gone.
func (c *Controller) refuseLeg(l *leg, conn *esl.Conn, cause string) {
	conn.SetHandler(func(e *esl.Event) {
		if e.Name() == freeswitch.ChannelHangupComplete {
			c.forgetLeg(l)
		}
	})
	conn.SetEndHandler(func(error) { c.forgetLeg(l) })
	if conn.Err() != nil || l.hungUp.Load() { // it was quicker than the handlers
		c.forgetLeg(l)
		return
	}
	c.refuse(conn, l.id, l.machine, cause)
}

// connectionOf makes the connection object of an incoming call from its channel.
func connectionOf(channel *esl.Event, id string) *interpreter.Connection {
	c := &interpreter.Connection{ID: id, Protocol: interpreter.Protocol{Name: "sip", Version: "2.0", Headers: sipHeaders(channel)}}
	c.Local, c.Remote = freeswitch.PartiesOf(channel)
	c.Originator = c.Remote
	c.Redirects = redirectsOf(c.Protocol.Headers)
	c.AAI = aaiOf(headerOf(c.Protocol.Headers, userToUserHeader))
	return c
}

// callOf is what dialogs on a connection may know of its call.
func callOf(c *interpreter.Connection) dialog.Call {
	call := dialog.Call{Local: c.Local, Remote: c.Remote, Originator: c.Originator, AAI: c.AAI}
	for _, r := range c.Redirects {
		call.Redirects = append(call.Redirects, dialog.Redirect(r))
	}
	return call
}
