package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestTakeOverOfJoinedConferences: two conferences stay joined when their session is taken
// over, and the end of that is told, also where it came while nobody had the session; a
// join that was not made yet has failed.
func TestTakeOverOfJoinedConferences(t *testing.T) {
	t.Parallel()
	const lost = "error.conference.join: the controller was lost while the join was made"
	for _, test := range []struct {
		name    string
		options switchsim.Options
		before  bool // the call that joins them is hung up before the session is taken over
		want    string
	}{
		{name: "hung up later", want: "conference.unjoined"},
		{name: "hung up meanwhile", before: true, want: "conference.unjoined"},
		{name: "not made yet", options: switchsim.Options{Job: jobs(switchsim.JobKept, "originate", "conference")}, want: lost},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			one, other := pairOfDaemons(t, sitetest.WithSwitch(test.options))
			one.StartSession(one.Transitions("a.ccxml", twoRooms+after("2s", "ready")+after("60s", "end")+`</transition>`+
				then("ready", `<log expr="'ready'"/>`)+then("ccxml.resumed", `<log expr="'resumed'"/>`)+says, "a b"))
			one.WaitLog("ready")
			hangUp := func() {
				for _, id := range loopbacks(one) {
					one.Switch.API("uuid_kill " + id)
				}
			}
			untilWritten(one)
			if test.before {
				hangUp()
			}
			other.WaitLog("resumed")
			other.Sleep(5 * time.Second)
			if joined := test.want != lost && !test.before; joined == other.Trace.Has("log "+test.want) || joined != (len(loopbacks(one)) > 0) {
				t.Errorf("joined by %q:\n%s", loopbacks(one), strings.Join(other.Trace.Lines(), "\n"))
			}
			one.Switch.ReleaseJobs() // too late
			hangUp()
			other.Sleep(5 * time.Second)
			if n := other.Trace.Count("log " + test.want); n != 1 || one.Switch.Channels() != 0 {
				t.Errorf("%s was told %d times, %d calls are left:\n%s", test.want, n, one.Switch.Channels(), strings.Join(other.Trace.Lines(), "\n"))
			}
			other.WaitSwitchIdle()
		})
	}
}

// TestTakeOverWhileAJoinIsMade: a join of which FreeSWITCH has not told when the controller
// is lost has failed, and the connections can be joined again.
func TestTakeOverWhileAJoinIsMade(t *testing.T) {
	t.Parallel()
	for name, join := range map[string]string{
		"uuid_bridge": `<join id1="c" id2="d"/>`,
		"conference":  `<createconference conferenceid="room"/>`,
		"eavesdrop":   `<join id1="c" id2="d" duplex="'half'"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, other := pairOfDaemons(t, sitetest.WithSwitch(switchsim.Options{Idle: first(1, name)}))
			one.Switch.Callee("100", switchsim.Answers{})
			one.Switch.Callee("200", switchsim.Answers{})
			one.StartSession(one.Transitions("a.ccxml", then("ccxml.loaded", `<createcall dest="'tel:100'" connectionid="c"/>`)+
				`<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:200'" connectionid="d"/></transition>`+
				then("connection.connected", join+after("500ms", "asked"))+
				then("asked", `<log expr="'asked'"/>`)+then("conference.created", `<join id1="c" id2="room"/>`)+
				then("ccxml.resumed", `<log expr="'resumed'"/>`+after("15s", "again")+after("30s", "end"))+
				then("again", `<join id1="c" id2="d"/>`)+says, "c d room"))
			one.WaitLog("asked")
			untilWritten(one)
			other.WaitLog("resumed")
			other.Sleep(10 * time.Second)
			if n := other.Trace.Count("log error.conference.join: the controller was lost while the join was made"); n != 1 || other.Trace.Has("log conference.joined") {
				t.Errorf("its failure was told %d times:\n%s", n, strings.Join(other.Trace.Lines(), "\n"))
			}
			other.WaitLog("conference.joined")
			hears(other, callee(other, "100"), "200")
			other.WaitSwitchIdle()
		})
	}
}

// TestTakeOverWithoutTheLegsFreeSWITCH: what is not reached for a minute counts as ended,
// and is hung up as soon as it is reached.
func TestTakeOverWithoutTheLegsFreeSWITCH(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	one.Switch.Callee("200", switchsim.Answers{})
	one.Dial(one.Transitions("a.ccxml", withCallee+then("connection.connected", `<join id1="c" id2="d"/>`)+
		then("conference.joined", `<log expr="'joined'"/>`)+then("ccxml.resumed", `<log expr="'resumed'"/>`+after("180s", "end"))+says, "c d"))
	one.WaitLog("joined")
	address := one.Switch.Addr()
	written(one)
	one.Switch.CloseLinks()
	one.Kill()
	other.WaitLog("resumed")
	other.Sleep(50 * time.Second)
	const ended = "log connection.disconnected: "
	if other.Trace.Has(ended) {
		t.Errorf("told too early:\n%s", strings.Join(other.Trace.Lines(), "\n"))
	}
	other.Sleep(20 * time.Second)
	if n := other.Trace.Count(ended); n != 2 || !other.Trace.Has("its FreeSWITCH was not reached when its session was taken over") {
		t.Errorf("the end was told %d times:\n%s", n, strings.Join(other.Trace.Lines(), "\n"))
	}
	one.Must(one.Switch.Listen(address))
	other.WaitSwitchIdle()
}
