package esl

import "ccxmld/fsm"

// linkState is how far a Link is. It belongs to the goroutine that runs the link.
type linkState string

const (
	linkDown           linkState = "down"
	linkConnecting     linkState = "connecting"
	linkGreeting       linkState = "waiting for the greeting"
	linkAuthenticating linkState = "authenticating"
	linkSubscribing    linkState = "subscribing"
	linkUp             linkState = "up"
)

type linkInput string

const (
	linkDials          linkInput = "dial"
	linkConnected      linkInput = "connected"
	linkGreeted        linkInput = "greeting"
	linkLoggedIn       linkInput = "logged in"
	linkSubscribed     linkInput = "subscribed"
	linkConnectionEnds linkInput = "connection ended"
)

// What is to be done as a link comes and goes.
const (
	sendPassword fsm.Action = "send the password"
	sendEvents   fsm.Action = "subscribe"
	tellUp       fsm.Action = "tell that it is up"
	tellDown     fsm.Action = "tell that it is down"
	dialLater    fsm.Action = "dial again later"
)

// linkStates is the life of a link.
var linkStates = fsm.NewTable("link", []linkState{linkDown}, []fsm.Row[linkState, linkInput]{
	fsm.Line(linkDown, linkDials, linkConnecting, "", "mod_event_socket, listen-port"),
	fsm.Line(linkConnecting, linkConnected, linkGreeting, "", "TCP"),
	fsm.Line(linkGreeting, linkGreeted, linkAuthenticating, sendPassword, "mod_event_socket, auth/request"),
	fsm.Line(linkAuthenticating, linkLoggedIn, linkSubscribing, sendEvents, "mod_event_socket, auth: +OK accepted"),
	fsm.Line(linkSubscribing, linkSubscribed, linkUp, tellUp, "mod_event_socket, event and filter"),
	fsm.Line(linkConnecting, linkConnectionEnds, linkDown, dialLater, "TCP; text/rude-rejection comes after the connection"),
	fsm.Line(linkGreeting, linkConnectionEnds, linkDown, dialLater, "mod_event_socket, text/rude-rejection, or no greeting in time"),
	fsm.Line(linkAuthenticating, linkConnectionEnds, linkDown, dialLater, "mod_event_socket, auth: -ERR invalid, or no answer in time"),
	fsm.Line(linkSubscribing, linkConnectionEnds, linkDown, dialLater, "end of the connection, or no answer in time"),
	fsm.Line(linkUp, linkConnectionEnds, linkDown, tellDown, "text/disconnect-notice, end of the connection, or no answer to a ping"),
})
