package callcontrol_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestSessionsThatMissEachOther: the calls of two sessions are joined in a room, which
// one of them does not come to, or leaves before the other has come. The one that asked
// hears of it once, and the calls are free again.
func TestSessionsThatMissEachOther(t *testing.T) {
	const (
		// busy has its call in joins that FreeSWITCH does not make, for 40 s.
		busy = `<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:200'" connectionid="d"/></transition>
<transition event="connection.connected"><join id1="c" id2="d"/><join id1="d" id2="c"/><join id1="c" id2="d"/><join id1="d" id2="c"/></transition>`
		free = `<transition event="ccxml.loaded">` + `<send target="session.id" targettype="'ccxml'" name="'free'" delay="'80s'"/><send target="session.id" targettype="'ccxml'" name="'end'" delay="'100s'"/></transition>
<transition event="free"><dialogstart connectionid="c" src="'/sounds/a.wav'" type="'audio/wav'"/></transition><transition event="error.dialog.*"/>`
		asks = withCaller + free + `<transition event="connection.connected"><send target="session.id" targettype="'ccxml'" name="'join'" delay="'1s'"/></transition>
<transition event="join"><log expr="'asks'"/><join id1="'OTHER'" id2="c"/></transition>
<transition event="error.conference.join"><log expr="'not joined: ' + event$.reason"/></transition>`
	)
	for _, test := range []struct {
		name, other string
		late        bool                                              // FreeSWITCH lets only the first one in
		act         func(c *sitetest.Site, one, two *switchsim.Party) // once it has been asked for
		want        string
		rooms       int // how often FreeSWITCH was asked to let one in
		free        int // how many calls are there in the end, and can be played to
	}{
		{name: "the other one is busy for too long", other: withCaller + busy,
			want: "connection OTHER did not come within 30s", rooms: 1, free: 2},
		{name: "the one that waits hangs up", other: withCaller + busy,
			act:  func(c *sitetest.Site, _, two *switchsim.Party) { c.Sleep(5 * time.Second); two.Hangup() },
			want: "connection ASKER left before OTHER came", rooms: 1, free: 1},
		{name: "the other one is not let in", other: withCaller, late: true,
			want: "FreeSWITCH did not let it in within 10s", rooms: 2, free: 2},
		{name: "the one that is in hangs up before the other is let in", other: withCaller, late: true,
			act:  func(c *sitetest.Site, _, two *switchsim.Party) { c.Sleep(2 * time.Second); two.Hangup() },
			want: "connection ASKER left before OTHER came", rooms: 2, free: 1},
		{name: "the one that is to be let in hangs up", other: withCaller, late: true,
			act:  func(c *sitetest.Site, one, _ *switchsim.Party) { c.Sleep(2 * time.Second); one.Hangup() },
			want: "the call has ended", rooms: 2, free: 1},
		{name: "the other one is not connected", other: `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/></transition>`,
			want: "connection OTHER is alerting; a join needs one that is connected", rooms: 1, free: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := &orders{}
			var there atomic.Bool
			x := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Refuses: told.refused, Idle: func(name, argument string) bool {
				return name == "uuid_bridge" || test.late && name == "conference" && there.Swap(true)
			}}))
			x.Switch.Callee("200", switchsim.Answers{})
			x.Switch.AddSound("/sounds/a.wav", time.Second)
			one := x.Dial(x.Transitions("one.ccxml", test.other+free+says, "c d"))
			two := x.Dial(x.Transitions("two.ccxml", strings.ReplaceAll(asks, "OTHER", one.UUID())+says, "c d"))
			x.WaitLog("asks")
			if test.act != nil {
				test.act(x, one, two)
			}
			x.WaitSwitchIdle()
			want := strings.NewReplacer("OTHER", one.UUID(), "ASKER", two.UUID()).Replace(test.want)
			if n, all := x.Trace.Count("log not joined: "+want), x.Trace.Count("log not joined: "); n != 1 || all != 1 {
				t.Errorf("%q was told %d times, of %d", want, n, all)
			}
			if n := x.Trace.Count("log conference."); n > 0 {
				t.Errorf("%d events of conferences", n)
			}
			if n := told.count("conference ccxmld-pair", "@"); n != test.rooms {
				t.Errorf("FreeSWITCH was asked %d times to let one in", n)
			}
			if n := x.Trace.Count("log dialog.exit"); n != test.free {
				t.Errorf("%d calls could be played to", n)
			}
			if t.Failed() {
				t.Logf("%s\n%s", strings.Join(x.Trace.Lines(), "\n"), strings.Join(told.given, "\n"))
			}
		})
	}
}
