package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// silenced lets a caller in, of whom the document asks something by events, and makes
// his socket silent; the link is well.
func silenced(t *testing.T, transitions string) (*sitetest.Site, *switchsim.Party) {
	t.Helper()
	s := sitetest.New(t)
	caller := s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><log expr="'session ' + session.id"/><accept/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>`+transitions))
	s.WaitLog("connected")
	if n := s.Switch.SilenceSockets(caller.UUID()); n != 1 {
		t.Fatalf("%d sockets fell silent", n)
	}
	return s, caller
}

// A leg whose socket is silent is hung up over the link, and the document hears that
// it has ended, not that it was lost: after <disconnect>, and when the session ends.
func TestHangupOnASilentSocket(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]string{"disconnect": "<disconnect/>", "exit": "<exit/>"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, caller := silenced(t, `
<transition event="leave">`+strings.Replace(action, "<disconnect/>", `<disconnect connectionid="session.connections[Object.keys(session.connections)[0]].connectionid"/>`, 1)+`</transition>
<transition event="connection.disconnected"><log expr="event$.reason + ', ' + event$.trigger + ', ' + event$.detail"/><exit/></transition>`)
			s.Inject("leave")
			ending, err := caller.WaitEnded(s.Context())
			s.Must(err)
			if ending.Cause != "NORMAL_CLEARING" {
				t.Errorf("the call ended with %+v", ending)
			}
			s.WaitIdle()
			s.WaitUntil("the silent socket is closed", func() bool { return s.Switch.SilentSockets() == 0 })
			if name == "disconnect" {
				s.WaitLog("NORMAL_CLEARING, local, undefined")
			}
		})
	}
}

// A command that is not answered on a leg's socket shows that it is silent: the leg is
// fetched over the link, and can be told what to do again.
func TestCommandOnASilentSocket(t *testing.T) {
	t.Parallel()
	s, caller := silenced(t, `
<transition event="play"><dialogstart src="'null://?text=Once.'" type="'audio/wav'" connectionid="session.connections[Object.keys(session.connections)[0]].connectionid"/></transition>
<transition event="dialog.started"/>
<transition event="dialog.exit" cond="event$.reason"><log expr="'over'"/><dialogstart src="'null://?text=Again.'" type="'audio/wav'" connectionid="event$.connectionid"/></transition>
<transition event="error.dialog.*"><log expr="'over'"/><dialogstart src="'null://?text=Again.'" type="'audio/wav'" connectionid="event$.connectionid"/></transition>
<transition event="dialog.exit"><exit/></transition>`)
	s.Inject("play")
	s.WaitLog("over")
	s.Must(caller.WaitHeard(s.Context(), "Again."))
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	if s.Trace.Has("connection.disconnected") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// A call whose end was not told on its silent socket has ended, as the link knows.
func TestEndOnASilentSocket(t *testing.T) {
	t.Parallel()
	s, caller := silenced(t, `
<transition event="play"><dialogstart src="'null://?text=Once.'" type="'audio/wav'" connectionid="session.connections[Object.keys(session.connections)[0]].connectionid"/></transition>
<transition event="error.*"/>
<transition event="connection.disconnected"><log expr="'ended: ' + event$.detail"/><exit/></transition>`)
	caller.Hangup()
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.Inject("play")
	s.WaitLog("ended: the call ended while its socket to FreeSWITCH was silent")
	s.WaitIdle()
}

// A call that is refused on a socket that does not answer is hung up over the link.
func TestRefusalOnASilentSocket(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, func(o *sitetest.Options) {
		o.Switch.Silence = func(_, command string) bool { return strings.HasPrefix(command, "sendmsg") }
	})
	for _, document := range []string{"", "file://" + s.Dir + "/missing.ccxml"} {
		caller, err := s.Switch.Dial(switchsim.Call{Sockets: []string{s.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document}})
		s.Must(err)
		_, err = caller.WaitEnded(s.Context())
		s.Must(err)
	}
	s.WaitIdle()
}

// A machine that has lost its power closes no socket: when its link stays down, its
// legs are asked for a sign of life, and those that give none end.
func TestMachineWithoutPower(t *testing.T) {
	t.Parallel()
	s, caller := silenced(t, `
<transition event="connection.disconnected"><log expr="'gone: ' + event$.reason"/><exit/></transition>`)
	s.Switch.CloseLinks()
	s.WaitLog("gone: NETWORK_OUT_OF_ORDER")
	s.WaitIdle()
	caller.Hangup()
}
