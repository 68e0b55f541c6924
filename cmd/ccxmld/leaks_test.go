package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"ccxmld/switchsim"
)

// manyCalls leaves calls of all kinds behind: talking, ringing, bridged, in a
// conference, hearing a prompt.
func manyCalls(h *house) (parties []*switchsim.Party) {
	h.Helper()
	h.sw.AddSound("/sounds/music.wav", time.Hour)
	h.sw.Callee("200", switchsim.Answers{After: time.Second})
	h.sw.Callee("300", switchsim.NoAnswer{})
	const stay = `<transition event="error.*"><log expr="event$.name + event$.reason"/></transition>`
	h.transitions("ring.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:300'" timeout="'3600s'"/></transition>
<transition event="connection.progressing"><log expr="'rings'"/></transition>`+stay)
	prompt := h.transitions("prompt.ccxml", `<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/music.wav'" type="'audio/wav'"/></transition>`+stay)
	alerting := h.transitions("alerting.ccxml", `<transition event="connection.alerting"><log expr="'alerts'"/></transition>`+stay)
	bridge := h.document("bridge.ccxml", bridgeDocument(callAndJoin+stay))
	room := h.document("meeting.ccxml", meeting)

	h.startToken("")
	ringing, err := h.sw.WaitCallee(h.ctx, "300")
	h.must(err)
	h.logged("rings")
	listening := h.dial(prompt)
	h.must(listening.WaitHeard(h.ctx, "music.wav"))
	waiting := h.dial(alerting)
	h.logged("alerts")
	talking := h.dial(bridge)
	h.hearsParty(talking, "200")
	h.must(h.seen.wait(h.ctx, "event conference.joined"))
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	meets := h.call("101", room)
	h.logged("101 in 1")
	return []*switchsim.Party{ringing, listening, waiting, talking, callee, meets}
}

// A daemon that is told to end hangs up whatever calls there are, and is back
// quickly.
func TestShutdownWithLiveCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("ring.ccxml"))
	parties := manyCalls(h)
	h.stop()
	for _, party := range parties {
		ending, err := party.WaitEnded(h.ctx)
		h.must(err)
		if ending.By != "local" {
			t.Errorf("%s ended by %+v", party.Number(), ending)
		}
	}
	if n := h.sw.Channels(); n != 0 {
		t.Errorf("%d channels are left", n)
	}
}

// A FreeSWITCH that dies under its calls: every session learns of it, nothing
// hangs, and nothing is left.
func TestSwitchDies(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("ring.ccxml"))
	manyCalls(h)
	if h.daemon.Controller.Connections() != 6 {
		t.Errorf("%d legs", h.daemon.Controller.Connections())
	}
	h.sw.Close()
	h.until("all legs are gone", func() bool { return h.daemon.Controller.Connections() == 0 })
	h.until("all sessions know", func() bool {
		return h.seen.count("event connection.disconnected") == 4 && h.seen.count("event connection.failed") == 2
	})
	rosterIsEmpty(h)
	h.must(h.log.waitFor(h.ctx, "node link is down"))
}

// A leg whose session ended while it was being dialled, and that comes to our
// socket all the same, is hung up rather than taken for a new call.
func TestLegOfAnEndedSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller, err := h.sw.Dial(switchsim.Call{Sockets: []string{h.daemon.ESLAddress()}, Variables: map[string]string{
		"ccxml_session": "a-session-of-yesterday",
		"ccxml_uri":     h.transitions("in.ccxml", `<transition event="connection.alerting"><accept/></transition>`),
	}})
	h.must(err)
	ending, err := caller.WaitEnded(h.ctx)
	h.must(err)
	if ending.By != "local" || ending.SIPStatus == 200 {
		t.Errorf("the leg ended with %+v", ending)
	}
	h.must(h.log.waitFor(h.ctx, "its session is not here"))
	h.idle()
	if n := len(h.seen.all()); n != 0 {
		t.Errorf("a session began: %v", h.seen.all())
	}
}

// Garbage on the outbound socket's port does no harm: connections end, calls go
// on.
func TestGarbageOnSocket(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
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
			h := h.in(t)
			conn, err := h.site.Network.DialContext(h.ctx, "tcp", h.daemon.ESLAddress())
			h.must(err)
			defer conn.Close()
			line, err := bufio.NewReader(conn).ReadString('\n')
			h.must(err)
			if line != "connect\r\n" {
				t.Errorf("the daemon began with %q", line)
			}
			_, _ = io.WriteString(conn, send) // it may have ended meanwhile
		})
	}
	h.until("nothing is left", func() bool { return h.daemon.Controller.Connections() == 0 && h.daemon.Controller.Sessions() == 0 })
	caller := h.dial(h.transitions("hello.ccxml", answer("null:?text=Still here.")))
	h.must(caller.WaitHeard(h.ctx, "Still here."))
	_, err := caller.WaitEnded(h.ctx)
	h.must(err)
	h.idle()
}

// Many calls at once, some of which are given up wherever they are on their way.
func TestManyCallsLeaveNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sw.AddSound("/sounds/short.wav", 100*time.Millisecond)
	document := h.transitions("short.ccxml", answer("/sounds/short.wav"))
	const calls = 60
	var callers []*switchsim.Party
	for i := range calls {
		caller := h.call(fmt.Sprint(1000+i), document)
		if i%3 == 0 {
			caller.Hangup()
		}
		callers = append(callers, caller)
	}
	for _, caller := range callers {
		_, err := caller.WaitEnded(h.ctx)
		h.must(err)
	}
	h.until("nothing is left", func() bool { return h.daemon.Controller.Connections() == 0 })
}
