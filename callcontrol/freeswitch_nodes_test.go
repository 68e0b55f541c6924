//go:build freeswitch

package callcontrol_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"ccxmld/sitetest"
)

// gate passes connections on to an address, and can be shut: then what is open is
// cut, and what comes is closed at once.
type gate struct {
	listener net.Listener
	to       string
	passing  sync.WaitGroup

	mu   sync.Mutex
	shut bool
	open []net.Conn
	mute map[net.Conn]bool // pass nothing on any more, and do not tell
}

func newGate(t testing.TB, to string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: listener, to: to}
	g.passing.Go(g.accept)
	t.Cleanup(func() {
		listener.Close()
		g.cut()
		g.passing.Wait()
	})
	return g
}

func (g *gate) address() string { return g.listener.Addr().String() }

func (g *gate) accept() {
	for {
		from, err := g.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", g.to)
		g.mu.Lock()
		if err != nil || g.shut {
			from.Close()
			if err == nil {
				to.Close()
			}
			g.mu.Unlock()
			continue
		}
		g.open = append(g.open, from, to)
		g.mu.Unlock()
		g.passing.Go(func() { g.pass(from, to) })
		g.passing.Go(func() { g.pass(to, from) })
	}
}

func (g *gate) pass(to, from net.Conn) {
	_, _ = io.Copy(unlessMute{g, to}, from)
	from.Close()
	if !g.isMute(to) {
		to.Close()
	}
}

// unlessMute loses what is written to a connection that is mute.
type unlessMute struct {
	gate *gate
	to   net.Conn
}

func (u unlessMute) Write(p []byte) (int, error) {
	if u.gate.isMute(u.to) {
		return len(p), nil
	}
	return u.to.Write(p)
}

func (g *gate) isMute(conn net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mute[conn]
}

// silence has what is open pass nothing on any more, as a machine on the way does that
// has forgotten the connections: neither end is told. What comes passes.
func (g *gate) silence() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mute == nil {
		g.mute = make(map[net.Conn]bool)
	}
	for _, conn := range g.open {
		g.mute[conn] = true
	}
}

// cut ends the connections that are open, and shuts the gate.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for _, conn := range g.open {
		conn.Close()
	}
	g.open = nil
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// gated is a site whose link goes through a gate.
func gated(t *testing.T, options ...sitetest.Option) (*realSite, *gate) {
	t.Helper()
	named := os.Getenv("CCXMLD_FREESWITCH")
	at := strings.LastIndex(named, ":")
	if at < 0 {
		t.Fatal("CCXMLD_FREESWITCH must be HOST:PORT:PASSWORD of mod_event_socket")
	}
	g := newGate(t, named[:at])
	s := newRealSite(t, append(options, sitetest.With("NODES", fmt.Sprintf("[{name: real, address: %q, password: %q}]", g.address(), named[at+1:])))...)
	return s, g
}

// callsParked dials a callee that has early media and does not answer, and cuts the link; it
// returns the callee's own half of the call.
func (s *realSite) callsParked(g *gate) (callee string) {
	s.Helper()
	s.Transitions("out.ccxml", strings.ReplaceAll(callOut, `"'tel:200'"`, `"'tel:4'" hints="{earlymedia: false}"`))
	s.StartToken("")
	var call string
	s.WaitUntil("the call is placed", func() bool {
		for line := range strings.Lines(s.api("show", "channels", "as", "delim", ";")) {
			id, rest, _ := strings.Cut(line, ";")
			if strings.HasPrefix(rest, "outbound;") && s.DaemonLog.Has("connection="+id) {
				call = id
			}
		}
		return call != ""
	})
	s.WaitUntil("the callee is there", func() bool {
		callee = s.api("uuid_getvar", call, "other_loopback_leg_uuid")
		return !strings.HasPrefix(callee, "-ERR") && callee != "_undef_" && callee != ""
	})
	g.cut()
	s.Must(s.DaemonLog.WaitText(s.Context(), "the link dropped while a call was placed"))
	return callee
}

func TestFreeSWITCHLinkDropsAndCallIsAnswered(t *testing.T) {
	s, g := gated(t, sitetest.WithToken("out.ccxml"))
	callee := s.callsParked(g)
	s.api("uuid_answer", callee)
	s.WaitLog("answered")
	g.reopen()
	s.WaitIdle()
}

func TestFreeSWITCHLinkDropsAndCallGoesOn(t *testing.T) {
	s, g := gated(t, sitetest.WithToken("out.ccxml"))
	callee := s.callsParked(g)
	s.DaemonLog.Reset() // the link's first coming may have met the call, too
	g.reopen()
	s.Must(s.DaemonLog.WaitText(s.Context(), "the call is still there"))
	s.api("uuid_kill", callee, "USER_BUSY")
	s.Must(s.Trace.Wait(s.Context(), "event connection.failed (busy)"))
	s.WaitIdle()
}

func TestFreeSWITCHCallEndsWhileLinkIsDown(t *testing.T) {
	s, g := gated(t, sitetest.WithToken("out.ccxml"))
	callee := s.callsParked(g)
	s.api("uuid_kill", callee, "USER_BUSY")
	s.gone(callee)
	g.reopen()
	s.WaitLog("unknown: the call ended while the link to FreeSWITCH node real was down")
	s.WaitIdle()
}

func TestFreeSWITCHLinkStaysDown(t *testing.T) {
	s, g := gated(t, sitetest.WithToken("out.ccxml"))
	callee := s.callsParked(g)
	s.WaitLog("unreachable: the link to FreeSWITCH node real was lost")
	g.reopen()
	s.gone(callee)
	s.WaitIdle()
}

// gatedLegs is a site to which the sockets of legs come through a gate.
func gatedLegs(t *testing.T, options ...sitetest.Option) (*realSite, *gate) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	g := newGate(t, address)
	return newRealSite(t, append(options, sitetest.With("ESL_LISTEN", address), sitetest.With("ESL_ADVERTISE", g.address()))...), g
}

// A member of a conference whose socket is cut is fetched home over the link.
func TestFreeSWITCHSocketIsCut(t *testing.T) {
	s, g := gatedLegs(t, sitetest.WithToken("out.ccxml"),
		sitetest.With("DIAL_ROUTES", "[{match: 'tel:4', dial: 'loopback/app=conference:callee-cut@ccxmld'}]"))
	s.Document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="callee"/><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:4'" connectionid="callee"/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'cut'"/></transition>
<transition event="conference.created"><join id1="room" id2="callee"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined'"/><dialogstart src="'tone_stream://%(300,0,440)'" type="'audio/wav'" connectionid="callee"/></transition>
<transition event="dialog.exit"><log expr="'played ' + event$.reason"/><exit/></transition>
<transition event="connection.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("joined")
	g.cut()
	g.reopen()
	s.WaitLog("unjoined")
	s.WaitLog("played undefined")
	s.WaitIdle()
	if s.Trace.Has("connection.disconnected") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}
