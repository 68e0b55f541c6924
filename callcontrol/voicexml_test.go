package callcontrol_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// A page runs without a CCXML document of its own, by route and by dialplan
// variable, and the caller is hung up when it exits or asks for it.
func TestVoiceXMLWithoutCCXML(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]string{
		"exit": `<form><field name="code" type="digits?length=2">Which number?</field>
			<block>You said <value expr="code"/>.<exit/></block></form>`,
		"disconnect": `<form><field name="code" type="digits?length=2">Which number?</field>
			<block><prompt>You said <value expr="code"/>.</prompt><disconnect/></block></form>`,
	} {
		for _, routed := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " routed: ", routed), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				s := sitetest.New(t, func(o *sitetest.Options) {
					if routed {
						o.Dir = dir
						o.Environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("[%q]", "file://"+dir+"/")
						o.Environment["DOCUMENTS_ROUTES"] = fmt.Sprintf("[{destination: '8010', uri: 'vxml:file://%s/page.vxml'}]", dir)
					}
				})
				call := switchsim.Call{To: "8010", Sockets: []string{s.Daemon.ESLAddress()}}
				if routed {
					s.Dir = dir
					s.Page(form)
				} else {
					call.Variables = map[string]string{"ccxml_uri": s.Page(form)}
				}
				caller, err := s.Switch.Dial(call)
				s.Must(err)
				s.Must(caller.WaitHeard(s.Context(), "Which number?"))
				caller.Press("42")
				s.Must(caller.WaitHeard(s.Context(), "You said 42."))
				_, err = caller.WaitEnded(s.Context())
				s.Must(err)
				s.WaitIdle()
				if s.Trace.Has("error.") {
					t.Errorf("an error: %q", s.Trace.Lines())
				}
			})
		}
	}
}

// A page that is not there, is none, or may not be had, is said, and the call is refused
// before it is answered.
func TestVoiceXMLPageThatCannotBeHad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := sitetest.New(t, func(o *sitetest.Options) {
		o.Dir = dir
		o.Environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("[%q, %q]", "file://"+dir+"/", "http://down/")
	})
	s.Dir = dir
	s.Document("broken.vxml", `<vxml version="2.1"><form><blok/></form></vxml>`)
	s.Document("rootless.vxml", `<vxml version="2.1" application="none.vxml"><form><block>Hello</block></form></vxml>`)
	for _, page := range []string{
		"vxml:file://" + dir + "/none.vxml", "vxml:file://" + dir + "/broken.vxml", "vxml:file://" + dir + "/rootless.vxml",
		"vxml:http://down/page.vxml", "vxml:file:///etc/passwd",
	} {
		ending, err := s.Dial(page).WaitEnded(s.Context())
		s.Must(err)
		if ending.SIPStatus != 503 {
			t.Errorf("%s: the call ended with %+v, want 503 without an answer", page, ending)
		}
	}
	s.Must(s.Trace.WaitText(s.Context(), "was not run: "))
	s.Must(s.DaemonLog.WaitText(s.Context(), "not allowed by documents.allow"))
	s.WaitIdle()
	if s.Trace.Has("the call was not made") {
		t.Errorf("a refusal is told as a call that failed: %q", s.Trace.Lines())
	}
}

// A caller who gives up while the page is fetched ends it.
func TestVoiceXMLCallerGivesUp(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.AllowDocuments("http://slow"))
	asked := s.HandleSilently(nil)
	caller := s.Dial("vxml:http://slow/page.vxml")
	s.Next(asked)
	caller.Hangup()
	s.WaitIdle()
}

// Nobody is called by a token whose page is not there.
func TestVoiceXMLByTokenWithoutItsPage(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, func(o *sitetest.Options) {
		o.Environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'vxml:file://%s/none.vxml'}}", o.Dir)
	})
	s.Switch.Callee("4072223333", switchsim.Answers{})
	if status, body := s.Get("/CCXML10.start?tokenid=s3cret&numbertodial=4072223333"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	s.Must(s.Trace.WaitText(s.Context(), "was not run: "))
	s.WaitIdle()
	if s.Trace.Has("connection.") {
		t.Errorf("somebody was called: %q", s.Trace.Lines())
	}
}

// The transfers that a page asks for are made.
func TestVoiceXMLTransfers(t *testing.T) {
	t.Parallel()
	const form = `<catch event="connection.disconnect.transfer"><log>handed</log><exit/></catch>
<catch event="error.connection"><log expr="_event"/><prompt>No such number.</prompt><exit/></catch>
<form><transfer name="t" dest="tel:1407" TYPE>Please hold.</transfer>
<block>The result is <value expr="t"/>.</block></form>`
	hangUp := func(_ *sitetest.Site, _, callee *switchsim.Party) { callee.Hangup() }
	handed := func(s *sitetest.Site, _, callee *switchsim.Party) {
		s.Must(s.Trace.Wait(s.Context(), "state handed"))
		callee.Hangup()
	}
	stay := func(*sitetest.Site, *switchsim.Party, *switchsim.Party) {}
	for _, c := range []struct {
		name, attributes string
		callee           switchsim.Behaviour
		then             func(s *sitetest.Site, caller, callee *switchsim.Party)
		heard            string // after the transfer; "" when the page does not come back
	}{
		{"the callee hangs up", `type="bridge"`, switchsim.Answers{After: time.Second}, hangUp, "The result is far_end_disconnect."},
		{"maxtime", `type="bridge" maxtime="1s"`, switchsim.Answers{After: time.Second}, stay, "The result is maxtime_disconnect."},
		{"busy", `type="bridge"`, switchsim.Busy{}, nil, "The result is busy."},
		{"nobody answers", `type="bridge" connecttimeout="1s"`, switchsim.NoAnswer{}, nil, "The result is noanswer."},
		{"no such number", `type="bridge"`, switchsim.NotFound{}, nil, "No such number."},
		{"consultation and busy", `type="consultation"`, switchsim.Busy{}, nil, "The result is busy."},
		{"consultation", `type="consultation"`, switchsim.Answers{After: time.Second}, handed, ""},
		{"blind", `type="blind"`, switchsim.Answers{After: time.Second}, handed, ""},
		{"blind and busy", `type="blind"`, switchsim.Busy{}, nil, ""},
		{"the caller hangs up", `type="bridge"`, switchsim.Answers{After: time.Second},
			func(_ *sitetest.Site, caller, _ *switchsim.Party) { caller.Hangup() }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.Callee("1407", c.callee)
			caller := s.Dial(s.Page(strings.Replace(form, "TYPE", c.attributes, 1)))
			s.Must(caller.WaitHeard(s.Context(), "Please hold."))
			if c.then != nil {
				callee, err := s.Switch.WaitCallee(s.Context(), "1407")
				s.Must(err)
				hearsParty(s, caller, "1407")
				c.then(s, caller, callee)
				_, err = callee.WaitEnded(s.Context())
				s.Must(err)
			}
			if c.heard != "" {
				s.Must(caller.WaitHeard(s.Context(), c.heard))
			}
			_, err := caller.WaitEnded(s.Context())
			s.Must(err)
			s.WaitIdle()
			if c.heard == "" {
				for _, sound := range caller.Heard() {
					if strings.HasPrefix(sound.What, "The result") {
						t.Errorf("the page went on: %s", sound.What)
					}
				}
			}
		})
	}
}

// A token whose document is a page calls whom the request names.
func TestVoiceXMLByToken(t *testing.T) {
	t.Parallel()
	var dir string
	s := sitetest.New(t, func(o *sitetest.Options) {
		dir = o.Dir
		o.Environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'vxml:file://%s/page.vxml'}}", o.Dir)
	})
	s.Switch.Callee("4072223333", switchsim.Answers{})
	if s.Page(`<form><block>Good morning.</block></form>`); dir != s.Dir {
		t.Fatal("the page is elsewhere")
	}
	if _, err := os.Stat(dir + "/page.vxml"); err != nil {
		t.Fatal(err)
	}
	if status, body := s.Get("/CCXML10.start?tokenid=s3cret&numbertodial=4072223333&callerid=4075550100"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	callee, err := s.Switch.WaitCallee(s.Context(), "4072223333")
	s.Must(err)
	s.Must(callee.WaitHeard(s.Context(), "Good morning."))
	_, err = callee.WaitEnded(s.Context())
	s.Must(err)
	if status, body := s.Get("/CCXML10.start?tokenid=s3cret"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	s.WaitLog("nobody is called")
	s.WaitIdle()
}
