package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ccxmld/esl/switchsim"
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
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := reserved.Addr().String()
	reserved.Close()
	h := newHouse(t, with("NODES", fmt.Sprintf("[{name: late, address: %q, password: ClueCon}]", address)), withToken("out.ccxml"))
	h.transitions("out.ccxml", callOut)
	h.must(h.log.waitFor(h.ctx, "node link is down, trying again"))
	h.startToken("")
	h.logged("unreachable: no FreeSWITCH node is reachable (late: ")
	if status, body := h.get("/readyz"); status != http.StatusOK || !strings.Contains(body, "node late: not connected") {
		t.Errorf("readyz: %d %s", status, body)
	}

	sw := switchsim.New(switchsim.Options{Clock: switchsim.ScaledClock(100)})
	h.must(sw.Listen(address))
	t.Cleanup(sw.Close)
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
