package conformance

import (
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ccxmld/clock"
)

// web is the suite's web server: its documents, and what answers their requests.
//
//	/PATH                  a file of the suite; type and charset of the query are its Content-Type
//	/web/echo              the request, a line each: METHOD, Content-Type, the query, the body
//	/web/status/CODE       an answer with this status, and the query's body
//	/web/answer            the query's body (and type, and any other header named in the query)
//	/web/count/KEY         how often KEY was asked for, behind the query's body or where {n} stands in it; headers as above
//	/web/page              a VoiceXML page that exits with the method it was asked for by
//	/web/back              a VoiceXML page that passes if the request is what its parameter wants says: get, post or multipart, and its fields
//	/web/cookies           the cookies of the request, as the text of an XML element
//	/web/never             no answer
//	/web/dialog/PATH       a document that starts the page of the suite at PATH: parts/page.ccxml with what it needs put in
//	/web/caller/PATH       asks the caller of that document to do something
//	/daemon/…              the daemon's own HTTP
type web struct {
	url    string
	daemon string // set before the first request
	suite  fs.FS
	files  http.Handler
	ask    func(uri string, steps []Step) (taken bool)
	clock  clock.Clock

	transport http.RoundTripper // to the daemon; nil is the machine's network

	mu     sync.Mutex
	counts map[string]int
}

func newWeb(url string, suite fs.FS, c clock.Clock, ask func(string, []Step) bool) *web {
	return &web{url: url, suite: suite, files: http.FileServerFS(suite), ask: ask, clock: c, counts: make(map[string]int)}
}

// ServeHTTP answers a request.
func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/web/"), "/")
	switch {
	case strings.HasPrefix(r.URL.Path, "/daemon/"):
		s.forward(w, r)
	case !strings.HasPrefix(r.URL.Path, "/web/"):
		s.file(w, r)
	case name == "echo":
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "%s\n%s\n%s\n%s", r.Method, r.Header.Get("Content-Type"), r.URL.RawQuery, body)
	case name == "status":
		code, err := strconv.Atoi(rest)
		if err != nil || code < 200 || code > 599 {
			code = http.StatusBadRequest
		}
		s.answer(w, r, code, r.URL.Query().Get("body"))
	case name == "answer":
		s.answer(w, r, http.StatusOK, r.URL.Query().Get("body"))
	case name == "count":
		s.count(w, r, rest)
	case name == "dialog":
		s.page(w, r, rest)
	case name == "caller":
		s.caller(w, r, rest)
	case name == "page":
		w.Header().Set("Content-Type", "application/voicexml+xml")
		fmt.Fprintf(w, methodPage, r.Method)
	case name == "back":
		s.back(w, r)
	case name == "cookies":
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, "<cookies>%s</cookies>", html.EscapeString(r.Header.Get("Cookie")))
	case name == "never":
		_, _ = io.Copy(io.Discard, r.Body)
		for w := clock.NewWaiter(s.clock); r.Context().Err() == nil; {
			w.WaitContext(r.Context())
		}
	default:
		http.NotFound(w, r)
	}
}

const methodPage = `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<form><block><var name="method" expr="'%s'"/><exit namelist="method"/></block></form></vxml>`

// mostForm bounds a form in memory, in bytes.
const mostForm = 1 << 20

// back judges a request: "get a=1,b=2" is one by GET with these fields, sorted.
func (*web) back(w http.ResponseWriter, r *http.Request) {
	kind, fields := strings.ToLower(r.Method), []string(nil)
	if err := r.ParseMultipartForm(mostForm); err == nil {
		kind = "multipart"
		for name, files := range r.MultipartForm.File {
			fields = append(fields, name+"="+files[0].Header.Get("Content-Type"))
		}
	}
	for name, values := range r.Form {
		if name != "wants" {
			fields = append(fields, name+"="+strings.Join(values, "+"))
		}
	}
	slices.Sort(fields)
	verdict := "pass"
	if got := kind + " " + strings.Join(fields, ","); got != r.Form.Get("wants") {
		verdict = "fail: the server got " + got
	}
	w.Header().Set("Content-Type", "application/voicexml+xml")
	fmt.Fprintf(w, verdictPage, html.EscapeString(strconv.Quote(verdict)))
}

const verdictPage = `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<form><block><exit expr="%s"/></block></form></vxml>`

// file serves a file of the suite. Those of the suite's own kind have their type,
// unless the query says another.
func (s *web) file(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Query().Get("type")
	for suffix, usual := range map[string]string{
		".ccxml": "application/ccxml+xml", ".vxml": "application/voicexml+xml", ".es": "text/ecmascript",
	} {
		if kind == "" && strings.HasSuffix(r.URL.Path, suffix) {
			kind = usual
		}
	}
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	s.files.ServeHTTP(w, r)
}

// answer gives the headers that the query names, such as Cache-Control.
func (*web) answer(w http.ResponseWriter, r *http.Request, code int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for name, values := range r.URL.Query() {
		switch name {
		case "body", "status":
		case "type":
			w.Header().Set("Content-Type", values[0])
		default:
			w.Header().Set(name, values[0])
		}
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// countHere is where a body has the count.
const countHere = "{n}"

// count counts the requests for a key. One with the validator of the query's ETag
// is answered 304, and counts.
func (s *web) count(w http.ResponseWriter, r *http.Request, key string) {
	s.mu.Lock()
	s.counts[key]++
	n := s.counts[key]
	s.mu.Unlock()
	if tag := r.URL.Query().Get("ETag"); tag != "" && r.Header.Get("If-None-Match") == tag {
		w.Header().Set("ETag", tag)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := r.URL.Query().Get("body")
	if !strings.Contains(body, countHere) {
		body += countHere
	}
	s.answer(w, r, http.StatusOK, strings.ReplaceAll(body, countHere, strconv.Itoa(n)))
}

// forward passes a request on to the daemon.
func (s *web) forward(w http.ResponseWriter, r *http.Request) {
	target, err := url.Parse(s.daemon)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	proxy := &httputil.ReverseProxy{Transport: s.transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.URL.Path = strings.TrimPrefix(p.In.URL.Path, "/daemon")
	}}
	proxy.ServeHTTP(w, r)
}

// pagePath is where the documents are that start pages.
const pagePath = "/web/dialog/"

// page makes the document that starts a page of the suite, from parts/page.ccxml:
// {page} is the path of the page, {party} whom to call for it, {run} what is behind
// the document's path.
func (s *web) page(w http.ResponseWriter, r *http.Request, page string) {
	text, err := fs.ReadFile(s.suite, partsFolder+"/page.ccxml")
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	test, err := load(s.suite, page)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/ccxml+xml")
	put := strings.NewReplacer("{page}", "/"+page, "{party}", test.Party, "{run}", page+"?"+r.URL.RawQuery)
	_, _ = put.WriteString(w, string(text))
}

// caller passes on what a page asks its caller to do: to press keys, the parameter.
func (s *web) caller(w http.ResponseWriter, r *http.Request, page string) {
	if !s.ask(s.url+pagePath+page+"?run="+r.FormValue("run"), parseKeys(r.FormValue("keys"))) {
		http.Error(w, "there is no such caller, or it has too much to do", http.StatusConflict)
	}
}
