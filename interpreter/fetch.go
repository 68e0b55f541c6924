package interpreter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ccxmld/script"
)

// fetched is a fetch of this session, finished or not.
type fetched struct {
	id      string
	done    bool
	request FetchRequest
	result  FetchResult
}

// maxFetches is how many fetches a session keeps for <goto> and <script>
// (FET-18). The oldest finished ones are forgotten first.
const maxFetches = 20

// fetchElement is <fetch> (CCXML 1.0, 6.2.7).
type fetchElement struct {
	place
	requestAttributes
	next, mediaType, timeout, mode *script.Expression
	fetchid                        *script.Target
}

func compileFetch(e *element) action {
	return &fetchElement{
		place: e.place, requestAttributes: compileRequest(e), next: e.expression("next"),
		mediaType: e.expression("type"), timeout: e.expression("timeout"), mode: e.expression("mode"),
		fetchid: e.receiver("fetchid"),
	}
}

func (f *fetchElement) run(s *Session) error {
	r, err := f.request(s)
	if err != nil {
		return err
	}
	if err := s.receivable(f.fetchid); err != nil {
		return err
	}
	fetch := &fetched{id: s.newID(), request: r}
	if err := s.receive(f.fetchid, fetch.id); err != nil {
		return err
	}
	if !s.remember(fetch) {
		s.fetchDone(&f.place, fetch, FetchResult{URI: r.URI, Err: fmt.Errorf("%d fetches are running already", maxFetches)})
		return nil
	}
	s.platform.Fetch(r, await[FetchResult](s, &request{kind: fetchRequest, id: fetch.id, target: r.URI, at: f.place}))
	return nil
}

// remember keeps a fetch, at the cost of the oldest finished one. It reports
// false when so many are running that there is no place for it.
func (s *Session) remember(fetch *fetched) bool {
	if len(s.fetches) >= maxFetches {
		oldest := slices.IndexFunc(s.fetches, func(f *fetched) bool { return f.done })
		if oldest < 0 {
			return false
		}
		s.fetches = slices.Delete(s.fetches, oldest, oldest+1)
	}
	s.fetches = append(s.fetches, fetch)
	return true
}

func (f *fetchElement) request(s *Session) (r FetchRequest, err error) {
	r.Base = f.base
	if r.URI, err = s.uri(f.next, "next"); err != nil {
		return r, err
	}
	if r.Type, err = s.text(f.mediaType, "application/ccxml+xml"); err != nil {
		return r, err
	}
	if r.Mode, err = s.choice(f.mode, "mode", "processed", "text"); err != nil {
		return r, err
	}
	if r.Timeout, err = s.interval(f.timeout, "timeout"); err != nil {
		return r, err
	}
	if r.Parameters, r.Method, r.Enctype, err = f.requestLine(s); err != nil {
		return r, err
	}
	if r.MaxAge, err = s.age(f.maxage, "maxage"); err != nil {
		return r, err
	}
	r.MaxStale, err = s.age(f.maxstale, "maxstale")
	return r, err
}

// fetchDone queues the one event that a fetch ends in (FET-2).
func (s *Session) fetchDone(at *place, fetch *fetched, result FetchResult) {
	fetch.done, fetch.result = true, result
	fetch.result.Content = "" // the event has it
	fields := []Field{
		{"fetchid", fetch.id}, {"uri", result.URI}, {"content", optional(result.Content)},
		{"contenttype", optional(result.ContentType)}, {"statuscode", statusCode(result.Status)},
	}
	if result.Err != nil {
		s.raise("error.fetch", at, fmt.Sprintf("%s: %v", fetch.request.URI, result.Err), fields...)
		return
	}
	s.enqueue(&Event{Name: "fetch.done", Source: fetch.id, SourceType: "fetch", Fields: fields})
}

func statusCode(status int) any {
	if status == 0 {
		return nil
	}
	return status
}

// fetched finds the finished fetch that an attribute names (FET-13).
func (s *Session) fetched(e *script.Expression) (*fetched, error) {
	id, err := s.required(e, "fetchid")
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.fetches, func(f *fetched) bool { return f.id == id })
	if at < 0 {
		return nil, fmt.Errorf("there is no fetch %q", id)
	}
	fetch := s.fetches[at]
	switch {
	case !fetch.done:
		return nil, fmt.Errorf("fetch %s has not finished", id)
	case fetch.result.Err != nil:
		return nil, fmt.Errorf("fetch %s failed: %w", id, fetch.result.Err)
	}
	return fetch, nil
}

// gotoElement is <goto> (CCXML 1.0, 6.2.8). In the 2002 dialect it takes a URI
// and fetches first (OLD-19).
type gotoElement struct {
	place
	fetchid, next, timeout *script.Expression
}

func compileGoto(e *element) action {
	g := &gotoElement{e.place, e.expression("fetchid"), e.expression("next"), e.expression("timeout")}
	switch {
	case g.next != nil && !e.document.dialect.gotoNext:
		e.problem(&e.place, "<goto> takes no next in CCXML 1.0; <fetch next> first, then <goto fetchid> when fetch.done comes")
	case g.fetchid == nil && g.next == nil:
		e.problemAs(CodeMissingAttribute, &e.place, "<goto> needs the attribute fetchid")
	}
	return g
}

func (g *gotoElement) run(s *Session) error {
	if g.next != nil {
		return g.fetchAndGo(s)
	}
	fetch, err := s.fetched(g.fetchid)
	if err != nil {
		return err
	}
	if fetch.result.Document == nil {
		return fmt.Errorf("fetch %s did not bring a CCXML document", fetch.id)
	}
	s.goTo(fetch.result.Document)
	return errStop
}

// fetchAndGo gets the next document. No event is handled until it is there: the
// old page has ended. Failure is error.fetch for the old page.
func (g *gotoElement) fetchAndGo(s *Session) error {
	uri, err := s.required(g.next, "next")
	if err != nil {
		return err
	}
	timeout, err := s.interval(g.timeout, "timeout")
	if err != nil {
		return err
	}
	r := FetchRequest{URI: uri, Base: g.base, Type: "application/ccxml+xml", Mode: "processed", Method: "get", Timeout: timeout}
	s.paused = true
	s.platform.Fetch(r, await[FetchResult](s, &request{kind: gotoRequest, target: uri, at: g.place}))
	return errStop
}

// goToFetched goes to the document that <goto next> has fetched.
func (s *Session) goToFetched(r *request, result FetchResult) {
	switch {
	case s.ending != nil:
		return
	case result.Err == nil && result.Document == nil:
		result.Err = errors.New("not a CCXML document")
	}
	if result.Err != nil {
		s.fetchDone(&r.at, &fetched{request: FetchRequest{URI: r.target}}, result)
		return
	}
	s.goTo(result.Document)
}

// goTo replaces the document. Variables of the old one's document and transition
// scopes vanish; everything else stays, and events that were queued are handled
// by the new one after its ccxml.loaded (FET-15, FET-16).
func (s *Session) goTo(d *Document) {
	s.info("goto", "document", d.URI, "from", s.document.URI)
	if !s.document.dialect.keepVariables {
		s.runtime.CleanGlobals()
	}
	s.load(d)
}

// debugLog is the last of what a session did, for documents that mail it
// (VX-20). It stays empty in documents that do not.
type debugLog struct {
	enabled bool
	lines   []string
}

// maxDebugLines bounds the debug log of a session.
const maxDebugLines = 500

// event notes an event and the transition that it selected, if any.
func (d *debugLog) event(at *script.Position, name string) {
	if at == nil {
		d.addf("%s: no transition", name)
		return
	}
	d.addf("%s: %s", at, name)
}

func (d *debugLog) addf(format string, args ...any) {
	if len(d.lines) == maxDebugLines {
		d.lines = append(d.lines[:0], d.lines[1:]...)
	}
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *debugLog) text() string { return strings.Join(d.lines, "\n") }
