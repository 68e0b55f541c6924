package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestEndsWhileRedisIsAsked: whatever a session has asked of conferences when it ends, or
// one of its calls does, and Redis answers later, it leaves no member, no conference and
// no call.
func TestEndsWhileRedisIsAsked(t *testing.T) {
	t.Parallel()
	for name, asks := range map[string]string{
		"a conference":              `<createconference conferenceid="b" confname="'b'"/>`,
		"a conference that is kept": `<createconference conferenceid="b" confname="'hall'"/>`,
		"a member":                  `<join id1="c" id2="one"/>`,
		"a member of another one's": `<join id1="c" id2="'conference:hall'"/>`,
		"a listener":                `<join id1="c" id2="one" duplex="'half'"/>`,
		"a speaker beside a bridge": `<join id1="one" id2="d" duplex="'half'"/>`,
		"two conferences":           `<join id1="one" id2="two"/>`,
		"one of another session":    `<join id1="one" id2="'conference:hall'" duplex="'half'"/>`,
		"another session's with it": `<join id1="'conference:hall'" id2="one"/>`,
		"a dialog":                  `<dialogstart conferenceid="one" src="'/sounds/a.wav'" type="'audio/wav'"/>`,
		"no conference":             `<destroyconference conferenceid="one"/>`,
	} {
		for _, end := range []string{"the session before it answers", "the session when it has answered", "the caller", "the callee"} {
			t.Run(name+" and "+end, func(t *testing.T) {
				t.Parallel()
				s := sitetest.New(t)
				s.Switch.Callee("200", switchsim.Answers{})
				s.Switch.AddSound("/sounds/a.wav", time.Hour)
				s.StartSession(s.Transitions("hall.ccxml", `<transition event="ccxml.loaded"><createconference conferenceid="a" confname="'hall'"/>`+
					after("60s", "end")+`</transition><transition event="conference.created"><log expr="'hall is there'"/></transition><transition event="end"><exit/></transition>`, "a"))
				s.WaitLog("hall is there")
				exit := map[string]string{"the session before it answers": "<exit/>"}[end]
				caller := s.Dial(s.Transitions("a.ccxml", withCallee+`
<transition event="connection.connected" cond="event$.connectionid == d"><join id1="c" id2="d"/></transition>
<transition event="conference.joined" cond="one == undefined"><createconference conferenceid="one"/></transition>
<transition event="conference.created" cond="two == undefined"><createconference conferenceid="two"/></transition>
<transition event="conference.created" cond="event$.conferenceid == two"><log expr="'session ' + session.id"/></transition>
<transition event="go"><log expr="'asks'"/>`+asks+exit+`</transition>
<transition event="end"><exit/></transition><transition event="*"/>`, "c d one two b"))
				s.WaitLog("session ")
				release := newRedisLine(s).hold()
				s.Inject("go")
				s.WaitLog("asks")
				party := map[string]*switchsim.Party{"the caller": caller, "the callee": callee(s, "200")}[end]
				if party != nil {
					party.Hangup()
					s.Must(s.Trace.Wait(s.Context(), "event connection.disconnected"))
				}
				s.Sleep(time.Second)
				release()
				if party != nil {
					s.Sleep(time.Second)
					lines, err := s.Daemon.Roster(s.Context())
					s.Must(err)
					if strings.Contains(strings.Join(lines, "\n"), party.UUID()[:8]) {
						t.Errorf("who has hung up is in a conference:\n%s", strings.Join(lines, "\n"))
					}
				}
				if exit == "" {
					s.Inject("end")
				}
				s.WaitUntil("its calls have ended", func() bool { return s.Switch.Channels() == 0 && s.Daemon.Controller.Sessions() == 1 })
				s.WaitUntil("the other one's conference alone is there", func() bool {
					lines, err := s.Daemon.Roster(s.Context())
					return err == nil && len(lines) == 1 && strings.Contains(lines[0], "hall")
				})
				s.WaitSwitchIdle()
				rosterIsEmpty(s)
			})
		}
	}
}
