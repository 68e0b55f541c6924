package callcontrol_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// What createconference and join ask for by their hints reaches FreeSWITCH.
func TestConferenceHints(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/enter.wav", 1e9)
	document := s.Transitions("hints.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><createconference conferenceid="application.room" confname="'hints'"
			hints="{moderatorpin: '99', waitformoderator: true, endwithmoderator: true, joinmuted: true, entersound: '/sounds/enter.wav', exitsound: 'tone_stream://%(100,0,300)', announcecount: true, record: true}"/></transition>
		<transition event="conference.created"><assign name="application.leg" expr="application.leg || event$.eventsource"/>
			<foreach item="c" object="session.connections"><join id1="c.connectionid" id2="application.room" hints="{pin: session.values.pin, volumein: 2}"/></foreach></transition>
		<transition event="conference.joined"><log expr="'members ' + event$.members"/></transition>
		<transition event="connection.disconnected"><exit/></transition>
		<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>`)
	first := s.Dial(document)
	s.WaitLog("members 1")
	second := s.Dial(document)
	s.WaitLog("members 2")
	s.Must(first.WaitHeard(s.Context(), "/sounds/enter.wav"))
	s.WaitUntil("the second is told how many there are", func() bool {
		return strings.Contains(fmt.Sprint(second.Heard()), "There is one other person")
	})
	commands := strings.Join(first.Commands(), "\n")
	if !strings.Contains(commands, "+flags{wait-mod|mute}") {
		t.Errorf("the first entered by %q", commands)
	}
	second.Hangup()
	s.Must(first.WaitHeard(s.Context(), "tone_stream://%(100,0,300)"))
	first.Hangup()
	s.WaitIdle()
}

// TestRecordingsOfConferences: nobody can have a link ready for the recording of a
// conference: its name has a random part, by which it is ended as well.
func TestRecordingsOfConferences(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Transitions("record.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><assign name="application.name" expr="event$.connection.local"/>
			<createconference conferenceid="application.room" confname="application.name" hints="{record: true}"/></transition>
		<transition event="conference.created" cond="event$.isnew"><join id1="Object.keys(session.connections)[0]" id2="application.room"/></transition>
		<transition event="connection.signal"><createconference conferenceid="application.again" confname="application.name" hints="{record: false}"/></transition>
		<transition event="connection.disconnected"><exit/></transition>
		<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>`)
	name := regexp.MustCompile(`/ccxmld-.*-([0-9a-f]{8})\.wav$`)
	digits := map[string]bool{}
	for range 2 {
		caller := s.Dial(document)
		var files []string
		s.WaitUntil("it is recorded", func() bool { files = s.Switch.Recordings(); return len(files) == 1 })
		if parts := name.FindStringSubmatch(files[0]); parts == nil || digits[parts[1]] {
			t.Errorf("recorded to %s", files[0])
		} else {
			digits[parts[1]] = true
		}
		caller.Press("1")
		s.WaitUntil("it is recorded no more", func() bool { return len(s.Switch.Recordings()) == 0 })
		caller.Hangup()
		s.WaitIdle()
	}
}

// TestNoRecordingIsWrittenOver: each time that the recording of a conference begins, be it
// with the first who comes again, it has a file of its own; to ask for it again while it goes
// on changes nothing.
func TestNoRecordingIsWrittenOver(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	again := func(digit, record string) string {
		return `<transition event="connection.signal" cond="event$.info.value == '` + digit + `'"><createconference conferenceid="application.again" confname="application.name" hints="{record: ` + record + `}"/></transition>`
	}
	caller := s.Dial(s.Transitions("record.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><assign name="application.name" expr="event$.connection.local"/><assign name="application.caller" expr="event$.connectionid"/>
			<createconference conferenceid="application.room" confname="application.name" hints="{record: true}"/></transition>
		<transition event="conference.created" cond="event$.isnew"><join id1="application.caller" id2="application.room"/></transition>
		<transition event="conference.created"><log expr="'asked again'"/></transition>
		<transition event="conference.unjoined"><log expr="'out'"/></transition>`+again("1", "false")+again("2", "true")+`
		<transition event="connection.signal" cond="event$.info.value == '3'"><unjoin id1="application.caller" id2="application.room"/></transition>
		<transition event="connection.signal" cond="event$.info.value == '4'"><join id1="application.caller" id2="application.room"/></transition>
		<transition event="connection.disconnected"><exit/></transition>
		<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>`))
	seen := map[string]bool{}
	recorded := func(when string) {
		t.Helper()
		var files []string
		s.WaitUntil("it is recorded "+when, func() bool { files = s.Switch.Recordings(); return len(files) == 1 })
		if seen[files[0]] {
			t.Errorf("%s: recorded over %s", when, files[0])
		}
		seen[files[0]] = true
	}
	notRecorded := func() bool { return len(s.Switch.Recordings()) == 0 }
	recorded("at first")
	caller.Press("2")
	s.WaitLog("asked again")
	recording := s.Switch.Recordings()
	caller.Press("1")
	s.WaitUntil("it is recorded no more", notRecorded)
	if len(recording) != 1 {
		t.Errorf("asked for twice, it is recorded to %v", recording)
	}
	caller.Press("2")
	recorded("for the second time")
	caller.Press("3")
	s.WaitUntil("the room has gone", notRecorded)
	s.WaitLog("out")
	caller.Press("4")
	recorded("in the next room")
	caller.Hangup()
	s.WaitIdle()
}

// Many members in one conference, and many conferences of a few.
func TestManyMembers(t *testing.T) {
	for name, rooms := range map[string]int{"200 in one": 1, "40 of 5": 40} {
		t.Run(name, func(t *testing.T) {
			members := 200
			if rooms > 1 {
				members = 5 * rooms
			}
			s := sitetest.New(t, sitetest.With("LIMITS_MEMBERS_PER_CONFERENCE", "1000"))
			document := s.Transitions("many.ccxml", `
				<transition event="connection.alerting"><accept/></transition>
				<transition event="connection.connected"><createconference conferenceid="application.room" confname="event$.connection.local"/></transition>
				<transition event="conference.created"><foreach item="c" object="session.connections"><join id1="c.connectionid" id2="application.room"/></foreach></transition>
				<transition event="connection.disconnected"><exit/></transition>`)
			var callers []*switchsim.Party
			for i := range members {
				caller, err := s.Switch.Dial(switchsim.Call{
					To: fmt.Sprintf("room%d", i%rooms), Sockets: []string{s.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document},
				})
				if err != nil {
					t.Fatal(err)
				}
				callers = append(callers, caller)
			}
			s.WaitUntil("all are in", func() bool { return s.Trace.Count("event conference.joined") >= members })
			lines, err := s.Daemon.Roster(s.Context())
			s.Must(err)
			if len(lines) != rooms || !strings.HasPrefix(lines[0], fmt.Sprint(members/rooms, " members")) {
				t.Errorf("the registry has %d conferences, the first one: %.80s", len(lines), lines)
			}
			for _, caller := range callers {
				caller.Hangup()
			}
			s.WaitIdle()
			s.WaitUntil("the registry is empty", func() bool {
				lines, err := s.Daemon.Roster(s.Context())
				return err == nil && len(lines) == 0
			})
		})
	}
}

// A room that an operator has locked lets nobody in, and the document hears so at once.
func TestRoomLockedByAnOperator(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.StartSession(s.Transitions("hall.ccxml", `<transition event="ccxml.loaded"><createconference conferenceid="a" confname="'hall'"/>`+after("60s", "end")+`</transition><transition event="end"><exit/></transition>`, "a"))
	joins := s.Transitions("in.ccxml", withCaller+then("connection.connected", `<join id1="c" id2="'conference:hall'"/>`)+then("connection.disconnected", "<exit/>")+says, "c")
	first := s.Dial(joins)
	s.WaitLog("conference.joined")
	room, _ := roomOf(s)
	s.Switch.API("conference " + room + " lock")
	asked := s.Clock.Now()
	second := s.Dial(joins)
	s.Must(s.Trace.WaitText(s.Context(), "error.conference.join: FreeSWITCH did not let the leg into the conference; is the profile"))
	if took := s.Clock.Now().Sub(asked); took > time.Second {
		t.Errorf("it is told after %v", took)
	}
	second.Hangup()
	first.Hangup()
	s.WaitSwitchIdle()
}
