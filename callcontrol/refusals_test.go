package callcontrol_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// orders are what a switch is told, some of which it refuses.
type orders struct {
	refuses string // what stands in those that it refuses; "" is none
	times   int    // how often; 0 is always

	mu    sync.Mutex
	words string // at the end of a refusal
	given []string
}

// refused gives the words of a refusal (switchsim.Options.Refuses).
func (o *orders) refused(name, argument string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	line := name + " " + argument
	o.given = append(o.given, line)
	if o.refuses == "" || !strings.Contains(line, o.refuses) || o.times < 0 {
		return ""
	}
	if o.times > 0 {
		if o.times--; o.times == 0 {
			o.times = -1
		}
	}
	return "REFUSED" + o.words
}

// refuse has other ones refused from now on, which the refusal names.
func (o *orders) refuse(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuses, o.words = text, text
}

// count tells how many there were with all of some texts.
func (o *orders) count(texts ...string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
next:
	for _, line := range o.given {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue next
			}
		}
		n++
	}
	return n
}

// first gives the first one with a text.
func (o *orders) first(text string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, line := range o.given {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

const (
	// withCaller is a document whose caller is the connection c, and is answered.
	withCaller = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>`
	// withCallee has it call d then.
	withCallee = withCaller + `<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:200'" connectionid="d"/></transition>`
)

// then is what a document does on an event.
func then(event, does string) string {
	return `<transition event="` + event + `">` + does + `</transition>`
}

// TestRefusedByFreeSWITCH: what FreeSWITCH refuses the document hears of in FreeSWITCH's
// words, once, and the connections are what they were and can be joined again.
func TestRefusedByFreeSWITCH(t *testing.T) {
	const play = `<dialogstart connectionid="c" src="'/sounds/a.wav'" type="'audio/wav'"/>`
	for _, test := range []struct {
		name       string
		refuses    string
		times      int
		with       map[string]string
		vars, text string
		want       []string // logged, once each; % is the refusal
		not        string
		warned     string   // a warning in the log
		told       []string // FreeSWITCH was told a command with these words, in one
	}{
		{name: "a connection hears another one", refuses: "eavesdrop ", times: 1, vars: "c d",
			text: withCallee + then("connection.connected", `<join id1="c" id2="d" duplex="'half'"/>`+after("20s", "again")+after("40s", "end")) +
				then("again", `<join id1="c" id2="d"/>`),
			want: []string{"error.conference.join: %", "conference.joined"}, told: []string{"uuid_transfer", "park"}},
		{name: "a member enters a conference", refuses: "conference ccxmld", times: 1, vars: "c room",
			text: withCaller + then("connection.connected", `<createconference conferenceid="room"/>`) +
				then("conference.created", `<join id1="c" id2="room"/>`+after("20s", "again")+after("40s", "end")) + then("again", `<join id1="c" id2="room"/>`),
			want: []string{"error.conference.join: %", "conference.joined"}},
		{name: "two connections are bridged", refuses: "uuid_bridge", times: 1, vars: "c d",
			text: withCallee + then("connection.connected", `<join id1="c" id2="d"/>`+after("20s", "again")+after("40s", "end")) + then("again", `<join id1="c" id2="d"/>`),
			want: []string{"error.conference.join: %", "conference.joined"}},
		{name: "two conferences are joined", refuses: "originate", vars: "a b",
			text: twoRooms + after("10s", "end") + `</transition>`,
			want: []string{"error.conference.join: FreeSWITCH could not join them (REFUSED); is mod_loopback loaded?"}},
		{name: "a bridge ends", refuses: "uuid_transfer", vars: "c d",
			text: withCallee + then("connection.connected", `<join id1="c" id2="d"/>`+after("20s", "part")+after("60s", "end")) + then("part", `<unjoin id1="c" id2="d"/>`),
			want: []string{"conference.joined", "conference.unjoined", "connection.disconnected: local; c", "connection.disconnected: local; d"}},
		{name: "a caller is accepted", refuses: "answer", vars: "c",
			text: withCaller + then("connection.accept.failed", `<log expr="'not accepted: ' + event$.reason"/><reject connectionid="c"/>`+after("20s", "end")),
			want: []string{"not accepted: %"}},
		{name: "a caller is sent elsewhere", refuses: "redirect", vars: "c",
			text: then("connection.alerting", `<assign name="c" expr="event$.connectionid"/><redirect connectionid="c" dest="'sip:5@there'"/>`+after("20s", "end")),
			want: []string{"connection.redirect.failed: %"}, not: "connection.redirect.failed: the far end"},
		{name: "an answered caller is sent elsewhere", refuses: "uuid_deflect", vars: "c",
			text: withCaller + then("connection.connected", `<redirect connectionid="c" dest="'sip:5@there'"/>`+after("20s", "end")),
			want: []string{"connection.redirect.failed: %"}, not: "connection.redirect.failed: the far end"},
		{name: "an answered caller is sent elsewhere and sent again", refuses: "uuid_deflect", times: 1, vars: "c",
			text: withCaller + then("connection.connected", `<redirect connectionid="c" dest="'sip:5@there'"/>`) +
				then("connection.redirect.failed", `<log expr="'not sent: ' + event$.reason"/><redirect connectionid="c" dest="'sip:6@there'"/>`+after("20s", "end")),
			want: []string{"not sent: %"}, told: []string{"uuid_deflect", "sip:6@there"}},
		{name: "a leg is set up", refuses: "uuid_setvar_multi", times: 1, vars: "c",
			text: withCaller + then("connection.connected", play+after("20s", "end")), want: []string{"dialog.exit"}, warned: "leg could not be set up"},
		{name: "a prompt plays", refuses: "playback", vars: "c",
			text: withCaller + then("connection.connected", play+after("20s", "end")), want: []string{"error.dialog.notstarted: "}},
		{name: "a member leaves", refuses: "kick", vars: "c room",
			text: withCaller + then("connection.connected", `<createconference conferenceid="room"/>`) + then("conference.created", `<join id1="c" id2="room"/>`) +
				then("conference.joined", after("5s", "part")+after("30s", "end")) + then("part", `<unjoin id1="c" id2="room"/>`) +
				then("conference.unjoined", `<log expr="'unjoined'"/>`+play),
			want: []string{"unjoined", "dialog.exit"}},
		{name: "a recording begins twice", refuses: "uuid_record", times: 2, vars: "c file",
			text: withCaller + then("connection.connected", `<assign name="file" expr="session.connections[c]._RecordCall(100, 'x')"/>`+after("5s", "again")+after("9s", "end")) +
				then("again", `<log expr="'another: ' + (session.connections[c]._RecordCall(100, 'x') != file)"/>`),
			want: []string{"another: true"}},
		{name: "a recording begins once", refuses: "uuid_record", times: 1, vars: "c file",
			text: withCaller + then("connection.connected", `<assign name="file" expr="session.connections[c]._RecordCall(100, 'x')"/>`+after("5s", "again")+after("9s", "end")) +
				then("again", `<log expr="'the same: ' + (session.connections[c]._RecordCall(100, 'x') == file)"/>`),
			want: []string{"the same: true"}},
		{name: "two connections are merged", refuses: "hangup_after_bridge=true", vars: "c d",
			text: withCallee + then("connection.connected", `<merge connectionid1="c" connectionid2="d"/>`+after("20s", "again")+after("40s", "end")) + then("again", `<join id1="c" id2="d"/>`),
			want: []string{"connection.merge.failed: the two were not merged: %", "conference.joined"}},
		{name: "a member of a conference turns to a connection", refuses: "loopback/", vars: "c d room", // which FreeSWITCH calls by a leg of its own
			text: withCallee + then("connection.connected", `<createconference conferenceid="room"/>`) +
				then("conference.created", `<join id1="c" id2="room"/>`) +
				`<transition event="conference.joined" cond="event$.id2 == room"><log expr="'in the room'"/><join id1="c" id2="d" duplex="'half'"/>` + after("30s", "end") + `</transition>`,
			want: []string{"in the room", "conference.joined", "conference.unjoined"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := &orders{refuses: test.refuses, times: test.times}
			x := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Refuses: told.refused}), sitetest.WithSettings(test.with))
			x.Switch.Callee("200", switchsim.Answers{})
			x.Switch.AddSound("/sounds/a.wav", time.Second)
			uri := x.Transitions("a.ccxml", test.text+
				then("connection.disconnected", `<log expr="event$.name + ': ' + event$.trigger + '; ' + (event$.connectionid == c ? 'c' : 'd')"/>`)+says, test.vars)

			if strings.Contains(test.text, "connection.alerting") {
				x.Dial(uri)
			} else {
				x.StartSession(uri)
			}
			x.WaitSwitchIdle()
			for _, want := range test.want {
				want = strings.Replace(want, "%", "esl: FreeSWITCH answered -ERR REFUSED", 1)
				if n := x.Trace.Count("log " + want); n != 1 {
					t.Errorf("%q was told %d times", want, n)
				}
			}
			if test.not != "" && x.Trace.Count("log "+test.not) > 0 {
				t.Errorf("%q was told", test.not)
			}
			if test.warned != "" && !x.DaemonLog.Has(test.warned) {
				t.Errorf("not warned: %s", test.warned)
			}
			if test.told != nil && told.count(test.told...) == 0 {
				t.Errorf("FreeSWITCH was not told %v", test.told)
			}
			if t.Failed() {
				t.Logf("%s\n%s", strings.Join(x.Trace.Lines(), "\n"), strings.Join(told.given, "\n"))
			}
		})
	}
}
