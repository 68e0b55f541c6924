package dialog

import (
	"time"
)

// Channel is what a dialog plays to and listens on: a leg. Its methods are
// called in the session's goroutine and return at once.
type Channel interface {
	// Execute runs a FreeSWITCH application after what already runs there.
	// started runs when it really begins to play (PLAYBACK_START for playback,
	// CHANNEL_EXECUTE for others); done runs once, also when the leg goes away.
	// Both run in the session's goroutine, and either may be nil.
	Execute(app, argument string, started func(), done func(Completion))
	// Break ends what plays, and all that waits to.
	Break()
	// Recognize runs detect_speech with an argument. heard, unless nil, is told in the
	// session's goroutine of what FreeSWITCH hears from then on, until the next
	// Recognize.
	Recognize(argument string, heard func(Recognition))
	// Background begins, or ends, to mix a file again and again under all that
	// the party hears. done runs once, in the session's goroutine, with what kept
	// FreeSWITCH from it.
	Background(file string, on bool, done func(error))
	// Exists asks whether a file or directory is there for FreeSWITCH
	// (file_exists). told runs once, in the session's goroutine; a FreeSWITCH that
	// does not say counts as one that has it.
	Exists(path string, told func(bool))
}

// Completion tells how an application on a Channel ended.
type Completion struct {
	// Response is FreeSWITCH's Application-Response: FILE PLAYED, FILE NOT
	// FOUND, PLAYBACK ERROR, or _none_ from applications that never tell; or
	// what kept the command from running.
	Response string
	// Elapsed is how long it ran by FreeSWITCH's clock; -1 when that is not
	// known.
	Elapsed time.Duration
	// Gone is set when the leg has gone away.
	Gone bool
}

// Request is what <dialogstart> asks for.
type Request struct {
	ID             string
	Source         string // a URI, absolute or relative to Base
	Base           string // the URI of the document that asks
	Type           string // a media type; its parameters are ignored
	MediaDirection string // both, dialogtransmit or dialogreceive
	Namelist       []Pair // for the server that has the source
	Parameters     []Pair // for the dialog itself
	Method         string // get or post; "" is get
	Enctype        string
	MaxAge         *time.Duration
	MaxStale       *time.Duration
	Hints          map[string]any
	Intake         bool   // a call waits for it: its page is fetched as the documents of calls are
	Call           Call   // of the leg
	Prepared       any    // what the Preparer of its kind brought; nil for none
	Session        string // id of its session, for the log
	Connection     string // and of its connection; "" for a dialog on a conference
	// IOProcessors are the addresses at which events reach the session, by their names, as
	// session.ioprocessors of CCXML has them (CCXML 1.0, 8.4). They do not change.
	IOProcessors map[string]string
}

// LogAttributes say whose dialog it is, for a slog.Logger.
func (r *Request) LogAttributes() []any {
	list := []any{"dialog", r.ID, "session", r.Session}
	if r.Connection != "" {
		list = append(list, "connection", r.Connection)
	}
	return list
}

// Call is what a dialog may know of the call on its leg, as it was when the leg came
// to be.
type Call struct {
	Local, Remote string // addresses of its two ends, as URIs
	Originator    string // the one of them that called
	AAI           string // application-to-application information; "" for none
	Redirects     []Redirect
}

// Redirect is an address that a call was diverted from, as connection objects have
// it; "" for what is not known.
type Redirect struct {
	URI, Reason, Presentation, Screening string
}

// Pair is a name with its value.
type Pair struct {
	Name  string
	Value string
}

// Events are what a dialog tells its session, in the session's goroutine and not
// before Start has returned: exactly one of NotStarted, or Started and later
// Exited. A session that has ended is told nothing.
type Events struct {
	Started    func()
	NotStarted func(reason string)
	Exited     func(Result)
	// The others come between Started and Exited, from VoiceXML only, and may be
	// nil for a dialog that is none. Disconnect: the dialog asks for the call to
	// be hung up (<disconnect>). Transfer: it asks for a transfer, which Send
	// completes by dialog.transfer.complete unless it is blind;
	// TerminateTransfer: nobody waits for that any more. User: an event of the
	// page's own, dialog.user.NAME.
	Disconnect        func(Values)
	Transfer          func(Transfer)
	TerminateTransfer func(reason string)
	User              func(event string, values Values)
}

// Transfer is what VoiceXML's <transfer> asks for. Times are as the page has
// them; "" for none.
type Transfer struct {
	Type                    string // blind, bridge or consultation
	URI, AAI                string
	ConnectTimeout, MaxTime string
}

// Message is an event that a session sends to a dialog.
type Message struct {
	Name       string
	Parameters []Pair
}

// Result is what a dialog ends with.
type Result struct {
	Values Values
	// Reason tells in words what went wrong, such as a prompt that could not be
	// played; "" when nothing did.
	Reason string
}

// Values are what a dialog returns, in the order in which it names them.
type Values []Value

// Value is a returned value: a string, bool or number, nil, or a map[string]any
// or []any of these.
type Value struct {
	Name  string
	Value any
}

// Object gives the values by name. It is never nil.
func (v Values) Object() map[string]any {
	object := make(map[string]any, len(v))
	for _, value := range v {
		object[value.Name] = value.Value
	}
	return object
}

// Text gives the named value as it is if it is a string, else "".
func (v Values) Text(name string) string {
	for _, value := range v {
		if value.Name == name {
			text, _ := value.Value.(string)
			return text
		}
	}
	return ""
}

// Dialog is a dialog under way.
type Dialog interface {
	// Digit gives the dialog a digit that the party pressed, and reports whether
	// it listens for any.
	Digit(digit string) bool
	// Terminate ends the dialog (CCXML 1.0, 7.2.3): immediate at once and
	// without values, else with those it has so far.
	Terminate(immediate bool)
	// Send gives the dialog an event. The error says why it does not take it.
	Send(Message) error
	// Detached tells the dialog that its leg was taken elsewhere. It exits with
	// the reason, and reports false; or it waits for a transfer and goes on
	// without media.
	Detached(reason string) bool
	// HungUp tells the dialog that its leg is gone: it plays nothing more and
	// exits.
	HungUp()
}
