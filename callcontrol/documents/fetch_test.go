package documents

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// web is an HTTP server of documents, and what fetches from it.
type web struct {
	*Loader
	url string
	log *bytes.Buffer
}

func newWeb(t testing.TB, handler http.HandlerFunc) *web {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := fetch.New(fetch.Options{Allow: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	log := &bytes.Buffer{}
	return &web{New(client, client, interpreter.NewCompiler(), clocktest.Real(), slog.New(slog.NewTextHandler(log, nil))), server.URL, log}
}

// get fetches as <fetch> does.
func (w *web) get(r interpreter.FetchRequest) interpreter.FetchResult {
	r.Base = w.url + "/app/start.ccxml"
	if r.Type == "" {
		r.Type = ccxmlType
	}
	return w.Fetch(context.Background(), r)
}

// What is processed as what: the server's type wins, but for types that servers
// give to whatever their pages and programs bring (FET-3, FET-9, FET-10).
func TestFET3FET9FET10Types(t *testing.T) {
	document := logDocument("hi")
	for _, c := range []struct {
		served, wanted, mode, body string
		want                       string // document, script, text or an error
		notice                     bool
	}{
		{ccxmlType, ccxmlType, "processed", document, "document", false},
		{"application/ccxml+xml; charset=utf-8", "text/ecmascript", "processed", document, "document", false},
		{"text/xml", ccxmlType, "processed", document, "document", true},
		{"application/xml", ccxmlType, "processed", document, "document", true},
		{"text/plain", ccxmlType, "processed", document, "document", true},
		{"text/html; charset=UTF-8", ccxmlType, "processed", document, "document", true},
		{"application/octet-stream", ccxmlType, "processed", document, "document", true},
		{"text/html", ccxmlType, "processed", "\r\n\r\n" + document, "document", true}, // as JSP makes it
		{"text/html", ccxmlType, "processed", "<html><body/></html>", "1:1: <html> is not the root of a CCXML document", false},
		{ccxmlType, ccxmlType, "processed", "<ccxml", "1:7: unexpected EOF", false},
		{"text/plain", "text/ecmascript", "processed", "var x = 1", "script", false},
		{"application/javascript", ccxmlType, "processed", "var x = 1", "script", false},
		{"text/javascript", "text/javascript", "processed", "var var", "1:5: SyntaxError", false},
		{"text/plain", "text/plain", "processed", "hello", "text hello", false},
		{"application/json", ccxmlType, "processed", "{}", "text {}", false},
		{"application/voicexml+xml", ccxmlType, "processed", "<vxml/>", "text <vxml/>", false},
		{"application/x-unknown", ccxmlType, "text", "hello", "text hello", false},
		{ccxmlType, ccxmlType, "text", document, "text " + document, false},
		{"text/plain; charset=iso-8859-1", ccxmlType, "text", "\xfc", "text ü", false},
	} {
		w := newWeb(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.served)
			_, _ = io.WriteString(w, c.body)
		})
		result := w.get(interpreter.FetchRequest{URI: "next", Type: c.wanted, Mode: c.mode})
		var got string
		switch {
		case result.Err != nil:
			got = strings.TrimPrefix(result.Err.Error(), w.url+"/app/next:")
			if result.Content != c.body { // FET-12
				t.Errorf("%s: the content of the failure is %q", c.served, result.Content)
			}
		case result.Document != nil:
			got = "document"
		case result.Script != nil:
			got = "script"
		default:
			got = "text " + result.Content
		}
		if !strings.HasPrefix(got, c.want) || result.Status != 200 || result.URI != w.url+"/app/next" {
			t.Errorf("%s as %s, %s: %s, want %s (%d %s)", c.served, c.wanted, c.mode, got, c.want, result.Status, result.URI)
		}
		if noticed := strings.Contains(w.log.String(), "it is read as CCXML"); noticed != c.notice {
			t.Errorf("%s: log %q", c.served, w.log)
		}
	}
}

// Documents and scripts in the character sets that occur (VAR-11, VAR-14).
func TestVAR14CharacterSets(t *testing.T) {
	utf16 := func(text string) string {
		var b strings.Builder
		for _, r := range text {
			b.WriteByte(byte(r))
			b.WriteByte(byte(r >> 8))
		}
		return b.String()
	}
	document := func(declared string) string {
		if declared != "" {
			declared = ` encoding="` + declared + `"`
		}
		return `<?xml version="1.0"` + declared + `?><ccxml version="1.0"><meta name="x" content="ü"/>` +
			`<script src="lib.js" charset="iso-8859-1"/><eventprocessor/></ccxml>`
	}
	latin := func(text string) string { return strings.ReplaceAll(text, "ü", "\xfc") }
	for _, c := range []struct{ served, body string }{
		{ccxmlType, document("")},
		{ccxmlType, document("UTF-8")},
		{ccxmlType, "\xef\xbb\xbf" + document("utf-8")},
		{ccxmlType, latin(document("ISO-8859-1"))},
		{ccxmlType, latin(document("windows-1252"))},
		{ccxmlType + "; charset=iso-8859-1", latin(document(""))},
		{ccxmlType + "; charset=iso-8859-1", latin(document("UTF-8"))}, // the server wins
		{ccxmlType, "\xff\xfe" + utf16(document("UTF-16"))},
		{ccxmlType, utf16(document("UTF-16"))},
		{ccxmlType + "; charset=utf-16le", utf16(document(""))},
	} {
		w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".js") {
				w.Header().Set("Content-Type", "text/javascript")
				_, _ = io.WriteString(w, "var gr\xfc\xdfe = '\xfc'") // an identifier, so that it would not compile otherwise
				return
			}
			w.Header().Set("Content-Type", c.served)
			_, _ = io.WriteString(w, c.body)
		})
		if result := w.get(interpreter.FetchRequest{URI: "doc"}); result.Err != nil || result.Document == nil {
			t.Errorf("%s %.60q: %v", c.served, c.body, result.Err)
		}
	}
}

// What a script's attributes ask for is asked for; what fails, fails the document
// (VAR-10, VAR-11).
func TestVAR11Scripts(t *testing.T) {
	control := make(chan string, 1)
	hang := make(chan struct{})
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/lib/bounded.js":
			control <- r.Header.Get("Cache-Control")
		case "/lib/slow.js":
			<-hang
		case "/lib/odd.js":
		case "/lib/gone.js":
			http.NotFound(w, r)
		default:
			_, _ = io.WriteString(w, `<ccxml version="1.0" xml:base="/lib/"><script `+r.URL.Query().Get("script")+`/><eventprocessor/></ccxml>`)
		}
	})
	t.Cleanup(func() { close(hang) })
	for script, want := range map[string]string{
		"src='bounded.js' maxage='5s'":        "",
		"src='slow.js' timeout='20ms'":        "timed out after 20ms",
		"src='gone.js'":                       "HTTP 404 Not Found",
		"src='odd.js' charset='abc'":          "the character encoding abc is unknown",
		"src='http://elsewhere.example/x.js'": "not allowed by documents.allow",
	} {
		result := w.get(interpreter.FetchRequest{URI: "doc?script=" + strings.ReplaceAll(script, " ", "+")})
		if (result.Err == nil) != (want == "") || want != "" && !strings.Contains(result.Err.Error(), want) {
			t.Errorf("%s: %v", script, result.Err)
		}
	}
	if got := <-control; got != "max-age=5" {
		t.Errorf("Cache-Control: %s", got)
	}
}

// What is submitted and how, and where relative URIs lead (FET-4, FET-5, GEN-7).
func TestFET4FET5GEN7Submit(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		_ = r.ParseMultipartForm(1 << 20)
		_, _ = io.WriteString(w, strings.Join([]string{r.Method, r.URL.RequestURI(), kind, r.Form.Encode()}, " "))
	})
	pairs := []interpreter.Pair{{Name: "a", Value: "ä &"}, {Name: "session.id", Value: "s1"}}
	for _, c := range []struct {
		request interpreter.FetchRequest
		want    string
	}{
		{interpreter.FetchRequest{URI: "x", Parameters: pairs}, "GET /app/x?a=%C3%A4+%26&session.id=s1  a=%C3%A4+%26&session.id=s1"},
		{interpreter.FetchRequest{URI: "../x?b=1", Method: "get", Parameters: pairs}, "GET /x?b=1&a=%C3%A4+%26&session.id=s1  a=%C3%A4+%26&b=1&session.id=s1"},
		{interpreter.FetchRequest{URI: "/x?b=1", Method: "post", Parameters: pairs}, "POST /x?b=1 application/x-www-form-urlencoded a=%C3%A4+%26&b=1&session.id=s1"},
		{interpreter.FetchRequest{URI: "x", Method: "post", Enctype: fetch.Multipart, Parameters: pairs}, "POST /app/x multipart/form-data a=%C3%A4+%26&session.id=s1"},
	} {
		c.request.Mode = "text"
		if result := w.get(c.request); result.Content != c.want || result.Err != nil {
			t.Errorf("%q, want %q (%v)", result.Content, c.want, result.Err)
		}
	}
}

// What an event of a failed fetch has (FET-7, FET-12).
func TestFET7FET12Failures(t *testing.T) {
	hang := make(chan struct{})
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/app/slow" {
			<-hang
		}
		w.Header().Set("Content-Type", "text/plain; charset=iso-8859-1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "\xfcberlastet")
	})
	t.Cleanup(func() { close(hang) })
	r := w.get(interpreter.FetchRequest{URI: "busy"})
	if r.Status != 503 || r.ContentType != "text/plain" || r.Content != "überlastet" || r.URI != w.url+"/app/busy" ||
		r.Err == nil || !strings.HasSuffix(r.Err.Error(), "HTTP 503 Service Unavailable") {
		t.Errorf("%+v", r)
	}
	r = w.get(interpreter.FetchRequest{URI: "slow", Timeout: 20 * time.Millisecond})
	if r.Status != 0 || r.Err == nil || !strings.HasSuffix(r.Err.Error(), "timed out after 20ms") {
		t.Errorf("%+v", r)
	}
	if r = w.get(interpreter.FetchRequest{URI: "ftp://h/x"}); r.Err == nil || !strings.Contains(r.Err.Error(), "ftp") {
		t.Errorf("%+v", r)
	}
}

// TestFetchedScriptsCompileOnce: a script that sessions fetch is compiled once, and anew
// when it has changed.
func TestFetchedScriptsCompileOnce(t *testing.T) {
	text := "var x = 1"
	w := newWeb(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, text)
	})
	get := func() *interpreter.Script {
		t.Helper()
		result := w.get(interpreter.FetchRequest{URI: "lib.js", Mode: "processed"})
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		return result.Script
	}
	first := get()
	if get() != first {
		t.Error("it is compiled for each session")
	}
	if text = "var x = 2"; get() == first {
		t.Error("it is not compiled anew")
	}
}
