package callcontrol

import (
	"context"

	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/fetch"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// documentVariable is the dialplan variable that names a call's document.
const documentVariable = "variable_ccxml_uri"

// handleIncoming gives a new call its session. It runs in the reader goroutine
// of the call's socket; the document is got in another one.
func (c *Controller) handleIncoming(call *esl.Call, id string) {
	if c.isDraining() {
		c.log.Info("call given back to its dialplan: the controller is draining", "connection", id)
		c.giveBack(call.Conn)
		return
	}
	uri := c.documentOf(call.Channel, id)
	if uri == "" {
		c.refuse(call.Conn, id, freeswitch.MachineOf(call.Channel), "UNALLOCATED_NUMBER")
		return
	}
	if err := c.reserve(origin{call: true}); err != nil {
		c.log.Warn("call refused", "connection", id, "error", err)
		c.refuse(call.Conn, id, freeswitch.MachineOf(call.Channel), c.limits().RefuseCause)
		return
	}
	connection := connectionOf(call.Channel, id)
	l := c.newLeg(id, legAlerting)
	l.connection = connectionStates.At(connectionAlerting)
	l.call, l.incoming = callOf(connection), true
	l.machine, l.answered = freeswitch.MachineOf(call.Channel), freeswitch.IsAnswered(call.Channel)
	c.addLeg(l)
	l.attach(c, call.Conn, l.machine, func() {})
	started := c.background(func(ctx context.Context) {
		document, err := c.documents.ForCall(ctx, fetch.Request{URI: uri})
		if err != nil {
			l.log().Error("call refused: its document could not be loaded", "document", uri, "error", err)
			c.unreserve(origin{call: true})
			c.refuseLeg(l, call.Conn, "NORMAL_TEMPORARY_FAILURE")
			return
		}
		c.beginCall(l, call.Conn, connection, document)
	})
	if !started {
		l.log().Error("call refused: too much is under way already", "document", uri)
		c.unreserve(origin{call: true})
		c.refuseLeg(l, call.Conn, c.limits().RefuseCause)
	}
}

func (c *Controller) beginCall(l *leg, conn *esl.Conn, connection *interpreter.Connection, document *interpreter.Document) {
	control := c.newControl(beginning{document: document, mode: interpreter.NewCall, by: origin{call: true}})
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
func (c *Controller) documentOf(channel *esl.Event, id string) string {
	if uri := channel.Get(documentVariable); uri != "" {
		return uri
	}
	destination, dialplan := channel.Get("Caller-Destination-Number"), channel.Get("Caller-Context")
	uri, ok := c.options.Document(destination, dialplan)
	if !ok {
		c.log.Error("call refused: no document route matches; add one to documents.routes, or set ccxml_uri in the dialplan",
			"connection", id, "destination", destination, "context", dialplan)
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
