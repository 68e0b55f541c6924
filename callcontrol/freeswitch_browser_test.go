//go:build freeswitch

package callcontrol_test

import (
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// sipServer is as much of a VoiceXML server as its SIP has to be: it answers one
// INVITE with a status, and says goodbye when it is told to. FreeSWITCH needs a SIP
// profile with the name internal to call it.
type sipServer struct {
	testing.TB
	conn   *net.UDPConn
	status string
	invite chan sipRequest
	acked  chan struct{}
	bye    chan sipRequest
}

// sipRequest is a request as it came, and from where.
type sipRequest struct {
	line, text string
	from       *net.UDPAddr
}

func (r sipRequest) header(name string) string {
	for line := range strings.SplitSeq(r.text, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && textproto.CanonicalMIMEHeaderKey(key) == textproto.CanonicalMIMEHeaderKey(name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func newSIPServer(t testing.TB, status string) *sipServer {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &sipServer{TB: t, conn: conn, status: status,
		invite: make(chan sipRequest, 1), acked: make(chan struct{}, 1), bye: make(chan sipRequest, 1)}
	done := make(chan struct{})
	go func() { defer close(done); s.serve() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return s
}

func (s *sipServer) address() string { return s.conn.LocalAddr().String() }

func (s *sipServer) serve() {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := s.conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		text := string(buffer[:n])
		line, _, _ := strings.Cut(text, "\r\n")
		r := sipRequest{line, text, from}
		switch method, _, _ := strings.Cut(line, " "); method {
		case "INVITE":
			s.answer(r, s.status)
			offer(s.invite, r)
		case "ACK":
			offer(s.acked, struct{}{})
		case "BYE":
			s.answer(r, "200 OK")
			offer(s.bye, r)
		}
	}
}

// offer gives a value to a channel that may have one already: retransmissions.
func offer[T any](to chan T, value T) {
	select {
	case to <- value:
	default:
	}
}

func (s *sipServer) answer(r sipRequest, status string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=server\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:%s>\r\n",
		status, r.header("Via"), r.header("From"), strings.TrimSuffix(r.header("To"), ";tag=server"), r.header("Call-ID"), r.header("CSeq"), s.address())
	body := ""
	if strings.HasPrefix(r.line, "INVITE") && strings.HasPrefix(status, "200") {
		body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 46998 RTP/AVP 0 101\r\n" +
			"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := s.conn.WriteToUDP([]byte(b.String()), r.from); err != nil {
		s.Error(err)
	}
}

// goodbye ends the call of an INVITE.
func (s *sipServer) goodbye(invite sipRequest, body string) {
	s.Helper()
	contact := regexp.MustCompile(`<([^>]*)>`).FindStringSubmatch(invite.header("Contact"))
	if contact == nil {
		s.Fatalf("no Contact in %s", invite.text)
	}
	text := fmt.Sprintf("BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKbye\r\nFrom: %s;tag=server\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\n"+
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		contact[1], s.address(), invite.header("To"), invite.header("From"), invite.header("Call-ID"), formType, len(body), body)
	if _, err := s.conn.WriteToUDP([]byte(text), invite.from); err != nil {
		s.Fatal(err)
	}
}

func newBrowserSite(t *testing.T, s *sipServer) *realSite {
	t.Helper()
	return newRealSite(t, sitetest.With("DIALOG_VOICEXML", "sip:"+s.address()),
		sitetest.With("DIAL_ROUTES", "[{match: 'sip:.*', dial: 'sofia/internal/${destination}'}]"))
}

// An external server gets the page in its Request-URI, is bridged with the caller,
// and what it returns comes in its BYE.
func TestFreeSWITCHExternalBrowser(t *testing.T) {
	for name, c := range map[string]struct{ body, exit string }{
		"values":       {"code=12%2634%3d&name=Ada+L&__reason=exit", `exit {"code":"12&34=","name":"Ada L"} undefined`},
		"disconnect":   {"code=7&__reason=disconnect", `exit {"code":"7"} undefined`},
		"nothing":      {"", "exit {} undefined"},
		"a line end":   {"a=1&b=2%2B\r\n", `exit {"a":"1","b":"2 "}`},
		"a long value": {"a=" + strings.Repeat("x", 900), `exit {"a":"xxx`},
	} {
		t.Run(name, func(t *testing.T) {
			server := newSIPServer(t, "200 OK")
			s := newBrowserSite(t, server)
			s.Document("incoming.ccxml", strings.NewReplacer("START", `parameters="sku" hints="{aai: 'x y', headers: {'x-tried': '1'}}"`, "AFTER", "",
				"'/sounds/bye.wav'", "'tone_stream://%(20000,0,440)'").Replace(browsing))
			caller := s.caller()
			var invite sipRequest
			select {
			case invite = <-server.invite:
			case <-s.Context().Done():
				s.Fatal("the server was not called")
			}
			s.WaitLog("started")
			want := "INVITE sip:dialog@" + server.address() + ";voicexml=http://example.org/menu.vxml%3Fx%3D1;ccxml=%7B%22values%22%3A%7B%22sku%22%3A%22a%5Cu0026b%3B%207%22%7D%7D;aai=x%20y SIP/2.0"
			if normal(invite.line) != normal(want) || invite.header("X-Tried") != "1" {
				t.Errorf("the request was\n%s, want\n%s", invite.text, want)
			}
			server.goodbye(invite, c.body)
			s.WaitLog(c.exit)
			s.WaitUntil("the document has the leg again", func() bool { return s.Trace.Count("event dialog.started") > 1 })
			s.api("uuid_kill", caller)
			s.WaitLog("caller gone")
			s.Stop()
		})
	}
}

// normal writes a URI's colons and slashes in one way: FreeSWITCH may decode what
// need not be encoded.
func normal(line string) string {
	return strings.NewReplacer("%3A", ":", "%2F", "/", "%3a", ":", "%2f", "/").Replace(line)
}

// A server that refuses is told with its status, and one whose dialog is terminated
// gets a BYE.
func TestFreeSWITCHExternalBrowserEnds(t *testing.T) {
	t.Run("refuses", func(t *testing.T) {
		server := newSIPServer(t, "486 Busy Here")
		s := newBrowserSite(t, server)
		s.Document("incoming.ccxml", strings.NewReplacer("START", "", "AFTER", "").Replace(browsing))
		s.caller()
		s.WaitLog("not started: the VoiceXML server sip:dialog@" + server.address() + " answered 486 (USER_BUSY)")
		s.WaitIdle()
	})
	t.Run("is terminated", func(t *testing.T) {
		server := newSIPServer(t, "200 OK")
		s := newBrowserSite(t, server)
		s.Document("incoming.ccxml", strings.NewReplacer("START", "", "AFTER", `<dialogterminate dialogid="d"/>`,
			"'/sounds/bye.wav'", "'tone_stream://%(20000,0,440)'").Replace(browsing))
		caller := s.caller()
		s.WaitLog("exit {} undefined")
		select {
		case <-server.bye:
		case <-s.Context().Done():
			t.Error("the server got no BYE")
		}
		s.api("uuid_kill", caller)
		s.WaitLog("caller gone")
		s.Stop()
	})
}
