package sitetest

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"ccxmld/clock"
	"ccxmld/memnet"
)

// Get asks the daemon by HTTP.
func (s *Site) Get(path string) (status int, body string) {
	s.Helper()
	return s.Request(http.MethodGet, path)
}

// Request makes an HTTP request to the daemon.
func (s *Site) Request(method, path string) (status int, body string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.ctx, method, "http://"+s.Daemon.HTTPAddress()+path, nil)
	s.Must(err)
	request.Close = true
	response, err := s.HTTPClient().Do(request)
	s.Must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	s.Must(err)
	return response.StatusCode, string(text)
}

// HTTPClient makes requests on the site's network.
func (s *Site) HTTPClient() *http.Client {
	if s.Network == nil {
		return http.DefaultClient
	}
	return &http.Client{Transport: &memnet.Transport{Network: s.Network}}
}

// Handle lets a handler answer at http://NAME on the site's network. It may wait by the
// site's clock.
func (s *Site) Handle(name string, f http.HandlerFunc) { s.Network.Handle(name+":80", f) }

// HandleSilently lets http://slow answer the documents that it is given, by their
// paths, and nothing else. It tells of each request that it does not answer.
func (s *Site) HandleSilently(documents map[string]string) (asked *Queue[string]) {
	asked = NewQueue[string](s.Clock)
	s.Handle("slow", func(w http.ResponseWriter, r *http.Request) {
		if document, ok := documents[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "application/ccxml+xml")
			fmt.Fprint(w, document)
			return
		}
		asked.Put(r.URL.Path)
		_ = clock.NewLatch(s.Clock).Wait(r.Context())
	})
	return asked
}

// StartToken starts a session by the token of [WithToken], and gives its id.
func (s *Site) StartToken(query string) string {
	s.Helper()
	status, body := s.Get("/CCXML10.start?tokenid=s3cret&" + query)
	first, id, _ := strings.Cut(strings.TrimSpace(body), "\r\n")
	if status != http.StatusOK || first != "success" || id == "" {
		s.Fatalf("token start: %d %q", status, body)
	}
	return id
}

// Inject sends an event to each session that has logged "session ID", and waits until
// one has taken it.
func (s *Site) Inject(event string) {
	s.Helper()
	s.WaitLog("session ")
	for _, line := range s.Trace.Lines() {
		if id, ok := strings.CutPrefix(line, "log session "); ok {
			s.Get("/ccxml/basichttp?sessionid=" + id + "&name=" + event)
		}
	}
	s.Must(s.Trace.Wait(s.ctx, "event "+event))
}
