package main

import (
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// silenced lets a caller in, of whom the document asks something by events, and makes
// his socket silent; the link is well.
func silenced(t *testing.T, transitions string) (*house, *switchsim.Party) {
	t.Helper()
	h := newHouse(t)
	caller := h.dial(h.transitions("in.ccxml", `
<transition event="connection.alerting"><log expr="'session ' + session.id"/><accept/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>`+transitions))
	h.logged("connected")
	if n := h.sw.SilenceSockets(caller.UUID()); n != 1 {
		t.Fatalf("%d sockets fell silent", n)
	}
	return h, caller
}

// A leg whose socket is silent is hung up over the link, and the document hears that
// it has ended, not that it was lost: after <disconnect>, and when the session ends.
func TestHangupOnASilentSocket(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]string{"disconnect": "<disconnect/>", "exit": "<exit/>"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, caller := silenced(t, `
<transition event="leave">`+strings.Replace(action, "<disconnect/>", `<disconnect connectionid="session.connections[Object.keys(session.connections)[0]].connectionid"/>`, 1)+`</transition>
<transition event="connection.disconnected"><log expr="event$.reason + ', ' + event$.trigger + ', ' + event$.detail"/><exit/></transition>`)
			h.inject("leave")
			ending, err := caller.WaitEnded(h.ctx)
			h.must(err)
			if ending.Cause != "NORMAL_CLEARING" {
				t.Errorf("the call ended with %+v", ending)
			}
			h.idle()
			h.until("the silent socket is closed", func() bool { return h.sw.SilentSockets() == 0 })
			if name == "disconnect" {
				h.logged("NORMAL_CLEARING, local, undefined")
			}
		})
	}
}

// A command that is not answered on a leg's socket shows that it is silent: the leg is
// fetched over the link, and can be told what to do again.
func TestCommandOnASilentSocket(t *testing.T) {
	t.Parallel()
	h, caller := silenced(t, `
<transition event="play"><dialogstart src="'null://?text=Once.'" type="'audio/wav'" connectionid="session.connections[Object.keys(session.connections)[0]].connectionid"/></transition>
<transition event="dialog.started"/>
<transition event="dialog.exit" cond="event$.reason"><log expr="'over'"/><dialogstart src="'null://?text=Again.'" type="'audio/wav'" connectionid="event$.connectionid"/></transition>
<transition event="error.dialog.*"><log expr="'over'"/><dialogstart src="'null://?text=Again.'" type="'audio/wav'" connectionid="event$.connectionid"/></transition>
<transition event="dialog.exit"><exit/></transition>`)
	h.inject("play")
	h.logged("over")
	h.must(caller.WaitHeard(h.ctx, "Again."))
	_, err := caller.WaitEnded(h.ctx)
	h.must(err)
	h.idle()
	if h.seen.has("connection.disconnected") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// A call whose end was not told on its silent socket has ended, as the link knows.
func TestEndOnASilentSocket(t *testing.T) {
	t.Parallel()
	h, caller := silenced(t, `
<transition event="play"><dialogstart src="'null://?text=Once.'" type="'audio/wav'" connectionid="session.connections[Object.keys(session.connections)[0]].connectionid"/></transition>
<transition event="error.*"/>
<transition event="connection.disconnected"><log expr="'ended: ' + event$.detail"/><exit/></transition>`)
	caller.Hangup()
	_, err := caller.WaitEnded(h.ctx)
	h.must(err)
	h.inject("play")
	h.logged("ended: the call ended while its socket to FreeSWITCH was silent")
	h.idle()
}

// A call that is refused on a socket that does not answer is hung up over the link.
func TestRefusalOnASilentSocket(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(p *plan) {
		p.sw.Silence = func(_, command string) bool { return strings.HasPrefix(command, "sendmsg") }
	})
	for _, document := range []string{"", "file://" + h.dir + "/missing.ccxml"} {
		caller, err := h.sw.Dial(switchsim.Call{Sockets: []string{h.daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document}})
		h.must(err)
		_, err = caller.WaitEnded(h.ctx)
		h.must(err)
	}
	h.idle()
}

// A machine that has lost its power closes no socket: when its link stays down, its
// legs are asked for a sign of life, and those that give none end.
func TestMachineWithoutPower(t *testing.T) {
	t.Parallel()
	h, caller := silenced(t, `
<transition event="connection.disconnected"><log expr="'gone: ' + event$.reason"/><exit/></transition>`)
	h.sw.CloseLinks()
	h.logged("gone: NETWORK_OUT_OF_ORDER")
	h.idle()
	caller.Hangup()
}
