package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestConferencesAtTheirLimits: what a session cannot have of conferences it is told, and
// what was reserved for it meanwhile is free again.
func TestConferencesAtTheirLimits(t *testing.T) {
	one := map[string]string{"LIMITS_CONFERENCES_PER_SESSION": "1"}
	rate := map[string]string{"LIMITS_ORIGINATES_PER_SECOND": "1"}
	crowded := map[string]string{"LIMITS_ORIGINATES_PER_SECOND": "1", "LIMITS_ORIGINATES_WAITING": "1"}
	const full = "error.conference.join: the session is in 1 conferences already, or about to be (limits.conferences_per_session)"
	// hall is a conference of another session.
	const hall = `<transition event="ccxml.loaded"><createconference conferenceid="a" confname="'hall'"/>` +
		`<send target="session.id" targettype="'ccxml'" name="'end'" delay="'60s'"/></transition><transition event="end"><exit/></transition>`
	created := func(does string) string { return then("conference.created", does) }
	create := then("connection.connected", `<createconference conferenceid="a"/>`)
	calls := strings.Repeat(`<createcall dest="'tel:200'"/>`, 15)
	for _, test := range []struct {
		name       string
		options    switchsim.Options
		with       map[string]string
		vars, text string
		want       []string // logged, once each
		not        string
		told       []string // a command of FreeSWITCH with these words
		untold     []string
	}{
		{name: "conferences are joined", with: one, vars: "a b", text: then("ccxml.loaded", `<createconference conferenceid="a"/>`+after("30s", "end")) +
			`<transition event="conference.created" cond="event$.conferenceid == a"><join id1="a" id2="'conference:hall'"/>` + ticks("go") + `</transition>` + then("go", `<destroyconference conferenceid="a"/>`) + then("conference.destroyed", `<log expr="'free'"/><createconference conferenceid="b" confname="'b'"/>`) +
			`<transition event="error.conference.create"><log expr="'not created'"/></transition>`,
			want: []string{full, "free"}, not: "not created"},
		{name: "conferences are joined the other way", with: one, vars: "a", text: then("ccxml.loaded", `<createconference conferenceid="a"/>`+after("30s", "end")) +
			created(`<join id1="'conference:hall'" id2="a"/>`), want: []string{full}},
		{name: "a member enters", with: one, vars: "c a", text: withCaller + create + created(`<join id1="c" id2="'conference:hall'"/>`+after("30s", "end")), want: []string{full}},
		{name: "a listener is heard", with: one, vars: "c d a", text: withCallee + create +
			`<transition event="conference.created"><join id1="c" id2="d" duplex="'half'"/>` + after("30s", "end") + `</transition>
<transition event="conference.joined" cond="event$.id2 == d"><log expr="'listens'"/><join id1="'conference:hall'" id2="c" duplex="'half'"/></transition>`,
			want: []string{full, "listens"}, not: "conference.unjoined"},
		{name: "there is no link", with: map[string]string{"NODES": "[]"}, vars: "a", text: then("ccxml.loaded", `<createconference conferenceid="a" hints="{events: true}"/>`+after("30s", "end")),
			want: []string{"error.conference.create: the hint events needs a link to the conference's FreeSWITCH; add it to nodes"}, not: "conference.created"},
		{name: "no link and another one", with: map[string]string{"NODES": "[]", "LIMITS_CONFERENCES_PER_SESSION": "1"}, vars: "a",
			text: then("ccxml.loaded", `<createconference conferenceid="a" hints="{events: true}"/><createconference conferenceid="a" confname="'two'"/>`+after("30s", "end")),
			want: []string{"error.conference.create: the hint", "conference.created"}},
		{name: "bad hints of a member", vars: "c a", text: withCaller + create + created(`<join id1="c" id2="a" hints="{volumein: 'loud'}"/>`+after("30s", "end")),
			want: []string{"error.conference.join: "}, not: "conference.joined"},
		{name: "a conference hears another one", vars: "a b", text: strings.Replace(twoRooms, `id2="b"`, `id2="b" duplex="'half'"`, 1) + after("10s", "end") + `</transition>`,
			want: []string{"conference.joined"}, told: []string{"originate", `|mute} `, `vmute|deaf} `}},
		{name: "a joined conference is destroyed", vars: "a b", text: twoRooms + `</transition>` +
			then("conference.joined", `<destroyconference conferenceid="b"/>`+after("10s", "end")) + then("conference.unjoined", `<log expr="'unjoined ' + (event$.id1 == a) + (event$.id2 == b)"/>`),
			want: []string{"unjoined truetrue", "conference.destroyed"}},
		{name: "another one is destroyed", vars: "a b z", text: then("ccxml.loaded", `<createconference conferenceid="z"/>`) +
			strings.Replace(twoRooms, `event="ccxml.loaded"`, `event="conference.created" cond="event$.conferenceid == z"`, 1) + `</transition>` +
			then("conference.joined", `<destroyconference conferenceid="z"/>`+after("10s", "end")), want: []string{"conference.destroyed"}, not: "conference.unjoined"},
		{name: "too many calls wait", with: crowded, vars: "a b", text: strings.Replace(twoRooms, `<join`, `<createcall dest="'tel:200'"/><createcall dest="'tel:200'"/><join`, 1) + after("30s", "end") + `</transition>`,
			want: []string{"error.conference.join: no FreeSWITCH node takes a call (sim: 1 calls wait for their turn"}},
		{name: "too many calls wait before a dialog", with: crowded, vars: "a", text: then("ccxml.loaded", `<createconference conferenceid="a"/>`) +
			created(`<createcall dest="'tel:200'"/><createcall dest="'tel:200'"/><dialogstart conferenceid="a" src="'/sounds/a.wav'" type="'audio/wav'"/>`+after("30s", "end")),
			want: []string{"error.dialog.notstarted: no FreeSWITCH node takes a call (sim: 1 calls wait for their turn"}, not: "dialog.started"},
		{name: "a dialog waits for its turn for too long", with: rate, vars: "a", text: then("ccxml.loaded", `<createconference conferenceid="a"/>`) +
			created(calls+`<dialogstart conferenceid="a" src="'/sounds/a.wav'" type="'audio/wav'"/>`+after("60s", "end")),
			want: []string{"error.dialog.notstarted: its turn among the calls of FreeSWITCH node sim did not come within 10s (limits.originates_per_second)"}, not: "dialog.started",
			untold: []string{"originate", "loopback"}},
		{name: "a dialog is not brought to its conference", options: switchsim.Options{Job: jobs(switchsim.JobKept, "originate", "loopback")}, vars: "a",
			text: then("ccxml.loaded", `<createconference conferenceid="a"/>`) + created(`<dialogstart conferenceid="a" src="'/sounds/a.wav'" type="'audio/wav'"/>`+after("60s", "end")),
			want: []string{"error.dialog.notstarted: "}, not: "dialog.started"},
		{name: "a member joins again with other volumes", vars: "c a", text: withCaller + create + created(`<join id1="c" id2="a"/><join id1="c" id2="a" hints="{volumein: 2, volumeout: -1}"/>`+after("30s", "end")),
			told: []string{"conference ", " volume_in ", " 2"}},
		{name: "a member that is mute turns to listen", vars: "c d a", text: withCallee + then("connection.connected", `<createconference conferenceid="a"/>`) +
			created(`<join id1="c" id2="a" hints="{mute: true}"/>`) + `<transition event="conference.joined" cond="event$.id2 == a"><join id1="c" id2="d" duplex="'half'"/>` + after("30s", "end") + `</transition>`,
			want: []string{"conference.joined"}, told: []string{"originate", "|mute} "}},
		{name: "music", vars: "c a", text: withCaller + then("connection.connected", `<createconference conferenceid="a" hints="{music: '/sounds/a.wav'}"/>`) +
			created(`<join id1="c" id2="a"/>`+after("30s", "end")), want: []string{"conference.joined"}, told: []string{"conference", "/sounds/a.wav"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := &orders{}
			test.options.Refuses = told.refused
			x := sitetest.New(t, sitetest.WithSwitch(test.options), sitetest.WithSettings(test.with))
			x.Switch.Callee("200", switchsim.Answers{})
			x.Switch.AddSound("/sounds/a.wav", time.Second)
			if strings.Contains(test.text, "conference:hall") {
				x.StartSession(x.Transitions("hall.ccxml", hall, "a"))
				x.Must(x.Trace.Wait(x.Context(), "event conference.created"))
				x.Sleep(time.Second)
			}
			uri := x.Transitions("a.ccxml", test.text+says, test.vars)
			if strings.Contains(test.text, "connection.alerting") {
				x.Dial(uri)
			} else {
				x.StartSession(uri)
			}
			x.WaitSwitchIdle()
			for _, want := range test.want {
				if n := x.Trace.Count("log " + want); n != 1 {
					t.Errorf("%q was told %d times", want, n)
				}
			}
			if test.not != "" && x.Trace.Count("log "+test.not) > 0 {
				t.Errorf("%q was told", test.not)
			}
			if test.told != nil && told.count(test.told...) == 0 || test.untold != nil && told.count(test.untold...) > 0 {
				t.Errorf("FreeSWITCH was not told %v, or was told %v", test.told, test.untold)
			}
			if t.Failed() {
				t.Logf("%s\n%s", strings.Join(x.Trace.Lines(), "\n"), strings.Join(told.given, "\n"))
			}
		})
	}
}
