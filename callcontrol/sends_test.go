package callcontrol_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"ccxmld/sessionstore"
	"ccxmld/sitetest"
)

// receiver waits for a greeting, and sender sends one to the session that its
// token start names.
const (
	receiver = `
<transition event="hello"><log expr="[event$.name, event$.text, event$.sub.field, event$.eventsourcetype, event$.eventsource].join('|')"/><exit/></transition>`
	sender = `
<ccxml version="1.0"><var name="text" expr="'a &amp; b, 1 = 1'"/><var name="sub"/><var name="id"/><eventprocessor>
<transition event="ccxml.loaded"><script>sub = {field: 'nested'}</script>
  <send target="session.values.target" targettype="'ccxml'" name="'hello'" namelist="text sub.field" sendid="id"/></transition>
<transition event="send.successful"><log expr="'sent ' + (event$.sendid == id)"/><exit/></transition>
<transition event="error.send.*"><log expr="event$.name + ' ' + (event$.sendid == id) + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`
)

// messengers lets the token "s3cret" start the sender, and "other" the receiver.
func messengers(p *sitetest.Options) {
	p.Environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%[1]s/sender.ccxml'}, other: {uri: 'file://%[1]s/receiver.ccxml'}}", p.Dir)
}

func startReceiver(s *sitetest.Site) (session string) {
	s.Helper()
	_, body := s.Get("/CCXML10.start?tokenid=other")
	_, session, _ = strings.Cut(strings.TrimSpace(body), "\r\n")
	return session
}

func TestSendToSession(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, messengers)
	s.Document("sender.ccxml", sender)
	s.Transitions("receiver.ccxml", receiver)
	to := startReceiver(s)
	from := s.StartToken("target=" + to)
	s.WaitLog("hello|a & b, 1 = 1|nested|ccxml|" + from)
	s.WaitLog("sent true")
	s.WaitIdle()

	s.Trace.Reset()
	s.StartToken("target=" + to) // which has ended
	s.WaitLog("error.send.targetunavailable true ")
	s.WaitIdle()
}

// A session of another controller gets its mail through Redis.
func TestSendToAnotherController(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t, messengers)
	one.Document("sender.ccxml", sender)
	one.Transitions("receiver.ccxml", receiver)
	other := one.AddDaemon()
	to := startReceiver(other) // which redis may not know of yet
	from := one.StartToken("target=" + to)
	one.WaitLog("sent true")
	other.WaitLog("hello|a & b, 1 = 1|nested|ccxml|" + from)
	one.WaitIdle()
	other.WaitIdle()
}

// The answer of an HTTP server makes an event, if it names one.
func TestSendHTTP(t *testing.T) {
	t.Parallel()
	answers := map[string]func(w http.ResponseWriter){
		"empty": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
		"event": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprint(w, "area.found\r\ncity=Orlando, FL\r\nempty=\r\nodd line\r\nexpr=a=b\r\n")
		},
		"page": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html><body>area.found</body></html>")
		},
		"php": func(w http.ResponseWriter) { // which says text/html unless told otherwise
			w.Header().Set("Content-Type", "text/html; charset=UTF-8")
			fmt.Fprint(w, "area.found\ncity=Orlando")
		},
		"prose": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, "Thank you for your request.")
		},
		"kill": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, "ccxml.kill.unconditional\n")
		},
		"broken": func(w http.ResponseWriter) { http.Error(w, "out of order", http.StatusInternalServerError) },
		"gone":   func(w http.ResponseWriter) { http.Error(w, "never heard of", http.StatusNotFound) },
	}
	s := sitetest.New(t, sitetest.WithToken("http.ccxml"), sitetest.AllowDocuments("http://web", "http://nobody"))
	requests := sitetest.NewQueue[*http.Request](s.Clock)
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		requests.Put(r)
		answers[strings.TrimPrefix(r.URL.Path, "/")](w)
	})
	s.Document("http.ccxml", `
<ccxml version="1.0"><var name="areacode" expr="'407 &amp; more'"/><eventprocessor>
<transition event="ccxml.loaded"><send target="session.values.target" targettype="'basichttp'" name="'area.lookup'" namelist="areacode" hints="{method: session.values.method}"/></transition>
<transition event="send.successful"><log expr="'sent'"/><send target="session.id" targettype="'ccxml'" name="'over'" delay="'30ms'"/></transition>
<transition event="area.*"><log expr="[event$.name, event$.city, event$.empty, String(event$.expr), event$.eventsourcetype].join('|')"/></transition>
<transition event="over"><log expr="'over'"/><exit/></transition>
<transition event="error.send.*"><log expr="event$.name + ': ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	for _, c := range []struct{ path, method, want string }{
		{"empty", "get", "over"},
		{"empty", "post", "over"},
		{"event", "get", "area.found|Orlando, FL||a=b|basichttp"},
		{"php", "get", "area.found|Orlando||undefined|basichttp"},
		{"page", "get", "over"},
		{"prose", "get", "over"},
		{"kill", "get", "over"},
		{"broken", "get", "error.send.failed: "},
		{"gone", "get", "error.send.failed: "},
	} {
		t.Run(c.path+" "+c.method, func(t *testing.T) {
			s := s.In(t)
			s.Trace.Reset()
			session := s.StartToken("method=" + c.method + "&target=" + url.QueryEscape("http://web/"+c.path))
			request, err := requests.Next(s.Context())
			s.Must(err)
			if !strings.EqualFold(request.Method, c.method) || request.Form.Get("areacode") != "407 & more" ||
				request.Form.Get("name") != "area.lookup" || request.Form.Get("sessionid") != session {
				t.Errorf("%s %s: %v", request.Method, request.URL, request.Form)
			}
			s.WaitLog(c.want)
			s.WaitIdle()
			if failed := strings.HasPrefix(c.want, "error."); failed == s.Trace.Has("log sent") {
				t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) { // HTP-8
		s := s.In(t)
		s.Trace.Reset()
		s.StartToken("target=" + url.QueryEscape("http://nobody/"))
		s.WaitLog("error.send.failed: ")
		s.Must(s.Trace.WaitText(s.Context(), "connection refused"))
		s.WaitIdle()
	})
	t.Run("not allowed", func(t *testing.T) {
		s := s.In(t)
		s.Trace.Reset()
		s.StartToken("target=" + url.QueryEscape("http://169.254.169.254/latest"))
		s.WaitLog("error.send.")
		s.WaitIdle()
	})
}

// Inline content goes to an HTTP server as it stands.
func TestSendInlineContent(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("inline.ccxml"), sitetest.AllowDocuments("http://web"))
	var posted string
	s.Handle("web", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted = r.Method + " " + r.RequestURI + " " + r.Header.Get("Content-Type") + " " + string(body)
	})
	s.Transitions("inline.ccxml", `
<transition event="ccxml.loaded"><send target="'http://web/orders?a=1'" targettype="'basichttp'"><order xmlns="urn:shop"><line n="1">A &amp; B</line></order></send></transition>
<transition event="send.successful"><exit/></transition>`)
	s.StartToken("")
	s.WaitIdle()
	if got, want := posted, `POST /orders?a=1 application/xml; charset=utf-8 <order xmlns="urn:shop"><line n="1">A &amp; B</line></order>`; got != want {
		t.Errorf("the server got %s, want %s", got, want)
	}
}

// TestHTP6ToAnotherSession: documents reach each other by basichttp as well, here
// through the proxy that http.url names; the receiver's id is in the target (HTP-1,
// HTP-6).
func TestHTP6ToAnotherSession(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("HTTP_URL", "http://proxy"), func(o *sitetest.Options) {
		o.Environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%[1]s/sender.ccxml'}, other: {uri: 'file://%[1]s/listener.ccxml'}}", o.Dir)
		o.Environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("['file://%s/', '%s/ccxml/']", o.Dir, "http://proxy")
	})
	s.Handle("proxy", (&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: s.Daemon.HTTPAddress()})
	}, Transport: s.HTTPClient().Transport}).ServeHTTP)
	s.Transitions("listener.ccxml", `
<transition event="go"><log expr="[event$.name, event$.eventsource, event$.eventsourcetype, event$.a].join('|')"/></transition>
<transition event="over"><exit/></transition>`)
	s.Document("sender.ccxml", `
<ccxml version="1.0"><var name="a" expr="'b'"/><eventprocessor>
<transition event="ccxml.loaded"><send target="session.ioprocessors['basichttp'] + '?sessionid=' + session.values.target"
  targettype="'basichttp'" name="session.values.event" namelist="a"/></transition>
<transition event="send.successful"><log expr="'sent'"/><exit/></transition>
<transition event="error.send.failed"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	to := startReceiver(s)
	s.StartToken("event=go&target=" + to)
	s.WaitLog("go||basichttp|b")
	s.WaitLog("sent")
	s.StartToken("event=go&target=nobody")
	s.Must(s.Trace.WaitText(s.Context(), "HTTP 404 Not Found"))
	s.StartToken("event=over&target=" + to)
	s.WaitIdle()
}

// TestSND11GoneController: a session whose controller has died takes nothing, and
// the sender is told (SND-11, HTP-3).
func TestSND11GoneController(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("sender.ccxml"))
	s.Document("sender.ccxml", sender)
	s.Daemon.Store.SaveSession(sessionstore.Session{ID: "orphan", Controller: "dead"})
	s.WaitUntil("redis knows of the session", func() bool {
		_, known, err := s.Daemon.Store.Owner(s.Context(), "orphan")
		return err == nil && known
	})
	s.StartToken("target=orphan")
	s.WaitLog("error.send.targetunavailable true ")
	s.Must(s.Trace.WaitText(s.Context(), "the controller of session orphan is gone"))
	if status, body := s.Get("/ccxml/basichttp?sessionid=orphan&name=go"); status != 503 {
		t.Errorf("%d %s", status, body)
	}
	s.WaitIdle()
}
