package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// A FreeSWITCH that is gone is one error in the log, however many calls it had, and
// none that blames our address.
func TestOneErrorForFreeSWITCHGone(t *testing.T) {
	t.Parallel()
	// The legs' sockets go to a listener that never says a word, so that none attaches.
	s, _ := newSilentSite(t, sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.Answers{})
	s.Transitions("out.ccxml", callOut)
	for range 3 {
		s.StartToken("")
	}
	s.WaitUntil("all are answered", func() bool {
		answered := 0
		for _, line := range s.DaemonLog.Lines() {
			if strings.Contains(line, "to=attaching") {
				answered++
			}
		}
		return answered == 3
	})
	s.Switch.Close()
	s.WaitLog("unreachable: the call was answered, and FreeSWITCH node sim is not reached any more")
	s.WaitIdle()
	errors := 0
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "level=ERROR") {
			errors++
		}
	}
	if errors != 1 || !s.DaemonLog.Has(`level=ERROR msg="FreeSWITCH is not reached any more"`) || s.DaemonLog.Has("check esl.advertise") {
		t.Errorf("%d errors:\n%s", errors, strings.Join(s.DaemonLog.Lines(), "\n"))
	}
}

// Sockets of legs that end together, while FreeSWITCH is there, are one line in the log.
func TestOneWarningForSocketsThatEnd(t *testing.T) {
	t.Parallel()
	s, legs := newLateSite(t)
	document := s.Transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
	for range 3 {
		_, err := s.Switch.Dial(switchsim.Call{Sockets: []string{legs.address()}, Variables: map[string]string{"ccxml_uri": document}})
		s.Must(err)
	}
	s.WaitUntil("all are connected", func() bool { return s.Trace.Count("log connected") == 3 })
	legs.cutAll()
	s.Must(s.DaemonLog.WaitText(s.Context(), "sockets of legs ended before their hangup"))
	warnings := 0
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "before their hangup") && strings.Contains(line, "level=WARN") && strings.Contains(line, "legs=3") {
			warnings++
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings:\n%s", warnings, strings.Join(s.DaemonLog.Lines(), "\n"))
	}
	legs.restore()
}
