package callcontrol

import (
	"ccxmld/freeswitch"
	"ccxmld/fsm"
	"ccxmld/interpreter"
)

// connectionState is what the document has been told of a connection: the event of it
// that was queued last. The state that the document sees is that of the event which it
// has taken from its queue (CON-6).
type connectionState string

const (
	connectionPlaced       connectionState = "placed" // by <createcall>; has no state for the document
	connectionAlerting     connectionState = "ALERTING"
	connectionProgressing  connectionState = "PROGRESSING"
	connectionEarly        connectionState = "PROGRESSING with early media"
	connectionConnected    connectionState = "CONNECTED"
	connectionDisconnected connectionState = "DISCONNECTED"
	connectionFailed       connectionState = "FAILED"
)

// connectionInput is an event of a connection, by its name. There is no other one that
// changes the state.
type connectionInput string

const (
	progressingEvent  connectionInput = "connection.progressing"
	earlyMediaEvent   connectionInput = "connection.progressing with early media"
	connectedEvent    connectionInput = "connection.connected"
	disconnectedEvent connectionInput = "connection.disconnected"
	failedEvent       connectionInput = "connection.failed"
	redirectedEvent   connectionInput = "connection.redirected"
	mergedEvent       connectionInput = "connection.merged"
)

const tellDocument fsm.Action = "queue the event"

// connectionStates is the life of a connection (CCXML 1.0, 10.2).
var connectionStates = fsm.NewTable("connection", []connectionState{connectionAlerting, connectionPlaced},
	[]fsm.Row[connectionState, connectionInput]{
		fsm.Line(connectionAlerting, connectedEvent, connectionConnected, tellDocument, "CCXML 1.0, 10.2; CON-7"),
		fsm.Line(connectionAlerting, failedEvent, connectionFailed, tellDocument, "CCXML 1.0, 10.2; CON-7"),
		fsm.Line(connectionAlerting, redirectedEvent, connectionDisconnected, tellDocument, "CCXML 1.0, 10.2; CON-7"),

		fsm.Line(connectionPlaced, progressingEvent, connectionProgressing, tellDocument, "CCXML 1.0, 10.2; CON-8"),
		fsm.Line(connectionPlaced, earlyMediaEvent, connectionEarly, tellDocument, "CCXML 1.0, 10.2; CON-8, CAL-9"),
		fsm.Line(connectionPlaced, connectedEvent, connectionConnected, tellDocument, "CCXML 1.0, 10.2; CON-8"),
		fsm.Line(connectionPlaced, failedEvent, connectionFailed, tellDocument, "CCXML 1.0, 10.2; CON-8, CAL-8"),
		fsm.Line(connectionProgressing, earlyMediaEvent, connectionEarly, tellDocument, "CCXML 1.0, 10.2; CON-8, CAL-9"),
		fsm.Line(connectionProgressing, connectedEvent, connectionConnected, tellDocument, "CCXML 1.0, 10.2; CON-8"),
		fsm.Line(connectionProgressing, failedEvent, connectionFailed, tellDocument, "CCXML 1.0, 10.2; CON-8"),
		fsm.Line(connectionEarly, connectedEvent, connectionConnected, tellDocument, "CCXML 1.0, 10.2; CON-8"),
		fsm.Line(connectionEarly, failedEvent, connectionFailed, tellDocument, "CCXML 1.0, 10.2; CON-8"),
		fsm.Line(connectionEarly, mergedEvent, connectionDisconnected, tellDocument, "CCXML 1.0, 10.2; CON-9, MRG-1"),

		fsm.Line(connectionConnected, disconnectedEvent, connectionDisconnected, tellDocument, "CCXML 1.0, 10.2; CON-9"),
		fsm.Line(connectionConnected, redirectedEvent, connectionDisconnected, tellDocument, "CCXML 1.0, 10.2; CON-9"),
		fsm.Line(connectionConnected, mergedEvent, connectionDisconnected, tellDocument, "CCXML 1.0, 10.2; CON-9, MRG-1"),
	},
	fsm.Stay[connectionState, connectionInput]{
		In: []connectionState{connectionProgressing, connectionEarly}, On: []connectionInput{progressingEvent},
		Source: freeswitch.ChannelProgress + " once more; a document is told once",
	},
	fsm.Stay[connectionState, connectionInput]{
		In: []connectionState{connectionEarly}, On: []connectionInput{earlyMediaEvent},
		Source: freeswitch.ChannelProgressMedia + " once more; a document is told once",
	},
)

// seen is the state that a document sees when it has taken the event ("" for none yet).
func (s connectionState) seen() interpreter.ConnectionState {
	switch s {
	case connectionPlaced:
		return ""
	case connectionEarly:
		return interpreter.Progressing
	}
	return interpreter.ConnectionState(s)
}

// event is the name of the event that documents get.
func (i connectionInput) event() string {
	if i == earlyMediaEvent {
		return string(progressingEvent)
	}
	return string(i)
}

// tellConnection tells the document of its connection, unless it knows that already. It
// reports whether it has.
func (c *control) tellConnection(l *leg, input connectionInput, fields ...interpreter.Field) bool {
	if l.connection.Take(input, l.log) != tellDocument {
		return false
	}
	c.queueConnection(l, input.event(), l.connection.State().seen(), fields...)
	return true
}
