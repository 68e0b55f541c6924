//go:build freeswitch

package callcontrol_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/esl"
	"ccxmld/sitetest"
)

// refuser is a SIP server that answers each INVITE with a status, and a contact if
// there is one.
type refuser struct {
	conn    net.PacketConn
	invites atomic.Int64
}

func (s *realSite) refuser(status string, contact func(own string) string) *refuser {
	s.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	s.Must(err)
	r := &refuser{conn: conn}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		packet := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			m := readSIP(string(packet[:n]))
			if m.method() != "INVITE" {
				continue
			}
			r.invites.Add(1)
			answer := "SIP/2.0 " + status + "\r\n"
			for _, name := range []string{"Via", "From", "Call-ID", "CSeq"} {
				answer += name + ": " + m.get(name) + "\r\n"
			}
			answer += "To: " + m.get("To") + ";tag=refuser\r\n"
			if contact != nil {
				answer += "Contact: <" + contact(r.uri()) + ">\r\n"
			}
			_, _ = conn.WriteTo([]byte(answer+"Content-Length: 0\r\n\r\n"), from)
		}
	}()
	s.Cleanup(func() { conn.Close(); <-ended })
	return r
}

func (r *refuser) uri() string { return "sip:refuser@" + r.conn.LocalAddr().String() }

// callsAndTells dials where session.values.to says, and logs what becomes of it.
const callsAndTells = `
<ccxml version="1.0"><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="session.values.to" timeout="'20s'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/><exit/></transition>
<transition event="connection.failed"><log expr="event$.reason + ' ' + event$.info.sipstatus + ' ' + event$.info.contact + ': ' + event$.detail"/><exit/></transition>
</eventprocessor></ccxml>`

// A callee's redirection is told to the document, and goes on only where dial.redirects
// and dial.routes let it.
func TestFreeSWITCHRedirect(t *testing.T) {
	t.Run("not followed", func(t *testing.T) {
		s := newRealSite(t, throughProfile())
		p := s.phone()
		r := s.refuser("302 Moved", func(string) string { return p.uri() })
		s.startSession(s.Document("out.ccxml", callsAndTells), r.uri())
		s.WaitLog("unknown undefined " + p.uri() + ": the call was redirected to " + p.uri() + "; dial.redirects lets it go on 0 times")
		s.WaitIdle()
		if n := r.invites.Load(); n != 1 {
			t.Errorf("%d INVITEs", n)
		}
	})
	t.Run("followed", func(t *testing.T) {
		s := newRealSite(t, throughProfile(), sitetest.With("DIAL_REDIRECTS", "2"))
		p := s.phone()
		r := s.refuser("302 Moved", func(string) string { return p.uri() })
		s.startSession(s.Document("out.ccxml", callsAndTells), r.uri())
		p.picksUp()
		s.WaitLog("answered")
		p.wait("BYE")
		s.WaitIdle()
	})
	t.Run("in a circle", func(t *testing.T) {
		s := newRealSite(t, throughProfile(), sitetest.With("DIAL_REDIRECTS", "2"))
		r := s.refuser("302 Moved", func(own string) string { return own })
		s.startSession(s.Document("out.ccxml", callsAndTells), r.uri())
		s.WaitLog("unknown undefined " + r.uri() + ": the call was redirected to " + r.uri() + "; dial.redirects lets it go on 2 times")
		s.WaitIdle()
		if n := r.invites.Load(); n != 3 {
			t.Errorf("%d INVITEs", n)
		}
	})
	t.Run("no route", func(t *testing.T) {
		s := newRealSite(t, throughProfile(), sitetest.With("DIAL_REDIRECTS", "2"))
		r := s.refuser("302 Moved", func(string) string { return "tel:+1900" })
		s.startSession(s.Document("out.ccxml", callsAndTells), r.uri())
		s.Must(s.Trace.WaitText(s.Context(), "log unknown undefined tel:+1900: the call was redirected to tel:+1900: "))
		s.WaitIdle()
	})
}

// A 408 is the answer of somebody, and not his silence.
func TestFreeSWITCHRequestTimeout(t *testing.T) {
	s := newRealSite(t, throughProfile())
	r := s.refuser("408 Request Timeout", nil)
	s.startSession(s.Document("out.ccxml", callsAndTells), r.uri())
	s.WaitLog("timeout 408 undefined: the far end, or a proxy on the way, gave up waiting for an answer (SIP 408)")
	s.WaitIdle()
}

// Calls that are placed just as the link comes up are not taken for lost.
func TestFreeSWITCHCallsAsTheLinkComesUp(t *testing.T) {
	s, g := gated(t)
	uri := s.Document("out.ccxml", `
<ccxml version="1.0"><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:1'" timeout="'20s'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/><exit/></transition>
<transition event="connection.failed" cond="event$.detail == undefined || event$.detail.indexOf('no FreeSWITCH node') != 0"><log expr="'failed falsely: ' + event$.reason + ': ' + event$.detail"/><exit/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.detail"/><exit/></transition>
</eventprocessor></ccxml>`)
	linked := func() bool { return s.Daemon.Controller.Nodes()[0].Err == nil }
	for range 5 {
		g.cut()
		s.WaitUntil("the link is down", func() bool { return !linked() })
		g.reopen()
		// Calls come all the time as the link comes up.
		for over := 0; over < 10; {
			s.startSession(uri, "")
			if linked() {
				over++
			}
			time.Sleep(5 * time.Millisecond) // the pace of the calls; nothing is waited for
		}
		s.WaitIdle()
	}
	if !s.Trace.Has("log answered") || s.Trace.Has("failed falsely") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// What the far end does in the first moment after the document has heard of the answer
// is told.
func TestFreeSWITCHHoldAtOnce(t *testing.T) {
	s := newRealSite(t, throughProfile())
	for range 5 {
		s.Trace.Reset()
		p := s.phone()
		s.callPhone(p, `{}`, `<transition event="connection.signal" cond="event$.info.type == 'hold'"><log expr="'hold'"/><disconnect connectionid="a"/></transition>`)
		p.picksUp()
		s.Must(s.Trace.Wait(s.Context(), "event connection.connected"))
		p.asks("INVITE", "", "sendonly")
		s.WaitLog("hold")
		p.wait("BYE")
		s.WaitIdle()
	}
}

// A leg whose socket is silent, though FreeSWITCH and its link are well, is hung up
// over the link, or fetched.
func TestFreeSWITCHSilentSocket(t *testing.T) {
	silenced := func(t *testing.T, transitions string) (s *realSite, leg string) {
		s, g := gatedLegs(t)
		p := s.Document("in.ccxml", `<ccxml version="1.0"><var name="a"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><log expr="'session ' + session.id"/><accept/></transition>
<transition event="connection.connected"><log expr="'leg ' + a"/></transition>`+transitions+`</eventprocessor></ccxml>`)
		call := esl.Originate{
			Dial: "loopback/app=socket:" + g.address() + " async full", Extension: "&park()",
			Vars: map[string]string{"loopback_bowout": "false", "loopback_bowout_on_execute": "false", "loopback_export": "ccxml_uri", "ccxml_uri": p},
		}
		s.link.Job(call.Command(), func(string, error) {})
		s.Must(s.Trace.WaitText(s.Context(), "log leg "))
		for _, line := range s.Trace.Lines() {
			if id, ok := strings.CutPrefix(line, "log leg "); ok {
				leg = id
			}
		}
		g.silence()
		return s, leg
	}
	for name, action := range map[string]string{"disconnect": `<disconnect connectionid="a"/>`, "exit": "<exit/>"} {
		t.Run(name, func(t *testing.T) {
			s, leg := silenced(t, `<transition event="leave">`+action+`</transition>
<transition event="connection.disconnected"><log expr="event$.reason + ', ' + event$.trigger"/><exit/></transition>`)
			s.Inject("leave")
			began := time.Now()
			s.gone(leg)
			t.Logf("the channel was gone after %s", time.Since(began).Round(100*time.Millisecond))
			if name == "disconnect" {
				s.WaitLog("NORMAL_CLEARING, local")
			}
			s.WaitIdle()
		})
	}
	t.Run("dialog", func(t *testing.T) {
		s, leg := silenced(t, `<transition event="play"><dialogstart src="'tone_stream://%(300,0,440)'" type="'audio/wav'" connectionid="a"/></transition>
<transition event="dialog.exit" cond="event$.reason == undefined"><log expr="'played'"/><exit/></transition>
<transition event="dialog.exit"><log expr="'broken: ' + event$.reason"/><send target="session.id" targettype="'ccxml'" name="'play'"/></transition>
<transition event="error.dialog.*"><log expr="'broken: ' + event$.reason"/><send target="session.id" targettype="'ccxml'" name="'play'"/></transition>
<transition event="connection.disconnected"><log expr="'lost'"/><exit/></transition>`)
		s.Inject("play")
		began := time.Now()
		s.Must(s.Trace.WaitText(s.Context(), "log broken"))
		t.Logf("told after %s", time.Since(began).Round(100*time.Millisecond))
		s.WaitLog("played")
		s.gone(leg)
		s.WaitIdle()
		if s.Trace.Has("log lost") {
			t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
		}
	})
}
