package callcontrol_test

import (
	"slices"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// pairOfDaemons is a site with two daemons that share a switch and Redis, of which the
// first one has the calls.
func pairOfDaemons(t *testing.T, options ...sitetest.Option) (one, other *sitetest.Site) {
	t.Helper()
	one = sitetest.New(t, options...)
	return one, anotherDaemon(one)
}

// written waits until what has happened so far is in Redis.
func written(s *sitetest.Site) { s.Sleep(time.Second) }

// untilWritten lets the first daemon write what has happened, and kills it.
func untilWritten(one *sitetest.Site) {
	written(one)
	one.Kill()
}

// TestDrainHandsOver: a daemon that is to end leaves its sessions to another one, at once and
// without a word to FreeSWITCH; talks go on.
func TestDrainHandsOver(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	one.Switch.Callee("200", switchsim.Answers{})
	bridge := one.Transitions("bridge", `
		<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
		<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" joinid="a"/></transition>
		<transition event="connection.connected"><log expr="'joined'"/></transition>
		<transition event="ccxml.resumed"><log expr="'bridge resumed'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`, "a")
	prompt := one.Transitions("prompt", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'tone_stream://%(60000,0,440)'" type="'audio/wav'"/></transition>
		<transition event="dialog.started"><log expr="'started'"/></transition>
		<transition event="ccxml.resumed"><log expr="'prompt resumed'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`)
	talker, listener := one.DialFrom("100", bridge), one.DialFrom("101", prompt)
	one.WaitLog("joined")
	one.WaitLog("started")
	begun := one.Clock.Now()
	one.Daemon.Drain("a test")
	one.Must(one.DaemonLog.WaitText(one.Context(), "drained: the sessions go on"))
	one.Stop()
	other.WaitLog("bridge resumed")
	other.WaitLog("prompt resumed")
	if took := other.Clock.Now().Sub(begun); took > 5*time.Second {
		t.Errorf("it took %s, so that somebody has waited for a lease", took)
	}
	if !slices.Equal(talker.Hears(), []string{"200"}) {
		t.Errorf("who talks hears %v", talker.Hears())
	}
	other.WaitUntil("the prompt plays again", func() bool { return len(listener.Heard()) == 2 })
	talker.Hangup()
	listener.Hangup()
	other.WaitSwitchIdle()
}

// TestTakeOverOfADialog: the prompt plays again, the document is not told twice that it has
// started, and its variables are as they were.
func TestTakeOverOfADialog(t *testing.T) {
	t.Parallel()
	for _, hint := range []string{"", ` hints="{takeover: 'exit'}"`} {
		one, other := pairOfDaemons(t)
		document := one.Transitions("dialog", `
			<transition event="connection.alerting"><accept/></transition>
			<transition event="connection.connected"><assign name="called" expr="{number: event$.connection.remote}"/>
				<dialogstart src="'tone_stream://%(60000,0,440)'" type="'audio/wav'"`+hint+`/></transition>
			<transition event="dialog.started"><log expr="'started'"/></transition>
			<transition event="dialog.exit"><log expr="'exit ' + event$.reason"/></transition>
			<transition event="ccxml.resumed"><log expr="'resumed ' + (event$.from != event$.controller)"/></transition>
			<transition event="connection.signal"><log expr="'digit ' + event$.info.value + ' ' + called.number"/></transition>
			<transition event="connection.disconnected"><log expr="'disconnected'"/><exit/></transition>`, "called")
		party := one.Dial(document)
		one.WaitLog("started")
		untilWritten(one)
		other.WaitLog("resumed true")
		if hint != "" {
			other.WaitLog("exit controller")
		} else {
			other.WaitUntil("the prompt plays again", func() bool { return len(party.Heard()) == 2 })
		}
		if other.Trace.Has("log started") {
			t.Error("the document was told twice that its dialog has started")
		}
		other.Sleep(time.Second) // what is pressed before the leg has come is lost
		party.Press("7")
		other.Must(other.Trace.WaitText(other.Context(), "log digit 7 sip:4075550100@127.0.0.1"))
		party.Hangup()
		other.WaitLog("disconnected")
		other.WaitSwitchIdle()
	}
}

// TestTakeOverOfABridge: two who talk go on talking, and the end of the bridge is told and
// done as ever.
func TestTakeOverOfABridge(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"caller hangs up", "callee hangs up", "unjoin"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			one, other := pairOfDaemons(t)
			one.Switch.Callee("200", switchsim.Answers{})
			document := one.Transitions("bridge", `
				<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
				<transition state="" event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
				<transition event="connection.connected"><join id1="a" id2="b"/></transition>
				<transition event="conference.joined"><log expr="'joined'"/></transition>
				<transition event="conference.unjoined"><log expr="'unjoined'"/><dialogstart connectionid="a" src="'tone_stream://%(60000,0,440)'" type="'audio/wav'"/></transition>
				<transition event="dialog.started"><log expr="'dialog'"/></transition>
				<transition event="ccxml.resumed"><log expr="'resumed ' + (session.connections[a].input == b)"/></transition>
				<transition event="connection.signal"><log expr="'digit ' + event$.info.value"/><unjoin id1="a" id2="b"/></transition>
				<transition event="connection.disconnected"><log expr="'disconnected ' + (event$.connectionid == a)"/><exit/></transition>`, "a", "b")
			caller := one.Dial(document)
			callee, err := one.Switch.WaitCallee(one.Context(), "200")
			one.Must(err)
			one.WaitLog("joined")
			talk := func() bool { return slices.Equal(caller.Hears(), []string{"200"}) }
			one.WaitUntil("they talk", talk)
			untilWritten(one)
			if !talk() {
				t.Error("they do not talk on when the controller is gone")
			}
			other.WaitLog("resumed true")
			other.Sleep(time.Second)
			if !talk() {
				t.Error("they do not talk on when the session was taken over")
			}
			switch end {
			case "caller hangs up":
				caller.Hangup()
				other.WaitLog("disconnected true")
			case "callee hangs up":
				callee.Hangup()
				other.WaitLog("disconnected false")
			case "unjoin":
				caller.Press("1")
				other.WaitLog("unjoined")
				other.WaitLog("dialog")
				other.Must(caller.WaitHeard(other.Context(), "tone_stream"))
				caller.Hangup()
			}
			other.WaitSwitchIdle()
		})
	}
}

// TestTakeOverOfAConference: members stay where they are, the registry knows who has them
// now, and what they do is told.
func TestTakeOverOfAConference(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	document := one.Transitions("conference", `
		<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
		<transition event="connection.connected"><createconference confname="'room'" conferenceid="room"/></transition>
		<transition event="conference.created"><join id1="c" id2="room"/></transition>
		<transition event="conference.joined"><log expr="'joined ' + event$.members"/></transition>
		<transition event="conference.unjoined"><log expr="'unjoined'"/></transition>
		<transition event="ccxml.resumed"><log expr="'resumed ' + (session.connections[c].input == room)"/></transition>
		<transition event="connection.signal"><log expr="'digit ' + event$.info.value"/><unjoin id1="c" id2="room"/></transition>
		<transition event="connection.disconnected"><log expr="'disconnected'"/><exit/></transition>`, "c", "room")
	first, second := one.DialFrom("100", document), one.DialFrom("101", document)
	one.WaitLog("joined 2")
	untilWritten(one)
	other.WaitUntil("both are resumed", func() bool { return other.Trace.Count("log resumed true") == 2 })
	if !slices.Equal(first.Hears(), []string{"101"}) || !slices.Equal(second.Hears(), []string{"100"}) {
		t.Errorf("the first one hears %v, the second one %v", first.Hears(), second.Hears())
	}
	other.Sleep(time.Minute) // what the dead controller held is over
	first.Press("3")
	other.WaitLog("digit 3")
	other.WaitLog("unjoined")
	third := other.DialFrom("102", document)
	other.WaitUntil("they hear each other", func() bool { return slices.Equal(third.Hears(), []string{"101"}) })
	for _, party := range []*switchsim.Party{first, second, third} {
		party.Hangup()
	}
	other.WaitSwitchIdle()
	if n := other.Daemon.Conferences.Held(); n > 0 {
		t.Errorf("%d conferences are held still", n)
	}
}

// TestTakeOverOfACall: a call that rings is placed once, and is the document's when it is
// answered after the controller was killed, or before somebody has taken it over.
func TestTakeOverOfACall(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"later": 30 * time.Second, "meanwhile": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, other := pairOfDaemons(t)
			one.Switch.Callee("200", switchsim.Answers{After: after})
			document := one.Transitions("call", `
				<transition event="ccxml.loaded"><createcall dest="'tel:200'" connectionid="c"/></transition>
				<transition event="connection.progressing"><log expr="'rings'"/></transition>
				<transition event="ccxml.resumed"><log expr="'resumed'"/></transition>
				<transition event="connection.connected"><log expr="'answered ' + (event$.connectionid == c)"/>
					<dialogstart connectionid="c" src="'tone_stream://%(60000,0,440)'" type="'audio/wav'"/></transition>
				<transition event="dialog.started"><log expr="'dialog'"/></transition>
				<transition event="connection.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>`, "c")
			one.StartSession(document)
			callee, err := one.Switch.WaitCallee(one.Context(), "200")
			one.Must(err)
			one.WaitLog("rings")
			untilWritten(one)
			other.WaitLog("answered true")
			other.WaitLog("dialog")
			callee.Hangup()
			other.Must(other.Trace.WaitText(other.Context(), "log connection.disconnected"))
			other.WaitSwitchIdle()
		})
	}
}

// TestTakeOverOfATimer: a session that waits has its delayed sends at their time, once.
func TestTakeOverOfATimer(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	one.StartSession(one.Transitions("timer", `
		<transition event="ccxml.loaded"><assign name="begun" expr="new Date()"/>
			<send name="'soon'" target="session.id" targettype="'ccxml'" delay="'5s'"/>
			<send name="'later'" target="session.id" targettype="'ccxml'" delay="'300s'"/></transition>
		<transition event="soon"><log expr="'soon'"/></transition>
		<transition event="later"><log expr="'later ' + Math.round((new Date() - begun) / 1000)"/><exit/></transition>`, "begun"))
	one.Sleep(time.Second)
	untilWritten(one)
	other.WaitLog("soon") // which was due while nobody had the session
	other.WaitLog("later 300")
	other.WaitIdle()
	if n := other.Trace.Count("log soon") + one.Trace.Count("log soon"); n != 1 {
		t.Errorf("it came %d times", n)
	}
}

// TestTakeOverOfWhatIsGone: a session hears of a call that ended while nobody had it.
func TestTakeOverOfWhatIsGone(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	party := one.Dial(one.Transitions("gone", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><log expr="'connected'"/></transition>
		<transition event="ccxml.resumed"><log expr="'resumed'"/></transition>
		<transition event="connection.disconnected"><log expr="'disconnected'"/><exit/></transition>`))
	one.WaitLog("connected")
	untilWritten(one)
	party.Hangup()
	other.WaitLog("disconnected")
	other.CheckOrder("log disconnected")
	other.WaitSwitchIdle()
}

// TestTakeOverOfAnAnalysis: that nobody is known to have answered is told, since what was
// heard is lost.
func TestTakeOverOfAnAnalysis(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	one.Switch.Callee("200", switchsim.Answers{}) // and says nothing
	one.StartSession(one.Document("out.ccxml", analysed("200", "")))
	callee, err := one.Switch.WaitCallee(one.Context(), "200")
	one.Must(err)
	one.Must(callee.WaitAnswered(one.Context()))
	untilWritten(one)
	if one.Trace.Has("log 200 is unknown") {
		t.Fatal("it was over before the controller was lost")
	}
	other.WaitLog("200 is unknown")
	callee.Hangup()
	other.WaitSwitchIdle()
}

// TestTakeOverBeforeTheLeaseEnds: a controller whose port refuses is not waited for.
func TestTakeOverBeforeTheLeaseEnds(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	party := one.Dial(one.Transitions("call", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'tone_stream://%(60000,0,440)'" type="'audio/wav'"/></transition>
		<transition event="dialog.started"><log expr="'connected'"/></transition>
		<transition event="ccxml.resumed"><log expr="'resumed'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`))
	one.WaitLog("connected")
	one.Sleep(5 * time.Second) // for the other one to see its port
	begun := one.Clock.Now()
	untilWritten(one)
	other.WaitLog("resumed")
	if took := other.Clock.Now().Sub(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	party.Hangup()
	other.WaitSwitchIdle()
}
