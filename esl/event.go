package esl

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
)

// An Event is one event, or the channel data that answers connect. Handlers get
// a view on the connection's buffer, valid only until they return; Clone keeps
// it. An Event is not changed after it was made, so a clone may be used by
// several goroutines.
//
// Header values are decoded when they are asked for. An empty value, which
// FreeSWITCH writes as _undef_, is "".
type Event struct {
	head []byte // header lines, without the empty line that ends them
	body []byte
}

// ParseEvent makes an Event of its text as it stands in the body of a
// text/event-plain message: header lines with URL-encoded values, and after an
// empty line perhaps a body. The Event refers to text.
func ParseEvent(text []byte) *Event {
	e := &Event{}
	e.parse(text)
	return e
}

func (e *Event) parse(text []byte) {
	end, next := headerEnd(text)
	if end < 0 {
		e.head, e.body = text, nil
		return
	}
	e.head, e.body = text[:end], text[next:]
	if len(e.body) == 0 {
		return
	}
	if value, ok := e.raw("Content-Length"); ok {
		if n, err := strconv.Atoi(string(value)); err == nil && 0 <= n && n < len(e.body) {
			e.body = e.body[:n]
		}
	}
}

// Name returns the event's name, for example CHANNEL_ANSWER. All custom events
// are named CUSTOM; their Event-Subclass tells them apart.
func (e *Event) Name() string {
	value, _ := e.raw("Event-Name")
	return eventName(value)
}

// Get returns the decoded value of a header, "" when there is none. Where the
// header occurs more than once, the first is meant. Names are spelled as
// FreeSWITCH does: Unique-ID, variable_sip_to_user.
func (e *Event) Get(header string) string {
	value, _ := e.Lookup(header)
	return value
}

// Lookup is Get, and tells an absent header from an empty one.
func (e *Event) Lookup(header string) (string, bool) {
	value, ok := e.raw(header)
	if !ok {
		return "", false
	}
	return decode(value), true
}

// All iterates over the headers and their decoded values, in order of arrival.
func (e *Event) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range lines(e.head) {
			name, value, ok := cutHeader(line)
			if ok && !yield(string(name), decode(value)) {
				return
			}
		}
	}
}

// WithPrefix is All for the headers whose names begin like this; the others cost
// no decoding. A channel has some 150.
func (e *Event) WithPrefix(prefix string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range lines(e.head) {
			if len(line) < len(prefix) || string(line[:len(prefix)]) != prefix {
				continue
			}
			name, value, ok := cutHeader(line)
			if ok && !yield(string(name), decode(value)) {
				return
			}
		}
	}
}

// Body returns the body inside the event, for example the result of a
// BACKGROUND_JOB; "" when it has none.
func (e *Event) Body() string { return string(e.body) }

// Clone returns a copy that stays valid.
func (e *Event) Clone() *Event {
	data := make([]byte, len(e.head)+len(e.body))
	n := copy(data, e.head)
	copy(data[n:], e.body)
	return &Event{head: data[:n:n], body: data[n:]}
}

// raw finds a header's value as it was sent.
func (e *Event) raw(name string) ([]byte, bool) {
	rest := e.head
	for len(rest) > len(name) {
		if rest[len(name)] == ':' && string(rest[:len(name)]) == name {
			return lineValue(rest[len(name)+1:]), true
		}
		next := bytes.IndexByte(rest, '\n') + 1
		if next == 0 {
			break
		}
		rest = rest[next:]
	}
	return nil, false
}

// lineValue cuts a value off at the end of its line.
func lineValue(rest []byte) []byte {
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	return bytes.TrimSpace(rest)
}

// headerValue finds a header in a block, its name in any spelling.
func headerValue(head []byte, name string) ([]byte, bool) {
	for line := range lines(head) {
		if len(line) <= len(name) || line[len(name)] != ':' {
			continue
		}
		if strings.EqualFold(string(line[:len(name)]), name) {
			return bytes.TrimSpace(line[len(name)+1:]), true
		}
	}
	return nil, false
}

// lines iterates over the lines of a header block, without their ends.
func lines(block []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(block) > 0 {
			line := block
			if i := bytes.IndexByte(block, '\n'); i >= 0 {
				line, block = block[:i], block[i+1:]
			} else {
				block = nil
			}
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			if !yield(line) {
				return
			}
		}
	}
}

// cutHeader splits a line into name and raw value.
func cutHeader(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte{':'})
	return name, bytes.TrimSpace(value), ok
}

// undefined is what FreeSWITCH writes for an empty value
// (switch_event_serialize).
const undefined = "_undef_"

// decode undoes FreeSWITCH's URL encoding (switch_url_encode). What is not a
// valid escape stays as it is.
func decode(value []byte) string {
	first := bytes.IndexByte(value, '%')
	if first < 0 {
		if string(value) == undefined {
			return ""
		}
		return string(value)
	}
	var text strings.Builder
	text.Grow(len(value))
	text.Write(value[:first])
	for i := first; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) {
			high, low := unhex(value[i+1]), unhex(value[i+2])
			if high >= 0 && low >= 0 {
				text.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		text.WriteByte(value[i])
	}
	return text.String()
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// eventName spares the allocation for the names that come often.
func eventName(name []byte) string {
	switch string(name) {
	case "CHANNEL_CREATE":
		return "CHANNEL_CREATE"
	case "CHANNEL_STATE":
		return "CHANNEL_STATE"
	case "CHANNEL_PROGRESS":
		return "CHANNEL_PROGRESS"
	case "CHANNEL_PROGRESS_MEDIA":
		return "CHANNEL_PROGRESS_MEDIA"
	case "CHANNEL_ANSWER":
		return "CHANNEL_ANSWER"
	case "CHANNEL_BRIDGE":
		return "CHANNEL_BRIDGE"
	case "CHANNEL_UNBRIDGE":
		return "CHANNEL_UNBRIDGE"
	case "CHANNEL_PARK":
		return "CHANNEL_PARK"
	case "CHANNEL_UNPARK":
		return "CHANNEL_UNPARK"
	case "CHANNEL_EXECUTE":
		return "CHANNEL_EXECUTE"
	case "CHANNEL_EXECUTE_COMPLETE":
		return "CHANNEL_EXECUTE_COMPLETE"
	case "CHANNEL_HANGUP":
		return "CHANNEL_HANGUP"
	case "CHANNEL_HANGUP_COMPLETE":
		return "CHANNEL_HANGUP_COMPLETE"
	case "PLAYBACK_START":
		return "PLAYBACK_START"
	case "PLAYBACK_STOP":
		return "PLAYBACK_STOP"
	case "RECORD_START":
		return "RECORD_START"
	case "RECORD_STOP":
		return "RECORD_STOP"
	case "DTMF":
		return "DTMF"
	case "CUSTOM":
		return "CUSTOM"
	case "BACKGROUND_JOB":
		return "BACKGROUND_JOB"
	}
	return string(name)
}
