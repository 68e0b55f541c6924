package documents

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ccxmld/clock/clocktest"
	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// folder is a directory of documents, and what compiles them.
type folder struct {
	testing.TB
	dir       string
	documents *Loader
}

func newFolder(t testing.TB) *folder {
	t.Helper()
	f := &folder{TB: t, dir: t.TempDir()}
	client, err := fetch.New(fetch.Options{Allow: []string{"file://" + f.dir + "/"}})
	if err != nil {
		t.Fatal(err)
	}
	f.documents = New(client, client, interpreter.NewCompiler(), clocktest.Real(), slog.New(slog.DiscardHandler))
	return f
}

func (f *folder) write(name, text string) {
	f.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
}

func (f *folder) get(name string) (*interpreter.Document, error) {
	return f.documents.ForCall(context.Background(), fetch.Request{URI: "file://" + f.dir + "/" + name})
}

func (f *folder) mustGet(name string) *interpreter.Document {
	f.Helper()
	document, err := f.get(name)
	if err != nil {
		f.Fatal(err)
	}
	return document
}

func logDocument(text string) string {
	return `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><log expr="'` + text + `'"/></transition></eventprocessor></ccxml>`
}

// A document is compiled once per version, and again when it has changed.
func TestDocumentsAreCompiledOncePerVersion(t *testing.T) {
	f := newFolder(t)
	f.write("a.ccxml", logDocument("one"))
	first := f.mustGet("a.ccxml")
	if again := f.mustGet("a.ccxml"); again != first {
		t.Error("the same version was compiled twice")
	}
	f.write("a.ccxml", logDocument("two"))
	second := f.mustGet("a.ccxml")
	if second == first {
		t.Error("the new version is not used")
	}
	f.write("a.ccxml", "<ccxml")
	if _, err := f.get("a.ccxml"); err == nil {
		t.Error("a broken version is not reported")
	}
	f.write("a.ccxml", logDocument("two"))
	if again := f.mustGet("a.ccxml"); again != second {
		t.Error("the version before was forgotten over a broken one")
	}
}

// A script that a document names by src is part of it.
func TestScriptsArePartOfTheDocument(t *testing.T) {
	f := newFolder(t)
	f.write("a.ccxml", `<ccxml version="1.0"><script src="lib.js"/><eventprocessor/></ccxml>`)
	f.write("lib.js", "var answer = 42")
	first := f.mustGet("a.ccxml")
	if again := f.mustGet("a.ccxml"); again != first {
		t.Error("the same version was compiled twice")
	}
	f.write("lib.js", "var answer = 43")
	if again := f.mustGet("a.ccxml"); again == first {
		t.Error("the new version of the script is not used")
	}
	f.write("lib.js", "var var")
	if _, err := f.get("a.ccxml"); err == nil {
		t.Error("a broken script is not reported")
	}
}

// However many and large documents there are, only so many bytes of them are kept:
// those used last.
func TestDocumentsAreBounded(t *testing.T) {
	f := newFolder(t)
	f.documents.compiled = fetch.NewVersions[compiledDocument](clocktest.Real(), 1<<20)
	large := "<!--" + strings.Repeat("x", 10_000) + "-->"
	f.write("used.ccxml", logDocument("used")+large)
	used := f.mustGet("used.ccxml")
	for i := range 20 {
		name := fmt.Sprint(i, ".ccxml")
		f.write(name, logDocument(name)+large)
		f.mustGet(name)
		if f.mustGet("used.ccxml") != used {
			t.Fatalf("after %d others the document that is used all the time was compiled anew", i)
		}
	}
	if n := f.documents.compiled.Len(); n < 3 || n > 7 {
		t.Errorf("%d documents of 10 KB are kept in 1 MiB, at 16 bytes for each", n)
	}
}

// TestManyCallsAtOnceCompileOnce: calls that come at once wait for one compilation.
func TestManyCallsAtOnceCompileOnce(t *testing.T) {
	const many = 30
	var begun, done sync.WaitGroup
	begun.Add(many)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lib.js" { // asked for while the document is compiled
			begun.Wait()
		}
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Type", ccxmlType)
		fmt.Fprint(w, map[string]string{
			"/a.ccxml": `<ccxml version="1.0"><script src="lib.js"/><eventprocessor/></ccxml>`, "/lib.js": "var answer = 42",
		}[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	client, err := fetch.New(fetch.Options{Allow: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	d := New(client, client, interpreter.NewCompiler(), clocktest.Real(), slog.New(slog.DiscardHandler))
	got := make([]*interpreter.Document, many)
	for i := range many {
		done.Go(func() {
			begun.Done()
			var err error
			if got[i], err = d.ForCall(t.Context(), fetch.Request{URI: server.URL + "/a.ccxml"}); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	for _, document := range got {
		if document != got[0] {
			t.Fatal("it was compiled more than once")
		}
	}
}

// TestPagesShareTheirDocument: the document that runs a VoiceXML page is compiled once for
// all calls of the page, also those that come at once.
func TestPagesShareTheirDocument(t *testing.T) {
	f := newFolder(t)
	got := make([]*interpreter.Document, 30)
	var done sync.WaitGroup
	for i := range got {
		done.Go(func() {
			var err error
			if got[i], err = f.documents.ForCall(t.Context(), fetch.Request{URI: PageScheme + "file://" + f.dir + "/a.vxml"}); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	for _, document := range got {
		if document != got[0] {
			t.Fatal("it was compiled more than once")
		}
	}
}

// TestHTTPEquiv (DOC-6): what a document says of itself by <meta http-equiv> goes
// where the server says nothing.
func TestHTTPEquiv(t *testing.T) {
	for _, test := range []struct {
		name, meta, header string
		asked              int // of three times
	}{
		{"nothing is said", "", "", 3},
		{"max-age", `<meta http-equiv="cache-control" content="max-age=60"/>`, "", 1},
		{"expires", `<meta http-equiv="Expires" content="Fri, 01 Jan 2100 00:00:00 GMT"/>`, "", 1},
		{"the server knows better", `<meta http-equiv="Cache-Control" content="max-age=60"/>`, "no-cache", 3},
		{"no-store", `<meta http-equiv="Cache-Control" content="no-store"/>`, "", 3},
		{"something else", `<meta http-equiv="X-Colour" content="red"/>`, "", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				if test.header != "" {
					w.Header().Set("Cache-Control", test.header)
				}
				fmt.Fprintf(w, `<ccxml version="1.0">%s<eventprocessor/></ccxml>`, test.meta)
			}))
			defer server.Close()
			client, err := fetch.New(fetch.Options{Allow: []string{server.URL + "/"}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			d := New(client, client, interpreter.NewCompiler(), clocktest.Real(), slog.New(slog.DiscardHandler))
			for range 3 {
				if _, err := d.ForCall(t.Context(), fetch.Request{URI: server.URL + "/a.ccxml"}); err != nil {
					t.Fatal(err)
				}
			}
			if asked != test.asked {
				t.Errorf("the server was asked %d times, want %d", asked, test.asked)
			}
		})
	}
}

// TestLogOfManyMistakes: a document does not fill the log with what is wrong with it.
func TestLogOfManyMistakes(t *testing.T) {
	f := newFolder(t)
	var log strings.Builder
	f.documents.log = slog.New(slog.NewTextHandler(&log, nil))
	f.write("a.ccxml", `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded">`+strings.Repeat(`<log expr="1 +" lbl="1"/>`, 5000)+`</transition></eventprocessor></ccxml>`)
	f.mustGet("a.ccxml")
	if lines := strings.Count(log.String(), "\n"); lines != 201 || !strings.Contains(log.String(), "more=9800") {
		t.Errorf("%d lines, the end %q", lines, log.String()[max(log.Len()-300, 0):])
	}
}

// TestManyScripts: what a document names by src is bounded in count and size, since all of
// it is compiled, and looked at again whenever the document is asked for.
func TestManyScripts(t *testing.T) {
	f := newFolder(t)
	f.write("s.js", "var a = 1")
	f.write("long.js", "//"+strings.Repeat("x", 500<<10))
	for _, test := range []struct {
		src   string
		count int
		want  string
	}{{"s.js", 200, ""}, {"s.js", 201, "at most 200 scripts"}, {"long.js", 20, "8 MiB together"}} {
		f.write("a.ccxml", `<ccxml version="1.0">`+strings.Repeat(`<script src="`+test.src+`"/>`, test.count)+`<eventprocessor><transition/></eventprocessor></ccxml>`)
		_, err := f.get("a.ccxml")
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%d of %s: %v", test.count, test.src, err)
		}
	}
}
