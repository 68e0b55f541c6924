package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ccxmld/conf"
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
	h := newHouse(t, with("NODES", "[]"), withToken("out.ccxml"))
	h.transitions("out.ccxml", callOut)
	h.startToken("")
	h.logged("unreachable: no FreeSWITCH node is configured")
	h.idle()
	if status, body := h.get("/readyz"); status != http.StatusOK {
		t.Errorf("not ready without nodes: %s", body)
	}

	caller := h.dial(h.transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'null://?text=Hello.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><exit/></transition>`))
	h.must(caller.WaitHeard(h.ctx, "Hello."))
	_, err := caller.WaitEnded(h.ctx)
	h.must(err)
	h.idle()
}

// A daemon whose node cannot be reached starts, says so, and keeps trying; once
// FreeSWITCH is there, calls work.
func TestNodeComesLate(t *testing.T) {
	t.Parallel()
	const address = "127.0.0.1:8022"
	h := newHouse(t, with("NODES", fmt.Sprintf("[{name: late, address: %q, password: ClueCon}]", address)), withToken("out.ccxml"))
	h.transitions("out.ccxml", callOut)
	h.must(h.log.waitFor(h.ctx, "node link is down, trying again"))
	h.startToken("")
	h.logged("unreachable: no FreeSWITCH node takes a call (late: ")
	if status, body := h.get("/readyz"); status != http.StatusOK || !strings.Contains(body, "node late: not connected") {
		t.Errorf("readyz: %d %s", status, body)
	}

	sw := h.site.AddSwitch(switchsim.Options{})
	h.must(sw.Listen(address))
	sw.Callee("200", switchsim.Answers{After: time.Second})
	h.up()
	h.startToken("")
	h.logged("answered")
	h.idle()
	if status, body := h.get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, body)
	}
}

// A node that refuses the password is named in the log, and in the reason of
// calls.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"), func(p *plan) { p.sw.Password = "other" })
	h.transitions("out.ccxml", callOut)
	h.must(h.log.waitFor(h.ctx, "wrong password"))
	h.startToken("")
	h.must(h.seen.wait(h.ctx, "event connection.failed (unreachable)"))
	h.idle()
	if !h.seen.has("wrong password") {
		t.Errorf("the document is not told why:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// nodesHouse is a house with a second FreeSWITCH, fs2, beside its own, fs1.
type nodesHouse struct {
	*house
	second *switchsim.Switch
}

func newNodesHouse(t testing.TB, weight1, weight2 int, options ...option) *nodesHouse {
	t.Helper()
	const secondAddress = "127.0.0.1:8022"
	list := fmt.Sprintf("[{name: fs1, address: %q, password: ClueCon, weight: %d}, {name: fs2, address: %q, password: ClueCon, weight: %d}]",
		switchAddress, weight1, secondAddress, weight2)
	h := &nodesHouse{}
	h.house = newHouse(t, append([]option{
		with("NODES", list), withToken("out.ccxml"),
		func(p *plan) {
			p.sw.Name = "fs1"
			h.second = p.site.AddSwitch(switchsim.Options{Name: "fs2", LogCommands: true})
			if err := h.second.Listen(secondAddress); err != nil {
				p.Fatal(err)
			}
		},
	}, options...)...)
	h.up()
	h.transitions("out.ccxml", callOut)
	return h
}

// calls waits until a switch has been called so often.
func (h *nodesHouse) calls(sw *switchsim.Switch, n int) {
	h.Helper()
	for range n {
		_, err := sw.WaitCallee(h.ctx, "200")
		h.must(err)
	}
}

// Outbound calls go to the nodes in turn, by weight.
func TestNodesTakeTurnsByWeight(t *testing.T) {
	t.Parallel()
	h := newNodesHouse(t, 3, 1)
	h.sw.Callee("200", switchsim.Answers{})
	h.second.Callee("200", switchsim.Answers{})
	for range 8 {
		h.startToken("")
	}
	h.calls(h.sw, 6)
	h.calls(h.second, 2)
	h.idle()
}

// A node without weight gets no calls, also when it alone is up.
func TestNodeWithoutWeight(t *testing.T) {
	t.Parallel()
	h := newNodesHouse(t, 1, 0)
	h.sw.Callee("200", switchsim.Answers{})
	h.startToken("")
	h.calls(h.sw, 1)
	h.idle()
	h.sw.Close()
	h.must(h.log.waitFor(h.ctx, "node link is down"))
	h.startToken("")
	h.logged("unreachable: no FreeSWITCH node takes a call (fs1: ")
	if !h.seen.has("fs2: has weight 0") {
		t.Errorf("the reason does not name the other node:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// A call that fails by its node's own fault is placed on another one; the document
// notices nothing. A node that fails again and again is passed over, which /readyz
// tells.
func TestNodeAtFaultIsPassedOver(t *testing.T) {
	t.Parallel()
	h := newNodesHouse(t, 1, 1, func(p *plan) { p.sw.Gateways = []string{"another"} })
	h.second.Callee("200", switchsim.Answers{})
	for range 10 {
		h.startToken("")
		h.logged("answered")
		h.seen.forget()
	}
	h.calls(h.second, 10)
	h.idle()
	h.must(h.log.waitFor(h.ctx, `msg="call is tried on another node"`))
	h.must(h.log.waitFor(h.ctx, `msg="node is passed over" node=fs1`))
	tried := 0
	for _, line := range h.log.all() {
		if strings.Contains(line, "call is tried on another node") {
			tried++
		}
	}
	if tried != 3 {
		t.Errorf("%d calls were tried on the node that fails; want 3", tried)
	}
	if _, body := h.get("/readyz"); !strings.Contains(body, "node fs1: passed over for 10s: 3 calls in a row failed by its own fault, the last with INVALID_GATEWAY") {
		t.Errorf("readyz: %s", body)
	}
}

// A callee who is busy is busy: the call is not placed again, and its node is well.
func TestBusyIsNoFaultOfTheNode(t *testing.T) {
	t.Parallel()
	h := newNodesHouse(t, 1, 1)
	h.sw.Callee("200", switchsim.Busy{})
	h.second.Callee("200", switchsim.Busy{})
	for range 4 {
		h.startToken("")
	}
	h.calls(h.sw, 2)
	h.calls(h.second, 2)
	h.idle()
	if _, body := h.get("/readyz"); strings.Contains(body, "passed over") || h.log.has("another node") {
		t.Errorf("the nodes are blamed: %s", body)
	}
}

// When no node can place the call, the reason names them all.
func TestAllNodesAtFault(t *testing.T) {
	t.Parallel()
	h := newNodesHouse(t, 1, 1, with("DIAL_ROUTES", "[{match: 'tel:(.*)', dial: 'nothing/$1'}]"))
	h.startToken("")
	h.must(h.seen.wait(h.ctx, "event connection.failed (unreachable)"))
	h.idle()
	if !h.seen.has("fs1: CHAN_NOT_IMPLEMENTED") || !h.seen.has("fs2: CHAN_NOT_IMPLEMENTED") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// ringing starts a call that rings on the house's own switch.
func (h *house) ringing() *switchsim.Party {
	h.Helper()
	h.sw.Callee("200", switchsim.NoAnswer{})
	h.transitions("out.ccxml", callOut)
	h.startToken("")
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.must(h.seen.wait(h.ctx, "event connection.progressing"))
	return callee
}

// A call whose link drops while it rings goes on: what became of it is found out
// when the link is up again. It is answered here while the link is down.
func TestLinkDropsWhileRinging(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	callee := h.ringing()
	address := h.sw.Addr()
	h.sw.CloseLinks()
	h.must(h.log.waitFor(h.ctx, "the link dropped while a call was placed"))
	callee.Answer()
	h.logged("answered")
	h.must(h.sw.Listen(address))
	h.idle()
	if h.seen.has("connection.failed") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// A call that ends while its link is down fails when the link is up again, with a
// reason that says so.
func TestCallEndsWhileLinkIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	callee := h.ringing()
	address := h.sw.Addr()
	h.sw.CloseLinks()
	h.must(h.log.waitFor(h.ctx, "the link dropped while a call was placed"))
	callee.Hangup()
	_, err := callee.WaitEnded(h.ctx)
	h.must(err)
	h.must(h.sw.Listen(address))
	h.logged("unknown: the call ended while the link to FreeSWITCH node sim was down")
	h.idle()
}

// A call that still rings when the link is up again goes on as if nothing had
// happened, and its end is heard of.
func TestLinkDropsAndCallRingsOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	callee := h.ringing()
	address := h.sw.Addr()
	h.sw.CloseLinks()
	h.must(h.log.waitFor(h.ctx, "the link dropped while a call was placed"))
	h.log.forget() // it was looked for once already, when the link came up first
	h.must(h.sw.Listen(address))
	h.must(h.log.waitFor(h.ctx, "the call is still there"))
	callee.Hangup()
	h.must(h.seen.wait(h.ctx, "event connection.failed"))
	h.idle()
	if h.seen.has("the link") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// A call whose link drops and does not come again ends with the reason, and is hung
// up once the link is there again.
func TestLinkStaysDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	callee := h.ringing()
	address := h.sw.Addr()
	h.sw.CloseLinks()
	h.logged("unreachable: the link to FreeSWITCH node sim was lost")
	h.must(h.sw.Listen(address))
	ending, err := callee.WaitEnded(h.ctx)
	h.must(err)
	h.idle()
	if ending.Cause != "ORIGINATOR_CANCEL" { // else it rang until FreeSWITCH gave up by itself
		t.Errorf("the call ended with %+v", ending)
	}
}

// A FreeSWITCH that is started anew has lost the calls that it placed; they are
// tried on another node if nobody was rung yet.
func TestNodeRestartsWhileDialing(t *testing.T) {
	t.Parallel()
	h := newNodesHouse(t, 2, 1)
	h.sw.Callee("200", switchsim.Undecided{})
	h.second.Callee("200", switchsim.Answers{})
	h.startToken("")
	h.calls(h.sw, 1)
	address := h.sw.Addr()
	h.sw.Close()
	again := h.site.AddSwitch(switchsim.Options{Name: "fs1"})
	h.must(again.Listen(address))
	h.logged("answered")
	h.calls(h.second, 1)
	h.idle()
	h.must(h.log.waitFor(h.ctx, "FreeSWITCH has been started anew"))
}

// All calls of a FreeSWITCH that is gone end, each with its final event.
func TestNodeIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.dial(h.transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.disconnected"><log expr="'gone: ' + event$.reason"/><exit/></transition>`))
	h.must(h.seen.wait(h.ctx, "event connection.connected"))
	h.sw.Close()
	h.logged("gone: NETWORK_OUT_OF_ORDER")
	h.idle()
}

// A leg whose socket is cut while FreeSWITCH lives is fetched over the link; what
// it was in is over, and it can be told what to do again.
func TestSocketIsCut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.dial(h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="caller"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'cut'"/></transition>
<transition event="conference.created"><join id1="room" id2="caller"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"><dialogstart src="'null://?text=Again.'" type="'audio/wav'" connectionid="caller"/></transition>
<transition event="dialog.exit"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	h.logged("joined")
	h.sw.CutSockets(caller.UUID())
	h.must(caller.WaitHeard(h.ctx, "Again."))
	_, err := caller.WaitEnded(h.ctx)
	h.must(err)
	h.idle()
	if h.seen.has("connection.disconnected") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// Nodes come and go while the daemon runs: a new one gets calls, one that is taken
// out gets no more, and the call that it has placed goes on.
func TestNodesComeAndGo(t *testing.T) {
	t.Parallel()
	h := newNodesHouse(t, 1, 0)
	h.sw.Callee("200", switchsim.Undecided{})
	h.second.Callee("200", switchsim.Answers{})
	h.startToken("")
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.reload(fmt.Sprintf("[{name: fs2, address: %q, password: ClueCon}]", h.second.Addr()))
	if _, body := h.get("/readyz"); strings.Contains(body, "fs1") || !strings.Contains(body, "node fs2: ok") {
		t.Errorf("readyz: %s", body)
	}
	h.startToken("")
	h.calls(h.second, 1)
	h.logged("answered")
	h.seen.forget()
	callee.Answer()
	h.logged("answered")
	h.idle()
	h.must(h.log.waitFor(h.ctx, `msg="link of a node that was taken out ends" node=fs1`))

	h.sw.Callee("200", switchsim.Answers{})
	h.reload(fmt.Sprintf("[{name: fs1, address: %q, password: ClueCon}]", h.sw.Addr()))
	h.up()
	h.startToken("")
	h.calls(h.sw, 1)
	h.idle()
}

// reload gives the daemon a configuration with other nodes.
func (h *house) reload(nodes string) {
	h.Helper()
	config, err := conf.Load(conf.Source{Environ: []string{
		"CCXMLD_NODES=" + nodes, "CCXMLD_ESL_LISTEN=127.0.0.1:0", "CCXMLD_HTTP_LISTEN=127.0.0.1:0",
	}})
	h.must(err)
	h.daemon.Reload(config)
}
