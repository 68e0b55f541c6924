package main

import (
	"slices"
	"strings"
	"testing"
	"time"

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

// call makes a call come in from a number.
func (h *house) call(number, document string) *switchsim.Party {
	h.Helper()
	caller, err := h.sw.Dial(switchsim.Call{From: number, Sockets: []string{h.daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document}})
	h.must(err)
	return caller
}

// hearsConference waits until a party is in a conference.
func (h *house) hearsConference(party *switchsim.Party) {
	h.Helper()
	h.must(party.WaitHeardFunc(h.ctx, func(s switchsim.Sound) bool { return s.Kind == "conference" }))
}

// room gives the one room that the registry knows, and how many members it has
// there.
func (h *house) room() (name string, members int) {
	h.Helper()
	for conference, err := range h.daemon.Conferences.List(h.ctx) {
		h.must(err)
		if name != "" {
			h.Fatalf("the registry has more than one: %s and %s", name, conference.Room)
		}
		in, err := h.daemon.Conferences.Members(h.ctx, conference.ID)
		h.must(err)
		name, members = conference.Room, len(in)
	}
	return name, members
}

// Callers meet by the conference's name; the last one out frees it.
func TestMeetByName(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.document("meeting.ccxml", meeting)
	first := h.call("101", document)
	h.logged("101 new: true")
	h.logged("101 in 1")
	second := h.call("102", document)
	h.logged("102 new: false")
	h.logged("102 in 1")
	room, members := h.room()
	if members != 2 || len(h.sw.Conference(room)) != 2 {
		t.Errorf("%d members by the registry, %d in the room", members, len(h.sw.Conference(room)))
	}

	first.Press("1")
	h.logged("101 out 1")
	if in := h.sw.Conference(room); len(in) != 1 || in[0].Number != "102" {
		t.Errorf("in the room: %+v", in)
	}
	first.Press("2")
	h.logged("101 in 2")
	h.until("the registry has both again", func() bool { _, members := h.room(); return members == 2 })

	second.Hangup()
	h.until("one is left", func() bool { _, members := h.room(); return members == 1 })
	first.Hangup()
	h.idle()
	rosterIsEmpty(h)

	h.seen.forget()
	third := h.call("103", document)
	h.logged("103 new: true")
	h.logged("103 in 1")
	if again, _ := h.room(); again == room {
		t.Errorf("the new conference has the room of the old one, %s", room)
	}
	third.Hangup()
	h.idle()
	rosterIsEmpty(h)
	if h.seen.has("error.") {
		t.Errorf("seen: %s", strings.Join(h.seen.all(), "\n"))
	}
}

// A second join of the same leg is no second membership.
func TestJoinedTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.call("101", h.document("meeting.ccxml", meeting))
	h.logged("101 in 1")
	caller.Press("22")
	h.logged("101 in 3")
	room, members := h.room()
	if in := h.sw.Conference(room); len(in) != 1 || members != 1 {
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
	h.idle()
	rosterIsEmpty(h)
}

// Destroying a conference takes the session's own legs out, and leaves those of
// others in.
func TestDestroyConference(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.document("meeting.ccxml", meeting)
	first := h.call("101", document)
	h.logged("101 in 1")
	second := h.call("102", document)
	h.logged("102 in 1")
	room, _ := h.room()
	first.Press("3")
	h.logged("101 destroyed")
	h.logged("101 out 1")
	if in := h.sw.Conference(room); len(in) != 1 || in[0].Number != "102" {
		t.Errorf("in the room: %+v", in)
	}
	first.Press("3")
	h.logged("101 error.semantic: ")
	second.Press("3")
	h.logged("102 destroyed")
	h.logged("102 out 1")
	rosterIsEmpty(h)
	first.Hangup()
	second.Hangup()
	h.idle()
}

// A session that ends hangs its legs up and is out of the conference.
func TestExitInConference(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.call("101", h.document("meeting.ccxml", meeting))
	h.logged("101 in 1")
	caller.Press("5")
	ending, err := caller.WaitEnded(h.ctx)
	h.must(err)
	if ending.By != "local" {
		t.Errorf("ended by %+v", ending)
	}
	h.idle()
	rosterIsEmpty(h)
}

// In CCXML 1.0, a dialog on a leg in a conference takes it out without a word
// (BRG-7).
func TestDialogTakesOutOfConference(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.call("101", h.document("meeting.ccxml", meeting))
	h.logged("101 in 1")
	room, _ := h.room()
	caller.Press("4")
	h.must(caller.WaitHeard(h.ctx, "Aside."))
	h.logged("101 spoken to")
	if in := h.sw.Conference(room); len(in) != 0 || h.seen.has("conference.unjoined") {
		t.Errorf("in the room: %+v; seen: %s", in, strings.Join(h.seen.all(), "\n"))
	}
	caller.Press("2")
	h.logged("101 in 2")
	caller.Hangup()
	h.idle()
	rosterIsEmpty(h)
}

// In the dialect of 2002, a dialog plays beside the conference.
func TestDialogBesideConference(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	caller := h.call("101", h.document("old.ccxml", `
<ccxml version="1.0"><eventhandler>
<transition event="connection.CONNECTION_ALERTING" name="evt"><var name="in_callerid" expr="evt.callid"/><accept callid="in_callerid"/></transition>
<transition event="connection.CONNECTION_CONNECTED"><createconference name="old"/></transition>
<transition event="ccxml.conference.created"><join sessionid1="in_callerid" sessionid2="old"/></transition>
<transition event="ccxml.conference.joined"><dialogstart callid="in_callerid" src="'null:?text=Aside.'" type="'audio/wav'"/></transition>
<transition event="ccxml.conference.unjoined"><log expr="'out'"/></transition>
<transition event="dialog.exit"><log expr="'spoken to'"/></transition>
<transition event="call.CALL_INVALID"><log expr="'gone'"/><exit/></transition>
</eventhandler></ccxml>`))
	h.hearsConference(caller)
	h.must(caller.WaitHeard(h.ctx, "Aside."))
	h.logged("spoken to")
	room, members := h.room()
	if in := h.sw.Conference(room); len(in) != 1 || members != 1 || h.seen.has("log out") {
		t.Errorf("%d members by the registry; in the room: %+v", members, in)
	}
	caller.Hangup()
	h.logged("gone")
	h.idle()
	rosterIsEmpty(h)
}

// Two daemons with one Redis and one switch share a conference; it ends with the
// last one out, whichever daemon has it.
func TestTwoControllersShareAConference(t *testing.T) {
	t.Parallel()
	one := newHouse(t)
	other := one.another()
	document := one.document("meeting.ccxml", meeting)
	first := one.call("101", document)
	one.logged("101 in 1")
	second := other.call("102", document)
	other.logged("102 new: false")
	other.logged("102 in 1")
	room, members := one.room()
	if in := one.sw.Conference(room); len(in) != 2 || members != 2 {
		t.Errorf("%d members by the registry; in the room: %+v", members, in)
	}
	first.Hangup()
	one.idle()
	other.until("one is left", func() bool { _, members := other.room(); return members == 1 })
	third := one.call("103", document)
	one.logged("103 new: false")
	one.logged("103 in 1")
	second.Hangup()
	third.Hangup()
	one.idle()
	other.idle()
	rosterIsEmpty(other)
}

// limits.conferences_per_session bounds what a session is attached to.
func TestConferenceLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("LIMITS_CONFERENCES_PER_SESSION", "2"), withToken("many.ccxml"))
	h.document("many.ccxml", `<ccxml version="1.0"><var name="c"/><var name="n" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="c" confname="'c0'"/></transition>
<transition event="conference.created"><assign name="n" expr="n + 1"/><createconference conferenceid="c" confname="'c' + n"/></transition>
<transition event="error.conference.create"><log expr="n + ' then ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	h.startToken("")
	h.logged("2 then the session is in 2 conferences already")
	h.idle()
	rosterIsEmpty(h)
}

// Limits count what is asked for, not what has been answered: of three conferences
// that one transition creates, or joins, a limit of one lets one through, and what
// failed is given back.
func TestConferenceLimitAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("LIMITS_CONFERENCES_PER_SESSION", "1"), withToken("many.ccxml"))
	h.document("many.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="c"/><var name="d"/><var name="m" expr="0"/><var name="n" expr="0"/><eventprocessor>
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
	h.startToken("")
	h.logged("refused 3")
	h.logged("created conference:c4")
	h.idle()
	if n := h.seen.count("log created conference:c1"); n != 2 {
		t.Errorf("c1 was created %d times, want twice, the second time by attaching", n)
	}
	if h.seen.has("created conference:c2") || h.seen.has("created conference:c3") {
		t.Errorf("the limit is passed:\n%s", strings.Join(h.seen.all(), "\n"))
	}
	rosterIsEmpty(h)
}

// A leg that nobody controls, as one of a controller that has died, does not stay
// alone in a room when the last session has left its conference.
func TestNobodyStaysInARoom(t *testing.T) {
	t.Parallel()
	for _, end := range []string{`<destroyconference conferenceid="room"/>`, `<exit/>`} {
		h := newHouse(t)
		caller := h.dial(h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'left'"/></transition>
<transition event="conference.created"><join id1="room" id2="c"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="connection.signal">`+end+`</transition>
<transition event="conference.destroyed"><log expr="'destroyed'"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`))
		h.logged("joined")
		entry := caller.Commands()
		i := slices.IndexFunc(entry, func(line string) bool { return strings.HasPrefix(line, "conference ") })
		argument := strings.TrimPrefix(entry[i], "conference ")
		room, _, _ := strings.Cut(argument, "@")
		left, err := h.sw.Dial(switchsim.Call{From: "555", Dialplan: []switchsim.Action{{Application: "answer"}, {Application: "conference", Data: argument}}})
		h.must(err)
		h.until("both are in the room", func() bool { return len(h.sw.Conference(room)) == 2 })
		caller.Press("5")
		_, err = left.WaitEnded(h.ctx)
		h.must(err)
		caller.Hangup()
		h.idle()
	}
}

// TestJOIN3ExitTone: who leaves a conference by <unjoin> has the exit tone that his
// join asked for played to those who stay, also one that is named relative to the
// document.
func TestJOIN3ExitTone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sw.Callee("200", switchsim.Answers{})
	h.sw.AddSound(h.dir+"/bye.wav", time.Second)
	h.document("bye.wav", "RIFF")
	caller := h.dial(h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="a"/><var name="b"/><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createconference conferenceid="room" confname="'tones'"/></transition>
<transition event="conference.created"><join id1="room" id2="a"/><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected"><join id1="room" id2="b" exittone="'bye.wav'"/></transition>
<transition event="conference.joined"><assign name="n" expr="n + 1"/><if cond="n == 2"><unjoin id1="room" id2="b"/></if></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/></transition></eventprocessor></ccxml>`))
	h.must(caller.WaitHeard(h.ctx, "bye.wav"))
	caller.Hangup()
	h.idle()
}

// A conference that is asked for in the very moment in which the session ends is
// given back.
func TestConferenceAskedForAtTheEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("end.ccxml"))
	h.document("end.ccxml", `<ccxml version="1.0"><var name="c"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="c" confname="'at the end'"/><exit/></transition></eventprocessor></ccxml>`)
	leave := h.document("leave.ccxml", `<ccxml version="1.0"><var name="c"/><var name="leg"/><eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="c" confname="'at the end'"/></transition>
<transition event="conference.created"><join id1="leg" id2="c"/><exit/></transition></eventprocessor></ccxml>`)
	for range 20 {
		h.startToken("")
		h.call("101", leave)
	}
	h.idle()
	rosterIsEmpty(h)
}

// A session whose connection is kept out by the PIN is not attached to the conference,
// which ends without it; one that was attached before, is still.
func TestSessionIsNotAttachedWithoutThePIN(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.call("101", h.transitions("owner.ccxml", `
<transition event="connection.alerting"><assign name="application.leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'meet'" hints="{pin: '1234'}"/></transition>
<transition event="conference.created"><join id1="application.leg" id2="application.room" hints="{pin: '9'}"/></transition>
<transition event="error.conference.join"><log expr="'owner: ' + event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition>`))
	h.logged("owner: ")
	guest := h.call("102", h.transitions("guest.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><join id1="event$.connectionid" id2="'conference:meet'" hints="{pin: '9'}"/></transition>
<transition event="error.conference.join"><log expr="'guest: ' + event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition>`))
	h.logged("guest: the conference asks for a PIN")
	owner.Hangup()
	rosterIsEmpty(h)
	guest.Hangup()
	h.idle()
}
