package callcontrol_test

import (
	"fmt"
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestSurvivorsShare the sessions of a controller that was killed: each is taken over once,
// both get some, and what was sent to one meanwhile finds it.
func TestSurvivorsShare(t *testing.T) {
	one := sitetest.New(t)
	survivors := []*sitetest.Site{one.AddDaemon(), one.AddDaemon()}
	for _, s := range survivors {
		s.WaitLinks()
	}
	const calls = 20
	document := one.Transitions("waits", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'tone_stream://%(600000,0,440)'" type="'audio/wav'"/></transition>
		<transition event="dialog.started"><log expr="'came ' + session.id"/></transition>
		<transition event="ccxml.resumed"><log expr="'resumed ' + session.id"/></transition>
		<transition event="told"><log expr="'told ' + session.id"/></transition>
		<transition event="connection.disconnected"><log expr="'left ' + session.id"/><exit/></transition>`)
	var parties []*switchsim.Party
	for i := range calls {
		parties = append(parties, one.DialFrom(fmt.Sprint(100+i), document))
	}
	ids := func(s *sitetest.Site, word string) (ids []string) {
		for _, line := range s.Trace.Lines() {
			if _, id, ok := strings.Cut(line, "log "+word+" "); ok {
				ids = append(ids, id)
			}
		}
		return ids
	}
	one.WaitUntil("all calls are here", func() bool { return len(ids(one, "came")) == calls })
	written(one)
	one.Kill()
	// Sent while nobody knows that their controller is gone, to all that it had.
	for _, id := range ids(one, "came") {
		if status, body := survivors[0].Get("/ccxml/basichttp?sessionid=" + id + "&eventname=told"); status/100 != 2 {
			t.Errorf("%d %s", status, body)
		}
	}
	taken := func(word string) int { return len(ids(survivors[0], word)) + len(ids(survivors[1], word)) }
	survivors[0].WaitUntil("all were taken over, and told", func() bool { return taken("told") >= calls && taken("resumed") >= calls })
	written(survivors[0])
	if told, resumed := taken("told"), taken("resumed"); told != calls || resumed != calls {
		t.Errorf("%d sessions were taken over, and %d events came, want %d", resumed, told, calls)
	}
	for _, s := range survivors {
		if n := len(ids(s, "resumed")); n < calls/5 {
			t.Errorf("%s got %d of %d", s.Daemon.Controller.ID(), n, calls)
		}
	}
	for _, party := range parties {
		party.Hangup()
	}
	for _, s := range survivors {
		s.WaitIdle()
	}
}
