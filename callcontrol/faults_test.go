package callcontrol_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
		with       settings
		vars, text string
		act        func(*calls, *switchsim.Party)
		want       []string // logged once each
		not        string
	}{
		{name: "two conferences unjoined before they are joined", options: switchsim.Options{Job: jobs(switchsim.JobKept, "originate", "conference")},
			vars: "a b", text: twoRooms + after("1s", "unjoin") + after("9s", "end") + `</transition><transition event="unjoin"><unjoin id1="a" id2="b"/></transition>`,
			act: func(c *calls, _ *switchsim.Party) { // and FreeSWITCH makes it all the same
				c.await("unjoined, or joined again, before")
				if c.Switch.ReleaseJobs() != 1 {
					c.Error("nothing was kept")
				}
			},
			want: []string{"error.conference.join: the conferences were unjoined, or joined again, before", "error.conference.unjoin: the two are not joined yet"}},
		{name: "two conferences joined again before they are joined", options: switchsim.Options{Job: jobs(switchsim.JobUntold, "originate", "conference")},
			vars: "a b", text: twoRooms + after("1s", "again") + after("30s", "end") + `</transition><transition event="again"><join id1="b" id2="a"/></transition>`,
			act: func(c *calls, _ *switchsim.Party) {
				c.await("unjoined, or joined again, before")
				c.pause(time.Second)
				c.Switch.ReleaseJobs()
			},
			want: []string{"error.conference.join: the conferences were unjoined, or joined again, before", "conference.joined"}},
		{name: "two conferences unjoined", vars: "a b",
			text: twoRooms + after("1s", "unjoin") + after("9s", "end") + `</transition><transition event="unjoin"><unjoin id1="a" id2="b"/></transition>`,
			want: []string{"conference.joined", "conference.unjoined"}, not: "error"},
		{name: "two conferences whose session ends before they are joined", options: switchsim.Options{Job: jobs(switchsim.JobUntold, "originate", "conference")},
			vars: "a b", text: twoRooms + after("1s", "end") + `</transition>`,
			act: func(c *calls, _ *switchsim.Party) {
				c.must(c.Daemon.Controller.WaitIdle(c.ctx))
				c.Switch.ReleaseJobs()
			}},
		{name: "two conferences joined while the link is down", vars: "a b",
			text: `<transition event="ccxml.loaded"><createconference conferenceid="a"/><createconference conferenceid="b"/>` + after("10s", "join") + after("60s", "end") + `</transition>
<transition event="join"><join id1="a" id2="b"/></transition>`,
			act:  func(c *calls, _ *switchsim.Party) { c.pause(9990 * time.Millisecond); c.Switch.CloseLinks() },
			want: []string{"error.conference.join: "}, not: "conference.joined"},
		{name: "a call placed while the link is down", vars: "d",
			text: `<transition event="ccxml.loaded">` + after("10s", "call") + after("60s", "end") + `</transition><transition event="call"><createcall dest="'tel:200'" connectionid="d"/></transition>`,
			act:  func(c *calls, _ *switchsim.Party) { c.pause(9990 * time.Millisecond); c.Switch.CloseLinks() },
			want: []string{"connection.failed: "}},
		{name: "a dialog on a conference while the link is down", vars: "a",
			text: `<transition event="ccxml.loaded"><createconference conferenceid="a"/>` + after("10s", "say") + after("60s", "end") + `</transition>
<transition event="say"><dialogstart conferenceid="a" src="'data:,hello'" type="'text/plain'"/></transition>`,
			act:  func(c *calls, _ *switchsim.Party) { c.pause(9990 * time.Millisecond); c.Switch.CloseLinks() },
			want: []string{"error.dialog.notstarted: "}, not: "dialog.started"},
		{name: "more calls than may wait", with: settings{"LIMITS_ORIGINATES_WAITING": "1", "LIMITS_ORIGINATES_PER_SECOND": "1"}, vars: "d1 d2 d3 d4",
			text: `<transition event="ccxml.loaded">` + after("30s", "end") + `<createcall dest="'tel:200'" connectionid="d1"/><createcall dest="'tel:200'" connectionid="d2"/><createcall dest="'tel:200'" connectionid="d3"/></transition>
<transition event="connection.failed"><log expr="event$.reason + ' ' + (event$.connectionid == d3) + ' ' + event$.detail"/></transition>`,
			want: []string{"unreachable true no FreeSWITCH node takes a call (sim: 1 calls wait for their turn there already"}},
		{name: "a merge that does not happen", options: switchsim.Options{Idle: idle("uuid_bridge")}, vars: "c d",
			text: c + dial + `<transition event="connection.connected"><merge connectionid1="c" connectionid2="d"/>` + after("40s", "end") + `</transition>`,
			want: []string{"connection.merge.failed: the two were not merged: FreeSWITCH did not bridge within 10s"}},
		{name: "a recording that does not begin", options: switchsim.Options{Idle: idle("uuid_record")}, vars: "c",
			text: c + `<transition event="connection.connected">` + after("5s", "end") + `</transition>`},
		{name: "a connected caller that is sent away and stays", vars: "c",
			text: c + `<transition event="connection.connected"><redirect connectionid="c" dest="'sip:5@there'"/>` + after("90s", "end") + `</transition>`,
			act: func(c *calls, caller *switchsim.Party) {
				caller.Referred(switchsim.Referral{After: time.Hour})
				c.await("connection.redirect.failed")
			},
			want: []string{"connection.redirect.failed: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := newCalls(t, test.options, test.with)
			x.Switch.Callee("200", switchsim.Answers{})
			uri := x.document("a.ccxml", test.vars, test.text+says)
			var caller *switchsim.Party
			if strings.Contains(test.text, "connection.alerting") {
				caller = x.dial(uri)
			} else {
				x.begin(uri)
			}
			if test.act != nil {
				test.act(x, caller)
			}
			x.over()
			for _, want := range test.want {
				if n := x.has("<log> " + want); n != 1 {
					t.Errorf("%q was told %d times", want, n)
				}
			}
			if test.not != "" && x.has("<log> "+test.not) > 0 {
				t.Errorf("%q was told", test.not)
			}
		})
	}
}

// TestReleasedLegIsHungUpAgain: FreeSWITCH is told three times to hang up a leg whose
// session has ended, and not more often.
func TestReleasedLegIsHungUpAgain(t *testing.T) {
	var told atomic.Int32
	c := newCalls(t, switchsim.Options{Idle: func(name, _ string) bool {
		if name == "uuid_kill" {
			told.Add(1)
		}
		return name == "uuid_kill"
	}}, nil)
	caller := c.dial(c.document("a.ccxml", "", `<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><exit/></transition>`))
	c.await("<event> connection.connected")
	c.must(c.Daemon.Controller.WaitIdle(c.ctx))
	c.pause(10 * time.Millisecond)
	for _, want := range []int32{1, 2, 3, 3, 3} {
		if n := told.Load(); n != want {
			t.Errorf("after %v FreeSWITCH was told %d times, want %d", c.Clock.Now().Second(), n, want)
		}
		c.pause(3010 * time.Millisecond)
	}
	caller.Hangup()
	c.over()
}
