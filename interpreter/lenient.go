package interpreter

import (
	"sync"

	"ccxmld/script"
)

// readings remembers which lenient readings of a document were told, so that each
// is logged once and not with every call. It is safe for concurrent use.
type readings struct {
	mu   sync.Mutex
	told map[reading]bool
}

// reading is a lenient reading that only running the document shows.
type reading struct {
	at   script.Position
	name string
}

// maxReadings bounds how many readings of a document are told.
const maxReadings = 100

// first tells whether a reading is to be told.
func (r *readings) first(what reading) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told[what] || len(r.told) >= maxReadings {
		return false
	}
	if r.told == nil {
		r.told = make(map[reading]bool)
	}
	r.told[what] = true
	return true
}

// tellLenient logs a lenient reading, once for each document and place.
func (s *Session) tellLenient(at script.Position, name, notice string) {
	if s.document.readings.first(reading{at, name}) {
		s.log().Warn("lenient reading", "document", at.String(), "name", name, "notice", notice)
	}
}
