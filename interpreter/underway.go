package interpreter

import (
	"errors"
	"slices"
)

// request is what a session has asked of the platform and waits for: what comes of it is
// told to the session, and not by an event of the platform's own.
type request struct {
	kind   requestKind
	id     string // of the send, the fetch or the session; of the connection that is moved
	target string // the session that it is moved to; the URI of what is fetched or created
	at     place
	kept   bool // after Resume: the platform goes on with it
}

// requestKind is which element made a request.
type requestKind string

const (
	sendRequest   requestKind = "send"
	fetchRequest  requestKind = "fetch"
	gotoRequest   requestKind = "goto"
	createRequest requestKind = "create"
	moveRequest   requestKind = "move"
)

// await notes a request. The function that it returns takes the answer, on any goroutine.
func await[T any](s *Session, r *request) func(T) {
	s.requests = append(s.requests, r)
	return func(result T) {
		s.Do(func() { s.answer(r, result) })
	}
}

// answer queues what comes of a request, or does what it was made for. A request has one
// answer: another one is dropped.
func (s *Session) answer(r *request, result any) {
	i := slices.Index(s.requests, r)
	if i < 0 {
		return
	}
	s.requests = slices.Delete(s.requests, i, i+1)
	s.changed = true
	err, _ := result.(error)
	switch r.kind {
	case sendRequest:
		s.sent(&r.at, r.id, result.(SendResult))
	case fetchRequest:
		s.fetchDone(&r.at, s.fetch(r.id), result.(FetchResult))
	case gotoRequest:
		s.paused = false
		s.goToFetched(r, result.(FetchResult))
	case createRequest:
		s.sessionCreated(&r.at, r.id, r.target, err)
	case moveRequest:
		s.moved(&r.at, r.id, r.target, err)
	}
}

// fetch gives a fetch that the session has made, or one that it has forgotten since.
func (s *Session) fetch(id string) *fetched {
	if i := slices.IndexFunc(s.fetches, func(f *fetched) bool { return f.id == id }); i >= 0 {
		return s.fetches[i]
	}
	return &fetched{id: id}
}

// errController is what becomes of requests whose answers went to a controller that has
// gone.
var errController = errors.New("controller: the controller that waited for the answer has gone")

// giveUp ends a request that nobody will answer in its error event.
func (s *Session) giveUp(r *request) {
	switch r.kind {
	case sendRequest:
		s.answer(r, SendResult{Failure: "failed", Reason: errController.Error()})
	case fetchRequest, gotoRequest:
		s.answer(r, FetchResult{URI: r.target, Err: errController})
	default:
		s.answer(r, errController)
	}
}

// Moved tells a session that was resumed what came of a <move> of a connection which was
// under way: nil when the other session has it. It is for the platform, in the session's
// goroutine, before GoOn or after it; a <move> of which the platform knows nothing is
// given up by GoOn, unless KeepMove was called for it. It does nothing if there is none.
func (s *Session) Moved(connectionID string, err error) {
	i := slices.IndexFunc(s.requests, func(r *request) bool { return r.kind == moveRequest && r.id == connectionID })
	if i >= 0 {
		s.answer(s.requests[i], err)
	}
}

// KeepMove keeps GoOn from giving up a <move> that the platform has taken up again, and
// will tell of by Moved.
func (s *Session) KeepMove(connectionID string) {
	for _, r := range s.requests {
		if r.kind == moveRequest && r.id == connectionID {
			r.kept = true
		}
	}
}
