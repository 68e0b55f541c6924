package callcontrol_test

import (
	"testing"
	"time"

	"ccxmld/sitetest"
)

// pairOfDaemons is a site with two daemons that share a switch and Redis, of which the
// first one has the calls.
func pairOfDaemons(t *testing.T, options ...sitetest.Option) (one, other *sitetest.Site) {
	t.Helper()
	one = sitetest.New(t, options...)
	other = one.AddDaemon()
	other.WaitLinks()
	return one, other
}

// written waits until what has happened so far is in Redis.
func written(s *sitetest.Site) { s.Sleep(time.Second) }

// TestTakeOver: what a session was in when its controller was killed goes on with another
// one, and the document notices nothing but ccxml.resumed.
func TestTakeOver(t *testing.T) {
	t.Run("in a dialog", func(t *testing.T) {
		one, other := pairOfDaemons(t)
		document := one.Transitions("dialog", `
			<transition event="connection.alerting"><accept/></transition>
			<transition event="connection.connected"><assign name="called" expr="event$.connection.remote"/>
				<dialogstart src="'tone_stream://%(60000,0,440)'" type="'audio/wav'"/></transition>
			<transition event="dialog.started"><log expr="'started'"/></transition>
			<transition event="ccxml.resumed"><log expr="'resumed ' + typeof called + ' ' + event$.from"/></transition>
			<transition event="connection.signal"><log expr="'digit ' + event$.info.value + ' ' + called"/></transition>
			<transition event="connection.disconnected"><log expr="'disconnected'"/><exit/></transition>`, "called")
		party := one.Dial(document)
		one.WaitLog("started")
		written(one)
		one.Kill()
		other.Must(other.Trace.WaitText(other.Context(), "log resumed string"))
		other.WaitUntil("the prompt plays again", func() bool { return len(party.Heard()) == 2 })
		if other.Trace.Has("log started") {
			t.Error("the document was told twice that its dialog has started")
		}
		party.Press("7")
		other.Must(other.Trace.WaitText(other.Context(), "log digit 7"))
		party.Hangup()
		other.WaitLog("disconnected")
		other.WaitSwitchIdle()
	})
}
