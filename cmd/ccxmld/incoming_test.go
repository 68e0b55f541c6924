package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// A call is refused by <reject>, with the SIP status that its reason names.
func TestReject(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, c := range []struct {
		reason string
		status int
		said   string // of connection.failed
	}{
		{"", 603, "rejected"},
		{"'busy'", 486, "busy"},
		{"'404'", 404, "404"},
		{"'unavailable'", 480, "unavailable"},
		{"'forbidden'", 403, "forbidden"},
		{"'we are closed'", 603, "we are closed"},
		{"'200'", 603, "200"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			h := h.in(t)
			h.seen.forget()
			attribute := ""
			if c.reason != "" {
				attribute = fmt.Sprintf(`reason="%s"`, c.reason)
			}
			caller := h.dial(h.transitions("reject.ccxml", `
<transition event="connection.alerting"><reject `+attribute+`/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.reason"/><exit/></transition>`))
			ending, err := caller.WaitEnded(h.ctx)
			h.must(err)
			if ending.SIPStatus != c.status || ending.By != "local" {
				t.Errorf("the caller got %+v, want %d", ending, c.status)
			}
			h.logged("failed: " + c.said)
			h.idle()
		})
	}
}

func TestRedirectBeforeAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.dial(h.transitions("redirect.ccxml", `
<transition event="connection.alerting"><redirect dest="'sip:support@example.org'"/></transition>
<transition event="connection.redirected"><log expr="'redirected ' + event$.connection.state"/><exit/></transition>`))
	ending, err := caller.WaitEnded(h.ctx)
	h.must(err)
	if ending.RedirectedTo != "sip:support@example.org" {
		t.Errorf("the caller got %+v", ending)
	}
	h.logged("redirected DISCONNECTED")
	h.idle()
}

func TestCallerCancels(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.dial(h.transitions("ring.ccxml", `
<transition event="connection.alerting"><log expr="'it rings'"/></transition>
<transition event="connection.failed"><log expr="'failed by ' + event$.trigger + ', ' + event$.info.cause"/><exit/></transition>`))
	h.logged("it rings")
	caller.Hangup()
	h.logged("failed by remote, ORIGINATOR_CANCEL")
	h.idle()
}

func TestDisconnectBeforeAndAfterAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := h.dial(h.transitions("before.ccxml", `
<transition event="connection.alerting"><disconnect/></transition>
<transition event="connection.failed"><log expr="'before: ' + event$.reason"/><exit/></transition>`))
	after := h.dial(h.transitions("after.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><disconnect/></transition>
<transition event="connection.disconnected"><log expr="'after: ' + event$.trigger"/><exit/></transition>`))
	for _, caller := range []*switchsim.Party{before, after} {
		ending, err := caller.WaitEnded(h.ctx)
		h.must(err)
		if ending.By != "local" {
			t.Errorf("ended by %+v", ending)
		}
	}
	h.logged("before: disconnected")
	h.logged("after: local")
	h.idle()
}

// The dialplan answered the call before it handed it over: <accept> takes it as
// it is.
func TestAnsweredByDialplan(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.transitions("answered.ccxml", `
<transition event="connection.alerting"><log expr="event$.connection.state"/><accept/></transition>
<transition event="connection.connected"><exit/></transition>`)
	caller, err := h.sw.Dial(switchsim.Call{Dialplan: []switchsim.Action{
		{Application: "answer"},
		{Application: "set", Data: "ccxml_uri=" + document},
		{Application: "socket", Data: h.daemon.ESLAddress() + " async full"},
	}})
	h.must(err)
	_, err = caller.WaitEnded(h.ctx)
	h.must(err)
	h.logged("ALERTING")
	h.must(h.seen.wait(h.ctx, "event connection.connected"))
	h.idle()
}

// What a document sees of a call.
func TestConnectionObject(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.transitions("who.ccxml", `
<transition event="connection.alerting">
  <log expr="[event$.connection.remote, event$.connection.local, event$.connection.originator == event$.connection.remote,
    event$.connection.protocol.name, session.startupmode, event$.protocol].join(' ')"/><exit/></transition>`)
	_, err := h.sw.Dial(switchsim.Call{From: "4075551234", To: "8765", Sockets: []string{h.daemon.ESLAddress()},
		Variables: map[string]string{"ccxml_uri": document}})
	h.must(err)
	h.logged("sip:4075551234@127.0.0.1 sip:8765@127.0.0.1:5060 true sip newcall sip")
	h.idle()
}

// Calls that no session takes are refused with a cause, and nothing is left of
// them.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	invalid := h.transitions("invalid.ccxml", `<transition event="connection.alerting"><accpt/></transition>`)
	for _, c := range []struct {
		name, document, cause, said string
	}{
		{"missing document", "file://" + h.dir + "/missing.ccxml", "NORMAL_TEMPORARY_FAILURE", "there is no such file"},
		{"invalid document", invalid, "NORMAL_TEMPORARY_FAILURE", "<accpt> is not an element of CCXML"},
		{"document out of bounds", "file:///etc/hostname", "NORMAL_TEMPORARY_FAILURE", "not allowed"},
		{"no route", "", "UNALLOCATED_NUMBER", "no document route matches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := h.in(t)
			h.log.forget()
			call := switchsim.Call{Sockets: []string{h.daemon.ESLAddress()}, Variables: map[string]string{}}
			if c.document != "" {
				call.Variables["ccxml_uri"] = c.document
			}
			caller, err := h.sw.Dial(call)
			h.must(err)
			ending, err := caller.WaitEnded(h.ctx)
			h.must(err)
			if ending.Cause != c.cause || ending.By != "local" {
				t.Errorf("the call ended with %+v", ending)
			}
			h.must(h.log.waitFor(h.ctx, c.said))
			h.idle()
		})
	}
}

// The document is chosen by the destination where the dialplan names none.
func TestDocumentRoutes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(p *plan) {
		p.environment["DOCUMENTS_ROUTES"] = fmt.Sprintf("[{destination: '8(.*)', context: public, uri: 'file://%[1]s/public.ccxml'}, {destination: '8.*', uri: 'file://%[1]s/other.ccxml'}]", p.dir)
	})
	for _, name := range []string{"public", "other"} {
		h.transitions(name+".ccxml", `<transition event="connection.alerting"><log expr="'this is `+name+`'"/><exit/></transition>`)
	}
	for context, name := range map[string]string{"public": "public", "internal": "other"} {
		_, err := h.sw.Dial(switchsim.Call{To: "8001", Context: context, Sockets: []string{h.daemon.ESLAddress()}})
		h.must(err)
		h.logged("this is " + name)
	}
	h.idle()
}

// Beyond limits.sessions, calls are refused with limits.refuse_cause.
func TestSessionLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("LIMITS_SESSIONS", "1"), with("LIMITS_REFUSE_CAUSE", "USER_BUSY"))
	document := h.transitions("stay.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
	first := h.dial(document)
	h.must(first.WaitAnswered(h.ctx))
	second := h.dial(document)
	ending, err := second.WaitEnded(h.ctx)
	h.must(err)
	if ending.Cause != "USER_BUSY" {
		t.Errorf("the second call ended with %+v", ending)
	}
	first.Hangup()
	h.idle()
	third := h.dial(document)
	h.must(third.WaitAnswered(h.ctx))
	third.Hangup()
	h.idle()
}

// A caller who hangs up while the document is fetched is gone before the session
// begins: it learns of it, and nothing is left.
func TestHangupWhileFetching(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"document": {http.StatusOK, `<ccxml version="1.0"><eventprocessor>
			<transition event="connection.alerting"><accept/></transition>
			<transition event="connection.failed"><log expr="'gone'"/><exit/></transition>
			<transition event="error.*"><log expr="event$.name"/></transition></eventprocessor></ccxml>`},
		"no document": {http.StatusNotFound, "no such document"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, allowing("http://web"))
			asked, answered := clock.NewLatch(h.clock), clock.NewLatch(h.clock)
			h.serve("web", func(w http.ResponseWriter, r *http.Request) {
				asked.Open()
				_ = answered.Wait(r.Context())
				w.Header().Set("Content-Type", "application/ccxml+xml")
				w.WriteHeader(answer.status)
				fmt.Fprint(w, answer.body)
			})
			caller := h.dial("http://web/slow.ccxml")
			h.must(asked.Wait(h.ctx))
			caller.Hangup()
			_, err := caller.WaitEnded(h.ctx)
			h.must(err)
			answered.Open()
			if answer.status == http.StatusOK {
				h.logged("gone")
			} else {
				h.must(h.log.waitFor(h.ctx, "its document could not be loaded"))
			}
			h.idle()
			if h.seen.has("error.") {
				t.Errorf("seen: %s", strings.Join(h.seen.all(), "\n"))
			}
		})
	}
}

// A document that is never finished does not keep the daemon from ending.
func TestShutdownWhileFetching(t *testing.T) {
	t.Parallel()
	h := newHouse(t, allowing("http://slow"))
	asked := h.serveSilently(nil)
	caller := h.dial("http://slow/never.ccxml")
	h.told(asked)
	h.stop()
	ending, err := caller.WaitEnded(h.ctx)
	h.must(err)
	if ending.Cause != "NORMAL_TEMPORARY_FAILURE" {
		t.Errorf("the call ended with %+v", ending)
	}
}

// The log tells of a call when it comes: which document answers it, who called whom.
func TestLogTellsOfSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.transitions("log.ccxml", `<transition event="connection.alerting"><accept/></transition>`)
	h.dial(document)
	h.must(h.log.waitFor(h.ctx, "session begins"))
	for _, want := range []string{"document=" + document, "startup=newcall", "connection=", "to=sip:8001@"} {
		if !h.log.has(want) {
			t.Errorf("the log does not say %s: %q", want, h.log.all())
		}
	}
}
