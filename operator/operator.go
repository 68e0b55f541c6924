package operator

import (
	"errors"
	"fmt"
	"time"
)

// The operations, with what each takes and gives. Those of a session and of a call go to
// the controller that has it.
const (
	ListSessions   = "sessions"          // Sessions; a Page of Session
	ShowSession    = "session"           // nothing; a SessionDetail
	EndSession     = "session.end"       // End
	SendEvent      = "session.event"     // Event
	ListCalls      = "calls"             // Sessions; a Page of Call
	ShowCall       = "call"              // CallRequest; a Call
	HangUp         = "call.hangup"       // HangUpRequest
	Transfer       = "call.transfer"     // TransferRequest
	RecordCall     = "call.record"       // RecordRequest; a Recording
	SendDigits     = "call.digits"       // DigitsRequest
	ShowConference = "conference"        // ConferenceRequest; a ConferenceDetail
	SetConference  = "conference.set"    // ConferenceSettings; a Recording
	Play           = "conference.play"   // PlayRequest
	SetMember      = "conference.member" // MemberSettings
	KickMember     = "conference.kick"   // MemberRequest
	EndConference  = "conference.end"    // ConferenceRequest

	ListNodes   = "nodes"            // nothing; []Node
	SetNode     = "node.set"         // NodeRequest
	ShowLoad    = "controller"       // nothing; a Load
	Drain       = "controller.drain" // nothing
	FindRecords = "records"          // records.Wanted; a list of records
)

// Sessions says which sessions, or calls of sessions, are listed: those behind a place
// in the order of their beginnings, at most so many.
type Sessions struct {
	After Cursor `json:"after"`
	Limit int    `json:"limit"`

	Document string `json:"document,omitempty"` // a part of the URI
	State    string `json:"state,omitempty"`    // of the session; of the call in a list of calls
	Startup  string `json:"startup,omitempty"`
	Token    string `json:"token,omitempty"`  // a fingerprint
	Number   string `json:"number,omitempty"` // a part of either party's address
	Node     string `json:"node,omitempty"`
}

// Cursor is a place in a list: behind what began then with that id.
type Cursor struct {
	Began time.Time `json:"began,omitzero"`
	ID    string    `json:"id,omitempty"`
}

// Before tells whether a place comes before another one.
func (c Cursor) Before(other Cursor) bool {
	if !c.Began.Equal(other.Began) {
		return c.Began.Before(other.Began)
	}
	return c.ID < other.ID
}

// Page is a part of a list. More tells that there may be more behind Last.
type Page[T any] struct {
	Items []T    `json:"items"`
	Last  Cursor `json:"last"`
	More  bool   `json:"more"`
}

// Session is a session in a list.
type Session struct {
	ID          string    `json:"id" doc:"The session's id, which documents know as session.id."`
	Controller  string    `json:"controller" doc:"The controller that runs it."`
	Document    string    `json:"document" doc:"URI of the document that it is in."`
	State       string    `json:"state" doc:"Value of the document's state variable."`
	Startup     string    `json:"startup" enum:"newcall,newccxml,external,newsession" doc:"What began it, as in session.startupmode."`
	Parent      string    `json:"parent,omitempty" doc:"The session that created it."`
	Token       string    `json:"token,omitempty" doc:"Which token started it: the first twelve digits of the SHA-256."`
	Started     time.Time `json:"started" doc:"When it began."`
	Connections []string  `json:"connections" doc:"Ids of its calls."`
	Dialogs     []string  `json:"dialogs" doc:"Ids of its dialogs."`
	Conferences []string  `json:"conferences" doc:"Ids of the conferences that it is attached to."`
}

// SessionDetail is all that can be seen of one session.
type SessionDetail struct {
	Session
	Calls     []Call       `json:"calls" doc:"Its calls."`
	Prompts   []Dialog     `json:"dialogDetails" doc:"Its dialogs."`
	Media     []Media      `json:"media" doc:"Who hears whom."`
	Variables []Variable   `json:"variables" doc:"Variables of the document, shortened where they are long. Nothing of the document runs to show them."`
	Waiting   int          `json:"waiting" doc:"Events that wait to be handled."`
	Sends     []Send       `json:"sends" doc:"Messages that wait for their delay."`
	Events    []EventTaken `json:"events" doc:"The last events that were handled, the oldest first."`
	Paused    bool         `json:"paused" doc:"The debugger holds the session before its next event."`
}

// Call is a leg of a session.
type Call struct {
	ID           string     `json:"id" doc:"The connection's id, FreeSWITCH's Unique-ID of the leg."`
	Session      string     `json:"session" doc:"The session that has it."`
	Controller   string     `json:"controller" doc:"The controller that runs the session."`
	SessionBegan time.Time  `json:"sessionBegan" doc:"When the session began."`
	State        string     `json:"state" enum:"ALERTING,PROGRESSING,CONNECTED,DISCONNECTED,FAILED,ERROR,UNKNOWN" doc:"The connection's state; UNKNOWN where the session was too busy to tell."`
	Direction    string     `json:"direction" enum:"in,out,unknown" doc:"Who called: in is a caller's call, out one that the document placed."`
	Local        string     `json:"local" doc:"Our side: who was called by a caller, who is said to call on an outbound call."`
	Remote       string     `json:"remote" doc:"The far end."`
	Node         string     `json:"node,omitempty" doc:"The FreeSWITCH that it is on, by its own name."`
	Began        *time.Time `json:"began,omitempty" doc:"When it came in, or was placed."`
	Rang         *time.Time `json:"rang,omitempty" doc:"When it rang first, or sent early media."`
	Answered     *time.Time `json:"answered,omitempty" doc:"When it was answered."`
	With         string     `json:"with,omitempty" doc:"The call or conference that it is joined with."`
	Recording    string     `json:"recording,omitempty" doc:"The file that FreeSWITCH records it to."`
}

// Dialog is a dialog of a session.
type Dialog struct {
	ID    string `json:"id"`
	State string `json:"state" enum:"PREPARING,PREPARED,STARTING,STARTED,TERMINATING,TERMINATED"`
	With  string `json:"with" doc:"The call or conference that it is with."`
	Src   string `json:"src" doc:"What it plays or runs."`
	Type  string `json:"type" doc:"Its type, as the document gave it."`
}

// Media says that one endpoint hears another one.
type Media struct {
	From string `json:"from" doc:"Who is heard."`
	To   string `json:"to" doc:"Who hears."`
}

// Variable is a variable of a document.
type Variable struct {
	Scope string `json:"scope" doc:"ccxml, application, or empty for a variable that was not declared."`
	Name  string `json:"name"`
	Value string `json:"value" doc:"As it would be written in a document, shortened where it is long."`
}

// Send is a message that waits for its delay.
type Send struct {
	ID     string    `json:"id"`
	Event  string    `json:"event"`
	Target string    `json:"target"`
	Due    time.Time `json:"due"`
}

// EventTaken is an event that a session has handled.
type EventTaken struct {
	Time   time.Time `json:"time"`
	Event  string    `json:"event"`
	State  string    `json:"state" doc:"The state variable when the event came."`
	URI    string    `json:"uri,omitempty" doc:"Document of the transition that took it; empty where none did."`
	Line   int       `json:"line,omitempty"`
	Column int       `json:"column,omitempty"`
}

// End asks for a session's end.
type End struct {
	Unconditional bool `json:"unconditional,omitempty" doc:"End it past its document. Otherwise the document gets ccxml.kill, and may have a transition for it."`
}

// Event is an event for a session.
type Event struct {
	Name       string `json:"name"`
	Parameters []Pair `json:"parameters,omitempty"`
}

// Pair is a name and its value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// CallRequest names a call.
type CallRequest struct {
	Call string `json:"call"`
}

// CallID is that of the call.
func (r CallRequest) CallID() string { return r.Call }

// HangUpRequest asks for a call's end.
type HangUpRequest struct {
	CallRequest
	Cause string `json:"cause,omitempty"`
}

// TransferRequest sends a call elsewhere: before it is answered by a redirection (302), then by REFER.
type TransferRequest struct {
	CallRequest
	To string `json:"to"`
}

// RecordRequest turns the recording of a call on or off.
type RecordRequest struct {
	CallRequest
	On  bool   `json:"on"`
	Tag string `json:"tag,omitempty"`
}

// Recording says where a recording is.
type Recording struct {
	File string `json:"file" doc:"On the FreeSWITCH that the call is on; empty where none was running."`
}

// DigitsRequest sends digits to the far end of a call.
type DigitsRequest struct {
	CallRequest
	Digits string `json:"digits"`
}

// Node is a FreeSWITCH, as one controller sees it.
type Node struct {
	Name       string `json:"name"`
	Controller string `json:"controller" doc:"Who sees it so."`
	Address    string `json:"address" doc:"Of its Event Socket."`
	Up         bool   `json:"up" doc:"The link to it is there, and calls succeed on it."`
	Reason     string `json:"reason,omitempty" doc:"Why not."`
	Weight     int    `json:"weight" doc:"Its share of outbound calls."`
	Drained    bool   `json:"drained" doc:"An operator has taken it out: no outbound calls are placed on it."`
}

// NodeRequest takes a node out of service for outbound calls, or puts it back.
type NodeRequest struct {
	Name    string `json:"name"`
	Drained bool   `json:"drained"`
}

// Load is what a controller has to do.
type Load struct {
	Sessions int   `json:"sessions"`
	Calls    int   `json:"calls"`
	Started  int64 `json:"started" doc:"Sessions since it began."`
	Draining bool  `json:"draining"`
}

// The kinds of refusals.
const (
	NotFound    = "not-found"   // there is no such thing here
	Conflict    = "conflict"    // it cannot be done as things are
	Invalid     = "invalid"     // what was asked cannot be meant
	Unavailable = "unavailable" // somebody cannot be reached
)

// Error is a refusal.
type Error struct {
	Kind   string // NotFound, Conflict, Invalid or Unavailable
	Reason string
}

// Error gives the reason.
func (e *Error) Error() string { return e.Reason }

// Errorf makes a refusal.
func Errorf(kind, format string, args ...any) error {
	return &Error{kind, fmt.Sprintf(format, args...)}
}

// KindOf is the kind of a refusal, "" for other errors.
func KindOf(err error) string {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
