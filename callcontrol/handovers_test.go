package callcontrol_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// logs makes a document log its events, each with its name for itself.
func logs(who string) string {
	return `<transition event="connection.*"><log expr="'` + who + ` ' + event$.name + (event$.reason != undefined ? ': ' + event$.reason : '')"/></transition>
<transition event="error.*"><log expr="'` + who + ` ' + event$.name + ': ' + event$.reason"/></transition>
<transition event="move.successful"><log expr="'` + who + ` moved'"/></transition>
<transition event="end"><exit/></transition><transition event="ccxml.*"/>`
}

// TestCallsThatChangeWhileTheyMove: a call is moved to a session whose document takes
// five seconds to come. What happens to the call meanwhile, whoever has it then is told,
// once and in order.
func TestCallsThatChangeWhileTheyMove(t *testing.T) {
	const (
		create  = `<createccxml next="'http://web/guest.ccxml'" sessionid="guest"/><move source="c" sessionid="guest"/>`
		placed  = `<transition event="ccxml.loaded"><createcall dest="'tel:200'" connectionid="c"/></transition><transition event="connection.progressing">` + create + `</transition>`
		ringing = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/>` + create + `</transition>`
		waiting = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/>` + create + `</transition>`
		leaves  = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/>` + create + `<exit/></transition>`
	)
	for _, test := range []struct {
		name, host string
		fails      bool          // there is no document
		answers    time.Duration // after which the callee answers
		hangsUp    time.Duration // after which the far end does; 0 is at the end of the test
		want       []string      // logged, in this order, and nothing else
	}{
		{name: "a placed call is answered", host: placed, answers: 3 * time.Second,
			want: []string{"guest connection.connected", "host moved", "guest connection.disconnected: NORMAL_CLEARING"}},
		{name: "a placed call is answered and stays", host: placed, answers: 3 * time.Second, fails: true,
			want: []string{"host error.createccxml: *", "host error.move: *", "host connection.connected", "host connection.disconnected: NORMAL_CLEARING"}},
		{name: "a placed call is answered and ends", host: placed, answers: 2 * time.Second, hangsUp: 4 * time.Second,
			want: []string{"host error.move: *: the call has ended", "host connection.connected", "host connection.disconnected: NORMAL_CLEARING"}},
		{name: "a placed call is answered and ends and would have stayed", host: placed, answers: 2 * time.Second, hangsUp: 4 * time.Second, fails: true,
			want: []string{"host error.createccxml: *", "host error.move: *", "host connection.connected", "host connection.disconnected: NORMAL_CLEARING"}},
		{name: "a caller is answered", host: waiting,
			want: []string{"guest connection.connected", "host moved", "guest connection.disconnected: NORMAL_CLEARING"}},
		{name: "a caller is answered and stays", host: waiting, fails: true,
			want: []string{"host error.createccxml: *", "host error.move: *", "host connection.connected", "host connection.disconnected: NORMAL_CLEARING"}},
		{name: "a caller is answered and hangs up", host: waiting, hangsUp: 3 * time.Second,
			want: []string{"host error.move: *: the call has ended", "host connection.connected", "host connection.disconnected: NORMAL_CLEARING"}},
		{name: "a caller gives up", host: ringing, hangsUp: 3 * time.Second,
			want: []string{"host error.move: *: the call has ended", "host connection.failed: *"}},
		{name: "a caller gives up and would have stayed", host: ringing, hangsUp: 3 * time.Second, fails: true,
			want: []string{"host error.createccxml: *", "host error.move: *", "host connection.failed: *"}},
		{name: "the giver ends", host: leaves,
			want: []string{"guest connection.alerting", "guest connection.failed: *"}},
		{name: "the giver ends and the caller gives up", host: leaves, hangsUp: 3 * time.Second,
			want: []string{"guest connection.alerting", "guest connection.failed: *"}},
		{name: "the giver ends and there is no taker", host: leaves, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := sitetest.New(t, sitetest.AllowDocuments("http://web"))
			x.Handle("web", func(w http.ResponseWriter, r *http.Request) {
				clock.Sleep(r.Context(), x.Clock, 5*time.Second)
				if test.fails {
					http.NotFound(w, r)
					return
				}
				fmt.Fprint(w, `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>
<transition event="ccxml.loaded"><send target="session.id" targettype="'ccxml'" name="'end'" delay="'60s'"/></transition>`+logs("guest")+`</eventprocessor></ccxml>`)
			})
			x.Switch.Callee("200", switchsim.Answers{After: test.answers})
			uri := x.Transitions("host.ccxml", test.host+logs("host"), "c guest")
			var party *switchsim.Party
			if strings.Contains(test.host, "createcall") {
				x.StartSession(uri)
				var err error
				party, err = x.Switch.WaitCallee(x.Context(), "200")
				x.Must(err)
			} else {
				party = x.Dial(uri)
			}
			x.Sleep(test.hangsUp)
			if test.hangsUp == 0 {
				x.Sleep(20 * time.Second)
			}
			party.Hangup()
			x.Sleep(30 * time.Second)
			var told []string
			for _, line := range x.Trace.Lines() {
				if text, ok := strings.CutPrefix(line, "log "); ok {
					told = append(told, text)
				}
			}
			if len(told) != len(test.want) {
				t.Fatalf("told %q,\nwant %q", told, test.want)
			}
			for i, want := range test.want {
				start, end, any := strings.Cut(want, "*")
				if told[i] != want && !(any && strings.HasPrefix(told[i], start) && strings.HasSuffix(told[i], end)) {
					t.Errorf("told %q,\nwant %q", told, test.want)
					break
				}
			}
		})
	}
}
