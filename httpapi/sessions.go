package httpapi

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"ccxmld/access"
	"ccxmld/remote"
	"ccxmld/sessionstore"
)

// Sessions are the sessions that run. Its methods are called by several requests
// at once.
type Sessions interface {
	// Inject brings an event to a session, whichever controller runs it. The
	// error wraps ErrNoSession, ErrNoName or ErrForbidden, or says what else went wrong.
	Inject(ctx context.Context, e Event) error
	// Knows tells whether a secret is that of a session, whichever controller runs it.
	Knows(ctx context.Context, session, secret string) (bool, error)
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

// admitted serves those who may reach sessions: by http.allow, and operators of a role.
// Where no operators are named there is no other access control: whoever is let in can
// steer every session whose id it knows.
func (s *Server) admitted(role access.Role, serve http.HandlerFunc) http.HandlerFunc {
	return s.unlessForeign(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.options.Sessions == nil:
			answer(w, http.StatusNotFound, textFailure+"no sessions are served here")
		case s.letsIn(r, role):
			serve(w, r)
		case s.asksForKeys():
			w.Header().Set("WWW-Authenticate", `Bearer realm="ccxmld"`)
			s.refuse(w, r, "no operator, nor in http.allow", "this asks for an operator's key (Authorization: Bearer KEY), or an address in http.allow")
		default:
			s.refuse(w, r, "not in http.allow", "this address is not in http.allow")
		}
	})
}

// asksForKeys tells whether operators are named.
func (s *Server) asksForKeys() bool { return s.options.Access != nil && s.options.Access.Required() }

// letsIn tells whether a request may reach sessions: by its address, or by who asks.
func (s *Server) letsIn(r *http.Request, role access.Role) bool {
	return s.admits(r.RemoteAddr) || s.isOperator(r, role)
}

// isOperator tells whether an operator of at least a role asks.
func (s *Server) isOperator(r *http.Request, role access.Role) bool {
	if !s.asksForKeys() {
		return false
	}
	o, err := s.options.Access.Of(r.Context(), r)
	return err == nil && o.Role >= role
}

// admits tells whether an IP address and port may reach sessions: those of this machine
// unless operators are named, and those of http.allow.
func (s *Server) admits(address string) bool {
	loopback, listed := remote.Within(address, s.options.Allow)
	return listed || loopback && !s.asksForKeys()
}
