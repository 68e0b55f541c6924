package callcontrol_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// meeting takes callers into the conference "the meeting". What they press moves
// them: 1 out, 2 in, 3 destroys the conference, 4 plays something, 5 leaves the
// session. Each line of the log begins with the caller's number.
const meeting = `
<ccxml version="1.0">
<var name="leg"/><var name="who"/><var name="c"/><var name="ins" expr="0"/><var name="outs" expr="0"/>
<eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/>
  <assign name="who" expr="event$.connection.remote.substr(4, 3)"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="c" confname="'the meeting'"/></transition>
<transition event="conference.created"><log expr="who + ' new: ' + event$.isnew"/><join id1="leg" id2="c"/></transition>
<transition event="conference.joined"><assign name="ins" expr="ins + 1"/><log expr="who + ' in ' + ins"/></transition>
<transition event="conference.unjoined"><assign name="outs" expr="outs + 1"/><log expr="who + ' out ' + outs"/></transition>
<transition event="conference.destroyed"><log expr="who + ' destroyed'"/></transition>
<transition event="connection.signal" cond="event$.info.value == 1"><unjoin id1="c" id2="leg"/></transition>
<transition event="connection.signal" cond="event$.info.value == 2"><join id1="leg" id2="c"/></transition>
<transition event="connection.signal" cond="event$.info.value == 3"><destroyconference conferenceid="c"/></transition>
<transition event="connection.signal" cond="event$.info.value == 4"><dialogstart connectionid="leg" src="'null:?text=Aside.'" type="'audio/wav'"/></transition>
<transition event="connection.signal" cond="event$.info.value == 5"><exit/></transition>
<transition event="dialog.exit"><log expr="who + ' spoken to'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="who + ' ' + event$.name + ': ' + event$.reason"/></transition>
</eventprocessor></ccxml>`

// hearsConference waits until a party is in a conference.
func hearsConference(s *sitetest.Site, party *switchsim.Party) {
	s.Helper()
	s.Must(party.WaitHeardFunc(s.Context(), func(s switchsim.Sound) bool { return s.Kind == "conference" }))
}

// roomOf gives the one room that the registry knows, and how many members it has
// there.
func roomOf(s *sitetest.Site) (name string, members int) {
	s.Helper()
	for conference, err := range s.Daemon.Conferences.List(s.Context()) {
		s.Must(err)
		if name != "" {
			s.Fatalf("the registry has more than one: %s and %s", name, conference.Room)
		}
		in, err := s.Daemon.Conferences.Members(s.Context(), conference.ID)
		s.Must(err)
		name, members = conference.Room, len(in)
	}
	return name, members
}

// Callers meet by the conference's name; the last one out frees it.
func TestMeetByName(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Document("meeting.ccxml", meeting)
	first := s.DialFrom("101", document)
	s.WaitLog("101 new: true")
	s.WaitLog("101 in 1")
	second := s.DialFrom("102", document)
	s.WaitLog("102 new: false")
	s.WaitLog("102 in 1")
	room, members := roomOf(s)
	if members != 2 || len(s.Switch.Conference(room)) != 2 {
		t.Errorf("%d members by the registry, %d in the room", members, len(s.Switch.Conference(room)))
	}

	first.Press("1")
	s.WaitLog("101 out 1")
	if in := s.Switch.Conference(room); len(in) != 1 || in[0].Number != "102" {
		t.Errorf("in the room: %+v", in)
	}
	first.Press("2")
	s.WaitLog("101 in 2")
	s.WaitUntil("the registry has both again", func() bool { _, members := roomOf(s); return members == 2 })

	second.Hangup()
	s.WaitUntil("one is left", func() bool { _, members := roomOf(s); return members == 1 })
	first.Hangup()
	s.WaitIdle()
	rosterIsEmpty(s)

	s.Trace.Reset()
	third := s.DialFrom("103", document)
	s.WaitLog("103 new: true")
	s.WaitLog("103 in 1")
	if again, _ := roomOf(s); again == room {
		t.Errorf("the new conference has the room of the old one, %s", room)
	}
	third.Hangup()
	s.WaitIdle()
	rosterIsEmpty(s)
	if s.Trace.Has("error.") {
		t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// A second join of the same leg is no second membership.
func TestJoinedTwice(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.DialFrom("101", s.Document("meeting.ccxml", meeting))
	s.WaitLog("101 in 1")
	caller.Press("22")
	s.WaitLog("101 in 3")
	room, members := roomOf(s)
	if in := s.Switch.Conference(room); len(in) != 1 || members != 1 {
		t.Errorf("%d members by the registry; in the room: %+v", members, in)
	}
	joins := 0
	for _, command := range caller.Commands() {
		if strings.HasPrefix(command, "conference ") {
			joins++
		}
	}
	if joins != 1 {
		t.Errorf("the leg was sent into the room %d times", joins)
	}
	caller.Hangup()
	s.WaitIdle()
	rosterIsEmpty(s)
}

// Destroying a conference takes the session's own legs out, and leaves those of
// others in.
func TestDestroyConference(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Document("meeting.ccxml", meeting)
	first := s.DialFrom("101", document)
	s.WaitLog("101 in 1")
	second := s.DialFrom("102", document)
	s.WaitLog("102 in 1")
	room, _ := roomOf(s)
	first.Press("3")
	s.WaitLog("101 destroyed")
	s.WaitLog("101 out 1")
	if in := s.Switch.Conference(room); len(in) != 1 || in[0].Number != "102" {
		t.Errorf("in the room: %+v", in)
	}
	first.Press("3")
	s.WaitLog("101 error.semantic: ")
	second.Press("3")
	s.WaitLog("102 destroyed")
	s.WaitLog("102 out 1")
	rosterIsEmpty(s)
	first.Hangup()
	second.Hangup()
	s.WaitIdle()
}

// A session that ends hangs its legs up and is out of the conference.
func TestExitInConference(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.DialFrom("101", s.Document("meeting.ccxml", meeting))
	s.WaitLog("101 in 1")
	caller.Press("5")
	ending, err := caller.WaitEnded(s.Context())
	s.Must(err)
	if ending.By != "local" {
		t.Errorf("ended by %+v", ending)
	}
	s.WaitIdle()
	rosterIsEmpty(s)
}

// In CCXML 1.0, a dialog on a leg in a conference takes it out without a word
// (BRG-7).
func TestDialogTakesOutOfConference(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.DialFrom("101", s.Document("meeting.ccxml", meeting))
	s.WaitLog("101 in 1")
	room, _ := roomOf(s)
	caller.Press("4")
	s.Must(caller.WaitHeard(s.Context(), "Aside."))
	s.WaitLog("101 spoken to")
	if in := s.Switch.Conference(room); len(in) != 0 || s.Trace.Has("conference.unjoined") {
		t.Errorf("in the room: %+v; seen: %s", in, strings.Join(s.Trace.Lines(), "\n"))
	}
	caller.Press("2")
	s.WaitLog("101 in 2")
	caller.Hangup()
	s.WaitIdle()
	rosterIsEmpty(s)
}

// In the dialect of 2002, a dialog plays beside the conference.
func TestDialogBesideConference(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	caller := s.DialFrom("101", s.Document("old.ccxml", `
<ccxml version="1.0"><eventhandler>
<transition event="connection.CONNECTION_ALERTING" name="evt"><var name="in_callerid" expr="evt.callid"/><accept callid="in_callerid"/></transition>
<transition event="connection.CONNECTION_CONNECTED"><createconference name="old"/></transition>
<transition event="ccxml.conference.created"><join sessionid1="in_callerid" sessionid2="old"/></transition>
<transition event="ccxml.conference.joined"><dialogstart callid="in_callerid" src="'null:?text=Aside.'" type="'audio/wav'"/></transition>
<transition event="ccxml.conference.unjoined"><log expr="'out'"/></transition>
<transition event="dialog.exit"><log expr="'spoken to'"/></transition>
<transition event="call.CALL_INVALID"><log expr="'gone'"/><exit/></transition>
</eventhandler></ccxml>`))

	hearsConference(s, caller)
	s.Must(caller.WaitHeard(s.Context(), "Aside."))
	s.WaitLog("spoken to")
	room, members := roomOf(s)
	if in := s.Switch.Conference(room); len(in) != 1 || members != 1 || s.Trace.Has("log out") {
		t.Errorf("%d members by the registry; in the room: %+v", members, in)
	}
	caller.Hangup()
	s.WaitLog("gone")
	s.WaitIdle()
	rosterIsEmpty(s)
}

// Two daemons with one Redis and one switch share a conference; it ends with the
// last one out, whichever daemon has it.
func TestTwoControllersShareAConference(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t)
	other := one.AddDaemon()
	document := one.Document("meeting.ccxml", meeting)
	first := one.DialFrom("101", document)
	one.WaitLog("101 in 1")
	second := other.DialFrom("102", document)
	other.WaitLog("102 new: false")
	other.WaitLog("102 in 1")
	room, members := roomOf(one)
	if in := one.Switch.Conference(room); len(in) != 2 || members != 2 {
		t.Errorf("%d members by the registry; in the room: %+v", members, in)
	}
	first.Hangup()
	one.WaitIdle()
	other.WaitUntil("one is left", func() bool { _, members := roomOf(other); return members == 1 })
	third := one.DialFrom("103", document)
	one.WaitLog("103 new: false")
	one.WaitLog("103 in 1")
	second.Hangup()
	third.Hangup()
	one.WaitIdle()
	other.WaitIdle()
	rosterIsEmpty(other)
}

// limits.conferences_per_session bounds what a session is attached to.
func TestConferenceLimit(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_CONFERENCES_PER_SESSION", "2"), sitetest.WithToken("many.ccxml"))
	s.Document("many.ccxml", `<ccxml version="1.0"><var name="c"/><var name="n" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="c" confname="'c0'"/></transition>
<transition event="conference.created"><assign name="n" expr="n + 1"/><createconference conferenceid="c" confname="'c' + n"/></transition>
<transition event="error.conference.create"><log expr="n + ' then ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("2 then the session is in 2 conferences already")
	s.WaitIdle()
	rosterIsEmpty(s)
}

// Limits count what is asked for, not what has been answered: of three conferences
// that one transition creates, or joins, a limit of one lets one through, and what
// failed is given back.
func TestConferenceLimitAtOnce(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("LIMITS_CONFERENCES_PER_SESSION", "1"), sitetest.WithToken("many.ccxml"))
	s.Document("many.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="c"/><var name="d"/><var name="m" expr="0"/><var name="n" expr="0"/><eventprocessor>
<transition event="ccxml.loaded">
  <createconference conferenceid="d" confname="'limited'" hints="{maxmembers: 'many'}"/>
  <createconference conferenceid="c" confname="'c1'"/><createconference conferenceid="d" confname="'c2'"/>
  <createconference conferenceid="d" confname="'c3'"/><createconference conferenceid="d" confname="'c1'"/></transition>
<transition event="conference.created"><assign name="m" expr="m + 1"/><log expr="'created ' + event$.conferenceid"/>
  <if cond="m == 2"><destroyconference conferenceid="c"/></if></transition>
<transition event="error.conference.create"><assign name="n" expr="n + 1"/><log expr="'refused ' + n"/></transition>
<transition event="conference.destroyed"><createconference conferenceid="c" confname="'c4'"/><send target="session.id" targettype="'ccxml'" name="'end'" delay="'1s'"/></transition>
<transition event="end"><exit/></transition>
</eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("refused 3")
	s.WaitLog("created conference:c4")
	s.WaitIdle()
	if n := s.Trace.Count("log created conference:c1"); n != 2 {
		t.Errorf("c1 was created %d times, want twice, the second time by attaching", n)
	}
	if s.Trace.Has("created conference:c2") || s.Trace.Has("created conference:c3") {
		t.Errorf("the limit is passed:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
	rosterIsEmpty(s)
}

// A leg that nobody controls, as one of a controller that has died, does not stay
// alone in a room when the last session has left its conference.
func TestNobodyStaysInARoom(t *testing.T) {
	t.Parallel()
	for _, end := range []string{`<destroyconference conferenceid="room"/>`, `<exit/>`} {
		s := sitetest.New(t)
		caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'left'"/></transition>
<transition event="conference.created"><join id1="room" id2="c"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="connection.signal">`+end+`</transition>
<transition event="conference.destroyed"><log expr="'destroyed'"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`))
		s.WaitLog("joined")
		entry := caller.Commands()
		i := slices.IndexFunc(entry, func(line string) bool { return strings.HasPrefix(line, "conference ") })
		argument := strings.TrimPrefix(entry[i], "conference ")
		room, _, _ := strings.Cut(argument, "@")
		left, err := s.Switch.Dial(switchsim.Call{From: "555", Dialplan: []switchsim.Action{{Application: "answer"}, {Application: "conference", Data: argument}}})
		s.Must(err)
		s.WaitUntil("both are in the room", func() bool { return len(s.Switch.Conference(room)) == 2 })
		caller.Press("5")
		_, err = left.WaitEnded(s.Context())
		s.Must(err)
		caller.Hangup()
		s.WaitIdle()
	}
}

// TestJOIN3ExitTone: who leaves a conference by <unjoin> has the exit tone that his
// join asked for played to those who stay, also one that is named relative to the
// document.
func TestJOIN3ExitTone(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	s.Switch.AddSound(s.Dir+"/bye.wav", time.Second)
	s.Document("bye.wav", "RIFF")
	caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="a"/><var name="b"/><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createconference conferenceid="room" confname="'tones'"/></transition>
<transition event="conference.created"><join id1="room" id2="a"/><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected"><join id1="room" id2="b" exittone="'bye.wav'"/></transition>
<transition event="conference.joined"><assign name="n" expr="n + 1"/><if cond="n == 2"><unjoin id1="room" id2="b"/></if></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/></transition></eventprocessor></ccxml>`))
	s.Must(caller.WaitHeard(s.Context(), "bye.wav"))
	caller.Hangup()
	s.WaitIdle()
}

// A conference that is asked for in the very moment in which the session ends is
// given back.
func TestConferenceAskedForAtTheEnd(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("end.ccxml"))
	s.Document("end.ccxml", `<ccxml version="1.0"><var name="c"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="c" confname="'at the end'"/><exit/></transition></eventprocessor></ccxml>`)
	leave := s.Document("leave.ccxml", `<ccxml version="1.0"><var name="c"/><var name="leg"/><eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="c" confname="'at the end'"/></transition>
<transition event="conference.created"><join id1="leg" id2="c"/><exit/></transition></eventprocessor></ccxml>`)
	for range 20 {
		s.StartToken("")
		s.DialFrom("101", leave)
	}
	s.WaitIdle()
	rosterIsEmpty(s)
}

// A session whose connection is kept out by the PIN is not attached to the conference,
// which ends without it; one that was attached before, is still.
func TestSessionIsNotAttachedWithoutThePIN(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	owner := s.DialFrom("101", s.Transitions("owner.ccxml", `
<transition event="connection.alerting"><assign name="application.leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'meet'" hints="{pin: '1234'}"/></transition>
<transition event="conference.created"><join id1="application.leg" id2="application.room" hints="{pin: '9'}"/></transition>
<transition event="error.conference.join"><log expr="'owner: ' + event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition>`))

	s.WaitLog("owner: ")
	guest := s.DialFrom("102", s.Transitions("guest.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><join id1="event$.connectionid" id2="'conference:meet'" hints="{pin: '9'}"/></transition>
<transition event="error.conference.join"><log expr="'guest: ' + event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition>`))

	s.WaitLog("guest: the conference asks for a PIN")
	owner.Hangup()
	rosterIsEmpty(s)
	guest.Hangup()
	s.WaitIdle()
}
