package callcontrol_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// manyCalls leaves calls of all kinds behind: talking, ringing, bridged, in a
// conference, hearing a prompt.
func manyCalls(s *sitetest.Site) (parties []*switchsim.Party) {
	s.Helper()
	s.Switch.AddSound("/sounds/music.wav", time.Hour)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	s.Switch.Callee("300", switchsim.NoAnswer{})
	const stay = `<transition event="error.*"><log expr="event$.name + event$.reason"/></transition>`
	s.Transitions("ring.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:300'" timeout="'3600s'"/></transition>
<transition event="connection.progressing"><log expr="'rings'"/></transition>`+stay)
	prompt := s.Transitions("prompt.ccxml", `<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/music.wav'" type="'audio/wav'"/></transition>`+stay)
	alerting := s.Transitions("alerting.ccxml", `<transition event="connection.alerting"><log expr="'alerts'"/></transition>`+stay)
	bridge := s.Document("bridge.ccxml", bridgeDocument(callAndJoin+stay))
	room := s.Document("meeting.ccxml", meeting)

	s.StartToken("")
	ringing, err := s.Switch.WaitCallee(s.Context(), "300")
	s.Must(err)
	s.WaitLog("rings")
	listening := s.Dial(prompt)
	s.Must(listening.WaitHeard(s.Context(), "music.wav"))
	waiting := s.Dial(alerting)
	s.WaitLog("alerts")
	talking := s.Dial(bridge)
	hearsParty(s, talking, "200")
	s.Must(s.Trace.Wait(s.Context(), "event conference.joined"))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	meets := s.DialFrom("101", room)
	s.WaitLog("101 in 1")
	return []*switchsim.Party{ringing, listening, waiting, talking, callee, meets}
}

// A daemon that is told to end hangs up whatever calls there are, and is back
// quickly.
func TestShutdownWithLiveCalls(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("ring.ccxml"))
	parties := manyCalls(s)
	s.Stop()
	for _, party := range parties {
		ending, err := party.WaitEnded(s.Context())
		s.Must(err)
		if ending.By != "local" {
			t.Errorf("%s ended by %+v", party.Number(), ending)
		}
	}
	if n := s.Switch.Channels(); n != 0 {
		t.Errorf("%d channels are left", n)
	}
}

// A FreeSWITCH that dies under its calls: every session learns of it, nothing
// hangs, and nothing is left.
func TestSwitchDies(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("ring.ccxml"))
	manyCalls(s)
	if s.Daemon.Controller.Connections() != 6 {
		t.Errorf("%d legs", s.Daemon.Controller.Connections())
	}
	s.Switch.Close()
	s.WaitUntil("all legs are gone", func() bool { return s.Daemon.Controller.Connections() == 0 })
	s.WaitUntil("all sessions know", func() bool {
		return s.Trace.Count("event connection.disconnected") == 4 && s.Trace.Count("event connection.failed") == 2
	})
	rosterIsEmpty(s)
	s.Must(s.DaemonLog.WaitText(s.Context(), "node link is down"))
}

// A leg whose session has ended, and that comes to our socket all the same, is hung up
// rather than taken for a new call.
func TestLegOfAnEndedSession(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller, err := s.Switch.Dial(switchsim.Call{Dialplan: []switchsim.Action{
		{Application: "set", Data: "ccxml_session=a-session-of-yesterday"},
		{Application: "set", Data: "ccxml_uri=" + s.Transitions("in.ccxml", `<transition event="connection.alerting"><accept/></transition>`)},
		{Application: "answer"}, {Application: "socket", Data: s.Daemon.ESLAddress() + " async full"},
	}})
	s.Must(err)
	ending, err := caller.WaitEnded(s.Context())
	s.Must(err)
	if ending.By != "local" {
		t.Errorf("the leg ended with %+v", ending)
	}
	s.Must(s.DaemonLog.WaitText(s.Context(), "its session is not here"))
	s.WaitIdle()
	if n := len(s.Trace.Lines()); n != 0 {
		t.Errorf("a session began: %v", s.Trace.Lines())
	}
}

// Garbage on the outbound socket's port does no harm: connections end, calls go
// on.
func TestGarbageOnSocket(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	channel := "Event-Name: CHANNEL_DATA\nUnique-ID: 1\nControl: full\nSocket-Mode: async\nContent-Type: command/reply\nReply-Text: +OK\n"
	for name, send := range map[string]string{
		"random bytes":     "\x00\xff\x13\x37" + strings.Repeat("\xfe\n", 200) + "\n\n",
		"http":             "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"sip":              "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n",
		"an inbound one":   "Content-Type: auth/request\n\n",
		"a negative size":  "Content-Type: text/event-plain\nContent-Length: -1\n\n",
		"a huge size":      "Content-Type: text/event-plain\nContent-Length: 99999999999\n\n",
		"a refusal":        "Content-Type: command/reply\nReply-Text: -ERR no\n\n",
		"no unique id":     strings.Replace(channel, "Unique-ID: 1\n", "", 1) + "\n",
		"an evil id":       strings.Replace(channel, "Unique-ID: 1", "Unique-ID: 1%0A%0Aexit", 1) + "\n",
		"no control":       strings.Replace(channel, "full", "single-channel", 1) + "\n",
		"nothing":          "",
		"endless header":   strings.Repeat("x", 2<<20),
		"events too early": "Content-Type: text/event-plain\nContent-Length: 24\n\nEvent-Name: HEARTBEAT\n\n\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := s.In(t)
			conn, err := s.Network.DialContext(s.Context(), "tcp", s.Daemon.ESLAddress())
			s.Must(err)
			defer conn.Close()
			line, err := bufio.NewReader(conn).ReadString('\n')
			s.Must(err)
			if line != "connect\r\n" {
				t.Errorf("the daemon began with %q", line)
			}
			_, _ = io.WriteString(conn, send) // it may have ended meanwhile
		})
	}
	s.WaitUntil("nothing is left", func() bool { return s.Daemon.Controller.Connections() == 0 && s.Daemon.Controller.Sessions() == 0 })
	caller := s.Dial(s.Transitions("hello.ccxml", answer("null:?text=Still here.")))
	s.Must(caller.WaitHeard(s.Context(), "Still here."))
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
}

// Many calls at once, some of which are given up wherever they are on their way.
func TestManyCallsLeaveNothing(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/short.wav", 100*time.Millisecond)
	document := s.Transitions("short.ccxml", answer("/sounds/short.wav"))
	const calls = 60
	var callers []*switchsim.Party
	for i := range calls {
		caller := s.DialFrom(fmt.Sprint(1000+i), document)
		if i%3 == 0 {
			caller.Hangup()
		}
		callers = append(callers, caller)
	}
	for _, caller := range callers {
		_, err := caller.WaitEnded(s.Context())
		s.Must(err)
	}
	s.WaitUntil("nothing is left", func() bool { return s.Daemon.Controller.Connections() == 0 })
}
