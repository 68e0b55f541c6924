package callcontrol_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// callOut is a document that dials 200 and logs how that went.
const callOut = `
<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/><exit/></transition>
<transition event="connection.failed"><log expr="event$.reason + ': ' + event$.detail"/><exit/></transition>`

// With no node configured, incoming calls work, and createcall ends in
// connection.failed with the reason.
func TestNoNode(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("NODES", "[]"), sitetest.WithToken("out.ccxml"))
	s.Transitions("out.ccxml", callOut)
	s.StartToken("")
	s.WaitLog("unreachable: no FreeSWITCH node is configured")
	s.WaitIdle()
	if status, body := s.Get("/readyz"); status != http.StatusOK {
		t.Errorf("not ready without nodes: %s", body)
	}

	caller := s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'null://?text=Hello.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><exit/></transition>`))
	s.Must(caller.WaitHeard(s.Context(), "Hello."))
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
}

// A daemon whose node cannot be reached starts, says so, and keeps trying; once
// FreeSWITCH is there, calls work.
func TestNodeComesLate(t *testing.T) {
	t.Parallel()
	const address = "127.0.0.1:8022"
	s := sitetest.New(t, sitetest.With("NODES", fmt.Sprintf("[{name: late, address: %q, password: ClueCon}]", address)), sitetest.WithToken("out.ccxml"))
	s.Transitions("out.ccxml", callOut)
	s.Must(s.DaemonLog.WaitText(s.Context(), "node link is down, trying again"))
	s.StartToken("")
	s.WaitLog("unreachable: no FreeSWITCH node takes a call (late: ")
	if status, body := s.Get("/readyz"); status != http.StatusOK || !strings.Contains(body, "node late: not connected") {
		t.Errorf("readyz: %d %s", status, body)
	}

	sw := s.AddSwitch(switchsim.Options{})
	s.Must(sw.Listen(address))
	sw.Callee("200", switchsim.Answers{After: time.Second})
	s.WaitLinks()
	s.StartToken("")
	s.WaitLog("answered")
	s.WaitIdle()
	if status, body := s.Get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, body)
	}
}

// A node that refuses the password is named in the log, and in the reason of
// calls.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"), func(o *sitetest.Options) { o.Switch.Password = "other" })
	s.Transitions("out.ccxml", callOut)
	s.Must(s.DaemonLog.WaitText(s.Context(), "wrong password"))
	s.StartToken("")
	s.Must(s.Trace.Wait(s.Context(), "event connection.failed (unreachable)"))
	s.WaitIdle()
	if !s.Trace.Has("wrong password") {
		t.Errorf("the document is not told why:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// nodesSite is a site with a second FreeSWITCH, fs2, beside its own, fs1.
type nodesSite struct {
	*sitetest.Site
	second *switchsim.Switch
}

func newNodesSite(t testing.TB, weight1, weight2 int, options ...sitetest.Option) *nodesSite {
	t.Helper()
	const secondAddress = "127.0.0.1:8022"
	list := fmt.Sprintf("[{name: fs1, address: %q, password: ClueCon, weight: %d}, {name: fs2, address: %q, password: ClueCon, weight: %d}]",
		sitetest.SwitchAddress, weight1, secondAddress, weight2)
	s := &nodesSite{}
	s.Site = sitetest.New(t, append([]sitetest.Option{
		sitetest.With("NODES", list), sitetest.WithToken("out.ccxml"),
		func(o *sitetest.Options) {
			o.Switch.Name = "fs1"
			s.second = o.AddSwitch(switchsim.Options{Name: "fs2", LogCommands: true})
			if err := s.second.Listen(secondAddress); err != nil {
				o.Fatal(err)
			}
		},
	}, options...)...)
	s.WaitLinks()
	s.Transitions("out.ccxml", callOut)
	return s
}

// calls waits until a switch has been called so often.
func (s *nodesSite) calls(sw *switchsim.Switch, n int) {
	s.Helper()
	for range n {
		_, err := sw.WaitCallee(s.Context(), "200")
		s.Must(err)
	}
}

// Outbound calls go to the nodes in turn, by weight.
func TestNodesTakeTurnsByWeight(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 3, 1)
	s.Switch.Callee("200", switchsim.Answers{})
	s.second.Callee("200", switchsim.Answers{})
	for range 8 {
		s.StartToken("")
	}
	s.calls(s.Switch, 6)
	s.calls(s.second, 2)
	s.WaitIdle()
}

// A node without weight gets no calls, also when it alone is up.
func TestNodeWithoutWeight(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 1, 0)
	s.Switch.Callee("200", switchsim.Answers{})
	s.StartToken("")
	s.calls(s.Switch, 1)
	s.WaitIdle()
	s.Switch.Close()
	s.Must(s.DaemonLog.WaitText(s.Context(), "node link is down"))
	s.StartToken("")
	s.WaitLog("unreachable: no FreeSWITCH node takes a call (fs1: ")
	if !s.Trace.Has("fs2: has weight 0") {
		t.Errorf("the reason does not name the other node:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// A call that fails by its node's own fault is placed on another one; the document
// notices nothing. A node that fails again and again is passed over, which /readyz
// tells.
func TestNodeAtFaultIsPassedOver(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 1, 1, func(o *sitetest.Options) { o.Switch.Gateways = []string{"another"} })
	s.second.Callee("200", switchsim.Answers{})
	for range 10 {
		s.StartToken("")
		s.WaitLog("answered")
		s.Trace.Reset()
	}
	s.calls(s.second, 10)
	s.WaitIdle()
	s.Must(s.DaemonLog.WaitText(s.Context(), `msg="call is tried on another node"`))
	s.Must(s.DaemonLog.WaitText(s.Context(), `msg="node is passed over" node=fs1`))
	tried := 0
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "call is tried on another node") {
			tried++
		}
	}
	if tried != 3 {
		t.Errorf("%d calls were tried on the node that fails; want 3", tried)
	}
	if _, body := s.Get("/readyz"); !strings.Contains(body, "node fs1: passed over for 10s: 3 calls in a row failed by its own fault, the last with INVALID_GATEWAY") {
		t.Errorf("readyz: %s", body)
	}
}

// A callee who is busy is busy: the call is not placed again, and its node is well.
func TestBusyIsNoFaultOfTheNode(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 1, 1)
	s.Switch.Callee("200", switchsim.Busy{})
	s.second.Callee("200", switchsim.Busy{})
	for range 4 {
		s.StartToken("")
	}
	s.calls(s.Switch, 2)
	s.calls(s.second, 2)
	s.WaitIdle()
	if _, body := s.Get("/readyz"); strings.Contains(body, "passed over") || s.DaemonLog.Has("another node") {
		t.Errorf("the nodes are blamed: %s", body)
	}
}

// When no node can place the call, the reason names them all.
func TestAllNodesAtFault(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 1, 1, sitetest.With("DIAL_ROUTES", "[{match: 'tel:(.*)', dial: 'nothing/$1'}]"))
	s.StartToken("")
	s.Must(s.Trace.Wait(s.Context(), "event connection.failed (unreachable)"))
	s.WaitIdle()
	if !s.Trace.Has("fs1: CHAN_NOT_IMPLEMENTED") || !s.Trace.Has("fs2: CHAN_NOT_IMPLEMENTED") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// ringing starts a call that rings on the site's own switch.
func ringing(s *sitetest.Site) *switchsim.Party {
	s.Helper()
	s.Switch.Callee("200", switchsim.NoAnswer{})
	s.Transitions("out.ccxml", callOut)
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.Must(s.Trace.Wait(s.Context(), "event connection.progressing"))
	return callee
}

// A call whose link drops while it rings goes on: what became of it is found out
// when the link is up again. It is answered here while the link is down.
func TestLinkDropsWhileRinging(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	callee := ringing(s)
	address := s.Switch.Addr()
	s.Switch.CloseLinks()
	s.Must(s.DaemonLog.WaitText(s.Context(), "the link dropped while a call was placed"))
	callee.Answer()
	s.WaitLog("answered")
	s.Must(s.Switch.Listen(address))
	s.WaitIdle()
	if s.Trace.Has("connection.failed") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// A call that ends while its link is down fails when the link is up again, with a
// reason that says so.
func TestCallEndsWhileLinkIsDown(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	callee := ringing(s)
	address := s.Switch.Addr()
	s.Switch.CloseLinks()
	s.Must(s.DaemonLog.WaitText(s.Context(), "the link dropped while a call was placed"))
	callee.Hangup()
	_, err := callee.WaitEnded(s.Context())
	s.Must(err)
	s.Must(s.Switch.Listen(address))
	s.WaitLog("unknown: the call ended while the link to FreeSWITCH node sim was down")
	s.WaitIdle()
}

// A call that still rings when the link is up again goes on as if nothing had
// happened, and its end is heard of.
func TestLinkDropsAndCallRingsOn(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	callee := ringing(s)
	address := s.Switch.Addr()
	s.Switch.CloseLinks()
	s.Must(s.DaemonLog.WaitText(s.Context(), "the link dropped while a call was placed"))
	s.DaemonLog.Reset() // it was looked for once already, when the link came up first
	s.Must(s.Switch.Listen(address))
	s.Must(s.DaemonLog.WaitText(s.Context(), "the call is still there"))
	callee.Hangup()
	s.Must(s.Trace.Wait(s.Context(), "event connection.failed"))
	s.WaitIdle()
	if s.Trace.Has("the link") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// A call whose link drops and does not come again ends with the reason, and is hung
// up once the link is there again.
func TestLinkStaysDown(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	callee := ringing(s)
	address := s.Switch.Addr()
	s.Switch.CloseLinks()
	s.WaitLog("unreachable: the link to FreeSWITCH node sim was lost")
	s.Must(s.Switch.Listen(address))
	ending, err := callee.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	if ending.Cause != "ORIGINATOR_CANCEL" { // else it rang until FreeSWITCH gave up by itself
		t.Errorf("the call ended with %+v", ending)
	}
}

// A FreeSWITCH that is started anew has lost the calls that it placed; they are
// tried on another node if nobody was rung yet.
func TestNodeRestartsWhileDialing(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 2, 1)
	s.Switch.Callee("200", switchsim.Undecided{})
	s.second.Callee("200", switchsim.Answers{})
	s.StartToken("")
	s.calls(s.Switch, 1)
	address := s.Switch.Addr()
	s.Switch.Close()
	again := s.AddSwitch(switchsim.Options{Name: "fs1"})
	s.Must(again.Listen(address))
	s.WaitLog("answered")
	s.calls(s.second, 1)
	s.WaitIdle()
	s.Must(s.DaemonLog.WaitText(s.Context(), "FreeSWITCH has been started anew"))
}

// All calls of a FreeSWITCH that is gone end, each with its final event.
func TestNodeIsGone(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.disconnected"><log expr="'gone: ' + event$.reason"/><exit/></transition>`))
	s.Must(s.Trace.Wait(s.Context(), "event connection.connected"))
	s.Switch.Close()
	s.WaitLog("gone: NETWORK_OUT_OF_ORDER")
	s.WaitIdle()
}

// A leg whose socket is cut while FreeSWITCH lives is fetched over the link; what
// it was in is over, and it can be told what to do again.
func TestSocketIsCut(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="caller"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'cut'"/></transition>
<transition event="conference.created"><join id1="room" id2="caller"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"><dialogstart src="'null://?text=Again.'" type="'audio/wav'" connectionid="caller"/></transition>
<transition event="dialog.exit"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	s.WaitLog("joined")
	s.Switch.CutSockets(caller.UUID())
	s.Must(caller.WaitHeard(s.Context(), "Again."))
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	if s.Trace.Has("connection.disconnected") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// Nodes come and go while the daemon runs: a new one gets calls, one that is taken
// out gets no more, and the call that it has placed goes on.
func TestNodesComeAndGo(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 1, 0)
	s.Switch.Callee("200", switchsim.Undecided{})
	s.second.Callee("200", switchsim.Answers{})
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	reload(s.Site, fmt.Sprintf("[{name: fs2, address: %q, password: ClueCon}]", s.second.Addr()))
	if _, body := s.Get("/readyz"); strings.Contains(body, "fs1") || !strings.Contains(body, "node fs2: ok") {
		t.Errorf("readyz: %s", body)
	}
	s.StartToken("")
	s.calls(s.second, 1)
	s.WaitLog("answered")
	s.Trace.Reset()
	callee.Answer()
	s.WaitLog("answered")
	s.WaitIdle()
	s.Must(s.DaemonLog.WaitText(s.Context(), `msg="link of a node that was taken out ends" node=fs1`))

	s.Switch.Callee("200", switchsim.Answers{})
	reload(s.Site, fmt.Sprintf("[{name: fs1, address: %q, password: ClueCon}]", s.Switch.Addr()))
	s.WaitLinks()
	s.StartToken("")
	s.calls(s.Switch, 1)
	s.WaitIdle()
}

// A node that is taken out while a call rings there is reached until that is answered.
func TestNodeIsTakenOutWhileACallRings(t *testing.T) {
	t.Parallel()
	s := newNodesSite(t, 1, 0)
	s.Switch.Callee("200", switchsim.Undecided{})
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	reload(s.Site, fmt.Sprintf("[{name: fs2, address: %q, password: ClueCon}]", s.second.Addr()))
	s.Sleep(50 * time.Second)
	if s.DaemonLog.Has("link of a node that was taken out ends") {
		t.Error("the link has ended")
	}
	callee.Hangup()
	s.Must(s.Trace.Wait(s.Context(), "event connection.failed (unknown)"))
	s.Must(s.DaemonLog.WaitText(s.Context(), `msg="link of a node that was taken out ends" node=fs1`))
	s.WaitIdle()
}

// reload gives the daemon a configuration with other nodes.
func reload(s *sitetest.Site, nodes string) {
	s.Helper()
	s.Must(s.Daemon.Reload(s.Config("CCXMLD_NODES=" + nodes)))
}

// What a node was given up for is not told of the call that another node has placed.
func TestDetailIsOfTheLastNode(t *testing.T) {
	t.Parallel()
	s, kept := newKeptSite(t)
	s.second.Callee("200", switchsim.Busy{})
	s.StartToken("")
	s.Must(kept.Wait(s.Context()))
	s.Switch.CloseLinks()
	s.Must(s.Trace.WaitText(s.Context(), "log busy: "))
	if s.Trace.Has("link") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
	s.WaitIdle()
}
