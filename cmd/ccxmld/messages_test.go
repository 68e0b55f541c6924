package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
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
func messengers(p *plan) {
	p.environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%[1]s/sender.ccxml'}, other: {uri: 'file://%[1]s/receiver.ccxml'}}", p.dir)
}

func (h *house) startReceiver() (session string) {
	h.Helper()
	_, body := h.get("/CCXML10.start?tokenid=other")
	_, session, _ = strings.Cut(strings.TrimSpace(body), "\r\n")
	return session
}

func TestSendToSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t, messengers)
	h.document("sender.ccxml", sender)
	h.transitions("receiver.ccxml", receiver)
	to := h.startReceiver()
	from := h.startToken("target=" + to)
	h.logged("hello|a & b, 1 = 1|nested|ccxml|" + from)
	h.logged("sent true")
	h.idle()

	h.seen.forget()
	h.startToken("target=" + to) // which has ended
	h.logged("error.send.targetunavailable true ")
	h.idle()
}

// A session of another controller gets its mail through Redis.
func TestSendToAnotherController(t *testing.T) {
	t.Parallel()
	one := newHouse(t, messengers)
	one.document("sender.ccxml", sender)
	one.transitions("receiver.ccxml", receiver)
	other := one.another()
	to := other.startReceiver() // which redis may not know of yet
	from := one.startToken("target=" + to)
	one.logged("sent true")
	other.logged("hello|a & b, 1 = 1|nested|ccxml|" + from)
	one.idle()
	other.idle()
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
	h := newHouse(t, withToken("http.ccxml"), allowing("http://web", "http://nobody"))
	requests := newBox[*http.Request](h.clock)
	h.serve("web", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		requests.put(r)
		answers[strings.TrimPrefix(r.URL.Path, "/")](w)
	})
	h.document("http.ccxml", `
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
			h := h.in(t)
			h.seen.forget()
			session := h.startToken("method=" + c.method + "&target=" + url.QueryEscape("http://web/"+c.path))
			request, err := requests.next(h.ctx)
			h.must(err)
			if !strings.EqualFold(request.Method, c.method) || request.Form.Get("areacode") != "407 & more" ||
				request.Form.Get("name") != "area.lookup" || request.Form.Get("sessionid") != session {
				t.Errorf("%s %s: %v", request.Method, request.URL, request.Form)
			}
			h.logged(c.want)
			h.idle()
			if failed := strings.HasPrefix(c.want, "error."); failed == h.seen.has("log sent") {
				t.Errorf("seen: %s", strings.Join(h.seen.all(), "\n"))
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) { // HTP-8
		h := h.in(t)
		h.seen.forget()
		h.startToken("target=" + url.QueryEscape("http://nobody/"))
		h.logged("error.send.failed: ")
		h.must(h.seen.waitFor(h.ctx, "connection refused"))
		h.idle()
	})
	t.Run("not allowed", func(t *testing.T) {
		h := h.in(t)
		h.seen.forget()
		h.startToken("target=" + url.QueryEscape("http://169.254.169.254/latest"))
		h.logged("error.send.")
		h.idle()
	})
}

// Inline content goes to an HTTP server as it stands.
func TestSendInlineContent(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("inline.ccxml"), allowing("http://web"))
	var posted string
	h.serve("web", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted = r.Method + " " + r.RequestURI + " " + r.Header.Get("Content-Type") + " " + string(body)
	})
	h.transitions("inline.ccxml", `
<transition event="ccxml.loaded"><send target="'http://web/orders?a=1'" targettype="'basichttp'"><order xmlns="urn:shop"><line n="1">A &amp; B</line></order></send></transition>
<transition event="send.successful"><exit/></transition>`)
	h.startToken("")
	h.idle()
	if got, want := posted, `POST /orders?a=1 application/xml; charset=utf-8 <order xmlns="urn:shop"><line n="1">A &amp; B</line></order>`; got != want {
		t.Errorf("the server got %s, want %s", got, want)
	}
}
