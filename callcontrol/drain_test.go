package callcontrol_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// talking is a document whose caller is answered and stays, and which calls somebody
// when it is sent an event.
var talking = then("ccxml.loaded", `<log expr="'session ' + session.id"/>`) +
	withCaller +
	then("connection.connected", `<log expr="'connected ' + event$.connectionid"/>`) +
	then("dial", `<createcall dest="'tel:200'" connectionid="d"/>`) +
	then("connection.disconnected", `<exit/>`)

// comes makes a call come in whose dialplan has a socket action for each address.
func comes(s *sitetest.Site, document string, addresses ...string) *switchsim.Party {
	s.Helper()
	caller, err := s.Switch.Dial(switchsim.Call{Sockets: addresses, Variables: map[string]string{"ccxml_uri": document}})
	s.Must(err)
	return caller
}

// TestDrain: a controller that drains takes no new session, but gives calls back to their
// dialplan, which has another controller; what runs goes on and may still place calls,
// and with its end the controller ends.
func TestDrain(t *testing.T) {
	s := sitetest.New(t, sitetest.With("DURABILITY", "off"), sitetest.WithToken("file:///none.ccxml"))
	other := s.AddDaemon()
	s.Switch.Callee("200", switchsim.NoAnswer{})
	document := s.Transitions("talking.ccxml", talking, "c d")
	first := s.Dial(document)
	s.WaitLog("connected " + first.UUID())

	s.Daemon.Drain("the test")
	second := comes(s, document, s.Daemon.ESLAddress(), other.Daemon.ESLAddress())
	other.WaitLog("connected " + second.UUID())
	third := comes(s, document, s.Daemon.ESLAddress())
	_, err := third.WaitEnded(s.Context())
	s.Must(err)
	if s.Trace.Has(third.UUID()) {
		t.Error("a draining controller took a call")
	}
	for _, path := range []string{"/CCXML10.start?tokenid=s3cret", "/SessionControl/CCXML10.start?tokenid=s3cret"} {
		if status, body := s.Get(path); status != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if status, body := s.Get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, _ := s.Get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}

	s.Inject("dial")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	callee.Answer()
	s.WaitLog("connected " + callee.UUID())
	s.Must(s.DaemonLog.WaitText(s.Context(), "msg=draining sessions=1"))
	if s.DaemonLog.Has("shutting down") {
		t.Error("the controller ended before its last session")
	}
	first.Hangup()
	s.Must(s.DaemonLog.WaitText(s.Context(), "msg=drained"))
	s.Must(s.DaemonLog.WaitText(s.Context(), "shutting down"))
	second.Hangup()
	other.WaitIdle()
}

// TestDrainIsBounded: sessions that do not end are ended after drain.timeout, and until
// then the log tells which they are.
func TestDrainIsBounded(t *testing.T) {
	s := sitetest.New(t, sitetest.With("DURABILITY", "off"), sitetest.With("DRAIN_TIMEOUT", "1m"))
	caller := s.Dial(s.Transitions("talking.ccxml", talking, "c d"))
	s.WaitLog("connected " + caller.UUID())
	begun := s.Clock.Now()
	s.Daemon.Drain("the test")
	ending, err := caller.WaitEnded(s.Context())
	s.Must(err)
	if took := s.Clock.Now().Sub(begun); took < time.Minute || took > time.Minute+time.Second {
		t.Errorf("the call went on for %s", took)
	}
	if ending.Cause != "NORMAL_CLEARING" {
		t.Errorf("it ended by %s", ending.Cause)
	}
	told := 0
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "msg=draining sessions=1 connections=1 some=") {
			told++
		}
	}
	if told < 11 || told > 12 {
		t.Errorf("the log told %d times of the session that is left", told)
	}
	s.Must(s.DaemonLog.WaitText(s.Context(), "the drain is over before all sessions are"))
}

// TestDrainTakesNoChildren: a session of another controller does not create sessions on
// one that drains, one of its own does.
func TestDrainTakesNoChildren(t *testing.T) {
	s := sitetest.New(t, sitetest.With("DURABILITY", "off"))
	other := s.AddDaemon()
	child := s.Transitions("child.ccxml", then("ccxml.loaded", `<log expr="'child'"/><exit/>`))
	waits := s.Transitions("waits.ccxml", then("ccxml.loaded", `<log expr="'session ' + session.id"/>`)+
		then("go", `<createccxml next="'`+child+`'"/>`)+then("ccxml.created", `<log expr="'created'"/><exit/>`))
	s.StartSession(waits)
	s.WaitLog("session ")
	s.Daemon.Drain("the test")
	other.StartSession(other.Transitions("parent.ccxml",
		then("ccxml.loaded", `<createccxml next="'`+child+`'" hints="{controller: '`+s.Daemon.Controller.ID()+`'}"/>`)+
			then("ccxml.created", `<log expr="'created'"/><exit/>`)+then("error.*", `<log expr="event$.name + ': ' + event$.reason"/><exit/>`)))
	other.WaitLog("error.createccxml: ")
	s.Inject("go")
	s.WaitLog("created")
	s.Must(s.DaemonLog.WaitText(s.Context(), "msg=drained"))
}
