package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/httpapi"
	"ccxmld/remote/remotetest"
)

// asks is how a hostile request begins and ends whose target and header are given.
func asks(line string, header ...string) string {
	return line + "\r\n" + strings.Join(append(header, "Host: localhost"), "\r\n") + "\r\n\r\n"
}

// form is a POST of an event whose body is a form, as a peer may frame it.
func form(body string, header ...string) string {
	return asks("POST /ccxml/basichttp HTTP/1.1", append([]string{"Content-Type: application/x-www-form-urlencoded"}, header...)...) + body
}

// chunked is a body in one chunk.
func chunked(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

const (
	anEvent  = "sessionid=s1&name=x"
	smuggled = "GET /ccxml/basichttp?sessionid=s1&name=smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
)

// hostileRequests are what comes on a connection, how it is answered, and how many events
// come of it. closed is whether the connection ends with the last answer.
var hostileRequests = map[string]struct {
	sent     string
	statuses []int
	events   int
	closed   bool
}{
	"HEAD of an event":                    {asks("HEAD /ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{405}, 0, false},
	"HEAD of a token start":               {asks("HEAD " + startPath + " HTTP/1.1"), []int{405}, 0, false},
	"HEAD of health":                      {asks("HEAD /healthz HTTP/1.1"), []int{200}, 0, false},
	"OPTIONS":                             {asks("OPTIONS /ccxml/basichttp HTTP/1.1"), []int{405}, 0, false},
	"OPTIONS of everything":               {asks("OPTIONS * HTTP/1.1"), []int{400}, 0, true},
	"OPTIONS of everything, another's":    {"OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n", []int{403}, 0, false},
	"TRACE":                               {asks("TRACE /healthz HTTP/1.1"), []int{405}, 0, false},
	"CONNECT":                             {asks("CONNECT 192.0.2.1:80 HTTP/1.1"), []int{403}, 0, false},
	"CONNECT to us":                       {asks("CONNECT localhost:80 HTTP/1.1"), []int{404}, 0, false},
	"a method of nobody's":                {asks("POST\x00 /ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{400}, 0, true},
	"a method in small letters":           {asks("post /ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{405}, 0, false},
	"absolute-form of another":            {asks("GET http://evil.example/ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{403}, 0, false},
	"absolute-form of ours":               {asks("GET http://localhost/ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{204}, 1, false},
	"absolute-form, Host of another":      {"GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", []int{200}, 0, false}, // RFC 9112, 3.2.2: the target counts
	"absolute-form with a user":           {asks("GET http://localhost@evil.example/healthz HTTP/1.1"), []int{403}, 0, false},
	"absolute-form of a file":             {asks("GET file:///etc/passwd HTTP/1.1"), []int{404}, 0, false},
	"two hosts":                           {asks("GET /healthz HTTP/1.1", "Host: evil.example"), []int{400}, 0, true},
	"no host in 1.1":                      {"GET /healthz HTTP/1.1\r\n\r\n", []int{400}, 0, true},
	"a host with a user":                  {"GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n", []int{400}, 0, true},
	"a host with a path":                  {"GET /healthz HTTP/1.1\r\nHost: localhost/evil\r\n\r\n", []int{400}, 0, true},
	"a host with a zone":                  {"GET /healthz HTTP/1.1\r\nHost: [::1%25lo]:80\r\n\r\n", []int{200}, 0, false},
	"a host with two dots at its end":     {"GET /healthz HTTP/1.1\r\nHost: localhost..\r\n\r\n", []int{403}, 0, false},
	"a host in two lines":                 {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n .evil.example\r\n\r\n", []int{400}, 0, true},
	"1.0 without a host":                  {"GET /healthz HTTP/1.0\r\n\r\n", []int{200}, 0, true},
	"1.0, kept alive":                     {"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", []int{200}, 0, false},
	"1.0 with chunks":                     {strings.Replace(form(chunked(anEvent), "Transfer-Encoding: chunked"), "1.1", "1.0", 1), []int{400}, 0, true},
	"0.9":                                 {"GET /healthz\r\n", []int{400}, 0, true},
	"2.0, prior knowledge":                {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400}, 0, true},
	"9.9":                                 {asks("GET /healthz HTTP/9.9"), []int{505}, 0, true},
	"upgrade to a websocket":              {asks("GET /healthz HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"), []int{200}, 0, false},
	"upgrade to h2c":                      {asks("GET /healthz HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), []int{200}, 0, false},
	"pipelined":                           {strings.Repeat(asks("GET /ccxml/basichttp?"+anEvent+" HTTP/1.1"), 50), slices.Repeat([]int{204}, 50), 50, false},
	"pipelined behind a refusal":          {asks("POST /ccxml/basichttp HTTP/1.1", "Content-Length: 4", "Content-Type: text/xml") + "<x/>" + smuggled, []int{415, 204}, 1, false},
	"length and chunks":                   {form(chunked(anEvent)+smuggled, "Content-Length: 4", "Transfer-Encoding: chunked"), []int{204}, 1, true},
	"chunks and length":                   {form(chunked(anEvent)+smuggled, "Transfer-Encoding: chunked", "Content-Length: 300"), []int{204}, 1, true},
	"chunks":                              {form(chunked(anEvent), "Transfer-Encoding: chunked"), []int{204}, 1, true},
	"two lengths":                         {form(anEvent+smuggled, "Content-Length: 19", "Content-Length: 150"), []int{400}, 0, true},
	"two lengths in one":                  {form(anEvent+smuggled, "Content-Length: 19, 150"), []int{400}, 0, true},
	"a length with a sign":                {form(anEvent, "Content-Length: +19"), []int{400}, 0, true},
	"a negative length":                   {form(anEvent, "Content-Length: -1"), []int{400}, 0, true},
	"a huge length":                       {form("", "Content-Length: 99999999999999999999"), []int{400}, 0, true},
	"a length beyond what may be":         {form("a=1", "Content-Length: 1000000000"), []int{413}, 0, true},
	"chunks that are not":                 {form(smuggled, "Transfer-Encoding: xchunked"), []int{501}, 0, true},
	"chunks twice":                        {form(chunked(anEvent), "Transfer-Encoding: chunked, chunked"), []int{501}, 0, true},
	"chunks behind a tab":                 {form(chunked(anEvent)+smuggled, "Transfer-Encoding:\tchunked"), []int{204}, 1, true},
	"a space before the colon":            {form(chunked(anEvent)+smuggled, "Transfer-Encoding : chunked"), []int{400}, 0, true},
	"a chunk of a negative length":        {form("-1\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), []int{400}, 0, true},
	"a chunk that is longer than it says": {form("1\r\nxyz\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), []int{400}, 0, true},
	"chunks with trailers":                {form("13\r\n"+anEvent+"\r\n0\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n", "Transfer-Encoding: chunked", "Trailer: Origin"), []int{204}, 1, true},
	"chunks without end, of one byte":     {form(strings.Repeat("1\r\na\r\n", 70_000), "Transfer-Encoding: chunked"), []int{413}, 0, true},
	"chunks with long extensions":         {form(strings.Repeat("1;"+strings.Repeat("x", 4000)+"\r\na\r\n", 100), "Transfer-Encoding: chunked"), []int{400}, 0, true},
	"continue":                            {form(anEvent, "Content-Length: 19", "Expect: 100-continue"), []int{100, 204}, 1, false},
	"continue, and too long":              {form("", "Content-Length: 65537", "Expect: 100-continue"), []int{413}, 0, true},
	"expects something else":              {form(anEvent, "Content-Length: 19", "Expect: the-spanish-inquisition"), []int{417}, 0, true},
	"a header that is too long":           {asks("GET /healthz HTTP/1.1", "X: "+strings.Repeat("x", 21<<10)), []int{431}, 0, true},
	"headers that are too many":           {asks("GET /healthz HTTP/1.1", slices.Repeat([]string{"X: y"}, 5000)...), []int{431}, 0, true},
	"a target that is too long":           {asks("GET /healthz?" + strings.Repeat("x", 21<<10) + " HTTP/1.1"), []int{431}, 0, true},
	"a header with NUL":                   {asks("GET /healthz HTTP/1.1", "X: a\x00b"), []int{400}, 0, true},
	"a header with CR":                    {asks("GET /healthz HTTP/1.1", "X: a\rHost: evil.example"), []int{400}, 0, true},
	"a name with a space":                 {asks("GET /healthz HTTP/1.1", "X Y: a"), []int{400}, 0, true},
	"TLS":                                 {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}, 0, true},
	"another path to an event, slashes":   {asks("GET //ccxml//basichttp?" + anEvent + " HTTP/1.1"), []int{307}, 0, false},
	"another path to an event, dots":      {asks("GET /x/../ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{307}, 0, false},
	"another path to an event, encoded":   {asks("GET /x/%2e%2e/ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{404}, 0, false},
	"another path to an event, dots;":     {asks("GET /x/..;/ccxml/basichttp?" + anEvent + " HTTP/1.1"), []int{404}, 0, false},
	"another path to an event, slash":     {asks("GET /ccxml%2fbasichttp?" + anEvent + " HTTP/1.1"), []int{404}, 0, false},
	"another path to an event, letters":   {asks("GET /CCXML/BASICHTTP?" + anEvent + " HTTP/1.1"), []int{404}, 0, false},
	"a redirect to another's":             {asks("GET //evil.example/.. HTTP/1.1"), []int{307}, 0, false},
	"a redirect to another's, backslash":  {asks("GET /\\evil.example/.. HTTP/1.1"), []int{307}, 0, false},
	"parameters that are too many":        {form(anEvent+strings.Repeat("&a=1", 201), "Content-Length: 823"), []int{400}, 0, false},
	"as many as 64 KiB hold":              {form(strings.Repeat("&", 65536), "Content-Length: 65536"), []int{400}, 0, false},
	"a name that is too deep":             {form(anEvent+"&a"+strings.Repeat(".a", 16)+"=1", "Content-Length: 55"), []int{400}, 0, false},
	"separated by semicolons":             {asks("GET /ccxml/basichttp?sessionid=s1;name=x HTTP/1.1"), []int{400}, 0, false},
	"a multipart body":                    {asks("POST /ccxml/basichttp HTTP/1.1", "Content-Length: 61", "Content-Type: multipart/form-data; boundary=b") + "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nx\r\n--b--\r\n", []int{415}, 0, false},
	"a body of JSON":                      {asks("POST /ccxml/basichttp HTTP/1.1", "Content-Length: 12", "Content-Type: application/json") + `{"name":"x"}`, []int{415}, 0, false},
	"a body of no type":                   {asks("POST /ccxml/basichttp HTTP/1.1", "Content-Length: 19") + anEvent, []int{415}, 0, false},
	"a body of two types":                 {asks("POST /ccxml/basichttp HTTP/1.1", "Content-Length: 19", "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded") + anEvent, []int{415}, 0, false},
	"a packed body":                       {form(zipped(anEvent), fmt.Sprintf("Content-Length: %d", len(zipped(anEvent))), "Content-Encoding: gzip"), []int{415}, 0, false},
	"a packed body that is a form too":    {form(anEvent, "Content-Length: 19", "Content-Encoding: identity, br"), []int{415}, 0, false},
	"not packed":                          {form(anEvent, "Content-Length: 19", "Content-Encoding: identity"), []int{204}, 1, false},
	"a body beside a query, two names":    {asks("POST /ccxml/basichttp?name=y HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 19") + anEvent, []int{400}, 0, false},
	"GET with a body":                     {asks("GET /ccxml/basichttp?"+anEvent+" HTTP/1.1", "Content-Length: 5") + "name=", []int{204}, 1, false},
	"another method by a header":          {asks("GET /ccxml/createsession?uri=http://d/o HTTP/1.1", "X-HTTP-Method-Override: POST"), []int{405}, 0, false},
	"an address by a header":              {asks("GET /ccxml/basichttp?"+anEvent+" HTTP/1.1", "X-Forwarded-For: 203.0.113.1", "Forwarded: for=203.0.113.1"), []int{204}, 1, false},
}

// TestHostileRequests: each is answered, or refused, by what HTTP has for it; none is read
// in two ways, and none starts or sends what it was not let.
func TestHostileRequests(t *testing.T) {
	for name, c := range hostileRequests {
		t.Run(name, func(t *testing.T) {
			sessions, starts := &running{}, &starter{}
			var log lines
			options := httpapi.Options{Sessions: sessions, Starter: starts, CreateSession: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			overWire(t, options, func(l *wire) {
				conn := l.dial(1)
				var answers lines
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_, _ = io.Copy(&answers, conn.answers)
				}()
				go func() { _, _ = io.WriteString(conn, c.sent) }()
				time.Sleep(12 * time.Second) // in which a body must be whole, and connections close
				synctest.Wait()
				statuses := statusesOf(t, answers.String(), strings.HasPrefix(c.sent, "HEAD"))
				if !slices.Equal(statuses, c.statuses) {
					t.Errorf("answered %d: %s", statuses, &answers)
				}
				closed := false
				select {
				case <-ended:
					closed = true
				default:
				}
				if closed != c.closed {
					t.Errorf("closed: %v, %s", closed, &answers)
				}
				conn.Close()
				<-ended
			})
			if len(sessions.got) != c.events || len(starts.asked) > 0 {
				t.Errorf("%d events, %d starts", len(sessions.got), len(starts.asked))
			}
			for _, e := range sessions.got {
				if e.Name != "x" && name != "pipelined behind a refusal" {
					t.Errorf("smuggled: %+v", e)
				}
			}
			if strings.Contains(log.String(), "panic") || strings.Count(log.String(), "\n") > 50 {
				t.Errorf("logged %s", &log)
			}
		})
	}
}

// statusesOf gives the statuses of the answers on a connection. None may lead elsewhere.
func statusesOf(t *testing.T, text string, head bool) (statuses []int) {
	t.Helper()
	method := "GET"
	if head {
		method = "HEAD"
	}
	r := bufio.NewReader(strings.NewReader(text))
	for {
		response, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return statuses
		}
		_, _ = io.Copy(io.Discard, response.Body)
		statuses = append(statuses, response.StatusCode)
		if to := response.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, "\\") || to != "" && to[0] != '/' {
			t.Errorf("led to %s", to)
		}
	}
}

// lines is what several goroutines write.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestAcceptFails: that no connection can be accepted is said once, then ever less often,
// and when it is over; then requests are answered again.
func TestAcceptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		l := &wire{remotetest.Listen(80)}
		l.Exhausted.Store(true)
		server := httpapi.New(httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		served := make(chan error)
		go func() { served <- server.Serve(l) }()
		time.Sleep(5 * time.Minute)
		if n := strings.Count(log.String(), "\n"); n != 3 || strings.Count(log.String(), "times=") != 2 {
			t.Errorf("said %d times: %s", n, &log)
		}
		l.Exhausted.Store(false)
		conn := l.dial(1)
		if status := conn.ask("/healthz"); status != 200 || !strings.Contains(log.String(), "HTTP connections are accepted again") {
			t.Errorf("answered %d: %s", status, &log)
		}
		conn.Close()
		_ = server.Shutdown(t.Context(), t.Context())
		<-served
	})
}
