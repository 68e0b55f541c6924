package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ccxmld/switchsim"
)

// The document that runs pages is one that people could have written.
func TestVoiceXMLDocumentIsChecked(t *testing.T) {
	t.Parallel()
	if status, out, _ := ccxmld(t, "check", "--strict", "../../callcontrol/documents/voicexml.ccxml"); status != 0 || out != "" {
		t.Errorf("exit status %d, printed:\n%s", status, out)
	}
}

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
				h := newHouse(t, func(p *plan) {
					if routed {
						p.dir = dir
						p.environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("[%q]", "file://"+dir+"/")
						p.environment["DOCUMENTS_ROUTES"] = fmt.Sprintf("[{destination: '8010', uri: 'vxml:file://%s/page.vxml'}]", dir)
					}
				})
				call := switchsim.Call{To: "8010", Sockets: []string{h.daemon.ESLAddress()}}
				if routed {
					h.dir = dir
					h.page(form)
				} else {
					call.Variables = map[string]string{"ccxml_uri": h.page(form)}
				}
				caller, err := h.sw.Dial(call)
				h.must(err)
				h.must(caller.WaitHeard(h.ctx, "Which number?"))
				caller.Press("42")
				h.must(caller.WaitHeard(h.ctx, "You said 42."))
				_, err = caller.WaitEnded(h.ctx)
				h.must(err)
				h.idle()
				if h.seen.has("error.") {
					t.Errorf("an error: %q", h.seen.all())
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
	h := newHouse(t, func(p *plan) {
		p.dir = dir
		p.environment["DOCUMENTS_ALLOW"] = fmt.Sprintf("[%q, %q]", "file://"+dir+"/", "http://down/")
	})
	h.dir = dir
	h.document("broken.vxml", `<vxml version="2.1"><form><blok/></form></vxml>`)
	h.document("rootless.vxml", `<vxml version="2.1" application="none.vxml"><form><block>Hello</block></form></vxml>`)
	for _, page := range []string{
		"vxml:file://" + dir + "/none.vxml", "vxml:file://" + dir + "/broken.vxml", "vxml:file://" + dir + "/rootless.vxml",
		"vxml:http://down/page.vxml", "vxml:file:///etc/passwd",
	} {
		ending, err := h.dial(page).WaitEnded(h.ctx)
		h.must(err)
		if ending.SIPStatus != 503 {
			t.Errorf("%s: the call ended with %+v, want 503 without an answer", page, ending)
		}
	}
	h.must(h.seen.waitFor(h.ctx, "was not run: "))
	h.must(h.log.waitFor(h.ctx, "not allowed by documents.allow"))
	h.idle()
	if h.seen.has("the call was not made") {
		t.Errorf("a refusal is told as a call that failed: %q", h.seen.all())
	}
}

// A caller who gives up while the page is fetched ends it.
func TestVoiceXMLCallerGivesUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, allowing("http://slow"))
	asked := h.serveSilently(nil)
	caller := h.dial("vxml:http://slow/page.vxml")
	h.told(asked)
	caller.Hangup()
	h.idle()
}

// Nobody is called by a token whose page is not there.
func TestVoiceXMLByTokenWithoutItsPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(p *plan) {
		p.environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'vxml:file://%s/none.vxml'}}", p.dir)
	})
	h.sw.Callee("4072223333", switchsim.Answers{})
	if status, body := h.get("/CCXML10.start?tokenid=s3cret&numbertodial=4072223333"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	h.must(h.seen.waitFor(h.ctx, "was not run: "))
	h.idle()
	if h.seen.has("connection.") {
		t.Errorf("somebody was called: %q", h.seen.all())
	}
}

// The transfers that a page asks for are made.
func TestVoiceXMLTransfers(t *testing.T) {
	t.Parallel()
	const form = `<catch event="connection.disconnect.transfer"><log>handed</log><exit/></catch>
<catch event="error.connection"><log expr="_event"/><prompt>No such number.</prompt><exit/></catch>
<form><transfer name="t" dest="tel:1407" TYPE>Please hold.</transfer>
<block>The result is <value expr="t"/>.</block></form>`
	hangUp := func(_ *house, _, callee *switchsim.Party) { callee.Hangup() }
	handed := func(h *house, _, callee *switchsim.Party) {
		h.must(h.seen.wait(h.ctx, "state handed"))
		callee.Hangup()
	}
	stay := func(*house, *switchsim.Party, *switchsim.Party) {}
	for _, c := range []struct {
		name, attributes string
		callee           switchsim.Behaviour
		then             func(h *house, caller, callee *switchsim.Party)
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
			func(_ *house, caller, _ *switchsim.Party) { caller.Hangup() }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.sw.Callee("1407", c.callee)
			caller := h.dial(h.page(strings.Replace(form, "TYPE", c.attributes, 1)))
			h.must(caller.WaitHeard(h.ctx, "Please hold."))
			if c.then != nil {
				callee, err := h.sw.WaitCallee(h.ctx, "1407")
				h.must(err)
				h.hearsParty(caller, "1407")
				c.then(h, caller, callee)
				_, err = callee.WaitEnded(h.ctx)
				h.must(err)
			}
			if c.heard != "" {
				h.must(caller.WaitHeard(h.ctx, c.heard))
			}
			_, err := caller.WaitEnded(h.ctx)
			h.must(err)
			h.idle()
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
	h := newHouse(t, func(p *plan) {
		dir = p.dir
		p.environment["TOKENS"] = fmt.Sprintf("{s3cret: {uri: 'vxml:file://%s/page.vxml'}}", p.dir)
	})
	h.sw.Callee("4072223333", switchsim.Answers{})
	if h.page(`<form><block>Good morning.</block></form>`); dir != h.dir {
		t.Fatal("the page is elsewhere")
	}
	if _, err := os.Stat(dir + "/page.vxml"); err != nil {
		t.Fatal(err)
	}
	if status, body := h.get("/CCXML10.start?tokenid=s3cret&numbertodial=4072223333&callerid=4075550100"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	callee, err := h.sw.WaitCallee(h.ctx, "4072223333")
	h.must(err)
	h.must(callee.WaitHeard(h.ctx, "Good morning."))
	_, err = callee.WaitEnded(h.ctx)
	h.must(err)
	if status, body := h.get("/CCXML10.start?tokenid=s3cret"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	h.logged("nobody is called")
	h.idle()
}
