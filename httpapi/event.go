package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"ccxmld/access"
)

// Event is an event that an HTTP client sends to a session (CCXML 1.0, the basic
// HTTP event I/O processor; HTP-2).
type Event struct {
	Session string
	Name    string // "" for a POST that names none
	// Source is the eventsource that the client gives itself, a URI or empty.
	Source string
	// Parameters are the event's further properties; dots in names nest.
	Parameters []Parameter
}

// Parameter is a property of an event.
type Parameter struct{ Name, Value string }

// event answers a request that sends an event; success is the answer when it is
// queued.
func (s *Server) event(status int, success ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query, form, ok := readRequest(w, r)
		if !ok {
			return
		}
		e, ignored, err := parseEvent(query, form, r.Method == http.MethodPost)
		if err != nil {
			answer(w, http.StatusBadRequest, textFailure+oneLine(err.Error()))
			return
		}
		log := s.options.Logger.With("session", e.Session, "event", e.Name, "remote", r.RemoteAddr)
		if status, reason := s.mayPost(r, e.Session); reason != "" {
			log.Warn("event by HTTP refused", "reason", reason)
			answer(w, status, textFailure+reason)
			return
		}
		switch err := s.options.Sessions.Inject(r.Context(), e); {
		case err == nil:
			if len(ignored) > 0 {
				log = log.With("ignored", strings.Join(ignored, " "))
			}
			log.Info("event by HTTP")
			answer(w, status, success...)
		case errors.Is(err, ErrNoSession):
			log.Info("event by HTTP refused", "reason", err)
			answer(w, http.StatusNotFound, textFailure+oneLine(err.Error()))
		case errors.Is(err, ErrNoName):
			answer(w, http.StatusBadRequest, textFailure+oneLine(err.Error()))
		case errors.Is(err, ErrForbidden):
			log.Warn("event by HTTP refused", "reason", err)
			answer(w, http.StatusForbidden, textFailure+oneLine(err.Error()))
		default:
			log.Error("event by HTTP failed", "error", err)
			answer(w, http.StatusServiceUnavailable, textFailure+oneLine(err.Error()))
		}
	}
}

// The forms of names (HTP-4). Those of events may also have - and _, which
// <send> and many applications use.
var (
	eventName    = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$`)
	propertyName = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*(\.[\pL_$][\pL\pN_$]*){0,15}$`)
)

const longestName = 200

// parseEvent reads an event. Parameters that would stand for what only ccxmld
// says of an event are ignored, since other platforms send them along (HTP-5). The
// name of a POST may be missing: it is the session's to say what that is (OLD-56).
func parseEvent(query, form string, post bool) (e Event, ignored []string, err error) {
	list, err := decode(query, form)
	if err != nil {
		return e, nil, err
	}
	for _, own := range []struct {
		value *string
		names []string
		form  func(string) bool
		must  bool
	}{
		{&e.Session, []string{"sessionid", "session"}, notEmpty, true},
		{&e.Name, []string{"name", "eventname"}, eventName.MatchString, !post},
		{&e.Source, []string{"eventsource"}, isURI, false},
	} {
		var given bool
		if list, *own.value, given, err = take(list, own.names...); err != nil {
			return e, nil, err
		}
		if own.must && !given {
			return e, nil, fmt.Errorf("the parameter %s is missing", own.names[0])
		}
		if given && !own.form(*own.value) {
			return e, nil, fmt.Errorf("the parameter %s is not valid: %q", own.names[0], *own.value)
		}
	}
	e.Parameters, ignored, err = properties(list)
	return e, ignored, err
}

// mayPost tells why a request with a secret may not send an event to a session: the secret is
// another session's. Others have been asked who they are.
func (s *Server) mayPost(r *http.Request, session string) (status int, reason string) {
	secret := r.PathValue("secret")
	if secret == "" || s.letsIn(r, access.Operate) {
		return 0, ""
	}
	switch known, err := s.options.Sessions.Knows(r.Context(), session, secret); {
	case err != nil:
		return http.StatusServiceUnavailable, oneLine(err.Error())
	case !known:
		return http.StatusForbidden, "this address is not that of the session (session.ioprocessors)"
	}
	return 0, ""
}

func notEmpty(text string) bool { return text != "" }

func isURI(text string) bool {
	_, err := url.Parse(text)
	return err == nil
}

// properties checks what becomes properties of the event. One name cannot be a
// text and have properties below it.
func properties(list []parameter) (kept []Parameter, ignored []string, err error) {
	if len(list) > maxParameters {
		return nil, nil, errTooMany
	}
	texts, objects := map[string]string{}, map[string]bool{}
	for _, p := range list {
		switch {
		case p.name == "eventid" || p.name == "eventsourcetype":
			ignored = append(ignored, p.name)
			continue
		case len(p.name) > longestName || !propertyName.MatchString(p.name):
			return nil, nil, fmt.Errorf("the parameter %.50q is not valid: it is no name of ECMAScript", p.name)
		}
		if before, again := texts[p.name]; again && before != p.value {
			return nil, nil, fmt.Errorf("more than one %s", p.name)
		} else if again {
			continue
		}
		texts[p.name] = p.value
		for at := range p.name {
			if p.name[at] == '.' {
				objects[p.name[:at]] = true
			}
		}
		kept = append(kept, Parameter{p.name, p.value})
	}
	for name := range objects {
		if _, both := texts[name]; both {
			return nil, nil, fmt.Errorf("the parameter %s cannot have a value beside %s.…", name, name)
		}
	}
	return kept, ignored, nil
}
