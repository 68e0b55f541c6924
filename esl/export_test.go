package esl

import "io"

// A RawMessage is a message as the reader found it.
type RawMessage struct{ Head, Body string }

// ReadMessages reads until the reader's error.
func ReadMessages(source io.Reader, limits Limits) ([]RawMessage, error) {
	r := reader{source: source, limits: limits.withDefaults()}
	defer func() { r.release() }()
	var all []RawMessage
	for {
		m, err := r.next()
		if err != nil {
			return all, err
		}
		all = append(all, RawMessage{string(m.head), string(m.body)})
	}
}
