package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ccxmld/conf"
	"ccxmld/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// starter records what it is asked to start.
type starter struct {
	mutex  sync.Mutex
	asked  []httpapi.StartRequest
	answer func(n int, ctx context.Context) error // n counts from 1; nil: success
}

func (s *starter) Start(ctx context.Context, r httpapi.StartRequest) (string, error) {
	s.mutex.Lock()
	s.asked = append(s.asked, r)
	n := len(s.asked)
	s.mutex.Unlock()
	if s.answer != nil {
		if err := s.answer(n, ctx); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("session-%d", n), nil
}

func (s *starter) last(t testing.TB) httpapi.StartRequest {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.asked) == 0 {
		t.Fatal("nothing was started")
	}
	return s.asked[len(s.asked)-1]
}

type full struct{}

func (full) Error() string       { return "10 of 10 sessions are running" }
func (full) OutOfSessions() bool { return true }

const token = "a-token-of-ours"

func handler(s *starter, t conf.Token, more ...func(*httpapi.Options)) http.Handler {
	o := httpapi.Options{Tokens: map[string]conf.Token{token: t, "other": {URI: "http://d/other"}}, Starter: s}
	for _, m := range more {
		m(&o)
	}
	return httpapi.New(o).Handler()
}

func request(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost/", strings.NewReader(body))
	// As from the wire: NewRequest would refuse some of what clients send.
	path, query, _ := strings.Cut(target, "?")
	r.URL.Path, r.URL.RawQuery = path, query
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"}
	for _, c := range []struct {
		name, method, target, body string
		header                     []string
		fails                      error
		status                     int
		text                       string
	}{
		{"success", "GET", "/CCXML10.start?tokenid=" + token, "", nil, nil, 200, "success\r\nsession-1\r\n"},
		{"hosted path", "GET", "/SessionControl/CCXML10.start?tokenid=" + token, "", nil, nil, 200, "success\r\nsession-1\r\n"},
		{"token encoded", "GET", "/CCXML10.start?tokenid=a%2Dtoken-of-ours", "", nil, nil, 200, "success\r\nsession-1\r\n"},
		{"post", "POST", "/CCXML10.start", "tokenid=" + token, form, nil, 200, "success\r\nsession-1\r\n"},
		{"post without body", "POST", "/CCXML10.start?tokenid=" + token, "", nil, nil, 200, "success\r\nsession-1\r\n"},
		{"invalid token", "GET", "/CCXML10.start?tokenid=" + token + "x", "", nil, nil, 403, "failure: invalid token\r\n"},
		{"no token", "GET", "/CCXML10.start?number=1", "", nil, nil, 403, "failure: invalid token\r\n"},
		{"two tokens", "GET", "/CCXML10.start?tokenid=" + token + "&tokenid=other", "", nil, nil, 400, "failure: more than one tokenid\r\n"},
		{"failure", "GET", "/CCXML10.start?tokenid=" + token, "", nil, errors.New("out.ccxml:3: no such\r\nelement"), 500, "failure: out.ccxml:3: no such  element\r\n"},
		{"out of sessions", "GET", "/CCXML10.start?tokenid=" + token, "", nil, fmt.Errorf("start: %w", full{}), 503, "failure: out of sessions\r\n"},
		{"not encoded", "GET", "/CCXML10.start?tokenid=" + token + "&a=%zz", "", nil, nil, 400, "failure: a parameter is not URL-encoded\r\n"},
		{"too many", "GET", "/CCXML10.start?tokenid=" + token + strings.Repeat("&a=b", 201), "", nil, nil, 400, "failure: more than 200 parameters\r\n"},
		{"json", "POST", "/CCXML10.start?tokenid=" + token, "{}", []string{"Content-Type", "application/json"}, nil, 415, "failure: expected a body of type application/x-www-form-urlencoded\r\n"},
		{"long body", "POST", "/CCXML10.start?tokenid=" + token, strings.Repeat("a", 64<<10+1), form, nil, 413, "failure: the body is longer than 64 KiB\r\n"},
		{"head", "HEAD", "/CCXML10.start?tokenid=" + token, "", nil, nil, 405, "failure: expected GET or POST\r\n"},
		{"put", "PUT", "/CCXML10.start?tokenid=" + token, "", nil, nil, 405, "failure: expected GET or POST\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &starter{answer: func(int, context.Context) error { return c.fails }}
			w := request(handler(s, conf.Token{URI: "http://d/out.ccxml"}), c.method, c.target, c.body, c.header...)
			if w.Code != c.status || w.Body.String() != c.text {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, c.status, c.text)
			}
			if ct := w.Header().Get("Content-Type"); ct != "text/plain; charset=utf-8" {
				t.Errorf("content type %q", ct)
			}
			if id := w.Header().Get("X-Session-Id"); (id == "session-1") != (c.status == 200) {
				t.Errorf("X-Session-Id %q", id)
			}
			if c.status == 405 && len(s.asked) != 0 {
				t.Error("started a session all the same")
			}
		})
	}
}

// TestParameters: they reach the document's server as they came, and
// session.values decoded.
func TestParameters(t *testing.T) {
	for _, c := range []struct{ name, document, query, body, wantURI, wantValues string }{
		{"none", "http://d/o", "tokenid=" + token, "", "http://d/o", ""},
		{"unchanged", "http://d/o", "a=x%20y+z&tokenid=" + token + "&b=%C3%A9&c", "", "http://d/o?a=x%20y+z&b=%C3%A9&c", "a=x+y+z&b=%C3%A9&c="},
		{"document with a query", "http://d/o?v=1", "number=%2B14072223333&tokenid=" + token, "", "http://d/o?v=1&number=%2B14072223333", "number=%2B14072223333"},
		{"document with a fragment", "http://d/o#part", "a=b&tokenid=" + token, "", "http://d/o?a=b#part", "a=b"},
		{"file", "file:///o.ccxml", "a=b&tokenid=" + token, "", "file:///o.ccxml", "a=b"},
		{"same name twice", "http://d/o", "a=1&a=2&tokenid=" + token, "", "http://d/o?a=1&a=2", "a=1&a=2"},
		{"form", "http://d/o", "a=1", "tokenid=" + token + "&b=2", "http://d/o?a=1&b=2", "a=1&b=2"},
		{"what a query may not hold", "http://d/o", "tokenid=" + token, "a=#é \r\n<{b", "http://d/o?a=%23%C3%A9%20%0D%0A%3C%7Bb", "a=%23%C3%A9+%0D%0A%3C%7Bb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &starter{}
			w := request(handler(s, conf.Token{URI: c.document}), "POST", "/CCXML10.start?"+c.query, c.body,
				"Content-Type", "application/x-www-form-urlencoded")
			if w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			got := s.last(t)
			if got.URI != c.wantURI {
				t.Errorf("URI %s, want %s", got.URI, c.wantURI)
			}
			if want, _ := url.ParseQuery(c.wantValues); got.Values.Encode() != want.Encode() {
				t.Errorf("values %v, want %v", got.Values, want)
			}
			if got.Remote == "" || strings.Contains(fmt.Sprint(got.Token, got.Values, got.URI), token) {
				t.Errorf("remote %q, token %q", got.Remote, got.Token)
			}
		})
	}
}

func TestTokenSessions(t *testing.T) {
	s := &starter{answer: func(n int, _ context.Context) error {
		if n == 3 {
			return errors.New("no document")
		}
		return nil
	}}
	h := handler(s, conf.Token{URI: "http://d/o", Sessions: 2})
	begin := func(want int) {
		t.Helper()
		w := request(h, "GET", "/CCXML10.start?tokenid="+token, "")
		if w.Code != want {
			t.Errorf("%d %s, want %d", w.Code, w.Body, want)
		}
		if want == 503 && (w.Body.String() != "failure: out of sessions\r\n" || w.Header().Get("Retry-After") == "") {
			t.Errorf("%v %s", w.Header(), w.Body)
		}
	}
	begin(200)
	begin(200)
	begin(503)
	ended := s.last(t).Ended
	ended()
	ended() // counts once
	begin(500)
	begin(200) // the failed start took no place
	begin(503)
	if w := request(h, "GET", "/CCXML10.start?tokenid=other", ""); w.Code != 200 {
		t.Errorf("another token is held up: %d", w.Code)
	}
}

func TestTokenRate(t *testing.T) {
	now := time.Unix(0, 0)
	h := handler(&starter{}, conf.Token{URI: "http://d/o", Rate: 2}, func(o *httpapi.Options) {
		o.Now = func() time.Time { return now }
	})
	begin := func(want int) {
		t.Helper()
		if w := request(h, "GET", "/CCXML10.start?tokenid="+token, ""); w.Code != want {
			t.Errorf("at %s: %d, want %d", now.Sub(time.Unix(0, 0)), w.Code, want)
		}
	}
	begin(200)
	begin(200)
	begin(503)
	now = now.Add(500 * time.Millisecond)
	begin(200)
	begin(503)
	now = now.Add(time.Hour) // saves up a second's worth, not more
	begin(200)
	begin(200)
	begin(503)
}

// TestHundredAtOnce: a reader of the tutorial found that only one of his calls
// was served. All starts are under way together before any is answered.
func TestHundredAtOnce(t *testing.T) {
	const calls = 100
	var together sync.WaitGroup
	together.Add(calls)
	s := &starter{answer: func(int, context.Context) error { together.Done(); together.Wait(); return nil }}
	server := httptest.NewServer(handler(s, conf.Token{URI: "http://d/o", Sessions: calls}))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()

	ids := make(chan string, calls)
	var clients sync.WaitGroup
	for i := range calls {
		clients.Go(func() {
			resp, err := client.Get(fmt.Sprintf("%s/CCXML10.start?tokenid=%s&number=%d", server.URL, token, i))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%d %s %v", resp.StatusCode, body, err)
			}
			ids <- string(body)
		})
	}
	clients.Wait()
	close(ids)
	different, numbers := map[string]bool{}, map[string]bool{}
	for id := range ids {
		different[id] = true
	}
	for _, r := range s.asked {
		numbers[r.Values.Get("number")] = true
	}
	if len(different) != calls || len(numbers) != calls {
		t.Errorf("%d sessions for %d numbers", len(different), len(numbers))
	}
}

func TestStartTimesOut(t *testing.T) {
	s := &starter{answer: func(_ int, ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	h := handler(s, conf.Token{URI: "http://d/o"}, func(o *httpapi.Options) { o.StartTimeout = time.Millisecond })
	if w := request(h, "GET", "/CCXML10.start?tokenid="+token, ""); w.Code != 500 || w.Body.String() != "failure: context deadline exceeded\r\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestTokensStayOutOfLogs(t *testing.T) {
	var log bytes.Buffer
	n := 0
	s := &starter{answer: func(int, context.Context) error {
		n++
		return []error{nil, errors.New("no document"), full{}}[n-1]
	}}
	h := handler(s, conf.Token{URI: "http://d/o"}, func(o *httpapi.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, id := range []string{token, token, token, "hush-hush"} {
		request(h, "GET", "/CCXML10.start?tokenid="+id, "")
	}
	if lines := strings.Count(log.String(), "\n"); lines != 4 || strings.Contains(log.String(), token) || strings.Contains(log.String(), "hush-hush") {
		t.Errorf("log:\n%s", &log)
	}
}

func TestHealth(t *testing.T) {
	var redis, link error
	h := handler(&starter{}, conf.Token{}, func(o *httpapi.Options) {
		o.Checks = func() []httpapi.Check {
			return []httpapi.Check{
				{Name: "redis", Probe: func(context.Context) error { return redis }},
				{Name: "node fs1", Probe: func(context.Context) error { return link }, Optional: true},
			}
		}
	})
	check := func(path string, status int, text string) {
		t.Helper()
		if w := request(h, "GET", path, ""); w.Code != status || w.Body.String() != text {
			t.Errorf("%s: %d %q, want %d %q", path, w.Code, w.Body, status, text)
		}
	}
	check("/readyz", 200, "ready\r\nredis: ok\r\nnode fs1: ok\r\n")
	link = errors.New("not connected")
	check("/readyz", 200, "ready\r\nredis: ok\r\nnode fs1: not connected (goes without)\r\n")
	redis = errors.New("no\nanswer")
	check("/readyz", 503, "not ready\r\nredis: no answer\r\nnode fs1: not connected (goes without)\r\n")
	check("/healthz", 200, "ok\r\n")
	if w := request(h, "GET", "/elsewhere", ""); w.Code != 404 {
		t.Errorf("/elsewhere: %d", w.Code)
	}
}

// TestShutdown: a request under way is answered before Serve and Shutdown end.
func TestShutdown(t *testing.T) {
	started, goOn := make(chan struct{}), make(chan struct{})
	s := &starter{answer: func(int, context.Context) error { close(started); <-goOn; return nil }}
	server := httpapi.New(httpapi.Options{Tokens: map[string]conf.Token{token: {URI: "http://d/o"}}, Starter: s})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, answered, shut := make(chan error, 1), make(chan int, 1), make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	go func() {
		resp, err := http.Get("http://" + listener.Addr().String() + "/CCXML10.start?tokenid=" + token)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-started
	go func() { shut <- server.Shutdown(t.Context(), t.Context()) }()
	if err := <-served; err != nil { // no longer listening
		t.Errorf("Serve: %v", err)
	}
	if w := request(server.Handler(), "GET", "/readyz", ""); w.Code != 503 {
		t.Errorf("/readyz while stopping: %d", w.Code)
	}
	close(goOn)
	if status := <-answered; status != 200 {
		t.Errorf("answered %d", status)
	}
	if err := <-shut; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestShutdownEndsRequests: a request that takes too long is told to end, and answered.
func TestShutdownEndsRequests(t *testing.T) {
	started := make(chan struct{})
	s := &starter{answer: func(_ int, ctx context.Context) error { close(started); <-ctx.Done(); return ctx.Err() }}
	server := httpapi.New(httpapi.Options{Tokens: map[string]conf.Token{token: {URI: "http://d/o"}}, Starter: s})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, answered := make(chan error, 1), make(chan int, 1)
	go func() { served <- server.Serve(listener) }()
	go func() {
		response, err := http.Get("http://" + listener.Addr().String() + "/CCXML10.start?tokenid=" + token)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	<-started
	enough, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Shutdown(t.Context(), enough); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if status := <-answered; status != http.StatusServiceUnavailable {
		t.Errorf("answered %d", status)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestAClientThatHasGone: what was asked for ends with the connection.
func TestAClientThatHasGone(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	s := &starter{answer: func(_ int, ctx context.Context) error {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}}
	server := httpapi.New(httpapi.Options{Tokens: map[string]conf.Token{token: {URI: "http://d/o"}}, Starter: s})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := "tokenid=" + token
	if _, err := fmt.Fprintf(client, "POST /CCXML10.start HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", listener.Addr(), len(body), body); err != nil {
		t.Fatal(err)
	}
	<-started
	_ = client.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	if err := server.Shutdown(t.Context(), t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	<-served
}

// TestShutdownCutsOff: a request that does not end does not hold up the end
// for longer than it may.
func TestShutdownCutsOff(t *testing.T) {
	started, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	s := &starter{answer: func(int, context.Context) error { close(started); <-over; return nil }}
	server := httpapi.New(httpapi.Options{Tokens: map[string]conf.Token{token: {URI: "http://d/o"}}, Starter: s})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, answered := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	go func() {
		_, err := http.Get("http://" + listener.Addr().String() + "/CCXML10.start?tokenid=" + token)
		answered <- err
	}()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Shutdown(ctx, ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if <-answered == nil {
		t.Error("the request was answered")
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func FuzzParameters(f *testing.F) {
	f.Add("a=b&c=%20+&d")
	f.Add("a=#\r\n[]{}é&&=&=x")
	s := &starter{}
	h := handler(s, conf.Token{URI: "http://d/o?fixed=1#part"})
	f.Fuzz(func(t *testing.T, query string) {
		w := request(h, "POST", "/CCXML10.start?tokenid="+token, query, "Content-Type", "application/x-www-form-urlencoded")
		if w.Code != http.StatusOK {
			return
		}
		got := s.last(t)
		u, err := url.Parse(got.URI)
		if err != nil || u.Host != "d" || u.Path != "/o" || u.Fragment != "part" || strings.ContainsAny(got.URI, " \r\n") {
			t.Fatalf("%q became %q (%v)", query, got.URI, err)
		}
		if strings.Contains(query, ";") {
			return // net/url refuses what older servers took for a separator
		}
		if sent := u.Query(); sent.Get("fixed") != "1" || len(sent) < len(got.Values) {
			t.Errorf("%q became %q, values %v", query, got.URI, got.Values)
		}
	})
}
