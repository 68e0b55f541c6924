package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ccxmld/remote"
)

// create starts a session from a document that the requester names (HTP-9), by POST
// alone: a browser sends its GETs for whoever writes a link or an image.
func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		answer(w, http.StatusMethodNotAllowed, textFailure+"expected POST")
		return
	}
	if !s.options.CreateSession {
		answer(w, http.StatusForbidden, textFailure+"sessions are not created by URI; http.createsession turns it on")
		return
	}
	query, form, ok := readRequest(w, r)
	if !ok {
		return
	}
	request, err := parseCreate(query, form)
	if err != nil {
		answer(w, http.StatusBadRequest, textFailure+oneLine(err.Error()))
		return
	}
	request.Remote, request.Address, request.Ended = r.RemoteAddr, remote.Counted(r.RemoteAddr), func() {}
	log := s.options.Logger.With("document", request.URI, "remote", r.RemoteAddr)
	ctx, cancel := context.WithTimeout(r.Context(), s.options.StartTimeout)
	defer cancel()
	switch id, err := s.options.Starter.Start(ctx, request); {
	case err == nil:
		log.Info("session created by HTTP", "session", id)
		w.Header().Set("X-Session-Id", id)
		plain(w, http.StatusOK)
		_, _ = w.Write([]byte(id + "\n")) // for $(curl …), which takes the line feed away
	case errors.Is(err, ErrForbidden):
		log.Warn("start refused", "reason", err)
		answer(w, http.StatusForbidden, textFailure+oneLine(err.Error()))
	default:
		s.notStarted(w, log, err)
	}
}

// parseCreate reads what is to be created. What is not ours is for the session.
func parseCreate(query, form string) (r StartRequest, err error) {
	list, err := decode(query, form)
	if err != nil {
		return r, err
	}
	var timeout string
	for _, own := range []struct {
		name  string
		value *string
	}{{"uri", &r.URI}, {"method", &r.Method}, {"timeout", &timeout}} {
		if list, *own.value, _, err = take(list, own.name); err != nil {
			return r, err
		}
	}
	if r.URI == "" {
		return r, errors.New("the parameter uri is missing")
	}
	if u, err := url.Parse(r.URI); err != nil || u.Scheme == "" {
		return r, fmt.Errorf("the parameter uri is not valid: %q is no absolute URI", r.URI)
	}
	if m := strings.ToUpper(r.Method); m != "" && m != http.MethodGet && m != http.MethodPost {
		return r, fmt.Errorf("the parameter method is not valid: %q is neither get nor post", r.Method)
	}
	if timeout != "" {
		if r.Timeout, err = time.ParseDuration(timeout); err != nil || r.Timeout <= 0 {
			return r, fmt.Errorf("the parameter timeout is not valid: %q is no time such as 5s or 500ms", timeout)
		}
	}
	if len(list) > maxParameters {
		return r, errTooMany
	}
	r.Values = values(list)
	return r, nil
}
