package peer

import (
	"encoding/json"
	"time"
)

// The kinds of mail, with what each brings; docs/redis.md has the table.
const (
	eventKind  = "send"   // Event
	createKind = "create" // Session; answered once: its document is initialised
	exitKind   = "exit"   // Exit
	moveKind   = "move"   // Move; answered twice: the leg is waited for, it has come
	answerKind = "answer" // Answer
	drainKind  = "drain"  // Drain; from an operator

	operateKind = "operate" // Operation; answered once
)

// Pair is a name and its value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Event is an event for a session.
type Event struct {
	Session    string `json:"session"`
	ID         string `json:"sendid"` // the event's, "" for one of the receiver's
	Source     string `json:"sender"` // eventsource
	SourceType string `json:"sourcetype,omitempty"`
	Name       string `json:"event"`
	Parameters []Pair `json:"parameters"`
}

// Session is one that another session creates.
type Session struct {
	ID         string   `json:"session"`
	Parent     string   `json:"parent"`
	ParentAt   string   `json:"parentat"` // the controller that runs the parent
	Tree       string   `json:"tree"`     // what the session counts for
	Document   Document `json:"document"`
	Parameters []Pair   `json:"parameters"` // its session.values
}

// Document is where a document is and how it is fetched. The URI is absolute.
type Document struct {
	URI        string         `json:"uri"`
	Method     string         `json:"method"`
	Enctype    string         `json:"enctype"`
	Parameters []Pair         `json:"parameters"`
	Timeout    time.Duration  `json:"timeout"` // 0: the usual
	MaxAge     *time.Duration `json:"maxage"`
	MaxStale   *time.Duration `json:"maxstale"`
}

// Exit is the end of a session that another one has created.
type Exit struct {
	Parent  string `json:"parent"`
	Session string `json:"session"`
	Ending  Ending `json:"ending"`
}

// Ending is what a session leaves: why it died, or what it returned.
type Ending struct {
	Reason string         `json:"reason"` // "" for one that ended by itself
	Value  any            `json:"value"`
	Values map[string]any `json:"values"`
}

// Move is a leg on its way to a session of another controller.
type Move struct {
	Session    string      `json:"session"`    // that gets it
	From       string      `json:"from"`       // the session that gives it
	Connection Connection  `json:"connection"` // as the giver's document saw it
	State      string      `json:"state"`      // of the leg itself
	Answered   bool        `json:"answered"`   // by the dialplan
	Event      *MovedEvent `json:"event,omitempty"`
}

// Connection is what a document sees of a call.
type Connection struct {
	ID         string     `json:"id"`
	State      string     `json:"state"`
	Local      string     `json:"local"`
	Remote     string     `json:"remote"`
	Originator string     `json:"originator"`
	Protocol   Protocol   `json:"protocol"`
	Redirects  []Redirect `json:"redirects"`
	AAI        string     `json:"aai"`
}

// Protocol tells how a connection is signalled.
type Protocol struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Headers []Pair `json:"headers"`
}

// Redirect is an address that a call was diverted from. What is not known is "".
type Redirect struct {
	URI          string `json:"uri"`
	Reason       string `json:"reason"`
	Presentation string `json:"presentation"`
	Screening    string `json:"screening"`
}

// MovedEvent is the event that is moved with a leg.
type MovedEvent struct {
	Name       string         `json:"name"`
	ID         string         `json:"id"`
	Source     string         `json:"source"`
	SourceType string         `json:"sourcetype"`
	Fields     map[string]any `json:"fields"`
}

// Drain asks a controller to take no new sessions and to end with its last one.
type Drain struct {
	By string `json:"by"` // who asks, for the log
}

// Answer is what came of a request. Failure is empty on success.
type Answer struct {
	Request string `json:"question"` // the id of its mail
	Failure string `json:"failure,omitempty"`
	Full    bool   `json:"full,omitempty"`    // the controller is out of sessions
	Address string `json:"address,omitempty"` // where the controller waits for a leg
	// Refused is the kind of an operator's Error, and Result what an operation gives.
	Refused string          `json:"refused,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
}
