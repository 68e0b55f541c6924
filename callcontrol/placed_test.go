package callcontrol_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestPlacedCalls: what FreeSWITCH is told of a call that a document places, and how one
// ends that FreeSWITCH, or the document, does not let come to be.
func TestPlacedCalls(t *testing.T) {
	place := func(with string) string {
		return then("ccxml.loaded", `<createcall dest="'tel:200'" connectionid="d" `+with+`/>`+after("1s", "go")+after("100s", "end"))
	}
	const hangUp = `<transition event="go"><disconnect connectionid="d"/></transition>`
	for _, test := range []struct {
		name    string
		options switchsim.Options
		with    map[string]string
		callee  switchsim.Behaviour
		text    string
		act     func(*sitetest.Site)
		want    []string // logged, once each
		not     string
		told    []string // one command of FreeSWITCH has these words
		untold  string   // and none has these
		within  time.Duration
	}{
		{name: "caller id", text: place(`callerid="'&quot;Bob B&quot; &lt;sip:4071234567@example.com&gt;'"`), told: []string{"originate", "origination_caller_id_number=4071234567", "origination_caller_id_name=Bob"}},
		{name: "caller id of a number", text: place(`callerid="'4071234567'"`), told: []string{"originate", "origination_caller_id_number=4071234567", "origination_caller_id_name=4071234567"}},
		{name: "caller id of none", text: place(`callerid="'?!'"`), untold: "origination_caller_id", want: []string{"connection.connected"}},
		{name: "codecs", text: place(`hints="{codecs: 'PCMA, PCMU'}"`), told: []string{"originate", "absolute_codec_string=", "PCMA", "PCMU"}},
		{name: "codecs that are none", text: place(`hints="{codecs: 'PCMA;x'}"`), want: []string{"connection.failed: unknown; the hint codecs is"}, untold: "originate"},
		{name: "name", text: place(`hints="{callername: 'Bob'}"`), told: []string{"originate", "origination_caller_id_name=Bob"}},
		{name: "name that is none", text: place(`hints="{callername: '&lt;&gt;'}"`), want: []string{"connection.failed: unknown; the hint callername is"}, untold: "originate"},
		{name: "privacy", text: place(`hints="{privacy: true}"`), told: []string{"originate", "origination_privacy=hide_name:hide_number:screen"}},
		{name: "no privacy", text: place(`hints="{privacy: false}"`), untold: "origination_privacy", want: []string{"connection.connected"}},
		{name: "it does not come to our socket", with: map[string]string{"ESL_ADVERTISE": "127.0.0.1:1"}, text: place(""), within: 15 * time.Second,
			want: []string{"connection.failed: unreachable; the call was answered, and did not come to the socket of ccxmld; check esl.advertise"}},
		{name: "hung up before FreeSWITCH has it", options: switchsim.Options{Job: jobs(switchsim.JobKept, "originate", "")}, callee: switchsim.Answers{After: time.Minute},
			text: place("") + hangUp + then("connection.progressing", `<log expr="'rings'"/>`),
			act:  func(c *sitetest.Site) { c.Sleep(1500 * time.Millisecond); c.Switch.ReleaseJobs() },
			want: []string{"connection.failed: disconnected"}, not: "rings", within: 3 * time.Second},
		{name: "answered after we hung up", callee: switchsim.Answers{After: 2 * time.Second},
			text: place("") + hangUp,
			want: []string{"connection.failed: disconnected"}, not: "connection.connected", told: []string{"uuid_kill", "ORIGINATOR_CANCEL"}, within: 6 * time.Second},
		{name: "answered after we hung up in vain", options: switchsim.Options{Idle: idleOnce("uuid_kill")}, callee: switchsim.Answers{After: 1500 * time.Millisecond},
			text: place("") + hangUp,
			want: []string{"connection.failed: disconnected"}, not: "connection.connected", told: []string{"uuid_kill", "NORMAL_CLEARING"}, within: 3 * time.Second},
		{name: "its session ends and it is answered all the same", options: switchsim.Options{Idle: idleOnce("uuid_kill")}, callee: switchsim.Answers{After: 1500 * time.Millisecond},
			text: place("") + then("go", `<exit/>`), within: 4 * time.Second},
		{name: "early media that is not answered", callee: switchsim.EarlyMedia{After: time.Second, AnswerAfter: -1}, text: place(`timeout="'4s'"`), within: 8 * time.Second,
			want: []string{"connection.progressing: undefined", "connection.failed: timeout"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := &orders{}
			test.options.Refuses = told.refused
			x := sitetest.New(t, sitetest.WithSwitch(test.options), sitetest.WithSettings(test.with))
			if test.callee == nil {
				test.callee = switchsim.Answers{}
			}
			x.Switch.Callee("200", test.callee)
			began := x.Clock.Now()
			x.StartSession(x.Transitions("a.ccxml", test.text+says, "d"))
			if test.act != nil {
				test.act(x)
			}
			if test.within > 0 {
				x.WaitUntil("it is over", func() bool {
					return (x.Trace.Has("event connection.failed") || x.DaemonLog.Has("session ended")) && x.Switch.Channels() == 0
				})
				if took := x.Clock.Now().Sub(began); took > test.within {
					t.Errorf("it was over after %v", took)
				}
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
			if test.told != nil && told.count(test.told...) == 0 || test.untold != "" && told.count(test.untold) > 0 {
				t.Errorf("FreeSWITCH was not told %v, or was told %v", test.told, test.untold)
			}
			if t.Failed() {
				t.Logf("%s\n%s", strings.Join(x.Trace.Lines(), "\n"), strings.Join(told.given, "\n"))
			}
		})
	}
}

// idleOnce makes the switch take a command once and do nothing about it.
func idleOnce(command string) func(name, argument string) bool {
	var once sync.Once
	return func(name, _ string) (idle bool) {
		if name == command {
			once.Do(func() { idle = true })
		}
		return idle
	}
}
