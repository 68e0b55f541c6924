package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ccxmld/fetch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers with handler and is allowed as a whole.
func server(t testing.TB, handler http.HandlerFunc, o fetch.Options) (*fetch.Client, string) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	o.Allow = append(o.Allow, s.URL)
	return client(t, o), s.URL
}

func client(t testing.TB, o fetch.Options) *fetch.Client {
	t.Helper()
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func fails(t *testing.T, c *fetch.Client, r fetch.Request, reason string) *fetch.Error {
	t.Helper()
	got, err := c.Fetch(t.Context(), r)
	var e *fetch.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: %v, error %v; want an error: %s", r.URI, got, err, reason)
	}
	if e.Reason != reason {
		t.Errorf("%s: %q, want %q", r.URI, e.Reason, reason)
	}
	return e
}

// echo shows the request.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), body)
}

func TestSubmit(t *testing.T) {
	c, base := server(t, echo, fetch.Options{})
	form := []fetch.Pair{{Name: "z", Value: "1 & 2"}, {Name: "a", Value: "ä"}, {Name: "z"}}
	for _, test := range []struct {
		request fetch.Request
		want    string
	}{
		{fetch.Request{URI: base + "/x"}, "GET /x  "},
		{fetch.Request{URI: base + "/x", Form: form}, "GET /x?z=1+%26+2&a=%C3%A4&z=  "},
		{fetch.Request{URI: base + "/x?q=1#part", Method: "get", Form: form}, "GET /x?q=1&z=1+%26+2&a=%C3%A4&z=  "},
		{fetch.Request{URI: base + "/a b?text=This is, raw. text"}, "GET /a%20b?text=This%20is,%20raw.%20text  "},
		{fetch.Request{URI: base + "/x", Method: "post", Body: []byte("<x/>"), ContentType: "application/xml"}, "POST /x application/xml <x/>"},
		{fetch.Request{URI: base + "/x?q=1", Method: "post", Form: form}, "POST /x?q=1 application/x-www-form-urlencoded z=1+%26+2&a=%C3%A4&z="},
	} {
		r, err := c.Fetch(t.Context(), test.request)
		if err != nil || r.Text() != test.want {
			t.Errorf("%+v: %v, %v", test.request, r, err)
		}
	}
	fails(t, c, fetch.Request{URI: base, Method: "PUT"}, `the method "PUT" is not GET or POST`)
	fails(t, c, fetch.Request{URI: base, Method: "POST", Enctype: "x/y"},
		`the enctype "x/y" is neither application/x-www-form-urlencoded nor multipart/form-data`)
}

func TestMultipart(t *testing.T) {
	var parts []string
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		reader := multipart.NewReader(r.Body, parameters["boundary"])
		for {
			p, err := reader.NextPart()
			if err != nil {
				return
			}
			value, _ := io.ReadAll(p)
			parts = append(parts, strings.Join([]string{p.FormName(), p.FileName(), p.Header.Get("Content-Type"), string(value)}, "|"))
		}
	}, fetch.Options{})
	_, err := c.Fetch(t.Context(), fetch.Request{URI: base, Method: "POST", Enctype: fetch.Multipart, Form: []fetch.Pair{{Name: "b", Value: "1"}, {Name: "a", Value: "2\n"}, {Name: "c", Value: "RIFF", File: "c.wav", ContentType: "audio/wav"}}})
	if got := strings.Join(parts, ","); err != nil || got != "b|||1,a|||2\n,c|c.wav|audio/wav|RIFF" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFailures(t *testing.T) {
	release := make(chan struct{})
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(404)
			io.WriteString(w, "gone")
		case "/big":
			w.Write(bytes.Repeat([]byte("x"), 2049))
		case "/slow":
			<-release
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/out":
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		}
	}, fetch.Options{MaxBytes: 2048, Allow: []string{"http://169.254.169.254/", "file:///etc"}})
	t.Cleanup(func() { close(release) })
	e := fails(t, c, fetch.Request{URI: base + "/missing"}, "HTTP 404 Not Found")
	if e.Status != 404 || e.ContentType != "text/html" || string(e.Body) != "gone" {
		t.Errorf("%+v", e)
	}
	fails(t, c, fetch.Request{URI: base + "/big"}, "larger than 2 KiB")
	fails(t, c, fetch.Request{URI: base + "/slow", Timeout: 20 * time.Millisecond}, "timed out after 20ms")
	fails(t, c, fetch.Request{URI: base + "/loop"}, "redirected more than 5 times")
	if e := fails(t, c, fetch.Request{URI: base + "/out"}, "not allowed by documents.allow"); e.URI != "http://elsewhere.example/" || !errors.Is(e, fetch.ErrNotAllowed) {
		t.Errorf("%+v", e)
	}
	fails(t, c, fetch.Request{URI: base + "/file"}, "a redirect to a file is not allowed")
	if e := fails(t, c, fetch.Request{URI: base + "/metadata"}, "the address 169.254.169.254 is never allowed"); !errors.Is(e, fetch.ErrNotAllowed) {
		t.Errorf("%v", e)
	}
	fails(t, c, fetch.Request{URI: "http://elsewhere.example/"}, "not allowed by documents.allow")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Fetch(ctx, fetch.Request{URI: base + "/slow"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestAHostThatIsNotNamedMustBePublic(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(s.Close)
	c := client(t, fetch.Options{Allow: []string{"http://"}})
	fails(t, c, fetch.Request{URI: s.URL}, "the private address 127.0.0.1 is allowed only for a host that documents.allow names")
}

func TestRedirects(t *testing.T) {
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/303":
			http.Redirect(w, r, "a/there", http.StatusSeeOther)
		case "/307":
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
		default:
			echo(w, r)
		}
	}, fetch.Options{})
	for path, want := range map[string]string{"/303": "GET /a/there  ", "/307": "POST /there application/x-www-form-urlencoded a=1"} {
		r, err := c.Fetch(t.Context(), fetch.Request{URI: base + path, Method: "POST", Form: []fetch.Pair{{Name: "a", Value: "1"}}})
		if err != nil || r.Text() != want {
			t.Errorf("%s: %v, %v", path, r, err)
		} else if !strings.HasSuffix(r.URI, "/there") {
			t.Errorf("%s came from %s", path, r.URI)
		}
	}
}

// TestRedirectsOut of what is allowed, at the first step or a later one, are not gone along
// with, and nobody is asked.
func TestRedirectsOut(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/in/go":
			http.Redirect(w, r, "/out", http.StatusFound)
		case "/in/go-on":
			http.Redirect(w, r, "/in/go", http.StatusFound)
		case "/in/up":
			http.Redirect(w, r, "/in/%2e%2e/out", http.StatusFound)
		default:
			asked.Add(1)
		}
	}))
	t.Cleanup(s.Close)
	c := client(t, fetch.Options{Allow: []string{s.URL + "/in/"}})
	for _, path := range []string{"/in/go", "/in/go-on", "/in/up"} {
		if _, err := c.Fetch(t.Context(), fetch.Request{URI: s.URL + path}); !errors.Is(err, fetch.ErrNotAllowed) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("what is not allowed was asked for %d times", n)
	}
}

// TestCache moves an injected clock over a server that counts its requests.
func TestCache(t *testing.T) {
	age := func(d time.Duration) *time.Duration { return &d }
	for name, test := range map[string]struct {
		header  string
		later   time.Duration
		request fetch.Request
		want    string // what the second answer says, and whether it is from the cache
	}{
		"fresh":                    {"Cache-Control: max-age=60", 59 * time.Second, fetch.Request{}, "1 true"},
		"expired":                  {"Cache-Control: max-age=60", 60 * time.Second, fetch.Request{}, "2 false"},
		"nothing said":             {"", 0, fetch.Request{}, "2 false"},
		"no-store":                 {"Cache-Control: max-age=60, no-store", 0, fetch.Request{}, "2 false"},
		"no-cache":                 {"Cache-Control: no-cache, max-age=60", 0, fetch.Request{}, "2 false"},
		"old when it came":         {"Cache-Control: max-age=60|Age: 50", 11 * time.Second, fetch.Request{}, "2 false"},
		"Expires":                  {"Expires: Thu, 01 Jan 2026 00:01:00 GMT|Date: Thu, 01 Jan 2026 00:00:00 GMT", 59 * time.Second, fetch.Request{}, "1 true"},
		"Expires 0":                {"Expires: 0", 0, fetch.Request{}, "2 false"},
		"confirmed":                {"ETag: \"v\"", time.Hour, fetch.Request{}, "1 true"},
		"confirmed by time":        {"Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT", time.Hour, fetch.Request{}, "1 true"},
		"maxage 0":                 {"Cache-Control: max-age=60", time.Second, fetch.Request{MaxAge: age(0)}, "2 false"},
		"young enough":             {"Cache-Control: max-age=60", time.Second, fetch.Request{MaxAge: age(time.Minute)}, "1 true"},
		"stale when it came":       {"Cache-Control: max-age=0", time.Second, fetch.Request{MaxStale: age(5 * time.Second)}, "1 true"},
		"stale enough":             {"Cache-Control: max-age=1", 5 * time.Second, fetch.Request{MaxStale: age(5 * time.Second)}, "1 true"},
		"too stale":                {"Cache-Control: max-age=1", 7 * time.Second, fetch.Request{MaxStale: age(5 * time.Second)}, "2 false"},
		"never stale":              {"Cache-Control: max-age=1, must-revalidate", 2 * time.Second, fetch.Request{MaxStale: age(time.Hour)}, "2 false"},
		"another Accept":           {"Cache-Control: max-age=60|Vary: Accept", 0, fetch.Request{Accept: "text/x"}, "2 false"},
		"varies by cookie":         {"Cache-Control: max-age=60|Vary: Cookie", 0, fetch.Request{}, "2 false"},
		"POST":                     {"Cache-Control: max-age=60", 0, fetch.Request{Method: "POST"}, "2 false"},
		"with a form":              {"Cache-Control: max-age=60", 0, fetch.Request{Form: []fetch.Pair{{Name: "a", Value: "b"}}}, "2 false"},
		"with a header of its own": {"Cache-Control: max-age=60", 0, fetch.Request{Header: http.Header{"X": {"y"}}}, "2 false"},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			count := 0
			c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
					w.WriteHeader(304)
					return
				}
				for line := range strings.SplitSeq(test.header, "|") {
					if name, value, ok := strings.Cut(line, ": "); ok {
						w.Header().Set(name, value)
					}
				}
				count++
				fmt.Fprint(w, count)
			}, fetch.Options{Clock: told{&now}})
			first, err := c.Fetch(t.Context(), fetch.Request{URI: base})
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(test.later)
			test.request.URI = base
			second, err := c.Fetch(t.Context(), test.request)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(second.Text(), " ", second.FromCache); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if (first.Version == second.Version) != (first.Text() == second.Text()) {
				t.Error("the version does not go with the content")
			}
		})
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	count := 0
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		count++
		w.Header().Set("Cache-Control", "max-age=60")
		w.Write(make([]byte, 1000))
	}, fetch.Options{CacheBytes: 4000})
	get := func(path string) {
		t.Helper()
		if _, err := c.Fetch(t.Context(), fetch.Request{URI: base + path}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/1", "/2", "/1", "/3", "/1", "/2"} {
		get(path)
	}
	if count != 4 {
		t.Errorf("%d transfers, want 4: the least recently used one goes first", count)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "my flow.ccxml")
	write := func(text string, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	write("one", old)
	c := client(t, fetch.Options{Allow: []string{"file://" + dir}, MaxBytes: 10})
	get := func() *fetch.Response {
		t.Helper()
		r, err := c.Fetch(t.Context(), fetch.Request{URI: "file://" + dir + "/my flow.ccxml?q=1"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first, again := get(), get()
	if first.Text() != "one" || first.ContentType != "application/ccxml+xml" || first.FromCache {
		t.Errorf("%+v", first)
	}
	if !again.FromCache || again.Version != first.Version {
		t.Errorf("%+v", again)
	}
	write("two", old.Add(time.Second))
	if r := get(); r.Text() != "two" || r.Version == first.Version {
		t.Errorf("%+v", r)
	}
	write("eleven bytes", old)
	fails(t, c, fetch.Request{URI: "file://" + dir + "/my flow.ccxml"}, "larger than 10 bytes")
	fails(t, c, fetch.Request{URI: "file://" + dir + "/none"}, "there is no such file")
	fails(t, c, fetch.Request{URI: "file://" + dir}, "not a file")
	fails(t, c, fetch.Request{URI: "file://" + dir + "/x", Method: "POST"}, "nothing can be posted to a file")
	fails(t, c, fetch.Request{URI: "file:///etc/passwd"}, "not allowed by documents.allow")
}

func TestText(t *testing.T) {
	for _, test := range []struct{ contentType, body, want string }{
		{"text/plain", "gr\xc3\xbc\xc3\x9fe", "grüße"},
		{"text/plain; charset=iso-8859-1", "gr\xfc\xdfe", "grüße"},
		{"text/xml", "<?xml version='1.0' encoding='ISO-8859-15'?><a>\xa4</a>", "<?xml version='1.0' encoding='ISO-8859-15'?><a>€</a>"},
		{"text/plain", "\xef\xbb\xbfx", "x"},
		{"text/plain; charset=iso-8859-1", "\xef\xbb\xbf\xc3\xbc", "ü"},
		{"text/plain", "\xff\xfea\x00\xfc\x00", "aü"},
		{"text/plain", "\xfe\xff\x00a\x00\xfc", "aü"},
		{"text/plain; charset=martian", "x\xff", "x\uFFFD"},
		{"text/plain; charset='iso-8859-1'", "gr\xfc\xdfe", "grüße"},
		{"text/plain; charset=iso-8859-1; charset=utf-8", "gr\xfc\xdfe", "grüße"},
		{"text/plain; charset=iso-8859-1; level", "gr\xfc\xdfe", "grüße"},
		{"text/plain; =x; CHARSET=\"ISO-8859-1\"", "gr\xfc\xdfe", "grüße"},
		{"text/plain; charset=windows-1252", "\x80 \x93x\x94", "€ “x”"},
		{"text/plain; charset=utf-16le", "a\x00\xe4\x00", "aä"},
		{"text/plain; charset=utf-16be", "\x20\xac\x00a", "€a"},
		{"text/plain; charset=UTF-16", "\x00a\x00\xe4", "aä"},
		{"text/plain; charset=utf-16", "in bytes", "in bytes"},
		{"", "\x00<\x00a\x00/\x00>", "<a/>"},
		{"", "<\x00a\x00/\x00>\x00", "<a/>"},
	} {
		c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			io.WriteString(w, test.body)
		}, fetch.Options{})
		if r, err := c.Fetch(t.Context(), fetch.Request{URI: base}); err != nil || r.Text() != test.want {
			t.Errorf("%q: %q, %v", test.body, r.Text(), err)
		}
	}
}

// TestVAR11TextIn: the encoding that a document names counts if neither a byte
// order mark nor the server says (VAR-11, VAR-14).
func TestVAR11TextIn(t *testing.T) {
	for _, test := range []struct{ contentType, body, encoding, want string }{
		{"text/ecmascript", "'gr\xfc\xdfe'", "ISO-8859-1", "'grüße'"},
		{"text/ecmascript; charset=utf-8", "'gr\xc3\xbc'", "ISO-8859-1", "'grü'"},
		{"text/ecmascript", "\xef\xbb\xbf'gr\xc3\xbc'", "ISO-8859-1", "'grü'"},
		{"text/ecmascript", "\xff\xfe'\x00\xfc\x00'\x00", "", "'ü'"},
		{"text/ecmascript", "x", "martian", "the character encoding martian is unknown"},
	} {
		c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			io.WriteString(w, test.body)
		}, fetch.Options{})
		r, err := c.Fetch(t.Context(), fetch.Request{URI: base})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.TextIn(test.encoding)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q in %s: %q", test.body, test.encoding, got)
		}
	}
}

// TestFET12ErrorText: what a server says with its error can be read.
func TestFET12ErrorText(t *testing.T) {
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=iso-8859-1")
		w.WriteHeader(503)
		io.WriteString(w, "\xfcberlastet")
	}, fetch.Options{})
	if e := fails(t, c, fetch.Request{URI: base}, "HTTP 503 Service Unavailable"); e.Text() != "überlastet" {
		t.Errorf("%q", e.Text())
	}
	if e := fails(t, c, fetch.Request{URI: "http://elsewhere.example/"}, "not allowed by documents.allow"); e.Text() != "" {
		t.Errorf("%q", e.Text())
	}
}

// TestGEN12Caches: what a 304 says replaces what was said before and leaves the
// rest (RFC 9111, section 4.3.4); a POST makes what is stored for its URI invalid
// (4.4); caches on the way are told what ours goes by (5.2.1).
func TestGEN12Caches(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var transfers, confirmed int
	var control, renewed string
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		control = strings.Join(r.Header.Values("Cache-Control"), ", ")
		if r.Header.Get("If-None-Match") == `"v"` {
			confirmed++
			if renewed != "" {
				w.Header().Set("Cache-Control", renewed)
			}
			w.WriteHeader(304)
			return
		}
		transfers++
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("ETag", `"v"`)
	}, fetch.Options{Clock: told{&now}})
	get := func(r fetch.Request, wantTransfers, wantConfirmed int) {
		t.Helper()
		r.URI = base
		if _, err := c.Fetch(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if transfers != wantTransfers || confirmed != wantConfirmed {
			t.Errorf("%d transfers, %d confirmed, want %d and %d", transfers, confirmed, wantTransfers, wantConfirmed)
		}
	}
	get(fetch.Request{}, 1, 0)
	now = now.Add(time.Minute)
	get(fetch.Request{}, 1, 1) // fresh for another minute, though the 304 does not say so
	now = now.Add(59 * time.Second)
	get(fetch.Request{}, 1, 1)
	now, renewed = now.Add(time.Second), "max-age=5"
	get(fetch.Request{}, 1, 2)
	now = now.Add(5 * time.Second)
	get(fetch.Request{}, 1, 3)
	maxAge, maxStale := time.Duration(0), 1500*time.Millisecond
	now = now.Add(time.Second)
	get(fetch.Request{MaxAge: &maxAge}, 1, 4)
	if control != "max-age=0" {
		t.Errorf("Cache-Control: %s", control)
	}
	get(fetch.Request{Method: "POST"}, 2, 4)
	get(fetch.Request{MaxStale: &maxStale}, 3, 4)
	if control != "max-stale=1" {
		t.Errorf("Cache-Control: %s", control)
	}
}

// told is the clock on the wall, except that a test tells what time it is.
type told struct{ now *time.Time }

func (c told) Now() time.Time { return *c.now }

func (c told) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
