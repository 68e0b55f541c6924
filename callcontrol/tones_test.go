package callcontrol_test

import (
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// toned has a, who stays in a conference and hears its sounds, and b and c, who are
// called. What is joined and unjoined then, an event says.
const toned = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="ids" expr="{}"/><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="ids.a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == ids.a"><createconference conferenceid="ids.room" confname="'tones'"/></transition>
<transition event="conference.created" cond="event$.isnew"><join id1="ids.room" id2="ids.a"/>
  <createcall dest="'tel:200'" connectionid="ids.b"/><createcall dest="'tel:300'" connectionid="ids.c"/></transition>
<transition event="connection.connected"><assign name="n" expr="n + 1"/><if cond="n == 2"><log expr="'ready ' + session.id"/></if></transition>
<transition event="user.join"><join id1="ids[event$.id1]" id2="ids[event$.id2]" duplex="event$.duplex"
  entertone="/room/.test(event$.id1 + event$.id2) ? 'hello.wav' : 'false'" exittone="/room/.test(event$.id1 + event$.id2) ? 'bye.wav' : 'false'"/></transition>
<transition event="user.unjoin"><unjoin id1="ids[event$.id1]" id2="ids[event$.id2]"/></transition>
<transition event="user.hangup"><disconnect connectionid="ids.b"/></transition>
<transition event="user.destroy"><destroyconference conferenceid="ids.room"/></transition>
<transition event="user.over"><exit/></transition>
<transition event="conference.joined"><log expr="'joined ' + event$.id1 + ' ' + event$.id2"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == ids.a"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition></eventprocessor></ccxml>`

// TestJOIN3TonesOfEveryWayInAndOut: a conference hears one tone when a connection comes
// to be heard there, and one when it is no more, whether it is a member or is heard by
// a stand-in, changes from one to the other, and in whichever way it leaves.
func TestJOIN3TonesOfEveryWayInAndOut(t *testing.T) {
	t.Parallel()
	roles := map[string][]string{
		"member":                {"room b full"},
		"listener":              {"room b full", "b room half"},
		"speaker":               {"room b half"},
		"stand-in":              {"b c half", "room b half"},
		"member, then stand-in": {"room b full", "b c half"},
		"stand-in, then member": {"b c half", "room b half", "room b full"},
		"stand-in twice":        {"b c half", "room b half", "room b half"},
		"of a bridge":           {"b c full", "room b half"},
		"to and fro":            {"room b full", "b c half", "room b full", "b c half"},
		"stand-in, and back":    {"b c half", "room b half", "c b half", "b c half"},
	}
	for role, joins := range roles {
		for _, leaves := range []string{"unjoin", "disconnect", "hangup", "another join", "kick"} {
			if leaves == "another join" && role != "member" && role != "listener" {
				continue // it is heard in the conference still
			}
			t.Run(strings.NewReplacer(",", "", " ", "-").Replace(role+" "+leaves), func(t *testing.T) { tonesOf(t, joins, leaves) })
		}
	}
}

func tonesOf(t *testing.T, joins []string, leaves string) {
	s := sitetest.New(t)
	for number, sound := range map[string]string{"200": "hello.wav", "300": "bye.wav"} {
		s.Switch.Callee(number, switchsim.Answers{})
		s.Switch.AddSound(s.Dir+"/"+sound, time.Second)
		s.Document(sound, "RIFF")
	}
	a := s.Dial(s.Document("toned.ccxml", toned))
	b, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.Must(s.Trace.Wait(s.Context(), "log ready "))
	joined := func() (n int) {
		for _, line := range s.Trace.Lines() {
			if strings.HasPrefix(line, "log joined ") {
				n++
			}
		}
		return n
	}
	for i, words := range joins {
		w := strings.Fields(words)
		tellReady(s, "user.join&id1="+w[0]+"&id2="+w[1]+"&duplex="+w[2])
		s.WaitUntil(words, func() bool { return joined() == i+2 })
	}
	s.WaitUntil("both are in the room", func() bool {
		room, members := roomOf(s)
		return members == 2 && len(s.Switch.Conference(room)) == 2
	})
	switch leaves {
	case "unjoin":
		tellReady(s, "user.unjoin&id1=room&id2=b")
	case "disconnect":
		tellReady(s, "user.hangup")
	case "hangup":
		b.Hangup()
	case "another join":
		tellReady(s, "user.join&id1=b&id2=c&duplex=full")
	case "kick":
		room, _ := roomOf(s)
		members := s.Switch.Conference(room)
		s.Switch.API("conference " + room + " kick " + strconv.Itoa(members[1].ID))
	}
	s.Must(a.WaitHeard(s.Context(), "bye.wav"))
	a.Hangup()
	s.WaitIdle()
	heard := map[string]int{}
	for _, sound := range a.Heard() {
		heard[path.Base(sound.What)]++
	}
	if heard["hello.wav"] != 1 || heard["bye.wav"] != 1 {
		t.Errorf("heard %v", heard)
	}
}

// tellReady sends an event to the session that has said it is ready.
func tellReady(s *sitetest.Site, event string) {
	s.Helper()
	for _, line := range s.Trace.Lines() {
		if id, ok := strings.CutPrefix(line, "log ready "); ok {
			tellSession(s, id, event)
		}
	}
}

// TestARoomThatBeginsWithAStandIn: a conference is what its settings say also if the
// first who is heard there is so by a stand-in, and the document is told how many
// members that makes.
func TestARoomThatBeginsWithAStandIn(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	caller := s.Dial(s.Document("first.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="a"/><var name="b"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected"><join id1="a" id2="b" duplex="'half'"/></transition>
<transition event="conference.joined" cond="event$.id2 == b"><createconference conferenceid="room" confname="'first'" hints="{record: true}"/></transition>
<transition event="conference.created"><join id1="room" id2="a" duplex="'half'"/></transition>
<transition event="conference.joined"><log expr="'members ' + event$.members"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/></transition></eventprocessor></ccxml>`))
	s.WaitLog("members 1")
	s.WaitUntil("it is recorded", func() bool { return len(s.Switch.Recordings()) == 1 })
	caller.Hangup()
	s.WaitIdle()
}
