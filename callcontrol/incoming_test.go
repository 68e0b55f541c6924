package callcontrol_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// A call is refused by <reject>, with the SIP status that its reason names.
func TestReject(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
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
			s := s.In(t)
			s.Trace.Reset()
			attribute := ""
			if c.reason != "" {
				attribute = fmt.Sprintf(`reason="%s"`, c.reason)
			}
			caller := s.Dial(s.Transitions("reject.ccxml", `
<transition event="connection.alerting"><reject `+attribute+`/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.reason"/><exit/></transition>`))
			ending, err := caller.WaitEnded(s.Context())
			s.Must(err)
			if ending.SIPStatus != c.status || ending.By != "local" {
				t.Errorf("the caller got %+v, want %d", ending, c.status)
			}
			s.WaitLog("failed: " + c.said)
			s.WaitIdle()
		})
	}
}

func TestRedirectBeforeAnswer(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("redirect.ccxml", `
<transition event="connection.alerting"><redirect dest="'sip:support@example.org'"/></transition>
<transition event="connection.redirected"><log expr="'redirected ' + event$.connection.state"/><exit/></transition>`))
	ending, err := caller.WaitEnded(s.Context())
	s.Must(err)
	if ending.RedirectedTo != "sip:support@example.org" {
		t.Errorf("the caller got %+v", ending)
	}
	s.WaitLog("redirected DISCONNECTED")
	s.WaitIdle()
}

func TestCallerCancels(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("ring.ccxml", `
<transition event="connection.alerting"><log expr="'it rings'"/></transition>
<transition event="connection.failed"><log expr="'failed by ' + event$.trigger + ', ' + event$.info.cause"/><exit/></transition>`))
	s.WaitLog("it rings")
	caller.Hangup()
	s.WaitLog("failed by remote, ORIGINATOR_CANCEL")
	s.WaitIdle()
}

func TestDisconnectBeforeAndAfterAnswer(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	before := s.Dial(s.Transitions("before.ccxml", `
<transition event="connection.alerting"><disconnect/></transition>
<transition event="connection.failed"><log expr="'before: ' + event$.reason"/><exit/></transition>`))
	after := s.Dial(s.Transitions("after.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><disconnect/></transition>
<transition event="connection.disconnected"><log expr="'after: ' + event$.trigger"/><exit/></transition>`))
	for _, caller := range []*switchsim.Party{before, after} {
		ending, err := caller.WaitEnded(s.Context())
		s.Must(err)
		if ending.By != "local" {
			t.Errorf("ended by %+v", ending)
		}
	}
	s.WaitLog("before: disconnected")
	s.WaitLog("after: local")
	s.WaitIdle()
}

// The dialplan answered the call before it handed it over: <accept> takes it as
// it is.
func TestAnsweredByDialplan(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Transitions("answered.ccxml", `
<transition event="connection.alerting"><log expr="event$.connection.state"/><accept/></transition>
<transition event="connection.connected"><exit/></transition>`)
	caller, err := s.Switch.Dial(switchsim.Call{Dialplan: []switchsim.Action{
		{Application: "answer"},
		{Application: "set", Data: "ccxml_uri=" + document},
		{Application: "socket", Data: s.Daemon.ESLAddress() + " async full"},
	}})
	s.Must(err)
	_, err = caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitLog("ALERTING")
	s.Must(s.Trace.Wait(s.Context(), "event connection.connected"))
	s.WaitIdle()
}

// What a document sees of a call.
func TestConnectionObject(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Transitions("who.ccxml", `
<transition event="connection.alerting">
  <log expr="[event$.connection.remote, event$.connection.local, event$.connection.originator == event$.connection.remote,
    event$.connection.protocol.name, session.startupmode, event$.protocol].join(' ')"/><exit/></transition>`)
	_, err := s.Switch.Dial(switchsim.Call{From: "4075551234", To: "8765", Sockets: []string{s.Daemon.ESLAddress()},
		Variables: map[string]string{"ccxml_uri": document}})
	s.Must(err)
	s.WaitLog("sip:4075551234@127.0.0.1 sip:8765@127.0.0.1:5060 true sip newcall sip")
	s.WaitIdle()
}

// Calls that no session takes are refused with a cause, and nothing is left of
// them.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	invalid := s.Transitions("invalid.ccxml", `<transition event="connection.alerting"><accpt/></transition>`)
	for _, c := range []struct {
		name, document, cause, said string
	}{
		{"missing document", "file://" + s.Dir + "/missing.ccxml", "NORMAL_TEMPORARY_FAILURE", "there is no such file"},
		{"invalid document", invalid, "NORMAL_TEMPORARY_FAILURE", "<accpt> is not an element of CCXML"},
		{"document out of bounds", "file:///etc/hostname", "NORMAL_TEMPORARY_FAILURE", "not allowed"},
		{"no route", "", "UNALLOCATED_NUMBER", "no document route matches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.In(t)
			s.DaemonLog.Reset()
			call := switchsim.Call{Sockets: []string{s.Daemon.ESLAddress()}, Variables: map[string]string{}}
			if c.document != "" {
				call.Variables["ccxml_uri"] = c.document
			}
			caller, err := s.Switch.Dial(call)
			s.Must(err)
			ending, err := caller.WaitEnded(s.Context())
			s.Must(err)
			if ending.Cause != c.cause || ending.By != "local" {
				t.Errorf("the call ended with %+v", ending)
			}
			s.Must(s.DaemonLog.WaitText(s.Context(), c.said))
			s.WaitIdle()
		})
	}
}

// The document is chosen by the destination where the dialplan names none.
func TestDocumentRoutes(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, func(o *sitetest.Options) {
		o.Environment["DOCUMENTS_ROUTES"] = fmt.Sprintf("[{destination: '8(.*)', context: public, uri: 'file://%[1]s/public.ccxml'}, {destination: '8.*', uri: 'file://%[1]s/other.ccxml'}]", o.Dir)
	})
	for _, name := range []string{"public", "other"} {
		s.Transitions(name+".ccxml", `<transition event="connection.alerting"><log expr="'this is `+name+`'"/><exit/></transition>`)
	}
	for context, name := range map[string]string{"public": "public", "internal": "other"} {
		_, err := s.Switch.Dial(switchsim.Call{To: "8001", Context: context, Sockets: []string{s.Daemon.ESLAddress()}})
		s.Must(err)
		s.WaitLog("this is " + name)
	}
	s.WaitIdle()
}

// Beyond limits.sessions, calls are refused with limits.refuse_cause.
func TestSessionLimit(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_SESSIONS", "1"), sitetest.With("LIMITS_REFUSE_CAUSE", "USER_BUSY"))
	document := s.Transitions("stay.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
	first := s.Dial(document)
	s.Must(first.WaitAnswered(s.Context()))
	second := s.Dial(document)
	ending, err := second.WaitEnded(s.Context())
	s.Must(err)
	if ending.Cause != "USER_BUSY" {
		t.Errorf("the second call ended with %+v", ending)
	}
	first.Hangup()
	s.WaitIdle()
	third := s.Dial(document)
	s.Must(third.WaitAnswered(s.Context()))
	third.Hangup()
	s.WaitIdle()
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
			s := sitetest.New(t, sitetest.AllowDocuments("http://web"))
			asked, answered := clock.NewLatch(s.Clock), clock.NewLatch(s.Clock)
			s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
				asked.Open()
				_ = answered.Wait(r.Context())
				w.Header().Set("Content-Type", "application/ccxml+xml")
				w.WriteHeader(answer.status)
				fmt.Fprint(w, answer.body)
			})
			caller := s.Dial("http://web/slow.ccxml")
			s.Must(asked.Wait(s.Context()))
			caller.Hangup()
			_, err := caller.WaitEnded(s.Context())
			s.Must(err)
			answered.Open()
			if answer.status == http.StatusOK {
				s.WaitLog("gone")
			} else {
				s.Must(s.DaemonLog.WaitText(s.Context(), "its document could not be loaded"))
			}
			s.WaitIdle()
			if s.Trace.Has("error.") {
				t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
			}
		})
	}
}

// A document that is never finished does not keep the daemon from ending.
func TestShutdownWhileFetching(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.AllowDocuments("http://slow"))
	asked := s.HandleSilently(nil)
	caller := s.Dial("http://slow/never.ccxml")
	s.Next(asked)
	s.Stop()
	ending, err := caller.WaitEnded(s.Context())
	s.Must(err)
	if ending.Cause != "NORMAL_TEMPORARY_FAILURE" {
		t.Errorf("the call ended with %+v", ending)
	}
}

// The log tells of a call when it comes: which document answers it, who called whom.
func TestLogTellsOfSessions(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Transitions("log.ccxml", `<transition event="connection.alerting"><accept/></transition>`)
	s.Dial(document)
	s.Must(s.DaemonLog.WaitText(s.Context(), "session begins"))
	for _, want := range []string{"document=" + document, "startup=newcall", "connection=", "to=sip:8001@"} {
		if !s.DaemonLog.Has(want) {
			t.Errorf("the log does not say %s: %q", want, s.DaemonLog.Lines())
		}
	}
}
