//go:build freeswitch

package callcontrol_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ccxmld/callcontrol"
	"ccxmld/esl"
	"ccxmld/examples/conference-cgi/cgi"
	"ccxmld/interpreter"
	"ccxmld/sitetest"
)

// These tests run the daemon against a real FreeSWITCH, named by
// CCXMLD_FREESWITCH=HOST:PORT:PASSWORD, which must be on this machine and have
// mod_loopback, mod_dptools, mod_commands, mod_conference with the profile
// ccxmld (conf/freeswitch) and mod_tone_stream; speech needs the engine of
// dialog.tts. Callers and callees are loopback legs, so that no phone is needed;
// what they cannot do is done with a SIP phone of the tests' own (phone).

// realSite is a daemon that works with a real FreeSWITCH, and a link of the
// test's own to play the parties by.
type realSite struct {
	*sitetest.Site
	link *esl.Link
}

func newRealSite(t *testing.T, options ...sitetest.Option) *realSite {
	t.Helper()
	named := os.Getenv("CCXMLD_FREESWITCH")
	at := strings.LastIndex(named, ":")
	if at < 0 || !strings.Contains(named[:at], ":") {
		t.Fatal("CCXMLD_FREESWITCH must be HOST:PORT:PASSWORD of mod_event_socket")
	}
	address, password := named[:at], named[at+1:]
	s := &realSite{Site: sitetest.NewReal(t, append([]sitetest.Option{func(o *sitetest.Options) {
		o.Environment = map[string]string{
			"ESL_LISTEN":       "127.0.0.1:0",
			"HTTP_LISTEN":      "127.0.0.1:0",
			"NODES":            fmt.Sprintf("[{name: real, address: %q, password: %q}]", address, password),
			"DOCUMENTS_ALLOW":  fmt.Sprintf("[%q]", "file://"+o.Dir+"/"),
			"DOCUMENTS_ROUTES": fmt.Sprintf("[{uri: %q}]", "file://"+o.Dir+"/incoming.ccxml"),
			"DIAL_ROUTES": "[{match: 'tel:1', dial: 'loopback/app=conference:callee@ccxmld'}, {match: 'tel:2', dial: 'loopback/app=hangup:USER_BUSY'}, " +
				"{match: 'tel:3', dial: 'sofia/gateway/no-such-gateway/3'}, {match: 'tel:4', dial: 'loopback/app=park'}]",
		}
	}}, options...)...)}
	s.connect(address, password)
	return s
}

// connect opens the test's own link.
func (s *realSite) connect(address, password string) {
	s.Helper()
	up := make(chan struct{}, 1)
	s.link = esl.NewLink(esl.LinkOptions{
		Name: "test", Address: address, Password: password, Logger: slog.New(slog.DiscardHandler),
		OnUp: func() { up <- struct{}{} },
	})
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.link.Run(ctx) }()
	s.Cleanup(func() { cancel(); <-ended })
	select {
	case <-up:
	case <-s.Context().Done():
		s.Fatalf("FreeSWITCH at %s cannot be reached: %v", address, s.link.Err())
	}
}

// api runs a command of FreeSWITCH and gives what it answers.
func (s *realSite) api(name string, args ...string) string {
	s.Helper()
	reply, err := s.link.Do(s.Context(), esl.API(name, args...))
	s.Must(err)
	return strings.TrimSpace(reply.Text)
}

// caller calls the daemon; it returns the caller's own leg.
func (s *realSite) caller() string {
	s.Helper()
	id := uuid.NewString()
	done := make(chan string, 1)
	call := esl.Originate{
		UUID: id, Dial: "loopback/app=socket:" + s.Daemon.ESLAddress() + " async full", Extension: "&park()",
		Vars: map[string]string{"loopback_bowout": "false", "loopback_bowout_on_execute": "false"},
	}
	s.link.Job(call.Command(), func(result string, err error) { done <- fmt.Sprint(strings.TrimSpace(result), " ", err) })
	s.Cleanup(func() { s.link.Send(esl.API("uuid_kill", id), nil) })
	go func() {
		select {
		case result := <-done:
			s.Trace.Add("caller " + result)
		case <-s.Context().Done():
		}
	}()
	return id
}

// gone waits until a leg is no more.
func (s *realSite) gone(id string) {
	s.Helper()
	s.WaitUntil("leg "+id+" is gone", func() bool { return s.api("uuid_exists", id) == "false" })
}

func TestFreeSWITCHIncomingCall(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `
<ccxml version="1.0">
  <eventprocessor>
    <transition event="connection.alerting"><accept/></transition>
    <transition event="connection.connected"><dialogstart src="'tone_stream://%(300,0,440)'" type="'audio/wav'"/></transition>
    <transition event="dialog.started"><log expr="'started'"/></transition>
    <transition event="dialog.exit"><log expr="'played ' + event$.reason"/><disconnect connectionid="event$.connectionid"/></transition>
    <transition event="connection.disconnected"><log expr="event$.trigger"/><exit/></transition>
  </eventprocessor>
</ccxml>`)
	caller := s.caller()
	s.WaitLog("started")
	s.WaitLog("played undefined")
	s.gone(caller)
	s.WaitIdle()
}

// Digits end a prompt, and come back with the dialog's end.
func TestFreeSWITCHDigits(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `
<ccxml version="1.0">
  <eventprocessor>
    <transition event="connection.alerting"><accept/></transition>
    <transition event="connection.connected"><dialogstart src="'tone_stream://%(20000,0,440)?maxdigits=4'" type="'audio/wav'"/></transition>
    <transition event="dialog.started"><log expr="'started'"/></transition>
    <transition event="dialog.exit"><log expr="'digits ' + event$.values.digits"/><exit/></transition>
  </eventprocessor>
</ccxml>`)
	caller := s.caller()
	s.WaitLog("started")
	s.api("uuid_send_dtmf", caller, "1234")
	s.WaitLog("digits 1234")
	s.gone(caller)
}

// A prompt that is not there says so.
func TestFreeSWITCHMissingPrompt(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `
<ccxml version="1.0">
  <eventprocessor>
    <transition event="connection.alerting"><accept/></transition>
    <transition event="connection.connected"><dialogstart src="'/nonexistent/prompt.wav'" type="'audio/wav'"/></transition>
    <transition event="error.dialog.notstarted"><log expr="event$.reason"/><exit/></transition>
  </eventprocessor>
</ccxml>`)
	s.caller()
	s.Must(s.Trace.Wait(s.Context(), "event error.dialog.notstarted"))
	s.WaitIdle()
}

func TestFreeSWITCHOutcomes(t *testing.T) {
	s := newRealSite(t)
	uri := s.Document("out.ccxml", `
<ccxml version="1.0">
  <eventprocessor>
    <transition event="ccxml.loaded"><createcall dest="session.values.to" timeout="'2s'"/></transition>
    <transition event="connection.connected"><log expr="session.values.to + ' connected'"/><exit/></transition>
    <transition event="connection.failed"><log expr="session.values.to + ' ' + event$.reason"/><exit/></transition>
  </eventprocessor>
</ccxml>`)
	for destination, want := range map[string]string{
		"tel:1": "connected", "tel:2": "busy", "tel:3": "unreachable", "tel:4": "timeout", "tel:5": "unreachable", "nonsense": "badnumber",
	} {
		s.startSession(uri, destination)
		s.WaitLog(destination + " " + want)
	}
	s.WaitIdle()
}

// Two legs are bridged, taken apart, bridged again; one hangs up, and the other
// can still be talked to.
func TestFreeSWITCHBridge(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", realBridge)
	caller := s.caller()
	s.WaitLog("partner gone")
	s.WaitLog("told")
	s.gone(caller)
	s.WaitIdle()
}

const realBridge = `
<ccxml version="1.0">
  <var name="a"/><var name="b"/><var name="joins" expr="0"/>
  <eventprocessor>
    <transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
    <transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:1'" connectionid="b"/></transition>
    <transition event="connection.connected"><join id1="a" id2="b"/></transition>
    <transition event="conference.joined"><assign name="joins" expr="joins + 1"/>
      <if cond="joins == 1"><unjoin id1="a" id2="b"/><else/><disconnect connectionid="b"/></if></transition>
    <transition event="conference.unjoined" cond="joins == 1"><join id1="b" id2="a"/></transition>
    <transition event="connection.disconnected" cond="event$.connectionid == b"><log expr="'partner gone'"/>
      <dialogstart connectionid="a" src="'tone_stream://%(300,0,440)'" type="'audio/wav'"/></transition>
    <transition event="dialog.exit"><log expr="'told'"/><exit/></transition>
    <transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
  </eventprocessor>
</ccxml>`

// Two callers meet in a conference by its name; when the last has gone, it is
// gone too.
func TestFreeSWITCHConference(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `
<ccxml version="1.0">
  <var name="conf"/><var name="conn"/>
  <eventprocessor>
    <transition event="connection.alerting"><assign name="conn" expr="event$.connectionid"/><accept/></transition>
    <transition event="connection.connected"><createconference conferenceid="conf" confname="'a room, of {ours}'"/></transition>
    <transition event="conference.created"><log expr="'new ' + event$.isnew"/><join id1="conn" id2="conf"/></transition>
    <transition event="conference.joined"><log expr="'in ' + event$.id2"/></transition>
    <transition event="connection.disconnected"><exit/></transition>
    <transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
  </eventprocessor>
</ccxml>`)
	first := s.caller()
	s.WaitLog("new true")
	s.WaitLog("in conference:")
	second := s.caller()
	s.WaitLog("new false")
	s.WaitUntil("both are in one room", func() bool { return strings.Contains(s.api("conference", "list"), "2 members") })
	for _, caller := range []string{first, second} {
		s.api("uuid_kill", caller)
	}
	s.WaitIdle()
	s.WaitUntil("the registry is empty", func() bool {
		lines, err := s.Daemon.Roster(s.Context())
		return err == nil && len(lines) == 0
	})
}

// The published conference application: a program that answers with documents in
// the dialect of 2002, and VoiceXML that asks for the number. It speaks, so the
// engine of dialog.tts must be there.
func TestFreeSWITCHConferenceApplication(t *testing.T) {
	web := httptest.NewServer(cgi.New(time.Hour))
	t.Cleanup(web.Close)
	s := newRealSite(t,
		sitetest.With("DOCUMENTS_ALLOW", fmt.Sprintf("[%q]", web.URL+"/")),
		sitetest.With("DOCUMENTS_ROUTES", fmt.Sprintf("[{uri: %q}]", web.URL+"/conference.ccxml")))
	var callers []string
	for joined, members := range []string{"", "2 members"} {
		before := s.Trace.Count("event dialog.started")
		caller := s.caller()
		callers = append(callers, caller)
		s.WaitUntil("the caller is asked for the number", func() bool { return s.Trace.Count("event dialog.started") > before })
		s.api("uuid_send_dtmf", caller, "12345678901@100")
		s.WaitUntil("the caller is in", func() bool { return s.Trace.Count("event conference.joined") > joined })
		s.WaitUntil("who is in the room", func() bool { return strings.Contains(s.api("conference", "list"), members) })
	}
	for _, caller := range callers {
		s.api("uuid_kill", caller)
	}
	s.WaitIdle()
}

// startSession starts a session as a token would.
func (s *realSite) startSession(uri, destination string) {
	s.Helper()
	_, err := s.Daemon.Controller.Start(s.Context(), startRequest(uri, destination))
	s.Must(err)
}

func startRequest(uri, destination string) callcontrol.StartRequest {
	return callcontrol.StartRequest{URI: uri, Values: []interpreter.Pair{{Name: "to", Value: destination}}}
}
