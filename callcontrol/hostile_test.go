package callcontrol_test

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// quoted writes text as an ECMAScript string in an attribute.
func quoted(text string) string { return html.EscapeString(strconv.QuoteToASCII(text)) }

// evil is text that means something to FreeSWITCH in one place or another.
var evil = []string{
	"a\nexit\n\n", "a\r\n\r\nsendmsg\r\n", "a,execute_on_answer=hangup", "{x=y}a", "[x=y]a", "<x=y>a", "a}b", "a|b", "a&park()",
	"a ${system(touch /tmp/x)}", "$${x}", "a'b", `a"b`, `a\b`, "a^b", "a:_:b", "a;b", "inline", "a b", "\x00", "\u2028",
}

// dialled is what an originate may be given of hostile destinations: a number, or
// a user at a host.
var dialled = regexp.MustCompile(`dial=sofia/(gateway/carrier/[0-9A-Da-d*#]+|internal/sip:[A-Za-z0-9@.]+)$`)

// Whatever a document dials, what FreeSWITCH is told is a plain destination or
// nothing.
func TestHostileDestinations(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("dial.ccxml"), sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1000"))
	s.Switch.Callee("*", switchsim.Answers{})
	for _, text := range evil {
		for _, destination := range []string{"tel:" + text, "sip:" + text + "@host", "sip:user@" + text, text} {
			s.Transitions("dial.ccxml", `
<transition event="ccxml.loaded"><createcall dest="`+quoted(destination)+`"/></transition>
<transition event="connection.connected"><exit/></transition>
<transition event="connection.failed"><exit/></transition>
<transition event="error.semantic"><exit/></transition>`)
			s.StartToken("")
			s.WaitIdle()
		}
	}
	placed := 0
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "msg=originate") {
			placed++
			if !dialled.MatchString(line) {
				t.Errorf("dialled: %s", line)
			}
		}
	}
	if all := 4 * len(evil); placed > all/4 {
		t.Errorf("%d of %d were dialled", placed, all)
	}
}

// A hostile caller id or header changes nothing of the call but itself.
func TestHostileCallerID(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("dial.ccxml"), sitetest.With("LIMITS_ORIGINATES_PER_SECOND", "1000"))
	s.Switch.Callee("200", switchsim.Answers{})
	for _, text := range evil {
		s.Trace.Reset()
		s.Transitions("dial.ccxml", `
<transition event="ccxml.loaded"><createcall dest="'tel:200'" callerid="`+quoted(text)+`" hints="{headers: {'x-note': `+quoted(text)+`, 'Route': 'sip:evil'}}"/></transition>
<transition event="connection.connected"><log expr="'up'"/></transition>
<transition event="connection.failed"><log expr="'refused ' + event$.reason"/><exit/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
		s.StartToken("")
		s.Must(s.Trace.WaitText(s.Context(), "log "))
		if s.Trace.Has("log up") {
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			checkCommands(s, callee, "socket ")
			callee.Hangup()
		}
		s.WaitIdle()
	}
	s.Trace.Reset()
	s.Transitions("dial.ccxml", `
<transition event="ccxml.loaded"><createcall dest="'tel:200'" hints="{headers: {'X-A,execute_on_answer': 'park'}}"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>`)
	s.StartToken("")
	s.WaitLog("unknown: esl: variable name")
	s.WaitIdle()
	if n := s.Switch.Channels(); n != 0 {
		t.Errorf("%d channels are left", n)
	}
}

// checkCommands checks that a leg was told nothing but what begins like this.
func checkCommands(s *sitetest.Site, party *switchsim.Party, allowed ...string) {
	s.Helper()
	for _, command := range party.Commands() {
		known := false
		for _, beginning := range allowed {
			known = known || strings.HasPrefix(command, beginning)
		}
		if !known {
			s.Errorf("the leg was told: %q", command)
		}
	}
}

// Texts to speak are spoken as they are, on one line.
func TestHostileText(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	for _, c := range []struct{ text, heard string }{
		{"Hello ${caller_id_number}, you owe $5 {net}.", "Hello ${caller_id_number}, you owe $5 {net}."},
		{"One\r\ntwo\nthree|four|five.", "One two three|four|five."},
		{"{voice=evil}Say it.", "voice=evil}Say it."},
		{`Back\slash and 'quotes' and "more".`, `Back\slash and 'quotes' and "more".`},
		{"Content-Length: 0\n\nsendmsg\ncall-command: hangup\n\n", "Content-Length: 0  sendmsg call-command: hangup  "},
	} {
		s.Trace.Reset()
		caller := s.Dial(s.Transitions("say.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'data:text/plain,' + `+quoted(c.text)+`" type="'text/plain'"/></transition>
<transition event="dialog.exit"><log expr="'said'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/></transition>`))
		s.WaitLog("said")
		if heard := caller.Heard(); len(heard) != 1 || heard[0].What != c.heard {
			t.Errorf("%q: the caller heard %+v", c.text, heard)
		}
		checkCommands(s, caller, "set ", "socket ", "answer", "speak flite|kal|")
		caller.Hangup()
		s.WaitIdle()
	}
}

// Names of conferences, files, reasons and redirections that hold commands are
// names, or are refused.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	for _, text := range evil {
		s.Trace.Reset()
		caller := s.Dial(s.Document("names.ccxml", `
<ccxml version="1.0"><var name="c"/><var name="leg"/><eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/' + `+quoted(text)+`" type="'audio/wav'"/></transition>
<transition event="error.dialog.notstarted"><createconference conferenceid="c" confname="`+quoted(text)+`"/></transition>
<transition event="conference.created"><join id1="leg" id2="c"/></transition>
<transition event="conference.joined"><redirect connectionid="leg" dest="'sip:a@b' + `+quoted(text)+`"/></transition>
<transition event="connection.redirect.failed"><log expr="'done'"/></transition>
<transition event="connection.redirected"><log expr="'done'"/><exit/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + event$.reason"/></transition>
</eventprocessor></ccxml>`))
		s.WaitLog("done")
		for _, command := range caller.Commands() {
			if name, ok := strings.CutPrefix(command, "conference "); ok && strings.ContainsAny(name, " \r\n,{}$&|'\"\\") {
				t.Errorf("%q makes the room %q", text, name)
			}
		}
		checkCommands(s, caller, "set ", "socket ", "answer", "playback /sounds/", "conference ccxmld-", "deflect sip:a@b")
		caller.Hangup()
		s.WaitIdle()
	}
}

func TestHostileRejectReason(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	for _, text := range append(evil, "486\r\nX-Evil: 1", "486;park") {
		caller := s.Dial(s.Transitions("reject.ccxml", `
<transition event="connection.alerting"><reject reason="`+quoted(text)+`"/></transition>
<transition event="connection.failed"><exit/></transition>`))
		ending, err := caller.WaitEnded(s.Context())
		s.Must(err)
		if ending.Cause != "CALL_REJECTED" {
			t.Errorf("%q: ended with %+v", text, ending)
		}
	}
	s.WaitIdle()
}

// A document that asks for more than a session may have is stopped.
func TestRunawayDocuments(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_SCRIPT_TIME", "100ms"), sitetest.With("LIMITS_CONNECTIONS_PER_SESSION", "3"), sitetest.With("LIMITS_EVENTS_QUEUED", "50"),
		sitetest.With("LIMITS_SESSION_LIFETIME", "2s"), sitetest.WithToken("run.ccxml"))
	s.Switch.Callee("*", switchsim.NoAnswer{})
	for name, c := range map[string]struct{ transitions, want string }{
		"script without end": {`<transition event="ccxml.loaded"><if cond="(function(){while(true){}})()"/></transition>
			<transition event="error.semantic"><log expr="'stopped'"/><exit/></transition>`, "log stopped"},
		"calls without end": {`<transition event="ccxml.loaded"><createcall dest="'tel:1'"/><createcall dest="'tel:2'"/><createcall dest="'tel:3'"/><createcall dest="'tel:4'"/></transition>
			<transition event="connection.failed"><log expr="event$.reason"/><exit/></transition>`, "log the session has more than 3 connections"},
		"lives too long": {`<transition event="nothing"/>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.In(t)
			s.Trace.Reset()
			s.Transitions("run.ccxml", c.transitions)
			began := s.Clock.Now()
			s.StartToken("")
			if c.want != "" {
				s.Must(s.Trace.Wait(s.Context(), c.want))
			}
			s.WaitIdle()
			if name == "lives too long" && clock.Since(s.Clock, began) < 2*time.Second {
				t.Error("it ended before its time")
			}
		})
	}
	s.Must(s.DaemonLog.WaitText(s.Context(), "it lived longer than 2s"))
}
