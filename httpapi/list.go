package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// maxListed bounds a list of sessions; Redis has them all.
const maxListed = 1000

// listedSession is a session as the list shows it.
type listedSession struct {
	ID          string   `json:"id"`
	Started     string   `json:"started"`
	Startup     string   `json:"startup"`
	State       string   `json:"state"`
	Connections []string `json:"connections"`
	Document    string   `json:"document"`
}

func (l listedSession) line() string {
	return strings.Join([]string{
		l.ID, l.Started, l.Startup, oneLine(l.State), strings.Join(l.Connections, ","), oneLine(l.Document),
	}, "\t")
}

// list shows the sessions of this controller (VX-57).
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	asJSON, ok := wantsJSON(w, r)
	if !ok {
		return
	}
	list := struct {
		Sessions []listedSession `json:"sessions"`
		More     bool            `json:"more"` // than are listed
	}{Sessions: []listedSession{}}
	for session, err := range s.options.Sessions.Sessions(r.Context()) {
		if err != nil {
			answer(w, http.StatusServiceUnavailable, textFailure+oneLine(err.Error()))
			return
		}
		if list.More = len(list.Sessions) == maxListed; list.More {
			break
		}
		list.Sessions = append(list.Sessions, listedSession{
			session.ID, session.Started.UTC().Format(time.RFC3339), session.Startup,
			session.State, append([]string{}, session.Connections...), session.Document,
		})
	}
	if asJSON {
		answerJSON(w, list)
		return
	}
	var lines []string
	for _, session := range list.Sessions {
		lines = append(lines, session.line())
	}
	if list.More {
		lines = append(lines, "more")
	}
	answer(w, http.StatusOK, lines...)
}

// statistics shows numbers about this controller (VX-57).
func (s *Server) statistics(w http.ResponseWriter, r *http.Request) {
	asJSON, ok := wantsJSON(w, r)
	if !ok {
		return
	}
	counters, lines := map[string]int64{}, []string(nil)
	for _, c := range s.options.Sessions.Counters() {
		counters[c.Name] = c.Value
		lines = append(lines, fmt.Sprintf("%s: %d", c.Name, c.Value))
	}
	if asJSON {
		answerJSON(w, counters)
		return
	}
	answer(w, http.StatusOK, lines...)
}

// wantsJSON reads the parameter format; what it cannot be it has answered.
func wantsJSON(w http.ResponseWriter, r *http.Request) (asJSON, ok bool) {
	switch format := r.URL.Query().Get("format"); format {
	case "", "text":
		return false, true
	case "json":
		return true, true
	default:
		answer(w, http.StatusBadRequest, textFailure+fmt.Sprintf("the parameter format is not valid: %.20q is neither text nor json", format))
		return false, false
	}
}

func answerJSON(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		answer(w, http.StatusInternalServerError, textFailure+oneLine(err.Error()))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// What cannot be written goes to a client that is gone.
	_, _ = w.Write(append(text, '\n'))
}
