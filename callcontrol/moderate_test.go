package callcontrol_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/conference"
	"ccxmld/interpreter"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// moderator hears of all members of "the meeting", by their callers' numbers, and
// does with them what it is told to.
const moderator = `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="c"/><var name="ids" expr="new Object()"/><var name="numbers" expr="new Object()"/>
<eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="c" confname="'the meeting'" hints="{events: true}"/></transition>
<transition event="conference.created"><log expr="'listening ' + session.id"/></transition>
<transition event="conference.member.joined"><script>ids[event$.callerid] = event$.connectionid; numbers[event$.connectionid] = event$.callerid</script>
  <log expr="event$.callerid + ' came, members ' + event$.members"/></transition>
<transition event="conference.member.left"><log expr="numbers[event$.connectionid] + ' went, members ' + event$.members"/></transition>
<transition event="conference.talking"><log expr="numbers[event$.connectionid] + ' talks ' + event$.talking"/></transition>
<transition event="conference.floor"><log expr="numbers[event$.connectionid] + ' has the floor'"/></transition>
<transition event="user.change"><join id1="ids[event$.who]" id2="c" duplex="event$.duplex || 'full'"
  hints="{mute: event$.mute, deaf: event$.deaf, volumein: event$.volumein}"/></transition>
<transition event="conference.joined"><log expr="'changed ' + numbers[event$.id1]"/></transition>
<transition event="user.kick"><unjoin id1="c" id2="ids[event$.who]"/></transition>
<transition event="conference.unjoined"><log expr="'kicked ' + numbers[event$.id2]"/></transition>
<transition event="user.lock"><createconference conferenceid="c" confname="'the meeting'" hints="{locked: event$.on}"/></transition>
<transition event="user.deafen"><createconference conferenceid="c" confname="'the meeting'" hints="{events: false}"/></transition>
<transition event="user.end"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/></transition>
</eventprocessor></ccxml>`

// moderated is a site in which the moderator listens.
type moderated struct {
	*sitetest.Site
	session string
}

func moderate(s *sitetest.Site) *moderated {
	s.Helper()
	s.StartToken("")
	s.WaitLog("listening ")
	m := &moderated{Site: s}
	for _, line := range s.Trace.Lines() {
		if rest, ok := strings.CutPrefix(line, "log listening "); ok {
			m.session = rest
		}
	}
	return m
}

// tell sends the moderator a command with name and value in turns.
func (m *moderated) tell(command string, parameters ...string) {
	m.Helper()
	injection := callcontrol.Injection{Session: m.session, Name: "user." + command, Source: "test"}
	for i := 0; i+1 < len(parameters); i += 2 {
		injection.Parameters = append(injection.Parameters, interpreter.Pair{Name: parameters[i], Value: parameters[i+1]})
	}
	m.Must(m.Daemon.Controller.Inject(m.Context(), injection))
}

// member gives how a number is in a room.
func member(s *sitetest.Site, room, number string) (found switchsim.Member) {
	for _, m := range s.Switch.Conference(room) {
		if m.Number == number {
			found = m
		}
	}
	return found
}

// A session hears of all members, also those of other controllers, and changes and
// takes them out, whoever has them.
func TestModerateMembersOfAnotherController(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t, sitetest.WithToken("moderator.ccxml"))
	one.Document("moderator.ccxml", moderator)
	other := one.AddDaemon()
	document := one.Document("meeting.ccxml", meeting)
	first := other.DialFrom("101", document)
	other.WaitLog("101 in 1")
	m := moderate(one)
	m.WaitLog("101 came, members 1") // who is there already
	m.WaitLog("101 has the floor")
	second := one.DialFrom("102", document) // of another session here
	m.WaitLog("102 came, members 2")
	room, _ := roomOf(one)

	m.Trace.Reset()
	second.Talk(true)
	m.WaitLog("102 talks true")
	m.WaitLog("102 has the floor")
	second.Talk(false)
	m.WaitLog("102 talks false")

	for _, number := range []string{"101", "102"} {
		m.Trace.Reset()
		m.tell("change", "who", number, "mute", "true", "deaf", "true", "volumein", "-2")
		m.WaitLog("changed " + number)
		m.WaitUntil("it is mute and deaf", func() bool { in := member(one, room, number); return !in.Speaks && !in.Hears })
		m.Trace.Reset()
		m.tell("change", "who", number, "duplex", "half") // hears only
		m.WaitLog("changed " + number)
		m.WaitUntil("it hears only", func() bool { in := member(one, room, number); return !in.Speaks && in.Hears })
		m.Trace.Reset()
		m.tell("change", "who", number)
		m.WaitLog("changed " + number)
		m.WaitUntil("it speaks and hears", func() bool { in := member(one, room, number); return in.Speaks && in.Hears })
	}
	m.tell("change", "who", "101", "volumein", "9")
	m.WaitLog("error.conference.join: the hint volumein is")

	m.tell("lock", "on", "true")
	m.WaitUntil("the room is locked", func() bool { return one.Switch.Locked(room) })
	third := other.DialFrom("103", document)
	other.WaitLog("103 error.conference.join: the conference is locked")
	m.tell("lock", "on", "false")
	m.WaitUntil("the room is open", func() bool { return !one.Switch.Locked(room) })
	third.Press("2")
	m.WaitLog("103 came, members 3")

	m.tell("kick", "who", "101")
	m.WaitLog("kicked 101")
	m.WaitLog("101 went, members 2")
	other.WaitLog("101 out 1") // its own session hears of it
	if m.Trace.Has("error.conference.unjoin") {
		t.Errorf("seen:\n%s", strings.Join(m.Trace.Lines(), "\n"))
	}
	m.Trace.Reset()
	m.tell("change", "who", "101")
	m.WaitLog("error.semantic: ")
	m.tell("kick", "who", "102")
	one.WaitLog("102 out 1")
	m.WaitLog("102 went, members 1")

	m.Trace.Reset()
	third.Hangup()
	m.WaitLog("103 went, members 0")
	first.Hangup()
	second.Hangup()
	m.tell("end")
	one.WaitIdle()
	other.WaitIdle()
	rosterIsEmpty(one)
}

// What happened while the link was down is told when it is up again.
func TestRosterAfterTheLinkWasDown(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("moderator.ccxml"))
	s.Document("moderator.ccxml", moderator)
	document := s.Document("meeting.ccxml", meeting)
	m := moderate(s)
	first := s.DialFrom("101", document)
	m.WaitLog("101 came, members 1")
	address := s.Switch.Addr()
	s.Switch.CloseLinks()
	second := s.DialFrom("102", document)
	s.WaitLog("102 in 1")
	first.Hangup()
	s.WaitLog("101 out 1")
	s.Must(s.Switch.Listen(address))
	m.WaitLog("101 went")
	m.WaitLog("102 came")
	if m.Trace.Count("log 101 came") != 1 || m.Trace.Count("log 102 came") != 1 {
		t.Errorf("seen:\n%s", strings.Join(m.Trace.Lines(), "\n"))
	}
	second.Hangup()
	m.WaitLog("102 went, members 0")
	m.tell("end")
	s.WaitIdle()
}

// Where FreeSWITCH does not bring the result of a job, it is asked again, and the
// operator is told in the end.
func TestRosterIsLost(t *testing.T) {
	t.Parallel()
	for lost, want := range map[int32]string{2: "log 101 came, members 1", 3: ""} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.WithToken("moderator.ccxml"), losingRosters(lost))
			s.Document("moderator.ccxml", moderator)
			s.DialFrom("101", s.Document("meeting.ccxml", meeting))
			s.WaitLog("101 in 1")
			m := moderate(s)
			if want != "" {
				m.Must(m.Trace.Wait(s.Context(), want))
			} else {
				s.Must(s.DaemonLog.WaitText(s.Context(), "members of a conference are not told of"))
			}
		})
	}
}

// A session that does not want to hear any more does not, while another does.
func TestHearNoMoreOfMembers(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("moderator.ccxml"))
	s.Document("moderator.ccxml", moderator)
	document := s.Document("meeting.ccxml", meeting)
	m := moderate(s)
	first := s.DialFrom("101", document)
	m.WaitLog("101 came, members 1")
	s.Trace.Reset()
	other := moderate(s)
	other.WaitLog("101 came, members 1")
	m.tell("deafen")
	m.WaitUntil("it is done", func() bool { return s.Trace.Count("log listening "+m.session) > 0 })
	s.Trace.Reset()
	first.Talk(true)
	s.WaitLog("101 talks true")
	first.Hangup()
	s.WaitLog("101 went, members 0")
	if n := s.Trace.Count("log 101 talks true"); n != 1 {
		t.Errorf("%d sessions heard of it", n)
	}
	m.tell("end")
	other.tell("end")
	s.WaitIdle()
}

// A talker is kept out when the places that are left are reserved for listeners,
// and a listener may not begin to talk (CNF-4).
func TestReservedPlaces(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Transitions("hall.ccxml", `
		<transition event="connection.alerting"><assign name="application.leg" expr="event$.connectionid"/>
			<assign name="application.who" expr="event$.connection.remote.substr(4, 3)"/><accept/></transition>
		<transition event="connection.connected"><createconference conferenceid="application.c" confname="'hall'"
			reservedtalkers="1" reservedlisteners="2" hints="{maxmembers: 4}"/></transition>
		<transition event="conference.created"><join id1="application.leg" id2="application.c" duplex="application.who &lt; '200' ? 'full' : 'half'"/></transition>
		<transition event="conference.joined"><log expr="application.who + ' in ' + event$.members"/></transition>
		<transition event="connection.signal"><join id1="application.leg" id2="application.c"/></transition>
		<transition event="error.conference.*"><log expr="application.who + ' ' + event$.reason"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`)
	talker := s.DialFrom("101", document)
	s.WaitLog("101 in 1")
	listener := s.DialFrom("201", document)
	s.WaitLog("201 in 2")
	second := s.DialFrom("102", document)
	s.WaitLog("102 in 3")
	third := s.DialFrom("103", document)
	s.WaitLog("103 the places that are left in the conference are reserved")
	listener.Press("1")
	s.WaitLog("201 the places that are left in the conference are reserved")
	second.Hangup()
	room, _ := roomOf(s)
	s.WaitUntil("102 is out", func() bool { _, members := roomOf(s); return members == 2 })
	listener.Press("1")
	s.WaitUntil("201 talks", func() bool { return member(s, room, "201").Speaks })
	for _, party := range []*switchsim.Party{talker, listener, third} {
		party.Hangup()
	}
	s.WaitIdle()
	rosterIsEmpty(s)
}

// Who is registered in a conference and not in its room is no member any more when
// a link comes up again.
func TestReconcileAfterTheLinkWasDown(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]sitetest.Option{"jobs are answered": nil, "first job lost": {losingRosters(1)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reconcile(sitetest.New(t, options...))
		})
	}
}

// losingRosters loses the results of the first jobs that ask who is in a room.
func losingRosters(first int32) sitetest.Option {
	var asked atomic.Int32
	return func(o *sitetest.Options) {
		o.Switch.Job = func(_, argument string) switchsim.JobFate {
			if strings.Contains(argument, "xml_list") && asked.Add(1) <= first {
				return switchsim.JobUntold
			}
			return switchsim.JobDone
		}
	}
}

func reconcile(s *sitetest.Site) {
	s.Helper()
	caller := s.DialFrom("101", s.Document("meeting.ccxml", meeting))
	s.WaitLog("101 in 1")
	for held, err := range s.Daemon.Conferences.List(s.Context()) {
		s.Must(err)
		_, err = s.Daemon.Conferences.Join(s.Context(), held.ID, conference.Member{Connection: "stray", Node: held.Node, Joined: s.Clock.Now().Add(-time.Hour)})
		s.Must(err)
	}
	if _, members := roomOf(s); members != 2 {
		s.Fatalf("%d members", members)
	}
	address := s.Switch.Addr()
	s.Switch.CloseLinks()
	s.Must(s.Switch.Listen(address))
	s.Must(s.DaemonLog.WaitText(s.Context(), "connection was registered in a conference and not in its room"))
	s.WaitUntil("the stray is out", func() bool { _, members := roomOf(s); return members == 1 })
	caller.Hangup()
	s.WaitIdle()
	rosterIsEmpty(s)
}

// A join that asks for events hears of its own member alone, and one that entered
// muted can be heard by another join.
func TestEventsOfOneMember(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Transitions("events.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><assign name="application.leg" expr="event$.connectionid"/>
			<createconference conferenceid="application.c" confname="'events'" hints="{joinmuted: true}"/></transition>
		<transition event="conference.created"><join id1="application.leg" id2="application.c" hints="{events: true}"/></transition>
		<transition event="conference.joined"><log expr="'in'"/></transition>
		<transition event="conference.talking"><log expr="event$.connectionid + ' talks ' + event$.talking"/></transition>
		<transition event="conference.floor"><log expr="event$.connectionid + ' has the floor'"/></transition>
		<transition event="connection.signal"><join id1="event$.connectionid" id2="application.c" hints="{events: true}"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`)
	first := s.DialFrom("101", document)
	s.WaitLog("in")
	s.WaitLog(first.UUID() + " has the floor")
	second := s.DialFrom("102", document)
	s.WaitUntil("both are in", func() bool { return s.Trace.Count("log in") == 2 })
	second.Talk(true) // which nobody hears
	second.Talk(false)
	second.Press("1") // is heard from now on
	s.WaitUntil("it is joined again", func() bool { return s.Trace.Count("log in") == 3 })
	second.Talk(true)
	s.WaitLog(second.UUID() + " talks true")
	s.WaitLog(second.UUID() + " has the floor")
	first.Hangup()
	second.Hangup()
	s.WaitIdle()
	if s.Trace.Count("log "+second.UUID()+" talks true") != 1 || s.Trace.Count("log "+first.UUID()+" talks") != 0 {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}
