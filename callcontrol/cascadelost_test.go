package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// killCascades ends the calls between nodes, as an operator or a network may.
func (s *farSite) killCascades(sw *switchsim.Switch) {
	s.Helper()
	for line := range strings.Lines(sw.API("show channels")) {
		if strings.Contains(line, ",sofia/ccxmld/") {
			id, _, _ := strings.Cut(line, ",")
			sw.API("uuid_kill " + id)
		}
	}
}

// A cascade that ends on either side is made again, also by another controller than the one
// that had made it, and no document notices.
func TestCascadeIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	other := anotherDaemon(s.Site)
	document := s.Document("meeting.ccxml", meeting)
	first, second := s.meet(s.Site, document)
	third := s.dialSecond(other, "103", document)
	other.WaitLog("103 in 1")
	second.Hangup() // the controller that has made it has nobody there any more
	s.WaitLog("102 out 1")
	for _, sw := range []*switchsim.Switch{s.second, s.Switch} {
		s.killCascades(sw)
		s.hear(first, third)
	}
	fourth := s.dialSecond(s.Site, "104", document)
	for _, sw := range []*switchsim.Switch{s.second, s.Switch} {
		s.killCascades(sw)
		s.hear(first, third, fourth)
	}
	if s.Trace.Has("101 out") || s.Trace.Has("104 out") || other.Trace.Has("103 out") {
		t.Error("a document has noticed")
	}
	if n := s.cascadeLegs(); n != 2 {
		t.Errorf("%d legs of cascades", n)
	}
	first.Hangup()
	third.Hangup()
	fourth.Hangup()
	s.waitNoCalls()
	other.WaitIdle()
	rosterIsEmpty(s.Site)
}

// Members on another node that do not reach the conference any more hear that they are
// out of it, and those on its own go on.
func TestCascadeCannotBeMadeAgain(t *testing.T) {
	t.Parallel()
	cut := false
	s := newFarSite(t, func(o *sitetest.Options) { o.Switch.Unreachable = func() bool { return cut } })
	document := s.Document("meeting.ccxml", meeting)
	first, second := s.meet(s.Site, document)
	cut = true
	s.killCascades(s.second)
	s.WaitLog("102 out 1")
	if _, members := roomOf(s.Site); members != 1 || s.Trace.Has("101 out") {
		t.Errorf("%d members:\n%s", members, strings.Join(s.Trace.Lines(), "\n"))
	}
	cut = false
	second.Press("2")
	s.WaitLog("102 in 2")
	s.hear(first, second)
	s.end(first, second)
}

// again is a meeting that is created again when it has ended.
var again = strings.ReplaceAll(meeting, `' destroyed'"/>`, `' destroyed: ' + event$.reason"/><createconference conferenceid="c" confname="'the meeting'"/>`)

// When the FreeSWITCH of a conference ends, so does the conference for those on another
// one, by its events; they may create it again at once.
func TestNodeOfAConferenceEnds(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	other := anotherDaemon(s.Site)
	document := s.Document("again.ccxml", again)
	_, second := s.meet(s.Site, document)
	third := s.dialSecond(other, "103", document)
	other.WaitLog("103 in 1")
	began := s.Clock.Now()
	s.Switch.Close()
	for d, number := range map[*sitetest.Site]string{s.Site: "102", other: "103"} {
		d.WaitLog(number + " out 1")
		d.WaitLog(number + " destroyed: FreeSWITCH fs1, which it was on, has ended")
		d.WaitLog(number + " in 2")
		d.CheckOrder("log "+number+" out 1", "log "+number+" destroyed", "log "+number+" new", "log "+number+" in 2")
	}
	if took := s.Clock.Now().Sub(began); took > 20*time.Second {
		t.Errorf("after %v", took)
	}
	s.hear(second, third)
	if _, members := roomOf(s.Site); members != 2 || s.second.Channels() != 2 {
		t.Errorf("%d members, %d calls", members, s.second.Channels())
	}
	second.Hangup()
	third.Hangup()
	s.WaitUntil("the second has no call", func() bool { return s.second.Channels() == 0 })
	s.WaitIdle()
	other.WaitIdle()
	rosterIsEmpty(s.Site)
}

// A FreeSWITCH that is started anew has lost its conferences, also for sessions that had no
// connection there.
func TestNodeOfAConferenceIsStartedAnew(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	document := s.Document("again.ccxml", again)
	_, second := s.meet(s.Site, document)
	address := s.Switch.Addr()
	s.Switch.Close()
	anew := s.AddSwitch(switchsim.Options{Name: "fs1"})
	s.second.Reach(sipFirst, anew)
	anew.Reach(sipSecond, s.second)
	s.Must(anew.Listen(address))
	s.WaitLog("102 destroyed: FreeSWITCH fs1, which it was on, has been started anew")
	s.WaitLog("102 in 2")
	s.Switch = anew
	third := s.DialFrom("103", document)
	s.hear(second, third)
	second.Hangup()
	third.Hangup()
	s.waitNoCalls()
	rosterIsEmpty(s.Site)
}

// A cascade lasts as long as a controller has members that need it, and no longer: where
// none is left, FreeSWITCH ends it, and no room is kept for ever.
func TestCascadeWithoutControllers(t *testing.T) {
	t.Parallel()
	s := newFarSite(t, sitetest.WithTimeout(time.Hour))
	document := s.Document("meeting.ccxml", meeting)
	first, second := s.meet(s.Site, document)
	call := s.Trace.Count("log")
	s.Sleep(25 * time.Minute) // more than twice what it lasts unless somebody says that it is needed
	s.hear(first, second)
	if s.DaemonLog.Has("cascade between nodes is lost") || s.Trace.Count("log") != call {
		t.Error("it has ended while it was needed")
	}
	first.Hangup()
	second.Hangup()
	s.waitNoCalls()

	// Of the cascade of a controller that has died, nobody says so.
	const secret = "00112233445566778899aabbccddeeff"
	room := freeswitch.Room("ccxmld-left-x1")
	s.Switch.API(command(room.Admit(secret, "ccxmld", false)))
	s.second.Originate(strings.TrimPrefix(command(room.Cascade("", "dead", "ccxmld", sipFirst, secret, false, time.Second).Command()), "originate "), nil)
	s.WaitUntil("it is up", func() bool { return s.cascadeLegs() == 2 })
	s.Sleep(9 * time.Minute)
	if n := s.cascadeLegs(); n != 2 {
		t.Errorf("%d legs after nine minutes", n)
	}
	s.Sleep(2 * time.Minute)
	if n := s.cascadeLegs(); n != 0 {
		t.Errorf("%d legs after eleven minutes", n)
	}
}

// command gives a command as an operator would type it.
func command(cmd esl.Command) string {
	return strings.TrimPrefix(cmd.BuildMessage(), "api ")
}

// A link that comes up again finds members by the room of their own FreeSWITCH: none is
// taken for gone since the room on the conference's FreeSWITCH does not have it.
func TestReconcileOnTwoNodes(t *testing.T) {
	t.Parallel()
	s, first, second, _ := newMeeting(t)
	s.Sleep(time.Minute) // they have settled
	for _, sw := range []*switchsim.Switch{s.Switch, s.second} {
		address := sw.Addr()
		sw.CloseLinks()
		s.Must(sw.Listen(address))
		s.Sleep(10 * time.Second)
	}
	s.hear(first, second)
	if _, members := roomOf(s.Site); members != 2 || s.Trace.Has("out") || s.DaemonLog.Has("not in its room") {
		t.Errorf("%d members:\n%s", members, strings.Join(s.Trace.Lines(), "\n"))
	}
	s.end(first, second)
}

// A member whose controller is gone is taken over by another one, and hears the conference
// on the other FreeSWITCH all the while; the cascade ends with it.
func TestTakeOverOfAMemberOnAnotherNode(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	other := anotherDaemon(s.Site)
	document := s.Document("meeting.ccxml", meeting)
	first, err := s.Switch.Dial(switchsim.Call{From: "101", Sockets: []string{other.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document}})
	s.Must(err)
	other.WaitLog("101 in 1")
	second := s.dialSecond(s.Site, "102", document)
	s.WaitLog("102 in 1")
	s.hear(first, second)
	calls := s.second.API("show channels")
	untilWritten(s.Site)
	for other.Trace.Count("event ccxml.resumed") == 0 {
		s.hear(first, second)
		s.Sleep(100 * time.Millisecond)
	}
	s.Sleep(time.Minute) // the dead controller's leases end
	s.hear(first, second)
	if now := s.second.API("show channels"); now != calls {
		t.Errorf("the calls of the second were\n%s\nand are\n%s", calls, now)
	}
	if _, members := roomOf(other); members != 2 {
		t.Errorf("%d members", members)
	}
	second.Press("1")
	other.WaitLog("102 out 1")
	s.WaitUntil("the cascade has ended", func() bool { return s.cascadeLegs() == 0 })
	first.Hangup()
	second.Hangup()
	other.WaitIdle()
	rosterIsEmpty(other)
}
