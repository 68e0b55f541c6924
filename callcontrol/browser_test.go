package callcontrol_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// browsing is a document that has its page run by an external server.
const browsing = `
<ccxml version="1.0"><var name="c"/><var name="d"/><var name="first" expr="true"/><var name="sku" expr="'a&amp;b; 7'"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><dialogstart src="'http://example.org/menu.vxml?x=1'" dialogid="d" START/></transition>
<transition event="dialog.started" cond="event$.dialogid == d &amp;&amp; first"><assign name="first" expr="false"/><log expr="'started'"/>AFTER</transition>
<transition event="dialog.disconnect"><log expr="'wants to disconnect ' + event$.values.code"/></transition>
<transition event="error.dialog.notstarted"><log expr="'not started: ' + event$.reason"/><exit/></transition>
<transition event="dialog.exit" cond="event$.dialogid == d"><log expr="'exit ' + JSON.stringify(event$.values) + ' ' + event$.reason"/>
  <dialogstart src="'/sounds/bye.wav'" type="'audio/wav'" connectionid="c"/></transition>
<transition event="connection.signal"><log expr="'signal ' + event$.info.value"/></transition>
<transition event="conference.*"><log expr="'of the bridge: ' + event$.name"/></transition>
<transition event="connection.disconnected"><log expr="'caller gone'"/></transition>
</eventprocessor></ccxml>`

func browses(s *sitetest.Site, start, after string) *switchsim.Party {
	s.Helper()
	s.Switch.AddSound("/sounds/bye.wav", 100*time.Millisecond)
	return s.Dial(s.Document("browse.ccxml", strings.NewReplacer("START", start, "AFTER", after).Replace(browsing)))
}

const (
	// browserNumber is what the simulated switch calls the server by.
	browserNumber = "sip:dialog"
	formType      = "application/x-www-form-urlencoded"
)

// A page runs on a server that is called as RFC 5552 has it, and what it returns
// comes in the server's BYE.
func TestExternalBrowser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, start string
		want        map[string]string // the parameters of the Request-URI
		body, exit  string
	}{
		{"values", "", map[string]string{"voicexml": "http://example.org/menu.vxml?x=1"},
			"code=12%2634&name=Ada+L&__reason=exit", `exit {"code":"12&34","name":"Ada L"} undefined`},
		{"an expression", "", nil, "__exit=done", `exit {"expr":"done"} undefined`},
		{"nothing", "", nil, "", `exit {} undefined`},
		{"parameters", `parameters="sku" maxage="'60s'" hints="{aai: 'of the call'}"`, map[string]string{
			"voicexml": "http://example.org/menu.vxml?x=1", "ccxml": `{"values":{"sku":"a\u0026b; 7"}}`, "maxage": "60", "aai": "of the call"}, "", "exit {} undefined"},
		{"by GET", `namelist="sku"`, map[string]string{"voicexml": "http://example.org/menu.vxml?x=1&sku=a%26b%3B+7"}, "", "exit {}"},
		{"by POST", `namelist="sku" method="'post'"`, map[string]string{
			"voicexml": "http://example.org/menu.vxml?x=1", "method": "post", "postbody": "sku=a%26b%3B+7"}, "", "exit {}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.With("DIALOG_VOICEXML", "sip:vxml.example.org:5070"))
			s.Switch.Callee(browserNumber, switchsim.Answers{After: time.Second})
			caller := browses(s, c.start, "")
			server, err := s.Switch.WaitCallee(s.Context(), browserNumber)
			s.Must(err)
			s.WaitLog("started")
			hearsParty(s, caller, browserNumber)
			if to := s.Switch.Variable(server.UUID(), "sip_invite_to_uri"); to != "sip:8001@127.0.0.1:5060" {
				t.Errorf("the server is told that %q was called", to)
			}
			if c.want != nil {
				compareParameters(t, s.Switch.Variable(server.UUID(), "sip_invite_params"), c.want)
			}
			if c.body == "" {
				server.Hangup()
			} else {
				server.HangupSaying(formType, c.body)
			}
			s.WaitLog(c.exit)
			s.Must(caller.WaitHeard(s.Context(), "bye.wav")) // the document has the leg again
			caller.Hangup()
			s.WaitLog("caller gone")
			if s.Trace.Has("of the bridge") {
				t.Errorf("the document was told what it does not ask for: %q", s.Trace.Lines())
			}
			s.Stop()
		})
	}
}

// compareParameters compares those of a URI, decoded.
func compareParameters(t *testing.T, text string, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		decoded, err := url.PathUnescape(value)
		if err != nil {
			t.Errorf("%s: %v", part, err)
		}
		got[name] = decoded
	}
	if len(got) != len(want) {
		t.Errorf("parameters %q, want %q", got, want)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s=%s, want %s", name, got[name], value)
		}
	}
}

// A page's <disconnect> is told before its exit.
func TestExternalBrowserDisconnects(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee(browserNumber, switchsim.Answers{})
	browses(s, `hints="{browser: 'sip:vxml.example.org'}"`, "")
	server, err := s.Switch.WaitCallee(s.Context(), browserNumber)
	s.Must(err)
	s.WaitLog("started")
	server.HangupSaying(formType, "code=7&__reason=disconnect")
	s.WaitLog("wants to disconnect 7")
	s.WaitLog(`exit {"code":"7"}`)
	s.Stop()
}

// Whatever keeps the server from running the page is told, with its SIP status.
func TestExternalBrowserRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, start string
		server      switchsim.Behaviour
		want        string
	}{
		{"busy", "", switchsim.Busy{}, "not started: the VoiceXML server sip:dialog@vxml.example.org answered 486 (USER_BUSY)"},
		{"no page", "", switchsim.Refuses{Status: 500}, "not started: the VoiceXML server sip:dialog@vxml.example.org answered 500"},
		{"no server", "", switchsim.Unreachable{}, "not started: the VoiceXML server sip:dialog@vxml.example.org answered 503"},
		{"silent", "", switchsim.NoAnswer{}, "not started: the VoiceXML server sip:dialog@vxml.example.org did not answer within 30s"},
		{"no URI", `hints="{browser: 'vxml.example.org'}"`, switchsim.Answers{}, "not started: the hint browser is \"vxml.example.org\"; expected internal, or a SIP URI"},
		{"a name beside it", `hints="{browser: '&quot;Menu&quot; &lt;sip:vxml.example.org&gt;'}"`, switchsim.Answers{}, "not started: the hint browser is"},
		{"half duplex", `mediadirection="'dialogtransmit'"`, switchsim.Answers{}, "not started: a dialog on an external VoiceXML server needs a connection, and mediadirection both"},
		{"no route", `hints="{browser: 'sips:vxml.example.org'}"`, switchsim.Answers{}, "not started: the VoiceXML server sips:dialog@vxml.example.org: no dial route matches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.With("DIALOG_VOICEXML", "sip:vxml.example.org"))
			s.Switch.Callee(browserNumber, c.server)
			caller := browses(s, c.start, "")
			s.WaitLog(c.want)
			_, err := caller.WaitEnded(s.Context())
			s.Must(err)
			s.WaitIdle()
		})
	}
}

// The call to the server ends with the dialog, and the dialog with the caller, by
// dialogterminate, or by a join elsewhere.
func TestExternalBrowserIsEnded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, after string
		hangUp      bool
		want        string
	}{
		{"by the caller", "", true, "exit {} undefined"},
		{"by dialogterminate", `<dialogterminate dialogid="d"/>`, false, "exit {} undefined"},
		{"at once", `<dialogterminate dialogid="d" immediate="true"/>`, false, "exit {} undefined"},
		{"by another dialog", `<dialogstart src="'/sounds/bye.wav'" type="'audio/wav'" connectionid="c"/>`, false, "exit {} its "},
		{"by unjoin", `<unjoin id1="d" id2="c"/>`, false, "exit {} its connection was taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.With("DIALOG_VOICEXML", "sip:vxml.example.org"))
			s.Switch.Callee(browserNumber, switchsim.Answers{After: time.Second})
			caller := browses(s, "", c.after)
			server, err := s.Switch.WaitCallee(s.Context(), browserNumber)
			s.Must(err)
			s.WaitLog("started")
			if c.hangUp {
				caller.Press("1") // which is the server's
				caller.Hangup()
			}
			_, err = server.WaitEnded(s.Context())
			s.Must(err)
			s.WaitLog(c.want)
			if s.Trace.Has("signal") {
				t.Errorf("the document has the digits: %q", s.Trace.Lines())
			}
			s.Stop()
		})
	}
}

// A dialog that is terminated, or whose caller hangs up, before the server answers
// leaves no call behind.
func TestExternalBrowserIsEndedEarly(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("DIALOG_VOICEXML", "sip:vxml.example.org"))
	s.Switch.Callee(browserNumber, switchsim.NoAnswer{})
	caller := browses(s, "", "")
	server, err := s.Switch.WaitCallee(s.Context(), browserNumber)
	s.Must(err)
	caller.Hangup()
	s.WaitLog("not started: the call has ended")
	_, err = server.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
}

// What is prepared for an external server is ready at once (DLG-14).
func TestExternalBrowserPrepared(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("DIALOG_VOICEXML", "sip:vxml.example.org"))
	s.Switch.Callee(browserNumber, switchsim.Answers{})
	caller := s.Dial(s.Document("browse.ccxml", `
<ccxml version="1.0"><var name="d"/><var name="given" expr="'it'"/><eventprocessor>
<transition event="connection.alerting"><dialogprepare src="'http://example.org/menu.vxml'" dialogid="d" parameters="given"/><accept/></transition>
<transition event="dialog.prepared"><log expr="'prepared'"/></transition>
<transition event="connection.connected"><dialogstart prepareddialogid="d" connectionid="event$.connectionid"/></transition>
<transition event="dialog.started"><log expr="'started'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`))
	server, err := s.Switch.WaitCallee(s.Context(), browserNumber)
	s.Must(err)
	compareParameters(t, s.Switch.Variable(server.UUID(), "sip_invite_params"), map[string]string{
		"voicexml": "http://example.org/menu.vxml", "ccxml": `{"values":{"given":"it"}}`})
	s.WaitLog("prepared")
	s.WaitLog("started")
	caller.Hangup()
	s.WaitIdle()
}
