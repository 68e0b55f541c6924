package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestSessionThatEndsLeavesItsJoins: a session ends whose connection is joined with one of
// another session, or is about to be. The other session hears of that once, its objects
// show nobody, and its call can be played to.
func TestSessionThatEndsLeavesItsJoins(t *testing.T) {
	t.Parallel()
	const lost = "error.conference.join: the session of connection ENDS has ended"
	for _, test := range []struct {
		name, join string // of the other session's
		byEnding   bool   // who asks for it is the session that ends
		idle       string // what FreeSWITCH does not do
		want       string
	}{
		{name: "they talk", join: `<join id1="c" id2="'OTHER'"/>`, want: "conference.unjoined"},
		{name: "they talk since it asked", join: `<join id1="'OTHER'" id2="c"/>`, byEnding: true, want: "conference.unjoined"},
		{name: "it is listened to", join: `<join id1="c" id2="'OTHER'" duplex="'half'"/>`, want: "conference.unjoined"},
		{name: "it listens", join: `<join id1="'OTHER'" id2="c" duplex="'half'"/>`, want: "conference.unjoined"},
		{name: "it is listened to since it asked", join: `<join id1="'OTHER'" id2="c" duplex="'half'"/>`, byEnding: true, want: "conference.unjoined"},
		{name: "they are to talk", join: `<join id1="c" id2="'OTHER'"/>`, idle: "conference", want: lost},
		{name: "it is to listen", join: `<join id1="'OTHER'" id2="c" duplex="'half'"/>`, idle: "eavesdrop", want: lost},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Idle: func(name, _ string) bool { return name == test.idle }}))
			s.Switch.AddSound("/sounds/a.wav", time.Second)
			var stays, ends *switchsim.Party
			dial := func(name, text string, first bool) *switchsim.Party {
				join := ""
				if !first {
					other := stays
					if stays == nil {
						other = ends
					}
					join = strings.ReplaceAll(test.join, "OTHER", other.UUID())
				}
				party := s.Dial(s.Transitions(name, strings.Replace(text, "JOIN", join, 1), "c"))
				s.WaitLog(name + " is connected")
				return party
			}
			stay := func(first bool) {
				stays = dial("stays", withCaller+`<transition event="connection.connected"><log expr="'stays is connected'"/>`+after("30s", "play")+`JOIN</transition>
<transition event="conference.joined"/>
<transition event="conference.*"><log expr="'told ' + event$.name + ' ' + session.connections[c].input + session.connections[c].outputs.length"/></transition>
<transition event="error.*"><log expr="'told ' + event$.name + ': ' + event$.reason"/></transition>
<transition event="play"><dialogstart connectionid="c" src="'/sounds/a.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'played'"/><exit/></transition>`, first)
			}
			if test.byEnding {
				stay(true)
			}
			ends = dial("ends", withCaller+`<transition event="connection.connected"><log expr="'ends is connected'"/><log expr="'session ' + session.id"/>JOIN</transition>
<transition event="leave"><exit/></transition><transition event="*"/>`, !test.byEnding)
			if !test.byEnding {
				stay(false)
			}
			s.Sleep(time.Second)
			if joined := s.Trace.Has("event conference.joined"); joined != (test.idle == "") {
				t.Fatalf("joined: %t", joined)
			}
			s.Inject("leave")
			s.Sleep(10 * time.Second)
			want := "log told " + strings.ReplaceAll(test.want, "ENDS", ends.UUID())
			if n, all := s.Trace.Count(want), s.Trace.Count("log told "); n != 1 || all != 1 {
				t.Errorf("%q was told %d times, of %d:\n%s", want, n, all, strings.Join(s.Trace.Lines(), "\n"))
			}
			if test.idle == "" && !s.Trace.Has("conference.unjoined undefined0") {
				t.Error("the session's objects show somebody")
			}
			s.Must(stays.WaitHeard(s.Context(), "/sounds/a.wav"))
			s.WaitLog("played")
			s.WaitSwitchIdle()
		})
	}
}
