package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/conf"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// slowly makes a session handle an event a second once it has handled three: what
// happens to its calls meanwhile, its document does not know yet.
func slowly(o *sitetest.Options) {
	o.Configure = func(c *conf.Config) { c.Limits.EventsPerSecond = 1 }
}

// ticks are events that a document sends to itself.
func ticks(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(`<send target="session.id" targettype="'ccxml'" name="'` + name + `'"/>`)
	}
	return b.String()
}

// TestAskedOfWhatHasEnded: what a document asks of a call that has ended, of which it is
// not told yet, fails in its own event, or in nothing where the call's end is the answer.
func TestAskedOfWhatHasEnded(t *testing.T) {
	const ringing, connected = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/>%</transition>`,
		`<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><createconference conferenceid="room"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:200'" connectionid="d"/></transition>
<transition event="connection.connected">%</transition>`
	for _, test := range []struct {
		name, state, asks string // of the caller c and the callee d
		want, not         string
	}{
		{"accept", ringing, `<accept connectionid="c"/>`, "connection.accept.failed: ", "error"},
		{"reject", ringing, `<reject connectionid="c"/>`, "connection.reject.failed: the call is not alerting any more", "error"},
		{"redirect", ringing, `<redirect connectionid="c" dest="'tel:5'"/>`, "connection.redirect.failed: the call is gone", "error"},
		{"disconnect", connected, `<disconnect connectionid="c"/>`, "connection.disconnected: ", "error"},
		{"join", connected, `<join id1="c" id2="d"/>`, "error.conference.join: ", ""},
		{"join the other way", connected, `<join id1="d" id2="c"/>`, "error.conference.join: ", ""},
		{"be heard", connected, `<join id1="d" id2="c" duplex="'half'"/>`, "error.conference.join: ", ""},
		{"listen", connected, `<join id1="c" id2="d" duplex="'half'"/>`, "error.conference.join: ", ""},
		{"merge", connected, `<merge connectionid1="c" connectionid2="d"/>`, "connection.merge.failed: ", ""},
		{"enter a conference", connected, `<join id1="c" id2="room"/>`, "error.conference.join: ", ""},
		{"be heard in a conference", connected, `<join id1="room" id2="c" duplex="'half'"/>`, "error.conference.join: ", ""},
		{"dialog", connected, `<dialogstart connectionid="c" src="'/sounds/a.wav'" type="'audio/wav'"/>`, "error.dialog.notstarted: ", ""},
		{"redirect what is connected", connected, `<redirect connectionid="c" dest="'tel:5'"/>`, "connection.redirect.failed: ", ""},
		{"move", connected, `<move sessionid="'nobody'" source="c"/>`, "error.move: ", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := sitetest.New(t, slowly)
			c.Switch.Callee("200", switchsim.Answers{})
			c.Switch.AddSound("/sounds/a.wav", time.Second)
			caller := c.Dial(c.Transitions("a.ccxml", strings.Replace(test.state, "%", ticks("first", "ask")+`
 <send target="session.id" targettype="'ccxml'" name="'end'" delay="'40s'"/>`, 1)+`
<transition event="ask"><log expr="'asks'"/>`+test.asks+`</transition>
<transition event="end"><exit/></transition>
<transition event="connection.disconnected"><log expr="event$.name + ': ' + event$.reason"/></transition>
<transition event="connection.*.failed"><log expr="event$.name + ': ' + event$.reason"/></transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/></transition>
<transition event="*"/>`, "c d room"))
			c.Must(c.Trace.Wait(c.Context(), "event first"))
			caller.Hangup()
			c.WaitSwitchIdle()
			if c.Trace.Count("log asks") != 1 {
				t.Fatal("nothing was asked")
			}
			if n := c.Trace.Count("log " + test.want); n != 1 {
				t.Errorf("%q was told %d times", test.want, n)
			}
			if test.not != "" && c.Trace.Count("log "+test.not) > 0 {
				t.Errorf("%q was told", test.not)
			}
		})
	}
}
