package httpapi

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"ccxmld/remote"
	"ccxmld/sessionstore"
)

// Sessions are the sessions that run. Its methods are called by several requests
// at once.
type Sessions interface {
	// Inject brings an event to a session, whichever controller runs it. The
	// error wraps ErrNoSession, ErrNoName or ErrForbidden, or says what else went wrong.
	Inject(ctx context.Context, e Event) error
	// Sessions lists the sessions of this controller. An error ends it.
	Sessions(ctx context.Context) iter.Seq2[sessionstore.Session, error]
	// Counters are numbers about this controller, in the order to be shown.
	Counters() []Counter
}

// Counter is a number with its name.
type Counter struct {
	Name  string
	Value int64
}

// The errors by which the answer's status is chosen.
var (
	// ErrNoSession: there is no session of that id.
	ErrNoSession = errors.New("there is no such session")
	// ErrNoName: the session's document is none of those that take a POST without an
	// event's name.
	ErrNoName = errors.New("the parameter name is missing")
	// ErrForbidden: this may not be done by HTTP.
	ErrForbidden = errors.New("not allowed")
)

// admitted serves those who may reach sessions. There is no other access
// control: whoever is let in can steer every session whose id it knows.
func (s *Server) admitted(serve http.HandlerFunc) http.HandlerFunc {
	return s.unlessForeign(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.options.Sessions == nil:
			answer(w, http.StatusNotFound, textFailure+"no sessions are served here")
		case !s.admits(r.RemoteAddr):
			s.refuse(w, r, "not in http.allow", "this address is not in http.allow")
		default:
			serve(w, r)
		}
	})
}

// admits tells whether an IP address and port may reach sessions.
func (s *Server) admits(address string) bool {
	loopback, listed := remote.Within(address, s.options.Allow)
	return loopback || listed
}
