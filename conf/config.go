package conf

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// Config is a complete, checked configuration. Its zero value is not usable:
// Load makes one. It holds secrets; printing it or logging it leaves them out.
type Config struct {
	Controller Controller
	ESL        ESL
	Nodes      []Node
	HTTP       HTTP
	API        API
	Records    Records
	Redis      Redis
	Durability string // Off, Behind or Ahead
	Documents  Documents
	Tokens     map[string]Token `json:"-"`
	Dial       Dial
	Dialog     Dialog
	Conference Conference
	Mail       Mail
	Limits     Limits
	Drain      Drain
	Log        Log

	effective []effectiveSetting
}

// What Durability may be: when the state of a session is written to Redis, so that it
// outlives this process.
const (
	// Off writes none.
	Off = "off"
	// Behind writes it Redis.WriteEvery after a change at the latest.
	Behind = "behind"
	// Ahead writes it before what a transition asks for is done.
	Ahead = "ahead"
)

// Controller says who this process is among the others.
type Controller struct {
	// ID is its name in Redis, which no other running process may have; empty means
	// the host's name and the port of ESL.Listen.
	ID string
}

// ESL says where FreeSWITCH's socket action reaches ccxmld.
type ESL struct {
	// Listen is the HOST:PORT on which outbound sockets are accepted.
	Listen string
	// Advertise is what FreeSWITCH is told to connect to for the legs that
	// ccxmld originates: HOST:PORT, or several joined by "|", which FreeSWITCH
	// tries in order. It is never empty.
	Advertise string
	// Allow lists the networks that may connect; empty means any, which only a
	// loopback address may have.
	Allow []netip.Prefix
	// Connections and ConnectionsPerAddress bound the sockets at a time, in all and of
	// one address. A leg has one.
	Connections           int
	ConnectionsPerAddress int
}

// Node is a FreeSWITCH to which ccxmld keeps a link.
type Node struct {
	// Name is how logs, Redis and documents call the node; unique.
	Name string
	// Address is the HOST:PORT of its mod_event_socket.
	Address string
	// Password is mod_event_socket's, from password or password_file.
	Password Secret
	// Weight is the node's share of outbound calls beside the other nodes', 1
	// where none is given; with 0 it gets none.
	Weight int
	// SIP is HOST:PORT, and parameters of a SIP URI behind it, at which the other nodes
	// reach the node for conferences that have members on several; empty where they do
	// not.
	SIP string
}

// HTTP says where token starts, events and operators' requests are served.
type HTTP struct {
	// Listen is a HOST:PORT.
	Listen string
	// URL is http:// or https:// and the host at which others reach Listen,
	// without a slash at the end; empty means Listen itself.
	URL string
	// Allow lists the networks, beside this machine, from which events may be
	// sent to sessions, sessions created by URI, and sessions listed. Token
	// starts and health checks are not bounded by it.
	Allow []netip.Prefix
	// Hosts are further names and addresses by which clients ask for Listen, each
	// with a port if only that one is meant; others are refused.
	Hosts []string
	// Connections and ConnectionsPerAddress bound those at a time.
	Connections           int
	ConnectionsPerAddress int
	// CreateSession says whether sessions may be created by the URI of their
	// document.
	CreateSession bool
	// TLS says whether and how all of this is served by TLS.
	TLS TLS
}

// Redis says where shared state lives.
type Redis struct {
	// URL is redis://, unix://, redis-sentinel:// or redis-cluster://, or one of
	// them with TLS; empty means the embedded Redis. It may hold a password.
	URL string `json:"-"`
	// CA is a file with certificates that vouch for Redis by TLS; empty means the
	// system's.
	CA string
	// Prefix begins every key.
	Prefix string
	// WriteEvery is how often what has changed of sessions is written.
	WriteEvery time.Duration
}

// Token is what a token start with this token runs, and how often.
type Token struct {
	// URI is the document's.
	URI string
	// Sessions is how many sessions started with the token may live at a time;
	// 0 means that only Limits.Sessions applies.
	Sessions int
	// Rate is how many starts a second are accepted; 0 means any number.
	Rate float64
}

// Dialog says how prompts are played and spoken.
type Dialog struct {
	TTS TTS
	// ASR names FreeSWITCH's engine for speech recognition; empty means that
	// nobody listens to speech.
	ASR string
	// Sounds is the URI, ending in a slash, against which relative audio is
	// resolved; empty means against the document.
	Sounds string
	// Spool is the directory, shared with FreeSWITCH, for audio fetched by
	// HTTP.
	Spool string
	// SpoolBytes and SpoolAge bound what ccxmld leaves there; 0 for no bound.
	SpoolBytes int64
	SpoolAge   time.Duration
	// Recordings is the directory, on FreeSWITCH's machine, that it writes
	// recordings to.
	Recordings string
	// RecordingsBytes and RecordingsAge bound the recordings that stay there; 0
	// for no bound.
	RecordingsBytes int64
	RecordingsAge   time.Duration
	// VoiceXML is "internal", or the SIP URI of the server that runs VoiceXML.
	VoiceXML string
}

// TTS names FreeSWITCH's text-to-speech engine and voice.
type TTS struct {
	Engine string
	Voice  string
}

// Conference says how conferences are made on FreeSWITCH.
type Conference struct {
	// Profile is the profile's name in conference.conf.xml.
	Profile string
}

// Mail says how the mails of voxeo:sendemail leave.
type Mail struct {
	// SMTP is the relay's HOST:PORT; empty means that no mail is sent.
	SMTP string
	// From is the sender where a document names none.
	From string
}

// Limits bounds what documents and callers can use up.
type Limits struct {
	// Sessions is how many sessions this controller runs at a time. Beyond it a
	// token start is answered 503 and an incoming call refused with
	// RefuseCause.
	Sessions int
	// PercentForCalls is how much of Sessions is kept for incoming calls.
	PercentForCalls int
	// ChildrenPerSession and ChildrenPerTree bound the sessions that one session has
	// created, and all that descend from one, at a time; ChildrenPerSecond how many of
	// these are created in a second.
	ChildrenPerSession int
	ChildrenPerTree    int
	ChildrenPerSecond  int
	// RefuseCause is FreeSWITCH's name of the hangup cause for calls refused.
	RefuseCause string
	// EventsQueued is how many events may wait in one session.
	EventsQueued int
	// EventsPerSecond is how many a session may handle, beyond which it is slowed.
	EventsPerSecond int
	// ConnectionsPerSession, DialogsPerSession and ConferencesPerSession bound
	// what one session holds at a time.
	ConnectionsPerSession int
	DialogsPerSession     int
	ConferencesPerSession int
	// MembersPerConference is how many connections a conference takes, and how
	// many talkers and listeners can be reserved.
	MembersPerConference int
	// ScriptSteps and ScriptTime bound the evaluation of one expression or script,
	// and ScriptMemory the variables of a session, in bytes.
	ScriptSteps  int
	ScriptTime   time.Duration
	ScriptMemory int64
	// ProcessMemory is what this process may take before it takes no new sessions.
	ProcessMemory int64
	// FullECMAScript gives documents all that the engine has.
	FullECMAScript bool
	// Backtracking allows regular expressions with lookarounds and backreferences.
	Backtracking bool
	// SessionLifetime is the age at which a session is ended.
	SessionLifetime time.Duration
	// DocumentBytes bounds a document, script or VoiceXML dialog.
	DocumentBytes int64
	// AudioBytes bounds one audio file fetched by HTTP.
	AudioBytes int64
	// FetchTimeout bounds one fetch, redirects and body included.
	FetchTimeout time.Duration
	// OriginatesPerSecond paces outbound calls, for each node.
	OriginatesPerSecond int
	// OriginatesWaiting is how many outbound calls may wait for their turn on one
	// node; one more fails at once.
	OriginatesWaiting int
}

// Drain says how ccxmld ends.
type Drain struct {
	// Timeout is how long sessions may go on after SIGTERM; with 0 they are ended at
	// once.
	Timeout time.Duration
}

// Records says where records of calls and sessions are kept.
type Records struct {
	// Directory is where the journal is; empty keeps none.
	Directory string
	// FileBytes is how long one of its files gets, Keep how long files are kept.
	FileBytes int64
	Keep      time.Duration
	// Webhook is the URL to which records are posted; empty posts none.
	Webhook string
	// WebhookSecret is what posts are signed with; empty signs none.
	WebhookSecret Secret
}

// Log says what is logged, and how.
type Log struct {
	Level slog.Level
	// Format is "text" or "json".
	Format string
	// LinesPerSecond is how much each session and each remote address may log.
	LinesPerSecond int
}

// Secret is a text that is never printed: fmt, slog and encoding/json show
// "[redacted]" in its place.
type Secret string

const redacted = "[redacted]"

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String keeps the secret out of formatted text.
func (s Secret) String() string { return redacted }

// Format keeps the secret out of formatted text, whatever the verb.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

// LogValue keeps the secret out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the secret out of JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// effectiveSetting is a setting as it ended up, for showing.
type effectiveSetting struct {
	key  string
	text string            // secrets already left out
	from string            // "default", or the place that set it
	sum  [sha256.Size]byte // of the value as it was written
}

// String lists the settings, one "key = value" a line, without secrets.
func (c *Config) String() string {
	var b strings.Builder
	for _, e := range c.effective {
		fmt.Fprintf(&b, "%s = %s (%s)\n", e.key, e.text, e.from)
	}
	return b.String()
}

// Format prints a Config as String does, whatever the verb: no verb shows
// secrets.
func (c Config) Format(s fmt.State, _ rune) {
	_, _ = s.Write([]byte(c.String()))
}

// LogValue shows the settings that are not defaults, without secrets.
func (c *Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, e := range c.effective {
		if e.from != fromDefault {
			attrs = append(attrs, slog.String(e.key, e.text))
		}
	}
	return slog.GroupValue(attrs...)
}

// anchored compiles an RE2 pattern that has to match a text as a whole.
func anchored(pattern string) (*regexp.Regexp, error) {
	// The pattern is compiled alone first: an unbalanced parenthesis must not
	// be repaired by the ones around it, and errors should quote it as written.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}
