package main

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"ccxmld/sessionstore"
)

// listener tells of the event "go" and ends with "over"; it goes on after an
// operator's ccxml.kill until it is told to stop.
const listener = `
<transition event="ccxml.loaded"><log expr="'at ' + session.ioprocessors['basichttp'].replace(/^http:..[^\/]*/, '')"/></transition>
<transition event="go"><log expr="[event$.name, event$.eventsource, event$.eventsourcetype, event$.a, event$.site ? event$.site.code : '', event$.site ? typeof event$.site.name : '', event$.eventid == 'mine'].join('|')"/></transition>
<transition event="ccxml.kill"><log expr="'asked to end'"/></transition>
<transition event="over"><exit/></transition>`

// TestHTP1HTP2Events: a session tells where it takes events, and gets those that
// are sent there (HTP-1 to HTP-5, HTP-11, VX-54, VX-58).
func TestHTP1HTP2Events(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("listener.ccxml"))
	h.transitions("listener.ccxml", listener)
	session := h.startToken("")
	h.logged("at /ccxml/basichttp")
	send := func(query string, status int) {
		t.Helper()
		if got, body := h.get("/ccxml/basichttp?sessionid=" + session + "&" + query); got != status {
			t.Errorf("%s: %d %s", query, got, body)
		}
	}
	send("name=go&eventsource=http://crm/&a=%C3%A9&site.code=7&site.name=x&eventid=mine", 204)
	h.logged("go|http://crm/|basichttp|é|7|string|false")
	send("name=ccxml.kill.unconditional", 403)
	send("name=ccxml.loaded", 403)
	send("name=ccxml.kill", 204)
	h.logged("asked to end")
	if status, body := h.get("/CCXML.send?sessionid=" + session + "&eventname=over"); status != 200 || body != "success\r\n" {
		t.Errorf("%d %s", status, body)
	}
	h.idle()
	send("name=go", 404)
}

// TestHTP2EventForAnotherController: any controller takes an event for a session.
func TestHTP2EventForAnotherController(t *testing.T) {
	t.Parallel()
	one := newHouse(t, withToken("listener.ccxml"))
	one.transitions("listener.ccxml", listener)
	other := one.another()
	session := other.startToken("") // which redis may not know of yet
	if status, body := one.get("/ccxml/basichttp?sessionid=" + session + "&name=go&a=1&site.code=2&eventsource=x:y"); status != 204 {
		t.Fatalf("%d %s", status, body)
	}
	other.logged("go|x:y|basichttp|1|2|undefined|false")
	if status, _ := one.get("/ccxml/basichttp?sessionid=" + session + "&name=over"); status != 204 {
		t.Errorf("%d", status)
	}
	other.idle()
}

// TestHTP9CreateSession: a session from the URI of a document, listed while it
// runs (HTP-9, HTP-10, SES-2, VX-57).
func TestHTP9CreateSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("HTTP_CREATESESSION", "true"))
	uri := h.transitions("created.ccxml", `
<transition event="ccxml.loaded"><log expr="[session.startupmode, typeof session.parentid, session.values.number, typeof session.values.uri].join('|')"/></transition>
<transition event="over"><exit/></transition>`)
	create := func(uri string) (int, string) {
		return h.ask(http.MethodPost, "/ccxml/createsession?number=4711&method=get&timeout=5s&uri="+url.QueryEscape(uri))
	}
	status, body := create(uri)
	session := strings.TrimSpace(body)
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	h.logged("external|undefined|4711|undefined")
	h.until("the session is listed", func() bool {
		_, list := h.get("/sessions_10")
		return strings.HasPrefix(list, session+"\t") && strings.Contains(list, "\texternal\t") && strings.HasSuffix(list, "\t"+uri+"\r\n")
	})
	if _, counters := h.get("/stats_10?type=counters"); !strings.HasPrefix(counters, "sessions: 1\r\nsessions_started: 1\r\n") {
		t.Errorf("%s", counters)
	}
	if status, _ := h.get("/ccxml/createsession?uri=" + url.QueryEscape(uri)); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
	if status, body := create("file:///etc/passwd"); status != 403 || !strings.Contains(body, "not allowed by documents.allow") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := create(uri + ".none"); status != 500 || !strings.Contains(body, "there is no such file") {
		t.Errorf("%d %s", status, body)
	}
	h.document("bad.ccxml", "<ccxml version='1.0'><eventprocessor><transition><acept/></transition></eventprocessor></ccxml>")
	if status, body := create("file://" + h.dir + "/bad.ccxml"); status != 500 || !strings.Contains(body, "did you mean accept?") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := h.get("/ccxml/basichttp?name=over&sessionid=" + session); status != 204 {
		t.Errorf("%d", status)
	}
	h.idle()
}

// TestHTP6ToAnotherSession: documents reach each other by basichttp as well, here
// through the proxy that http.url names; the receiver's id is in the target (HTP-1,
// HTP-6).
func TestHTP6ToAnotherSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("HTTP_URL", "http://proxy"), func(p *plan) {
		p.environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'file://%[1]s/sender.ccxml'}, other: {uri: 'file://%[1]s/listener.ccxml'}}", p.dir)
		p.environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("['file://%s/', '%s/ccxml/']", p.dir, "http://proxy")
	})
	h.serve("proxy", (&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: h.daemon.HTTPAddress()})
	}, Transport: h.client().Transport}).ServeHTTP)
	h.transitions("listener.ccxml", listener)
	h.document("sender.ccxml", `
<ccxml version="1.0"><var name="a" expr="'b'"/><eventprocessor>
<transition event="ccxml.loaded"><send target="session.ioprocessors['basichttp'] + '?sessionid=' + session.values.target"
  targettype="'basichttp'" name="session.values.event" namelist="a"/></transition>
<transition event="send.successful"><log expr="'sent'"/><exit/></transition>
<transition event="error.send.failed"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	to := h.startReceiver()
	h.startToken("event=go&target=" + to)
	h.logged("go||basichttp|b|")
	h.logged("sent")
	h.startToken("event=go&target=nobody")
	h.must(h.seen.waitFor(h.ctx, "HTTP 404 Not Found"))
	h.startToken("event=over&target=" + to)
	h.idle()
}

// TestSND11GoneController: a session whose controller has died takes nothing, and
// the sender is told (SND-11, HTP-3).
func TestSND11GoneController(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("sender.ccxml"))
	h.document("sender.ccxml", sender)
	h.daemon.Store.SaveSession(sessionstore.Session{ID: "orphan", Controller: "dead"})
	h.until("redis knows of the session", func() bool {
		_, known, err := h.daemon.Store.Owner(h.ctx, "orphan")
		return err == nil && known
	})
	h.startToken("target=orphan")
	h.logged("error.send.targetunavailable true ")
	h.must(h.seen.waitFor(h.ctx, "the controller of session orphan is gone"))
	if status, body := h.get("/ccxml/basichttp?sessionid=orphan&name=go"); status != 503 {
		t.Errorf("%d %s", status, body)
	}
	h.idle()
}
