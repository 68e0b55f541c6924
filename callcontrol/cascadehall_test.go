package callcontrol_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/interpreter"
	"ccxmld/switchsim"
)

// hall joins its caller with a conference that has a PIN, which caller 199 does not know,
// and does what keys say. user.listen has it hear another connection.
const hall = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="leg"/><var name="who"/><var name="c"/><var name="entry"/><eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/><assign name="who" expr="event$.connection.remote.substr(4, 3)"/>
	<assign name="entry" expr="({pin: who == '199' ? '0' : '42'})"/><accept/></transition>
<transition event="connection.connected"><log expr="'session ' + who + ' ' + session.id"/>
	<createconference conferenceid="c" confname="'hall'" hints="{pin: '42', record: true, entersound: '/sounds/enter.wav', exitsound: '/sounds/exit.wav', announcecount: true}"/></transition>
<transition event="conference.created"><join id1="leg" id2="c" hints="entry"/></transition>
<transition event="conference.joined"><log expr="who + ' in'"/></transition>
<transition event="conference.unjoined"><log expr="who + ' out'"/></transition>
<transition event="connection.signal" cond="event$.info.value == 1"><join id1="leg" id2="c" duplex="'half'" hints="entry"/></transition>
<transition event="connection.signal" cond="event$.info.value == 2"><join id1="c" id2="leg" duplex="'half'" hints="entry"/></transition>
<transition event="connection.signal" cond="event$.info.value == 3"><join id1="leg" id2="c" hints="entry"/></transition>
<transition event="connection.signal" cond="event$.info.value == 4"><dialogstart conferenceid="c" src="'/sounds/news.wav'" type="'audio/wav'"/></transition>
<transition event="connection.signal" cond="event$.info.value == 5"><destroyconference conferenceid="c"/></transition>
<transition event="user.talk"><join id1="leg" id2="event$.to"/></transition>
<transition event="user.listen"><join id1="leg" id2="event$.to" duplex="'half'"/></transition>
<transition event="conference.destroyed"><log expr="who + ' destroyed'"/></transition>
<transition event="dialog.exit"><log expr="who + ' read'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="who + ' ' + event$.name + ': ' + event$.reason"/></transition>
</eventprocessor></ccxml>`

// tell sends an event to the session of a number.
func (s *farSite) tell(number, event string, parameters ...interpreter.Pair) {
	s.Helper()
	for _, line := range s.Trace.Lines() {
		if id, ok := strings.CutPrefix(line, "log session "+number+" "); ok {
			s.Must(s.Daemon.Controller.Inject(s.Context(), callcontrol.Injection{Session: id, Name: event, Source: "test", Parameters: parameters}))
			return
		}
	}
	s.Fatalf("no session of %s", number)
}

// newHall is a site with 101 on the first FreeSWITCH and 102 on the second in the hall.
func newHall(t *testing.T) (s *farSite, first, second *switchsim.Party, document string) {
	t.Helper()
	s = newFarSite(t)
	for _, sw := range []*switchsim.Switch{s.Switch, s.second} {
		for _, sound := range []string{"enter", "exit", "news"} {
			sw.AddSound("/sounds/"+sound+".wav", time.Second)
		}
	}
	document = s.Document("hall.ccxml", hall)
	first = s.DialFrom("101", document)
	s.WaitLog("101 in")
	second = s.dialSecond(s.Site, "102", document)
	s.WaitLog("102 in")
	return s, first, second, document
}

// heard counts how often a party has heard a sound.
func heard(p *switchsim.Party, what string) (n int) {
	for _, sound := range p.Heard() {
		if strings.Contains(sound.What, what) {
			n++
		}
	}
	return n
}

// A conference that has members on two FreeSWITCHes has one recording and one PIN, and
// dialogs; all hear once who comes and goes.
func TestConferenceOnTwoNodesAsOnOne(t *testing.T) {
	t.Parallel()
	s, first, second, document := newHall(t)
	if files, far := s.Switch.Recordings(), s.second.Recordings(); len(files) != 1 || len(far) != 0 {
		t.Errorf("recorded: %v on the first, %v on the second", files, far)
	}
	s.Must(first.WaitHeard(s.Context(), "enter.wav"))
	s.WaitUntil("102 hears how many there are", func() bool { return heard(second, "There is one other") == 1 })
	s.WaitUntil("both have heard 102 come", func() bool { return heard(first, "enter.wav") == 2 && heard(second, "enter.wav") == 1 })
	stranger := s.dialSecond(s.Site, "199", document)
	s.WaitLog("199 error.conference.join: the conference asks for a PIN")
	third := s.dialSecond(s.Site, "103", document)
	s.hear(first, second, third)
	s.WaitUntil("all have heard 103 come", func() bool { return heard(first, "enter.wav") == 3 && heard(second, "enter.wav") == 2 })
	second.Press("4")
	s.WaitUntil("it is played on the conference's FreeSWITCH", func() bool { return strings.Contains(s.Switch.API("show channels"), ",loopback/") })
	s.WaitLog("102 read")
	third.Hangup()
	second.Hangup()
	s.WaitUntil("who stays has heard both go", func() bool { return heard(first, "exit.wav") == 2 })
	stranger.Hangup()
	s.end(first)
}

// Joins in one direction work on two FreeSWITCHes as on one, also of a connection that
// hears somebody else meanwhile.
func TestHalfDuplexOnTwoNodes(t *testing.T) {
	t.Parallel()
	s, first, second, document := newHall(t)
	hears := func(p *switchsim.Party, numbers ...string) {
		t.Helper()
		s.WaitUntil(p.Number()+" hears "+strings.Join(numbers, ", "), func() bool { return slices.Equal(p.Hears(), numbers) })
	}
	second.Press("1")
	hears(second, "101")
	hears(first)
	second.Press("2")
	hears(first, "102")
	hears(second)
	second.Press("3")
	s.hear(first, second)
	third := s.dialSecond(s.Site, "103", document)
	s.hear(first, second, third)
	s.tell("102", "user.listen", interpreter.Pair{Name: "to", Value: third.UUID()})
	hears(second, "103")
	hears(first, "102", "103")
	hears(third, "101", "102")
	third.Hangup()
	hears(first, "102") // by the stand-in alone
	if n := s.cascadeLegs(); n != 2 {
		t.Errorf("%d legs of cascades", n)
	}
	second.Hangup()
	hears(first)
	s.WaitUntil("the cascade has ended", func() bool { return s.cascadeLegs() == 0 })
	s.end(first)
}

// modHall waits for a moderator, who is caller 1.., and ends with the last one.
const modHall = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="leg"/><var name="who"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/><assign name="who" expr="event$.connection.remote.substr(4, 3)"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="c" confname="'hall'" hints="{waitformoderator: true, endwithmoderator: true}"/></transition>
<transition event="conference.created"><join id1="leg" id2="c" hints="{moderator: who.charAt(0) == '1'}"/></transition>
<transition event="conference.joined"><log expr="who + ' in'"/></transition>
<transition event="conference.unjoined"><log expr="who + ' out'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="who + ' ' + event$.name + ': ' + event$.reason"/></transition>
</eventprocessor></ccxml>`

// Members on both FreeSWITCHes wait for a moderator, on whichever he comes, and those who
// come later do not; the conference ends for all with the last moderator.
func TestModeratorsOnTwoNodes(t *testing.T) {
	t.Parallel()
	for _, on := range []string{"first", "second"} {
		t.Run(on, func(t *testing.T) {
			t.Parallel()
			s := newFarSite(t)
			document := s.Document("hall.ccxml", modHall)
			dial := func(node, number string) *switchsim.Party {
				s.Helper()
				p := (*switchsim.Party)(nil)
				if node == "first" {
					p = s.DialFrom(number, document)
				} else {
					p = s.dialSecond(s.Site, number, document)
				}
				s.WaitLog(number + " in")
				return p
			}
			silent := func(parties ...*switchsim.Party) {
				s.Helper()
				s.Sleep(5 * time.Second)
				for _, p := range parties {
					if got := p.Hears(); len(got) > 0 {
						t.Errorf("%s hears %v", p.Number(), got)
					}
				}
			}
			one, two, three := dial("first", "201"), dial("second", "202"), dial("second", "203")
			silent(one, two, three)
			moderator := dial(on, "101")
			s.hear(one, two, three, moderator)
			two.Hangup()
			three.Hangup()
			s.hear(one, moderator) // or its room ends, which nobody is in
			four := dial("second", "204")
			s.hear(one, moderator, four)
			second := dial(map[string]string{"first": "second", "second": "first"}[on], "102")
			moderator.Hangup()
			s.hear(one, four, second)
			second.Hangup()
			s.WaitLog("201 out")
			s.WaitLog("204 out")
			one.Hangup()
			four.Hangup()
			s.waitNoCalls()
			rosterIsEmpty(s.Site)
		})
	}
}

// A conference that is destroyed lets all out, on whichever FreeSWITCH, and its rooms end.
func TestDestroyOnTwoNodes(t *testing.T) {
	t.Parallel()
	s, first, second, _ := newHall(t)
	room, _ := roomOf(s.Site)
	for _, p := range []*switchsim.Party{first, second} {
		p.Press("5")
		s.WaitLog(p.Number() + " destroyed")
		s.CheckOrder("log "+p.Number()+" out", "log "+p.Number()+" destroyed")
	}
	s.WaitUntil("the rooms are empty", func() bool { return len(s.Switch.Conference(room))+len(s.second.Conference(room)) == 0 })
	if n := s.Switch.Channels() + s.second.Channels(); n != 2 {
		t.Errorf("%d calls", n)
	}
	s.end(first, second)
}

// When the controller that has made a cascade ends, it serves the members of others, and
// ends with them.
func TestControllerOfACascadeEnds(t *testing.T) {
	t.Parallel()
	s := newFarSite(t)
	other := anotherDaemon(s.Site)
	document := s.Document("meeting.ccxml", meeting)
	first, _ := s.meet(other, document)
	third := s.dialSecond(s.Site, "103", document)
	s.WaitLog("103 in 1")
	other.Stop()
	s.hear(first, third)
	third.Hangup()
	s.WaitUntil("the cascade has ended", func() bool { return s.cascadeLegs() == 0 })
	s.end(first)
}

// Two connections on two FreeSWITCHes are not joined with each other, and the document is
// told why: in one direction, in both, of one session and of two.
func TestConnectionsOnTwoNodes(t *testing.T) {
	t.Parallel()
	const why = "one connection is on FreeSWITCH"
	s, first, second, _ := newHall(t)
	for i, event := range []string{"user.listen", "user.talk"} {
		s.tell("101", event, interpreter.Pair{Name: "to", Value: second.UUID()})
		s.WaitUntil(event+" is answered", func() bool { return s.Trace.Count("log 101 error.conference.join: "+why) == i+1 })
	}
	s.second.Callee("200", switchsim.Answers{})
	s.Environment["NODES"] = strings.Replace(s.Environment["NODES"], "{name: one,", "{name: one, weight: 0,", 1)
	s.Must(s.Daemon.Reload(s.Config()))
	third := s.DialFrom("103", s.Transitions("bridge.ccxml", withCaller+
		then("connection.connected", `<if cond="event$.connectionid == c"><createcall dest="'tel:200'" connectionid="d"/><else/><join id1="c" id2="d"/></if>`)+says, "c d"))
	s.WaitLog("error.conference.join: " + why)
	third.Hangup()
	s.Must(s.Trace.WaitText(s.Context(), "log connection.disconnected"))
	s.Stop() // with the callee
	first.Hangup()
	second.Hangup()
}
