package callcontrol_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// jobs makes the switch do so with jobs of this name that an argument has a text of.
func jobs(fate switchsim.JobFate, name, text string) func(name, argument string) switchsim.JobFate {
	return func(job, argument string) switchsim.JobFate {
		if job == name && strings.Contains(argument, text) {
			return fate
		}
		return switchsim.JobDone
	}
}

// idle makes the switch take commands and do nothing about them.
func idle(command string) func(name, argument string) bool {
	return func(name, argument string) bool {
		return strings.Contains(" "+name+" "+argument+" ", " "+command+" ")
	}
}

// first makes the switch take a command and do nothing about it so many times.
func first(times int32, command string) func(name, argument string) bool {
	var n atomic.Int32
	is := idle(command)
	return func(name, argument string) bool { return is(name, argument) && n.Add(1) <= times }
}

// after lets a document get an event from itself after a time.
func after(delay, name string) string {
	return `<send target="session.id" targettype="'ccxml'" name="'` + name + `'" delay="'` + delay + `'"/>`
}

// twoRooms is a document without a call that has two conferences.
const twoRooms = `<transition event="ccxml.loaded"><createconference conferenceid="a"/><createconference conferenceid="b"/></transition>
<transition event="conference.created" cond="event$.conferenceid == b"><join id1="a" id2="b"/>`

// says logs what comes of it.
const says = `<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/></transition>
<transition event="connection.*"><log expr="event$.name + ': ' + event$.reason + '; ' + event$.detail"/></transition>
<transition event="conference.*"><log expr="event$.name"/></transition>
<transition event="dialog.*"><log expr="event$.name"/></transition>
<transition event="end"><exit/></transition>`

// TestFaultsOfTheSwitch: what FreeSWITCH does not do, does late or cannot do ends in the
// document's event, once, and no call of it is left.
func TestFaultsOfTheSwitch(t *testing.T) {
	const c, dial = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>`,
		`<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:200'" connectionid="d"/></transition>`
	for _, test := range []struct {
		name       string
		options    switchsim.Options
		with       map[string]string
		vars, text string
		act        func(*sitetest.Site, *switchsim.Party)
		want       []string // logged once each
		not        string
	}{
		{name: "two conferences unjoined before they are joined", options: switchsim.Options{Job: jobs(switchsim.JobKept, "originate", "conference")},
			vars: "a b", text: twoRooms + after("1s", "unjoin") + after("9s", "end") + `</transition><transition event="unjoin"><unjoin id1="a" id2="b"/></transition>`,
			act: func(c *sitetest.Site, _ *switchsim.Party) { // and FreeSWITCH makes it all the same
				c.Must(c.Trace.WaitText(c.Context(), "unjoined, or joined again, before"))
				if c.Switch.ReleaseJobs() != 1 {
					c.Error("nothing was kept")
				}
			},
			want: []string{"error.conference.join: the conferences were unjoined, or joined again, before", "error.conference.unjoin: the two are not joined yet"}},
		{name: "two conferences joined again before they are joined", options: switchsim.Options{Job: jobs(switchsim.JobUntold, "originate", "conference")},
			vars: "a b", text: twoRooms + after("1s", "again") + after("30s", "end") + `</transition><transition event="again"><join id1="b" id2="a"/></transition>`,
			act: func(c *sitetest.Site, _ *switchsim.Party) {
				c.Must(c.Trace.WaitText(c.Context(), "unjoined, or joined again, before"))
				c.Sleep(time.Second)
				c.Switch.ReleaseJobs()
			},
			want: []string{"error.conference.join: the conferences were unjoined, or joined again, before", "conference.joined"}},
		{name: "two conferences unjoined", vars: "a b",
			text: twoRooms + after("1s", "unjoin") + after("9s", "end") + `</transition><transition event="unjoin"><unjoin id1="a" id2="b"/></transition>`,
			want: []string{"conference.joined", "conference.unjoined"}, not: "error"},
		{name: "two conferences whose session ends before they are joined", options: switchsim.Options{Job: jobs(switchsim.JobUntold, "originate", "conference")},
			vars: "a b", text: twoRooms + after("1s", "end") + `</transition>`,
			act: func(c *sitetest.Site, _ *switchsim.Party) {
				c.Must(c.Daemon.Controller.WaitIdle(c.Context()))
				c.Switch.ReleaseJobs()
			}},
		{name: "two conferences joined while the link is down", vars: "a b",
			text: `<transition event="ccxml.loaded"><createconference conferenceid="a"/><createconference conferenceid="b"/>` + after("10s", "join") + after("60s", "end") + `</transition>
<transition event="join"><join id1="a" id2="b"/></transition>`,
			act:  func(c *sitetest.Site, _ *switchsim.Party) { c.Sleep(9990 * time.Millisecond); c.Switch.CloseLinks() },
			want: []string{"error.conference.join: "}, not: "conference.joined"},
		{name: "a call placed while the link is down", vars: "d",
			text: `<transition event="ccxml.loaded">` + after("10s", "call") + after("60s", "end") + `</transition><transition event="call"><createcall dest="'tel:200'" connectionid="d"/></transition>`,
			act:  func(c *sitetest.Site, _ *switchsim.Party) { c.Sleep(9990 * time.Millisecond); c.Switch.CloseLinks() },
			want: []string{"connection.failed: "}},
		{name: "a dialog on a conference while the link is down", vars: "a",
			text: `<transition event="ccxml.loaded"><createconference conferenceid="a"/>` + after("10s", "say") + after("60s", "end") + `</transition>
<transition event="say"><dialogstart conferenceid="a" src="'data:,hello'" type="'text/plain'"/></transition>`,
			act:  func(c *sitetest.Site, _ *switchsim.Party) { c.Sleep(9990 * time.Millisecond); c.Switch.CloseLinks() },
			want: []string{"error.dialog.notstarted: "}, not: "dialog.started"},
		{name: "more calls than may wait", with: map[string]string{"LIMITS_ORIGINATES_WAITING": "1", "LIMITS_ORIGINATES_PER_SECOND": "1"}, vars: "d1 d2 d3 d4",
			text: `<transition event="ccxml.loaded">` + after("30s", "end") + `<createcall dest="'tel:200'" connectionid="d1"/><createcall dest="'tel:200'" connectionid="d2"/><createcall dest="'tel:200'" connectionid="d3"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ' ' + (event$.connectionid == d3) + ' ' + event$.detail"/></transition>`,
			want: []string{"unreachable true no FreeSWITCH node takes a call (sim: 1 calls wait for their turn there already"}},
		{name: "a merge that does not happen", options: switchsim.Options{Idle: idle("uuid_bridge")}, vars: "c d",
			text: c + dial + `<transition event="connection.connected"><merge connectionid1="c" connectionid2="d"/>` + after("40s", "end") + `</transition>`,
			want: []string{"connection.merge.failed: the two were not merged: FreeSWITCH did not bridge within 10s"}},
		{name: "a bridge that is made at the second time", options: switchsim.Options{Idle: first(1, "uuid_bridge")}, vars: "c d",
			text: c + dial + `<transition event="connection.connected"><join id1="c" id2="d"/></transition>` + then("error.conference.join", `<log expr="'not joined'"/><join id1="c" id2="d"/>`) +
				then("conference.joined", `<log expr="'joined'"/>`+after("10s", "end")),
			want: []string{"not joined", "joined"}, not: "conference.unjoined"},
		{name: "a hangup that is done at the third time", options: switchsim.Options{Idle: first(2, "uuid_kill")}, vars: "c",
			text: c + `<transition event="connection.connected"><disconnect connectionid="c"/></transition>` + then("connection.disconnected", `<log expr="event$.reason"/><exit/>`), want: []string{"NORMAL_CLEARING"}},
		{name: "a hangup that is done at the second time while the link is down", options: switchsim.Options{Idle: first(1, "uuid_kill")}, vars: "c",
			text: c + `<transition event="connection.connected">` + after("5s", "hang.up") + `</transition><transition event="hang.up"><log expr="'hangs up'"/><disconnect connectionid="c"/></transition>` +
				then("connection.disconnected", `<log expr="event$.reason"/><exit/>`),
			act: func(c *sitetest.Site, _ *switchsim.Party) { c.Sleep(2 * time.Second); c.Switch.CloseLinks() }, want: []string{"NORMAL_CLEARING"}},
		{name: "a hangup that is never done and no link", with: map[string]string{"NODES": "[]"}, options: switchsim.Options{Idle: idle("uuid_kill")}, vars: "c",
			text: c + `<transition event="connection.connected"><disconnect connectionid="c"/></transition>` + then("connection.disconnected", `<log expr="event$.detail"/><exit/>`),
			act: func(c *sitetest.Site, caller *switchsim.Party) {
				c.Must(c.Trace.WaitText(c.Context(), "log FreeSWITCH was told"))
				caller.Hangup()
			},
			want: []string{"FreeSWITCH was told to hang up 3 times and did not say that the call has ended"}},
		{name: "a recording that does not begin", options: switchsim.Options{Idle: idle("uuid_record")}, vars: "c",
			text: c + `<transition event="connection.connected">` + after("5s", "end") + `</transition>`},
		{name: "a connected caller that is sent away and stays", vars: "c",
			text: c + `<transition event="connection.connected"><redirect connectionid="c" dest="'sip:5@there'"/>` + after("90s", "end") + `</transition>`,
			act: func(c *sitetest.Site, caller *switchsim.Party) {
				caller.Referred(switchsim.Referral{After: time.Hour})
				c.Must(c.Trace.WaitText(c.Context(), "connection.redirect.failed"))
			},
			want: []string{"connection.redirect.failed: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := sitetest.New(t, sitetest.WithSwitch(test.options), sitetest.WithSettings(test.with))
			x.Switch.Callee("200", switchsim.Answers{})
			uri := x.Transitions("a.ccxml", test.text+says, test.vars)
			var caller *switchsim.Party
			if strings.Contains(test.text, "connection.alerting") {
				caller = x.Dial(uri)
			} else {
				x.StartSession(uri)
			}
			if test.act != nil {
				test.act(x, caller)
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
		})
	}
}

// TestReleasedLegIsHungUpAgain: FreeSWITCH is told three times to hang up a leg whose
// session has ended, and not more often.
func TestReleasedLegIsHungUpAgain(t *testing.T) {
	var told atomic.Int32
	c := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Idle: func(name, _ string) bool {
		if name == "uuid_kill" {
			told.Add(1)
		}
		return name == "uuid_kill"
	}}))
	caller := c.Dial(c.Transitions("a.ccxml", `<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><exit/></transition>`))
	c.Must(c.Trace.Wait(c.Context(), "event connection.connected"))
	c.Must(c.Daemon.Controller.WaitIdle(c.Context()))
	c.Sleep(10 * time.Millisecond)
	for _, want := range []int32{1, 2, 3, 3, 3} {
		if n := told.Load(); n != want {
			t.Errorf("after %v FreeSWITCH was told %d times, want %d", c.Clock.Now().Second(), n, want)
		}
		c.Sleep(3010 * time.Millisecond)
	}
	caller.Hangup()
	c.WaitSwitchIdle()
}

// A call whose session has ended is forgotten once FreeSWITCH has hung it up, however it
// says so: over the link, or on the socket to which the call came meanwhile.
func TestReleasedCallIsForgotten(t *testing.T) {
	t.Parallel()
	for name, ignored := range map[string]int32{"while it rings": 0, "when it has been answered": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, sitetest.WithToken("out.ccxml"), sitetest.WithSwitch(switchsim.Options{Idle: first(ignored, "uuid_kill")}))
			s.Switch.Callee("200", switchsim.Answers{After: time.Second})
			s.Transitions("out.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.progressing"><exit/></transition>`)
			s.StartToken("")
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			_, err = callee.WaitEnded(s.Context())
			s.Must(err)
			s.Sleep(500 * time.Millisecond)
			if n := s.Daemon.Controller.Connections(); n != 0 {
				t.Errorf("%d calls are remembered", n)
			}
			s.WaitSwitchIdle()
		})
	}
}
