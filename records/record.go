package records

import (
	"encoding/json"
	"time"
)

// Call is the record of a call. Times are in UTC, to the millisecond.
type Call struct {
	Record     string    `json:"record"` // "call"
	ID         string    `json:"id"`     // the connection's, and FreeSWITCH's Unique-ID
	Session    string    `json:"session"`
	Controller string    `json:"controller"`
	Node       string    `json:"node,omitempty"` // by FreeSWITCH's own name
	Document   string    `json:"document"`
	Version    string    `json:"version,omitempty"` // a hash of the document's text
	Direction  string    `json:"direction"`         // in or out
	Local      string    `json:"local"`
	Remote     string    `json:"remote"`
	SIPCallID  string    `json:"sipCallId,omitempty"`
	Began      time.Time `json:"began"`
	Rang       time.Time `json:"rang,omitzero"`
	Answered   time.Time `json:"answered,omitzero"`
	Ended      time.Time `json:"ended"`
	Seconds    float64   `json:"seconds"`           // from beginning to end
	Talked     float64   `json:"talkedSeconds"`     // from the answer to the end
	EndedBy    string    `json:"endedBy,omitempty"` // local or remote
	Cause      string    `json:"cause"`             // FreeSWITCH's
	Q850       int       `json:"q850,omitempty"`
	SIPStatus  int       `json:"sipStatus,omitempty"`

	Conferences []string `json:"conferences,omitempty"` // it was in, by their ids
	Recordings  []string `json:"recordings,omitempty"`  // files
	Transfer    string   `json:"transfer,omitempty"`    // where it was sent
}

// Session is the record of a session.
type Session struct {
	Record     string    `json:"record"` // "session"
	ID         string    `json:"id"`
	Controller string    `json:"controller"` // the one that had it in the end
	Document   string    `json:"document"`   // that it was in then
	Version    string    `json:"version,omitempty"`
	Startup    string    `json:"startup"`
	Parent     string    `json:"parent,omitempty"`
	Token      string    `json:"token,omitempty"` // a fingerprint
	Began      time.Time `json:"began"`
	Ended      time.Time `json:"ended"`
	Seconds    float64   `json:"seconds"`
	Claims     int64     `json:"claims,omitempty"` // how often it changed its controller
	Reason     string    `json:"reason,omitempty"` // why it died; absent after <exit>
}

// line writes a record as one line.
func line(record any) ([]byte, error) {
	text, err := json.Marshal(record)
	return append(text, '\n'), err
}

// Milliseconds is a time as records have it.
func Milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Seconds is how long it was from one time to another, to the millisecond; 0 where the first
// is not known.
func Seconds(from, to time.Time) float64 {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return Milliseconds(to).Sub(Milliseconds(from)).Seconds()
}
