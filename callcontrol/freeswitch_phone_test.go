//go:build freeswitch

package callcontrol_test

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"ccxmld/sitetest"
)

// phone is a SIP phone of a test's own on this machine, for what loopback calls do
// not show: it has one call, sends no audio, and does nothing by itself but to
// acknowledge what it is sent. FreeSWITCH reaches it by the SIP profile that
// CCXMLD_FREESWITCH_PROFILE names, internal if nothing does.
type phone struct {
	*realSite
	conn net.PacketConn

	mu       sync.Mutex
	far      net.Addr
	referred string     // its answer to REFER
	invite   sipMessage // that the call came with
	sequence int
	came     []sipMessage
	news     chan struct{}
}

// throughProfile lets documents call phones, as sip:NAME@HOST:PORT.
func throughProfile() sitetest.Option {
	profile := cmp.Or(os.Getenv("CCXMLD_FREESWITCH_PROFILE"), "internal")
	return sitetest.With("DIAL_ROUTES", "[{match: 'sip:(.*)', dial: 'sofia/"+profile+"/sip:$1'}, {match: 'tel:1', dial: 'loopback/app=conference:callee@ccxmld'}]")
}

func (s *realSite) phone() *phone {
	s.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	s.Must(err)
	p := &phone{realSite: s, conn: conn, news: make(chan struct{})}
	ended := make(chan struct{})
	go func() { defer close(ended); p.listen() }()
	s.Cleanup(func() { conn.Close(); <-ended })
	return p
}

// uri is what a document calls the phone by.
func (p *phone) uri() string { return "sip:phone@" + p.conn.LocalAddr().String() }

func (p *phone) listen() {
	packet := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		m := readSIP(string(packet[:n]))
		if m.first == "" {
			continue
		}
		p.mu.Lock()
		p.far = from
		again := m.method() == "INVITE" && m.get("CSeq") == p.invite.get("CSeq") && m.get("Call-ID") == p.invite.get("Call-ID")
		if p.invite.first == "" {
			p.invite = m
		}
		p.mu.Unlock()
		switch method := m.method(); {
		case method == "INVITE" && m.get("CSeq") == p.invite.get("CSeq"), method == "ACK":
		case method == "CANCEL":
			p.answer(m, "200 OK", "")
			p.answer(p.invite, "487 Request Terminated", "")
		case method == "INVITE": // the other side holds, or takes up again
			p.answer(m, "200 OK", "sendrecv")
		case method == "REFER":
			p.mu.Lock()
			status := p.referred
			p.mu.Unlock()
			p.answer(m, status, "")
		case method != "":
			p.answer(m, "200 OK", "")
		case strings.HasSuffix(m.get("CSeq"), " INVITE") && strings.HasPrefix(m.first, "SIP/2.0 2"):
			p.send(p.request("ACK", strings.Fields(m.get("CSeq"))[0], "", ""))
		}
		if again {
			continue
		}
		p.mu.Lock() // only now: who waits for an answer goes on when it is acknowledged
		p.came = append(p.came, m)
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
	}
}

// wait waits for a message that begins like this, and takes it and those before it
// off the list.
func (p *phone) wait(first string) sipMessage {
	p.Helper()
	for {
		p.mu.Lock()
		for i, m := range p.came {
			if strings.HasPrefix(m.first, first) {
				p.came = p.came[i+1:]
				p.mu.Unlock()
				return m
			}
		}
		news := p.news
		p.mu.Unlock()
		select {
		case <-news:
		case <-p.Context().Done():
			p.Fatalf("the phone was never sent %s; documents:\n%s", first, strings.Join(p.Trace.Lines(), "\n"))
		}
	}
}

// rings waits for the call, and says so.
func (p *phone) rings() sipMessage {
	p.Helper()
	m := p.wait("INVITE")
	p.answer(m, "180 Ringing", "")
	return m
}

// reply answers the call: by a status without SDP, or with SDP of a direction.
func (p *phone) reply(status, direction string) { p.answer(p.invite, status, direction) }

// picksUp answers the call at once.
func (p *phone) picksUp() {
	p.Helper()
	p.wait("INVITE")
	p.reply("200 OK", "sendrecv")
	p.wait("ACK")
}

func (p *phone) answer(m sipMessage, status, direction string) {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, h := range m.headers {
		switch name := strings.ToLower(h[0]); {
		case name == "to" && !strings.Contains(h[1], "tag="):
			b.WriteString("To: " + h[1] + ";tag=phone\r\n")
		case name == "via", name == "from", name == "to", name == "call-id", name == "cseq", name == "record-route":
			b.WriteString(h[0] + ": " + h[1] + "\r\n")
		}
	}
	p.send(b.String() + p.rest("", direction))
}

// rest is what the phone's messages end with.
func (p *phone) rest(headers, direction string) string {
	body := ""
	if direction != "" {
		headers += "Content-Type: application/sdp\r\n"
		body = "v=0\r\no=phone 1 " + fmt.Sprint(p.next()) + " IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
			"m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=" + direction + "\r\n"
	}
	return "Contact: <" + p.uri() + ">\r\nAllow: INVITE, ACK, BYE, CANCEL, REFER, NOTIFY, INFO, UPDATE\r\n" + headers +
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
}

func (p *phone) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sequence++
	return p.sequence
}

// refers says how the phone answers a REFER.
func (p *phone) refers(status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.referred = status
}

// tells sends a request within the call that has a body.
func (p *phone) tells(method, headers, body string) {
	p.Helper()
	message := p.request(method, fmt.Sprint(p.next()), headers, "")
	p.send(strings.Replace(message, "Content-Length: 0\r\n\r\n", fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))+body, 1))
}

// asks sends a request within the call, such as BYE, an INVITE with SDP of a
// direction, or REFER.
func (p *phone) asks(method, headers, direction string) {
	p.Helper()
	p.send(p.request(method, fmt.Sprint(p.next()), headers, direction))
}

func (p *phone) request(method, sequence, headers, direction string) string {
	target := p.invite.get("Contact")
	if _, inside, ok := strings.Cut(target, "<"); ok {
		target, _, _ = strings.Cut(inside, ">")
	}
	return method + " " + target + " SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP " + p.conn.LocalAddr().String() + ";branch=z9hG4bK" + method + sequence + "\r\nMax-Forwards: 70\r\n" +
		"From: " + p.invite.get("To") + ";tag=phone\r\nTo: " + p.invite.get("From") + "\r\n" +
		"Call-ID: " + p.invite.get("Call-ID") + "\r\nCSeq: " + sequence + " " + method + "\r\n" + p.rest(headers, direction)
}

func (p *phone) send(message string) {
	p.mu.Lock()
	far := p.far
	p.mu.Unlock()
	if _, err := p.conn.WriteTo([]byte(message), far); err != nil {
		p.Logf("the phone cannot send: %v", err)
	}
}

// sipMessage is a request or a response.
type sipMessage struct {
	first   string
	headers [][2]string
	body    string
}

func readSIP(text string) (m sipMessage) {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	m.body = body
	for i, line := range strings.Split(head, "\r\n") {
		if i == 0 {
			m.first = line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		m.headers = append(m.headers, [2]string{name, strings.TrimSpace(value)})
	}
	return m
}

// method is the request's, "" of a response.
func (m sipMessage) method() string {
	method, _, _ := strings.Cut(m.first, " ")
	if strings.HasPrefix(method, "SIP/") {
		return ""
	}
	return method
}

// get gives a header, "" for none.
func (m sipMessage) get(name string) string {
	for _, h := range m.headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}
