package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ccxmld/sitetest"
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
	s := sitetest.New(t, sitetest.WithToken("listener.ccxml"))
	s.Transitions("listener.ccxml", listener)
	session := s.StartToken("")
	s.WaitLog("at /ccxml/basichttp")
	send := func(query string, status int) {
		t.Helper()
		if got, body := s.Get("/ccxml/basichttp?sessionid=" + session + "&" + query); got != status {
			t.Errorf("%s: %d %s", query, got, body)
		}
	}
	send("name=go&eventsource=http://crm/&a=%C3%A9&site.code=7&site.name=x&eventid=mine", 204)
	s.WaitLog("go|http://crm/|basichttp|é|7|string|false")
	send("name=ccxml.kill.unconditional", 403)
	send("name=ccxml.loaded", 403)
	send("name=ccxml.kill", 204)
	s.WaitLog("asked to end")
	if status, body := s.Get("/CCXML.send?sessionid=" + session + "&eventname=over"); status != 200 || body != "success\r\n" {
		t.Errorf("%d %s", status, body)
	}
	s.WaitIdle()
	send("name=go", 404)
}

// TestHTP2EventForAnotherController: any controller takes an event for a session.
func TestHTP2EventForAnotherController(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t, sitetest.WithToken("listener.ccxml"))
	one.Transitions("listener.ccxml", listener)
	other := one.AddDaemon()
	session := other.StartToken("") // which redis may not know of yet
	if status, body := one.Get("/ccxml/basichttp?sessionid=" + session + "&name=go&a=1&site.code=2&eventsource=x:y"); status != 204 {
		t.Fatalf("%d %s", status, body)
	}
	other.WaitLog("go|x:y|basichttp|1|2|undefined|false")
	if status, _ := one.Get("/ccxml/basichttp?sessionid=" + session + "&name=over"); status != 204 {
		t.Errorf("%d", status)
	}
	other.WaitIdle()
}

// TestHTP9CreatedSessionRuns: a session from the URI of a document, listed while it
// runs (HTP-9, HTP-10, SES-2, VX-57).
func TestHTP9CreatedSessionRuns(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("HTTP_CREATESESSION", "true"))
	uri := s.Transitions("created.ccxml", `
<transition event="ccxml.loaded"><log expr="[session.startupmode, typeof session.parentid, session.values.number, typeof session.values.uri].join('|')"/></transition>
<transition event="over"><exit/></transition>`)
	create := func(uri string) (int, string) {
		return s.Request(http.MethodPost, "/ccxml/createsession?number=4711&method=get&timeout=5s&uri="+url.QueryEscape(uri))
	}
	status, body := create(uri)
	session := strings.TrimSpace(body)
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	s.WaitLog("external|undefined|4711|undefined")
	s.WaitUntil("the session is listed", func() bool {
		_, list := s.Get("/sessions_10")
		return strings.HasPrefix(list, session+"\t") && strings.Contains(list, "\texternal\t") && strings.HasSuffix(list, "\t"+uri+"\r\n")
	})
	if _, counters := s.Get("/stats_10?type=counters"); !strings.HasPrefix(counters, "sessions: 1\r\nsessions_started: 1\r\n") {
		t.Errorf("%s", counters)
	}
	if status, _ := s.Get("/ccxml/createsession?uri=" + url.QueryEscape(uri)); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
	if status, body := create("file:///etc/passwd"); status != 403 || !strings.Contains(body, "not allowed by documents.allow") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := create(uri + ".none"); status != 500 || !strings.Contains(body, "there is no such file") {
		t.Errorf("%d %s", status, body)
	}
	s.Document("bad.ccxml", "<ccxml version='1.0'><eventprocessor><transition><acept/></transition></eventprocessor></ccxml>")
	if status, body := create("file://" + s.Dir + "/bad.ccxml"); status != 500 || !strings.Contains(body, "did you mean accept?") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := s.Get("/ccxml/basichttp?name=over&sessionid=" + session); status != 204 {
		t.Errorf("%d", status)
	}
	s.WaitIdle()
}
