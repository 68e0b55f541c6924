package callcontrol_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// TestFET2Application: an application whose pages a PHP or JSP server makes: it
// fetches text, a script and the next page, goes there, and is told of what is
// missing (FET-2 to FET-19).
func TestFET2Application(t *testing.T) {
	t.Parallel()
	const page = "text/html; charset=ISO-8859-1" // as such servers say unless told otherwise
	answers := map[string]func(w http.ResponseWriter, r *http.Request){
		"/app/start.php": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", page)
			_, _ = io.WriteString(w, `
<ccxml version="1.0"><var name="text"/><var name="lib"/><var name="next"/><var name="gone"/><var name="number" expr="'0800 &amp; 1'"/>
<eventprocessor>
<transition event="ccxml.loaded"><log expr="'from ' + session.uri.replace(/^.*\//, '')"/>
  <fetch next="'data.txt?x=1'" mode="'text'" namelist="number session.values.line" fetchid="text"/></transition>
<transition event="fetch.done" cond="event$.fetchid == text"><log expr="[event$.content, event$.contenttype, event$.statuscode].join('|')"/>
  <fetch next="'lib.js'" type="'text/ecmascript'" fetchid="lib"/></transition>
<transition event="fetch.done" cond="event$.fetchid == lib"><script fetchid="lib"/><log expr="greeting"/>
  <fetch next="'gone.php'" method="'post'" namelist="number" fetchid="gone"/></transition>
<transition event="error.fetch" cond="event$.fetchid == gone"><log expr="[event$.statuscode, event$.content, event$.contenttype].join('|')"/>
  <fetch next="'next.php'" fetchid="next"/></transition>
<transition event="fetch.done" cond="event$.fetchid == next"><goto fetchid="next"/><log expr="'never'"/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
</eventprocessor></ccxml>`)
		},
		"/app/data.txt": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=iso-8859-1")
			fmt.Fprintf(w, "\xfcber %s", r.URL.RawQuery)
		},
		"/app/lib.js": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "var greeting = 'gr\u00fc\u00dfe'")
		},
		"/app/gone.php": func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			http.Error(w, "not here: "+r.PostForm.Get("number"), http.StatusNotFound)
		},
		"/app/sub/notify.php": func(w http.ResponseWriter, r *http.Request) { // SND-7, GEN-7: relative to the new page
			w.Header().Set("Content-Type", page)
			fmt.Fprintf(w, "user.told\nby=%s %s", r.FormValue("name"), r.FormValue("x"))
		},
		"/app/next.php": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", page)
			_, _ = io.WriteString(w, `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><log expr="'to ' + session.uri.replace(/^.*\//, '')"/><send target="'sub/notify.php?x=1'" targettype="'basichttp'" name="'user.over'"/></transition><transition event="user.told"><log expr="event$.by"/><exit/></transition></eventprocessor></ccxml>`)
		},
	}
	s := sitetest.New(t, func(o *sitetest.Options) {
		o.Environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("['%s/app/']", "http://web")
		o.Environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: '%s/app/start.php'}}", "http://web")
	})
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path](w, r) })
	s.StartToken("line=7")
	s.WaitIdle()
	want := []string{
		"log from start.php?line=7",
		"log über x=1&number=0800+%26+1&session.values.line=7|text/plain|200",
		"log grüße",
		"log 404|not here: 0800 & 1\n|text/plain",
		"log to next.php",
		"log user.over 1",
	}
	var got []string
	for _, line := range s.Trace.Lines() {
		if strings.HasPrefix(line, "log ") {
			got = append(got, line)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the session logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !s.DaemonLog.Has("it is read as CCXML, whose type is application/ccxml+xml") {
		t.Error("the log says nothing of the pages' type")
	}
}
