package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestListeners: who hears whom when a connection turns to another one, and why it
// cannot.
func TestListeners(t *testing.T) {
	const half = ` duplex="'half'"/>`
	alerting := `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/></transition>`
	end := `<transition event="ccxml.loaded"><send target="session.id" targettype="'ccxml'" name="'end'" delay="'60s'"/></transition>`
	turn := `<transition event="connection.connected" cond="event$.connectionid == e"><join id1="c" id2="e"` + half + `</transition>`
	locks := `<createconference conferenceid="room" confname="'room'" hints="{locked: true, pin: '2'}"/>`
	// conferring has the callee and the caller in a conference, and calls another one.
	conferring := `<transition event="conference.created" cond="event$.isnew"><join id1="d" id2="room"/></transition>
<transition event="conference.joined" cond="event$.id1 == d"><join id1="c" id2="room"/></transition>
<transition event="conference.joined" cond="event$.id2 == room"><log expr="'in'"/>LOCKS<createcall dest="'tel:300'" connectionid="e"/></transition>` + turn
	room := func(hints string) string {
		return `<transition event="connection.connected" cond="event$.connectionid == d"><createconference conferenceid="room" confname="'room'" hints="` + hints + `"/></transition>`
	}
	for _, test := range []struct {
		name, other, text string // of the sessions of two callers
		act               func(x *sitetest.Site, one, two *switchsim.Party)
		want              []string // logged by the second one, once each
		not               string
		hears             string // whom the second caller hears after 30 s: its own number is 2, the first one's 1, the callee's 200
		heard             string // whom the callee hears
	}{
		{name: "to one of another session that is alerting", other: alerting, text: withCaller + then("connection.connected", `<join id1="c" id2="'OTHER'"`+half),
			want: []string{"error.conference.join: connection OTHER is alerting; a join needs one that is connected"}},
		{name: "to one of another session", other: withCaller, text: withCaller + then("connection.connected", `<join id1="c" id2="'OTHER'"`+half),
			want: []string{"conference.joined"}, hears: "1"},
		{name: "while it speaks with another session", other: withCaller, text: withCallee + then("connection.connected", `<join id1="c" id2="'OTHER'"/>`) +
			`<transition event="conference.joined"><log expr="'joined'"/><join id1="c" id2="d"` + half + `</transition>`,
			want: []string{"joined", "error.conference.join: connection SELF speaks with OTHER, which another session has; FreeSWITCH cannot let it hear somebody else meanwhile, so unjoin the two first"}, hears: "1"},
		{name: "away from a bridge that the other one goes on hearing", text: withCallee + `<transition event="connection.connected" cond="event$.connectionid == d"><join id1="c" id2="d"/></transition>` +
			`<transition event="conference.joined" cond="event$.id2 == d"><log expr="'bridged'"/><createcall dest="'tel:300'" connectionid="e"/></transition>` + turn,
			want: []string{"bridged", "conference.joined"}, hears: "300", heard: "2", not: "conference.unjoined"},
		{name: "away from a conference that it goes on speaking in", text: withCallee + room("{}") + strings.Replace(conferring, "LOCKS", "", 1), want: []string{"in", "conference.joined"}, hears: "300", heard: "2", not: "conference.unjoined"},
		{name: "away from a conference that is locked meanwhile", text: withCallee + room("{pin: '1'}") + strings.NewReplacer(`id2="room"/>`, `id2="room" hints="{pin: '1'}"/>`, "LOCKS", locks).Replace(conferring),
			want: []string{"in", "conference.joined"}, hears: "300", heard: "2", not: "conference.unjoined"},
		{name: "to one that hangs up", text: withCallee + then("connection.connected", `<join id1="c" id2="d"`+half),
			act: func(x *sitetest.Site, _, _ *switchsim.Party) {
				x.WaitLog("conference.joined")
				callee(x, "200").Hangup()
			},
			want: []string{"conference.joined", "conference.unjoined", "connection.disconnected: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := sitetest.New(t)
			x.Switch.Callee("200", switchsim.Answers{})
			x.Switch.Callee("300", switchsim.Answers{})
			var one *switchsim.Party
			if test.other != "" {
				one = x.DialFrom("1", x.Transitions("one.ccxml", test.other+end+`<transition event="end"><exit/></transition><transition event="*"/>`, "c"))
				x.Sleep(time.Second)
			} else {
				one = &switchsim.Party{}
			}
			two := x.DialFrom("2", x.Transitions("two.ccxml", strings.ReplaceAll(test.text, "OTHER", one.UUID())+end+says, "c d e room"))
			if test.act != nil {
				test.act(x, one, two)
			}
			x.Sleep(30 * time.Second)
			if got := strings.Join(two.Hears(), " "); got != test.hears {
				t.Errorf("the caller hears %q, want %q", got, test.hears)
			}
			if test.heard != "" {
				if got := strings.Join(callee(x, "200").Hears(), " "); got != test.heard {
					t.Errorf("the callee hears %q, want %q", got, test.heard)
				}
			}
			x.WaitSwitchIdle()
			for _, want := range test.want {
				want = strings.NewReplacer("OTHER", one.UUID(), "SELF", two.UUID()).Replace(want)
				if n := x.Trace.Count("log " + want); n != 1 {
					t.Errorf("%q was told %d times", want, n)
				}
			}
			if test.not != "" && x.Trace.Count("log "+test.not) > 0 {
				t.Errorf("%q was told", test.not)
			}
			if t.Failed() {
				t.Log(strings.Join(x.Trace.Lines(), "\n"))
			}
		})
	}
}

// callee waits for someone who is called.
func callee(x *sitetest.Site, number string) *switchsim.Party {
	x.Helper()
	party, err := x.Switch.WaitCallee(x.Context(), number)
	x.Must(err)
	return party
}
