package callcontrol_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestModerationThatIsRefused: a change of another controller's member of which
// FreeSWITCH refuses a part, the first or the last, has failed, in the words of the
// first refusal; so has a member's being taken out.
func TestModerationThatIsRefused(t *testing.T) {
	t.Parallel()
	told := &orders{}
	one := sitetest.New(t, sitetest.WithToken("moderator.ccxml"), func(o *sitetest.Options) { o.Switch.Refuses = told.refused })
	one.Document("moderator.ccxml", moderator)
	other := one.AddDaemon()
	member := other.DialFrom("101", one.Document("meeting.ccxml", meeting))
	other.WaitLog("101 in 1")
	m := moderate(one)
	m.WaitLog("101 came, members 1")
	for _, refused := range []string{" mute ", " deaf ", " volume_in "} {
		told.refuse(refused)
		m.Trace.Reset()
		m.tell("change", "who", "101", "mute", "true", "deaf", "true", "volumein", "1")
		m.WaitLog("error.conference.join: esl: FreeSWITCH answered -ERR REFUSED" + strings.TrimRight(refused, " "))
	}
	told.refuse(" kick ")
	m.tell("kick", "who", "101")
	m.WaitLog("error.conference.unjoin: esl: FreeSWITCH answered -ERR REFUSED kick")
	if m.Trace.Has("changed 101") || m.Trace.Has("kicked 101") {
		t.Error("it was told that it is done")
	}
	told.refuse("")
	m.tell("end")
	member.Hangup()
	other.WaitIdle()
	one.WaitIdle()
}

// TestRoomsThatNobodyHearsOf: when no session wants events of a conference any more, a
// link that comes up again asks nothing of it.
func TestRoomsThatNobodyHearsOf(t *testing.T) {
	t.Parallel()
	for _, over := range []string{"deafen", "end"} {
		told := &orders{}
		s := sitetest.New(t, sitetest.WithToken("moderator.ccxml"), func(o *sitetest.Options) { o.Switch.Refuses = told.refused })
		s.Document("moderator.ccxml", moderator)
		m := moderate(s)
		again := func() int {
			before := told.count("xml_list")
			s.Switch.CloseLinks()
			s.WaitUntil("the link is down", func() bool { return s.Daemon.Controller.Nodes()[0].Err != nil })
			s.Must(s.Switch.Listen(sitetest.SwitchAddress))
			s.WaitLinks()
			s.WaitUntil("the link is up", func() bool { return s.Daemon.Controller.Nodes()[0].Err == nil })
			clock.Sleep(s.Context(), s.Clock, time.Second)
			return told.count("xml_list") - before
		}
		if n := again(); n == 0 {
			t.Error("the room is not asked for while it is heard of")
		}
		m.tell(over)
		if over == "deafen" {
			s.WaitUntil("it is deaf", func() bool { return s.Trace.Count("event conference.created") == 2 })
		} else {
			s.WaitIdle()
		}
		if n := again(); n > 0 {
			t.Errorf("after %s the room is asked for %d times", over, n)
		}
		if over == "deafen" {
			m.tell("end")
		}
		s.WaitIdle()
	}
}

// TestEndOfStartedSession: who starts a session is told once of its end, after it.
func TestEndOfStartedSession(t *testing.T) {
	c := sitetest.New(t)
	var ended atomic.Int32
	_, err := c.Daemon.Controller.Start(c.Context(), callcontrol.StartRequest{
		URI:   c.Transitions("a.ccxml", then("ccxml.loaded", after("5s", "end"))+then("end", `<exit/>`)),
		Ended: func() { ended.Add(1) },
	})
	c.Must(err)
	c.Sleep(4 * time.Second)
	if n := ended.Load(); n != 0 {
		t.Error("told before the end")
	}
	c.WaitSwitchIdle()
	if n := ended.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestNodeOfACouplingIsTakenOut: the link to a node that is taken out lasts as long as the
// join of two conferences there, whose end the document hears of.
func TestNodeOfACouplingIsTakenOut(t *testing.T) {
	told := &orders{}
	c := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Refuses: told.refused}))
	c.StartSession(c.Transitions("a.ccxml", twoRooms+`</transition>`+then("conference.joined", `<log expr="'joined'"/>`)+
		then("conference.unjoined", `<log expr="'unjoined'"/><exit/>`), "a b"))
	c.WaitLog("joined")
	c.Daemon.Controller.SetNodes(nil)
	c.Sleep(5 * time.Minute)
	if c.DaemonLog.Has("link of a node that was taken out ends") {
		t.Error("the link has ended while it was needed")
	}
	_, id, _ := strings.Cut(told.first("originate"), "origination_uuid=")
	c.Switch.API("uuid_kill " + id[:36])
	c.WaitLog("unjoined")
	c.Must(c.DaemonLog.WaitText(c.Context(), "link of a node that was taken out ends"))
	c.WaitSwitchIdle()
}

// TestSessionsInCreation: a session waits for a hundred sessions that it creates, and is
// told that it cannot have one more.
func TestSessionsInCreation(t *testing.T) {
	c := sitetest.New(t)
	child := c.Transitions("child.ccxml", then("ccxml.loaded", `<exit/>`))
	text := then("ccxml.loaded", strings.Repeat(`<createccxml next="'`+child+`'"/>`, 101)+after("60s", "end")) +
		then("error.createccxml", `<log expr="'not created: ' + event$.reason"/>`) + then("ccxml.created", `<log expr="'created'"/>`) + then("end", `<exit/>`)
	c.StartSession(c.Transitions("a.ccxml", text))
	c.WaitSwitchIdle()
	if !c.Trace.Has("100 sessions are being created already") {
		t.Error("the bound is not told")
	}
	if created, not := c.Trace.Count("log created"), c.Trace.Count("log not created: "); created != 100 || not != 1 {
		t.Errorf("%d created, %d not", created, not)
	}
}
