package esl

import (
	"bytes"
	"strings"
)

// A Reply answers one command: a command/reply, or the api/response of an api
// command. It is the receiver's to keep.
type Reply struct {
	// Text is the Reply-Text, or the body of an api/response, without the
	// white space around it.
	Text string

	event Event
	// encoded: the reply to connect is serialized like an event, so its
	// values are URL-encoded; all others stand in the clear.
	encoded bool
}

// newReply makes a reply that lasts.
func newReply(m message) *Reply {
	return viewReply(message{head: bytes.Clone(m.head), body: m.body})
}

// viewReply makes a reply that is valid only as long as the message is: a whole
// channel is large.
func viewReply(m message) *Reply {
	r := &Reply{event: Event{head: m.head}}
	_, r.encoded = r.event.raw("Event-Name")
	if string(m.contentType()) == apiResponse {
		r.Text = strings.TrimSpace(string(m.body))
	} else {
		r.Text = strings.TrimSpace(r.Get("Reply-Text"))
	}
	return r
}

// Get returns the value of a header of the reply, "" when there is none.
func (r *Reply) Get(header string) string {
	value, ok := r.event.raw(header)
	switch {
	case !ok:
		return ""
	case r.encoded:
		return decode(value)
	}
	return string(value)
}

// Event returns the reply as an event: for connect, the channel data.
func (r *Reply) Event() *Event { return &r.event }

// Err returns a *CommandError when FreeSWITCH answered -ERR or -USAGE, else nil.
func (r *Reply) Err() error {
	if strings.HasPrefix(r.Text, "-ERR") || strings.HasPrefix(r.Text, "-USAGE") {
		return &CommandError{Text: r.Text}
	}
	return nil
}
