package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"ccxmld/sessionstore"
)

// Starter starts sessions.
type Starter interface {
	// Start starts a session for r and returns its id once its document is
	// loaded. The session lives on after ctx ends, which bounds only the start.
	//
	// An error means that there is no session; its text is the answer's reason.
	// An error (or one that it wraps) with a method OutOfSessions() bool that
	// returns true says that ccxmld runs as many sessions as it may.
	Start(ctx context.Context, r StartRequest) (sessionID string, err error)
}

// StartRequest is a session to start.
type StartRequest struct {
	// URI is the document's, with the request's parameters in its query.
	URI string
	// Values are the request's parameters without tokenid, for session.values.
	Values url.Values
	// Token is the token's sessionstore.Fingerprint: fit for logs, and not the
	// token. Empty if no token started the session.
	Token string
	// Method is the document's, GET or POST, and Timeout the time for fetching
	// it; empty and 0 stand for the usual ones.
	Method  string
	Timeout time.Duration
	// Remote is the requester's IP address and port.
	Remote string
	// Address is the requester's, for which sessions without a token count.
	Address string
	// Ended is to be called when the session ends, if Start succeeded; it gives
	// the token's place free. Further calls do nothing. It is safe for
	// concurrent use and never nil.
	Ended func()
}

// outOfSessions is how an error of a Starter says that the controller is full.
type outOfSessions interface{ OutOfSessions() bool }

// The answers of Voxeo's token router; docs/http.md.
const (
	textSuccess       = "success"
	textInvalidToken  = "failure: invalid token"
	textOutOfSessions = "failure: out of sessions"
	textDraining      = "failure: draining"
	textFailure       = "failure: "
	textTooLong       = textFailure + "the body is longer than 64 KiB"
)

// start answers a token start.
func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	query, form, ok := readRequest(w, r)
	if !ok {
		return
	}
	p, err := parseParameters(query, form)
	if err != nil {
		answer(w, http.StatusBadRequest, textFailure+err.Error())
		return
	}
	log := s.options.Logger.With("token", sessionstore.Fingerprint(p.token), "remote", r.RemoteAddr)
	t := s.tokens.find(p.token)
	if t == nil {
		s.options.Metrics.TokenStart("refused")
		log.Info("token start refused", "reason", "invalid token")
		answer(w, http.StatusForbidden, textInvalidToken)
		return
	}
	if limit := t.enter(); limit != "" {
		s.options.Metrics.TokenStart("full")
		log.Warn("token start refused", "reason", "out of sessions", "limit", limit)
		full(w)
		return
	}
	leave := sync.OnceFunc(t.leave)
	started := false
	defer func() { // also where the Starter panics
		if !started {
			leave()
		}
	}()

	ctx, cancel := context.WithTimeout(r.Context(), s.options.StartTimeout)
	defer cancel()
	id, err := s.options.Starter.Start(ctx, StartRequest{
		URI:    documentURI(t.URI, p.query),
		Values: p.values,
		Token:  sessionstore.Fingerprint(p.token),
		Remote: r.RemoteAddr,
		Ended:  leave,
	})
	if started = err == nil; started {
		s.options.Metrics.TokenStart("started")
		log.Info("token started a session", "session", id)
		w.Header().Set("X-Session-Id", id)
		answer(w, http.StatusOK, textSuccess, id)
		return
	}
	s.options.Metrics.TokenStart(s.notStarted(w, log, err))
}

// notStarted says why there is no session, and returns for who counts whether a limit is
// reached, full, or it failed.
func (s *Server) notStarted(w http.ResponseWriter, log *slog.Logger, err error) (outcome string) {
	if s.stopping.Load() && errors.Is(err, context.Canceled) { // it was told to end
		log.Info("start refused", "reason", "draining")
		drainingNow(w)
		return "failed"
	}
	var noRoom outOfSessions
	if errors.As(err, &noRoom) && noRoom.OutOfSessions() {
		log.Warn("start refused", "reason", "out of sessions", "limit", oneLine(err.Error()))
		full(w)
		return "full"
	}
	log.Error("start failed", "error", err)
	answer(w, http.StatusInternalServerError, textFailure+oneLine(err.Error()))
	return "failed"
}

// unlessDraining answers for a handler that starts sessions, once the Server drains: the
// requester is to ask another controller.
func (s *Server) unlessDraining(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.draining.Load() {
			handler(w, r)
			return
		}
		s.options.Logger.Info("start refused", "reason", "draining", "remote", r.RemoteAddr)
		drainingNow(w)
	}
}

// drainingNow tells the requester to ask another controller.
func drainingNow(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	answer(w, http.StatusServiceUnavailable, textDraining)
}

// full tells the requester that it may try again in a while.
func full(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, textOutOfSessions)
}

// readRequest takes the parameters of GET and POST, still encoded; what it
// cannot take it has answered. HEAD is refused: it must not start calls.
func readRequest(w http.ResponseWriter, r *http.Request) (query, form string, ok bool) {
	switch r.Method {
	case http.MethodGet:
		return r.URL.RawQuery, "", true
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, POST")
		answer(w, http.StatusMethodNotAllowed, textFailure+"expected GET or POST")
		return "", "", false
	}
	body, kind, ok := readBody(w, r)
	if !ok {
		return "", "", false
	}
	form, err := inUTF8(string(body), kind["charset"])
	if err != nil {
		answer(w, http.StatusBadRequest, textFailure+oneLine(err.Error()))
		return "", "", false
	}
	return r.URL.RawQuery, form, true
}

// readBody reads a form, with the parameters of its type. What it cannot take it has
// answered, without reading it where its header says so.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, about map[string]string, ok bool) {
	kind, about, kindErr := mime.ParseMediaType(r.Header.Get("Content-Type"))
	packed := slices.ContainsFunc(r.Header.Values("Content-Encoding"), func(by string) bool { return by != "" && by != "identity" })
	switch {
	case r.ContentLength > maxBodyBytes:
		w.Header().Set("Connection", "close")
		answer(w, http.StatusRequestEntityTooLarge, textTooLong)
		return nil, nil, false
	case packed:
		answer(w, http.StatusUnsupportedMediaType, textFailure+"expected a body without Content-Encoding")
		return nil, nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		answer(w, http.StatusRequestEntityTooLarge, textTooLong)
		return nil, nil, false
	case err != nil:
		answer(w, http.StatusBadRequest, textFailure+"the body was not received whole")
		return nil, nil, false
	case len(body) > 0 && (kindErr != nil || kind != "application/x-www-form-urlencoded"):
		answer(w, http.StatusUnsupportedMediaType, textFailure+"expected a body of type application/x-www-form-urlencoded")
		return nil, nil, false
	}
	return body, about, true
}

// oneLine keeps an error's text from looking like further lines of an answer,
// and short.
func oneLine(text string) string {
	const longest = 500
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}
