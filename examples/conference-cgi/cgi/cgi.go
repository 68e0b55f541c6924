// Package cgi is the script of "Introduction to CCXML, Part V" (J. Eisenzopf,
// 2002) as an HTTP handler. It answers a call with one of three CCXML documents:
// ask for the conference's number, create the conference, or join it.
package cgi

import (
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"text/template"
	"time"
)

//go:embed pages
var pages embed.FS

// The three documents, named as the subroutines of the article's script are.
const (
	getConferenceCode = "getConferenceCode.ccxml"
	createConference  = "createConference.ccxml"
	joinConference    = "joinConference.ccxml"
)

// codeSyntax is all that ever gets from a request into a document.
var codeSyntax = regexp.MustCompile(`^[0-9]{10}$`)

// mostCallers bounds the callers that are remembered.
const mostCallers = 10_000

// application is the article's script. Where that left an empty file for each
// conference, it keeps the callers, so that the last one out frees the number.
type application struct {
	documents *template.Template
	now       func() time.Time
	// forget is the age at which a caller counts as gone though nobody said so:
	// the life time of a session.
	forget time.Duration

	mu      sync.Mutex
	callers map[string]map[string]time.Time // by conference, then by session
	total   int
}

func newApplication(forget time.Duration, now func() time.Time) *application {
	return &application{
		documents: template.Must(template.ParseFS(pages, "pages/*.ccxml")),
		now:       now,
		forget:    forget,
		callers:   make(map[string]map[string]time.Time),
	}
}

var errFull = errors.New("too many callers")

// enter notes a caller, and tells whether he is the first of his conference.
func (a *application) enter(code, session string) (first bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for caller, since := range a.callers[code] {
		if a.now().Sub(since) > a.forget {
			a.remove(code, caller)
		}
	}
	if a.total >= mostCallers {
		return false, errFull
	}
	conference := a.callers[code]
	if conference == nil {
		conference = make(map[string]time.Time)
		a.callers[code] = conference
	}
	if _, again := conference[session]; !again {
		a.total++
	}
	conference[session] = a.now()
	return len(conference) == 1, nil
}

// leave forgets a caller. The last one frees the number.
func (a *application) leave(code, session string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remove(code, session)
}

func (a *application) remove(code, session string) {
	conference := a.callers[code]
	if _, here := conference[session]; !here {
		return
	}
	delete(conference, session)
	a.total--
	if len(conference) == 0 {
		delete(a.callers, code)
	}
}

// ServeHTTP answers for conference.ccxml. The article's script is called with
// conference_code or without; ours also with an event, name=caller.left.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The answer depends on who called before.
	w.Header().Set("Cache-Control", "no-store")
	code, session := r.FormValue("conference_code"), r.FormValue("sessionid")
	switch name := r.FormValue("name"); {
	case code == "" && name == "":
		a.answer(w, getConferenceCode, "")
	case !codeSyntax.MatchString(code):
		http.Error(w, "conference_code is not a number of ten digits", http.StatusBadRequest)
	case session == "":
		http.Error(w, "sessionid is missing: without it nobody would know when the caller leaves", http.StatusBadRequest)
	case name == "caller.left":
		a.leave(code, session)
		w.WriteHeader(http.StatusNoContent)
	case name != "":
		http.Error(w, "no such event", http.StatusBadRequest)
	default:
		first, err := a.enter(code, session)
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case first:
			a.answer(w, createConference, code)
		default:
			a.answer(w, joinConference, code)
		}
	}
}

func (a *application) answer(w http.ResponseWriter, document, code string) {
	w.Header().Set("Content-Type", "application/ccxml+xml; charset=utf-8")
	if err := a.documents.ExecuteTemplate(w, document, code); err != nil {
		slog.Error("answer not written", "document", document, "error", err)
	}
}

// New gives the application with its VoiceXML pages, for conference.ccxml and the
// pages beside it. forget is the age at which a caller counts as gone though
// nobody said so.
func New(forget time.Duration) http.Handler { return newApplication(forget, time.Now).handler() }

// handler serves the application and its VoiceXML pages.
func (a *application) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/conference.ccxml", a)
	for _, page := range []string{"get_conference_code.vxml", "first_caller.vxml", "joined.vxml"} {
		mux.HandleFunc("/"+page, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/voicexml+xml; charset=utf-8")
			http.ServeFileFS(w, r, pages, "pages/"+page)
		})
	}
	return mux
}
