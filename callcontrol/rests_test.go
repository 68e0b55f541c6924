package callcontrol_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestGiverThatEnds: a session moves a call and ends before the other one, which is
// busy, has taken it. The call is the other's then, or ends where that does not take it.
func TestGiverThatEnds(t *testing.T) {
	for most, want := range map[string]string{"1": "", "2": "guest connection.connected"} {
		t.Run(most, func(t *testing.T) {
			x := sitetest.New(t, sitetest.With("LIMITS_CONNECTIONS_PER_SESSION", most))
			goOn := x.Trace.HoldAt("busy")
			guest := x.Dial(x.Transitions("guest.ccxml", `
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == c"><log expr="'guest ' + session.id"/>`+after("10s", "busy")+after("60s", "end")+`</transition>
<transition event="busy"><log expr="'busy'"/></transition>`+logs("guest"), "c"))
			x.WaitLog("guest ")
			var id string
			for _, line := range x.Trace.Lines() {
				if session, ok := strings.CutPrefix(line, "log guest "); ok && !strings.Contains(session, " ") {
					id = session
				}
			}
			x.WaitLog("busy")
			caller := x.Dial(x.Transitions("host.ccxml", withCaller+then("connection.connected", `<move source="c" sessionid="'`+id+`'"/><log expr="'given'"/><exit/>`), "c"))
			x.WaitLog("given")
			x.WaitUntil("the giver has ended", func() bool { return x.Daemon.Controller.Sessions() == 1 })
			goOn()
			x.Sleep(5 * time.Second)
			if want == "" {
				ending, err := caller.WaitEnded(x.Context())
				x.Must(err)
				if ending.Cause != "NORMAL_CLEARING" || x.Daemon.Controller.Connections() != 1 {
					t.Errorf("the call ended with %s, and there are %d connections", ending.Cause, x.Daemon.Controller.Connections())
				}
			} else {
				if n := x.Trace.Count("log " + want); n != 1 || x.Switch.Channels() != 2 {
					t.Errorf("%q was told %d times, and there are %d calls:\n%s", want, n, x.Switch.Channels(), strings.Join(x.Trace.Lines(), "\n"))
				}
				caller.Hangup()
				x.WaitLog("guest connection.disconnected: NORMAL_CLEARING")
				if x.Switch.Channels() != 1 {
					t.Error("that was told when the guest had ended")
				}
			}
			guest.Hangup()
			x.WaitSwitchIdle()
		})
	}
}

// What a session has merged does not count for it any more.
func TestMergedConnectionsDoNotCount(t *testing.T) {
	x := sitetest.New(t, sitetest.With("LIMITS_CONNECTIONS_PER_SESSION", "2"))
	x.Switch.Callee("200", switchsim.Answers{})
	x.Switch.Callee("300", switchsim.Answers{})
	caller := x.Dial(x.Transitions("a.ccxml", withCallee+`
<transition event="connection.connected" cond="event$.connectionid == d"><merge connectionid1="c" connectionid2="d"/></transition>
<transition event="connection.merged" cond="event$.connectionid == d"><createcall dest="'tel:300'" connectionid="e"/></transition>
<transition event="connection.connected"><log expr="'a third one'"/><exit/></transition>
<transition event="connection.merged"/>`+says, "c d e"))
	x.WaitLog("a third one")
	x.Must(x.Daemon.Controller.WaitIdle(x.Context()))
	hearsParty(x, caller, "200")
	caller.Hangup()
	x.WaitSwitchIdle()
}

// A join that asks for a tone, and does not say which, has the usual one.
func TestUsualTones(t *testing.T) {
	told := &orders{}
	x := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Refuses: told.refused}))
	x.Switch.Callee("200", switchsim.Answers{})
	caller := x.Dial(x.Transitions("a.ccxml", withCallee+`
<transition event="connection.connected"><createconference conferenceid="room"/></transition>
<transition event="conference.created"><join id1="c" id2="room" entertone="'false'" exittone="'false'"/></transition>
<transition event="conference.joined" cond="event$.id1 == c"><join id1="d" id2="room" entertone="'true'" exittone="'true'"/></transition>
<transition event="conference.joined">`+after("5s", "part")+after("15s", "end")+`</transition>
<transition event="part"><unjoin id1="d" id2="room"/></transition>`+says, "c d room"))
	for _, tone := range []string{"tone_stream://%(120,40,440);%(120,0,587)", "tone_stream://%(120,40,587);%(120,0,440)"} {
		x.Must(caller.WaitHeard(x.Context(), tone))
	}
	x.WaitSwitchIdle()
	if n := told.count("conference", "play", "tone_stream"); n != 2 {
		t.Errorf("%d tones are played:\n%s", n, strings.Join(told.given, "\n"))
	}
}

// Who is to hear a callee whose early media is on its way to us waits for it.
func TestListenToWhatComesEarly(t *testing.T) {
	x := sitetest.New(t)
	x.Switch.Callee("200", switchsim.EarlyMedia{After: time.Second, AnswerAfter: 20 * time.Second})
	caller := x.Dial(x.Transitions("a.ccxml", withCallee+
		then("connection.progressing", `<log expr="'early'"/><join id1="c" id2="d" duplex="'half'"/>`)+
		then("conference.joined", `<log expr="'joined'"/>`)+
		`<transition event="connection.connected" cond="event$.connectionid == d"><log expr="'answered'"/></transition>`+says, "c d"))
	x.WaitLog("joined")
	if x.Trace.Has("answered") || x.Trace.Count("log error") > 0 {
		t.Errorf("seen:\n%s", strings.Join(x.Trace.Lines(), "\n"))
	}
	hears(x, caller, "200")
	caller.Hangup()
	callee(x, "200").Hangup()
	x.Sleep(time.Minute)
}

// hears waits until a party hears a number.
func hears(x *sitetest.Site, party *switchsim.Party, number string) {
	x.Helper()
	x.WaitUntil("it is heard", func() bool { return slices.Contains(party.Hears(), number) })
}

// A connection that is heard in a conference by a stand-in is out of it when its session
// destroys that, as is told once, and the stand-in is hung up, also where others are
// there; what it hears it hears on.
func TestConferenceOfAStandInIsDestroyed(t *testing.T) {
	x := sitetest.New(t)
	x.Switch.Callee("200", switchsim.Answers{})
	member := x.Dial(x.Transitions("other.ccxml", withCaller+`
<transition event="connection.connected"><createconference conferenceid="room" confname="'shared'"/></transition>
<transition event="conference.created"><join id1="c" id2="room"/></transition>
<transition event="conference.joined"><log expr="'there'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`, "c room"))
	x.WaitLog("there")
	caller := x.Dial(x.Transitions("a.ccxml", withCallee+`
<transition event="connection.connected"><join id1="c" id2="d" duplex="'half'"/></transition>
<transition event="conference.joined" cond="event$.id2 == d"><createconference conferenceid="room" confname="'shared'"/></transition>
<transition event="conference.created"><join id1="room" id2="c" duplex="'half'"/></transition>
<transition event="conference.joined"><log expr="'heard'"/>`+after("5s", "destroy")+after("20s", "look")+`</transition>
<transition event="destroy"><destroyconference conferenceid="room"/></transition>
<transition event="look"><log expr="'looked'"/></transition>`+says, "c d room"))
	x.WaitLog("heard")
	if len(loopbacks(x)) == 0 {
		t.Error("there is no stand-in")
	}
	x.WaitLog("looked")
	for _, event := range []string{"conference.unjoined", "conference.destroyed"} {
		if n := x.Trace.Count("log " + event); n != 1 {
			t.Errorf("%s was told %d times", event, n)
		}
	}
	if ids := loopbacks(x); len(ids) != 0 {
		t.Errorf("the stand-in is there still: %v", ids)
	}
	hears(x, caller, "200")
	member.Hangup()
	caller.Hangup()
	callee(x, "200").Hangup()
	x.Sleep(time.Minute)
}

// TestOthersKnowWhatIsNotTold (BRG-7): a session whose connection was joined with one of
// another session does not see that join any more when the other has turned elsewhere,
// of which it is told nothing.
func TestOthersKnowWhatIsNotTold(t *testing.T) {
	x := sitetest.New(t)
	x.Switch.Callee("200", switchsim.Answers{})
	shows := `<transition event="look"><log expr="'shows ' + session.connections[c].outputs.length"/></transition>`
	heard := x.Dial(x.Transitions("heard.ccxml", withCaller+
		then("connection.connected", after("10s", "look")+after("30s", "look")+after("40s", "end"))+shows+`<transition event="end"><exit/></transition>`, "c"))
	x.Dial(x.Transitions("a.ccxml", withCallee+fmt.Sprintf(`
<transition event="connection.connected"><join id1="c" id2="'%s'" duplex="'half'"/>`, heard.UUID())+after("20s", "turn")+after("40s", "end")+`</transition>
<transition event="turn"><join id1="c" id2="d" duplex="'half'"/></transition>`+says, "c d"))
	x.WaitLog("shows 1")
	x.WaitLog("shows 0")
	x.WaitSwitchIdle()
	if n := x.Trace.Count("log conference.unjoined"); n != 0 {
		t.Errorf("an end was told %d times", n)
	}
}

// TestConferencesJoinedTooLate: what FreeSWITCH makes of a join of conferences that is not
// wanted any more ends at once.
func TestConferencesJoinedTooLate(t *testing.T) {
	for _, does := range []string{`<unjoin id1="a" id2="b"/>`, `<exit/>`} {
		t.Run(does[1:5], func(t *testing.T) {
			x := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Job: jobs(switchsim.JobKept, "originate", "conference")}))
			x.StartSession(x.Transitions("a.ccxml", twoRooms+after("1s", "go")+after("60s", "end")+`</transition>`+then("go", does)+says, "a b"))
			x.Sleep(5 * time.Second)
			if n := x.Switch.ReleaseJobs(); n != 1 {
				t.Errorf("%d jobs were kept", n)
			}
			x.Sleep(5 * time.Second)
			if n := x.Switch.Channels(); n != 0 {
				t.Errorf("the switch has %d calls:\n%s", n, strings.Join(x.Trace.Lines(), "\n"))
			}
			x.WaitSwitchIdle()
		})
	}
}
