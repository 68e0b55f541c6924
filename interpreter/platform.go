package interpreter

import (
	"time"
)

// Platform is what a session asks the world for. The methods are called in the
// session's goroutine and must not block: what comes of them is posted to the
// session as events. Ids are given by the session beforehand, so that a document
// can use them in the very next element (CCXML 1.0, 3.4).
type Platform interface {
	Telephony
	Dialogs
	Conferences
	Messages
	Sessions
	Fetcher

	// Release ends whatever the session still holds: connections, dialogs,
	// bridges, conference attachments. It is called once, when the session has
	// ended; no event it causes is handled any more.
	Release()
}

// Telephony does what the elements of CCXML 1.0 section 10 ask of connections.
type Telephony interface {
	Accept(AcceptRequest)
	Reject(RejectRequest)
	Redirect(RedirectRequest)
	Disconnect(DisconnectRequest)
	CreateCall(CallRequest)
	Join(JoinRequest)
	Unjoin(UnjoinRequest)
	Merge(MergeRequest)
	// SendDigits sends digits to the far end of a connection, and pauses: w is half
	// a second, W a whole one.
	SendDigits(connectionID, digits string) error
	// Record says where the recording is, which FreeSWITCH begins or ends
	// meanwhile; "" where none was running that could be ended.
	Record(RecordRequest) (file string, err error)

	// HasConnection tells whether an id is that of a connection which can be
	// joined, though another session owns it (CCXML 1.0, 10.4).
	HasConnection(id string) bool
}

// Hints is the value of a hints attribute: the properties of its object, or nil.
type Hints map[string]any

// AcceptRequest asks for an alerting connection to be answered. It ends in
// connection.connected, connection.accept.failed or connection.failed.
type AcceptRequest struct {
	ConnectionID string
	Hints        Hints
}

// RejectRequest refuses an alerting connection. It ends in connection.failed.
type RejectRequest struct {
	ConnectionID string
	Reason       string
	Hints        Hints
}

// RedirectRequest sends a connection elsewhere. It ends in
// connection.redirected or connection.redirect.failed.
type RedirectRequest struct {
	ConnectionID string
	Destination  string
	Reason       string
	Hints        Hints
}

// DisconnectRequest hangs a connection up. It ends in connection.disconnected,
// or in connection.failed if it was not connected yet.
type DisconnectRequest struct {
	ConnectionID string
	Reason       string
	Hints        Hints
}

// CallRequest places an outbound call. It ends in connection.connected or
// connection.failed.
type CallRequest struct {
	ConnectionID  string
	Destination   string // a tel: or sip: URI
	CallerID      string
	AAI           string
	Timeout       time.Duration // from now; 0: the platform's default
	JoinID        string        // bridge the call to this endpoint, "" for none
	JoinDirection string        // both, calltransmit or callreceive
	Analysis      *Analysis     // of who has answered; nil for none (Voxeo)
	Hints         Hints
}

// Analysis says how to find out who or what has answered a call, which
// voxeo.cpa.result tells (VX-40, VX-41). Zero times mean the platform's.
type Analysis struct {
	MaxSilence time.Duration // ends a burst of voice
	MaxTime    time.Duration // a burst that lasts longer is a machine's
	Runtime    time.Duration // after which it is given up: unknown
	Report     []string      // results that are told; nil for all
	Stop       []string      // results that end it; nil for all but machine
}

// JoinRequest bridges two endpoints: connections, dialogs or conferences. It
// ends in conference.joined or error.conference.join.
type JoinRequest struct {
	ID1, ID2   string
	Half       bool   // only ID1 hears ID2 (CCXML 1.0, 10.4)
	EnterTone  string // "", "true", or the URI of what the conference hears
	ExitTone   string
	TermDigits string // Voxeo: any of these digits takes the connection out
	// ClampDigits keeps the digits that one presses from the other. It is for
	// dtmfclamp='true' alone: without the attribute digits pass, as callers of
	// another system's menus need it.
	ClampDigits bool
	Base        string // tones that are relative URIs resolve against it
	Hints       Hints
}

// UnjoinRequest removes all media between two endpoints. It ends in
// conference.unjoined or error.conference.unjoin.
type UnjoinRequest struct {
	ID1, ID2 string
	Hints    Hints
}

// MergeRequest connects two connections to each other for good, and lets go of
// them. It ends in connection.merged for each, or in connection.merge.failed.
type MergeRequest struct {
	ConnectionID1, ConnectionID2 string
	Hints                        Hints
}

// Dialogs does what CCXML 1.0 section 7 asks of dialogs.
type Dialogs interface {
	// PrepareDialog gets what a dialog needs to start at once. It ends in
	// dialog.prepared or error.dialog.notprepared, unless the dialog is
	// terminated before.
	PrepareDialog(DialogRequest)
	StartDialog(DialogRequest)
	TerminateDialog(TerminateRequest)
}

// DialogRequest starts a dialog. It ends in error.dialog.notstarted, or in
// dialog.started and then exactly one dialog.exit. To start one that was prepared,
// or still is being, it says what the dialog is for, its direction and hints; the
// rest was told to PrepareDialog.
type DialogRequest struct {
	DialogID       string
	Prepared       bool   // start what was prepared under this id
	ConnectionID   string // one of ConnectionID and ConferenceID is set, to prepare at most one
	ConferenceID   string
	Source         string // a URI, absolute or relative to Base
	Base           string
	Type           string // a media type, such as application/voicexml+xml
	MediaDirection string // both, dialogtransmit or dialogreceive
	Namelist       []Pair // for the server that has the source
	Parameters     []Pair // for the dialog itself
	Method         string
	Enctype        string
	MaxAge         *time.Duration
	MaxStale       *time.Duration
	Beside         bool // play beside the connection's bridges instead of in their place (2002 dialect)
	Hints          Hints
}

// TerminateRequest ends a dialog, also one that is not started yet. Immediate: without returned values.
type TerminateRequest struct {
	DialogID  string
	Immediate bool
	Hints     Hints
}

// Conferences does what CCXML 1.0 section 10 asks of conferences.
type Conferences interface {
	// ConferenceID gives the id of the conference with this name, the same for
	// every session and controller (CCXML 1.0, createconference); with no name,
	// a new one.
	ConferenceID(name string) string
	CreateConference(ConferenceRequest)
	DestroyConference(DestroyRequest)
}

// ConferenceRequest creates a conference or attaches to it. It ends in
// conference.created or error.conference.create.
type ConferenceRequest struct {
	ConferenceID      string
	Name              string // "" for one that is not shared by name
	ReservedTalkers   int
	ReservedListeners int
	Hints             Hints
}

// DestroyRequest detaches the session from a conference, which ends when nobody
// is attached any more. It ends in conference.destroyed or
// error.conference.destroy.
type DestroyRequest struct {
	ConferenceID string
	Hints        Hints
}

// Messages carries what <send> sends.
type Messages interface {
	// Send dispatches a message. done is called exactly once, from any
	// goroutine but not before Send has returned.
	Send(SendRequest, func(SendResult))
}

// SendRequest is a message to another session, to a dialog of this one or to an
// HTTP server.
type SendRequest struct {
	SendID     string
	Target     string
	TargetType string // ccxml, dialog or basichttp
	Base       string // relative targets resolve against it
	Event      string // "" if an HTTP server is asked without one
	Method     string // of HTTP: GET or POST; "" if hints or the platform say
	Parameters []Pair
	Content    string // inline XML, which Event and Parameters carry too; "" for none
	Hints      Hints
}

// SendResult tells what came of a message. Failure is empty on success, else one
// of the suffixes of error.send: targetunavailable, targettypeinvalid, failed.
type SendResult struct {
	Failure string
	Reason  string
	Reply   *Event // the event that the server's answer asked for, if any (Voxeo)
}

// Sessions does what CCXML 1.0 sections 6.2.9 and 9.2.5 ask of other sessions.
// done is called exactly once, from any goroutine but not before the method has
// returned.
type Sessions interface {
	// CreateSession starts a session. done gets nil when its document was
	// fetched, compiled and initialised (CCX-4), else the reason.
	CreateSession(r CreateRequest, done func(error))
	// Move gives a connection to another session, which gets an event of it.
	Move(r MoveRequest, done func(error))
}

// CreateRequest starts a session of its own, a child of the one that asks. It
// can be addressed by its id from then on; what is sent to it waits for it
// (CCX-5).
type CreateRequest struct {
	SessionID  string
	Document   FetchRequest // its Parameters are the namelist
	Fetched    *Document    // what Document has brought already; nil if it is to be fetched
	Parameters []Pair       // its session.values, see Values
	Hints      Hints        // controller: the id of the one to run it
}

// MoveRequest gives a connection to another session. That session gets Event, or
// with none the event connection.alerting, connection.progressing or
// connection.connected, by the connection's state.
type MoveRequest struct {
	SessionID  string
	Connection Connection // as the document that moves it sees it
	Event      *Event     // nil: <move source>
}

// Fetcher gets documents and scripts.
type Fetcher interface {
	// Fetch gets a resource. done is called exactly once, from any goroutine but
	// not before Fetch has returned.
	Fetch(FetchRequest, func(FetchResult))
}

// FetchRequest is what <fetch> and the 2002 dialect's <goto next> ask for.
type FetchRequest struct {
	URI        string
	Base       string
	Type       string // expected media type; decides where the server gives none
	Mode       string // processed or text
	Method     string
	Enctype    string
	Parameters []Pair
	Timeout    time.Duration // 0: the platform's default
	MaxAge     *time.Duration
	MaxStale   *time.Duration
}

// FetchResult is what a fetch brought. With an error, Status, ContentType and
// Content tell what the server said, if anything.
type FetchResult struct {
	URI         string
	Status      int
	ContentType string
	Content     string
	Document    *Document // of a CCXML document in processed mode
	Script      *Script   // of a script in processed mode
	Err         error
}

// Pair is a name with its value, in the document's order.
type Pair struct {
	Name  string
	Value string
}
