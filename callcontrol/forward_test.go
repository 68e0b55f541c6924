package callcontrol_test

import (
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// forwards is a document that dials 200 and logs what becomes of it.
const forwards = `
<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/><exit/></transition>
<transition event="connection.failed"><log expr="event$.reason + ' ' + event$.info.sipstatus + ' ' + event$.info.contact + ': ' + event$.detail"/><exit/></transition>`

// FreeSWITCH does not follow a callee's redirection by itself, past dial.routes: the
// document is told where to.
func TestRedirectedCallIsNotFollowed(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.Redirects{To: "<sip:201@127.0.0.1:5090>;q=1"})
	s.Switch.Callee("201", switchsim.Answers{})
	s.Transitions("out.ccxml", forwards)
	s.StartToken("")
	s.WaitLog("unknown undefined sip:201@127.0.0.1:5090: the call was redirected to sip:201@127.0.0.1:5090; dial.redirects lets it go on 0 times")
	s.WaitIdle()
}

// With dial.redirects it goes on by dial.routes, as often as that says.
func TestRedirectedCallGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to, want string
	}{
		"answered": {"<sip:201@127.0.0.1>", "answered"},
		"in a circle": {"<sip:200@127.0.0.1>", "unknown undefined sip:200@127.0.0.1: the call was redirected to sip:200@127.0.0.1; " +
			"dial.redirects lets it go on 2 times"},
		"no route": {"<tel:+1900>", "unknown undefined tel:+1900: the call was redirected to tel:+1900: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.WithToken("out.ccxml"), sitetest.With("DIAL_REDIRECTS", "2"),
				sitetest.With("DIAL_ROUTES", "[{match: 'tel:(2.*)', dial: 'sofia/gateway/carrier/$1'}, {match: 'sip:(.*)', dial: 'sofia/internal/sip:$1'}]"))
			s.Switch.Callee("sip:200", switchsim.Redirects{To: c.to})
			s.Switch.Callee("200", switchsim.Redirects{To: c.to})
			s.Switch.Callee("sip:201", switchsim.Answers{})
			s.Transitions("out.ccxml", forwards)
			s.StartToken("")
			s.WaitLog(c.want)
			s.WaitIdle()
		})
	}
}

// A 408 is the answer of somebody, and not his silence.
func TestDetailOfRequestTimeout(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.Refuses{Status: 408})
	s.Transitions("out.ccxml", forwards)
	s.StartToken("")
	s.WaitLog("timeout 408 undefined: the far end, or a proxy on the way, gave up waiting for an answer (SIP 408)")
	s.WaitIdle()
}

// A call that would go on, and has no place among those that wait, fails and says why.
func TestRedirectedCallHasNoPlace(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"), sitetest.WithSettings(map[string]string{
		"DIAL_REDIRECTS": "2", "LIMITS_ORIGINATES_PER_SECOND": "1", "LIMITS_ORIGINATES_WAITING": "1",
		"DIAL_ROUTES": "[{match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}, {match: 'sip:(.*)', dial: 'sofia/internal/sip:$1'}]"}))
	s.Switch.Callee("200", switchsim.Redirects{To: "<sip:201@127.0.0.1>"})
	s.Switch.Callee("300", switchsim.NoAnswer{})
	s.Document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="a"/><var name="b"/><var name="d"/><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:200'" connectionid="a"/><createcall dest="'tel:300'" connectionid="b"/><send target="session.id" targettype="'ccxml'" name="'another'" delay="'1100ms'"/></transition>
<transition event="another"><createcall dest="'tel:300'" connectionid="d"/></transition>
<transition event="connection.failed"><log expr="(event$.connectionid == a) + ' ' + event$.reason + ': ' + event$.detail"/><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("true unreachable: FreeSWITCH node sim: 1 calls wait for their turn there already")
	s.WaitIdle()
}
