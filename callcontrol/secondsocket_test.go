package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestLegThatComesAgain: an operator sends a leg to our socket that has one. It has one
// in the end, on which its document goes on, whatever it was doing.
func TestLegThatComesAgain(t *testing.T) {
	const play = `<dialogstart connectionid="c" src="'/sounds/a.wav'" type="'audio/wav'"/>`
	for _, test := range []struct {
		name   string
		text   string
		silent bool // its own socket is, by then
		before string
		logs   string
	}{
		{name: "idle", text: withCaller + then("connection.connected", `<log expr="'ready'"/>`+after("30s", "play")+after("50s", "end")), logs: "the leg has come by a second socket"},
		{name: "idle on a silent socket", silent: true, text: withCaller + then("connection.connected", `<log expr="'ready'"/>`+after("30s", "play")+after("50s", "end")), logs: "the leg's socket is silent, and the leg has come by another one"},
		{name: "alerting", text: `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><log expr="'ready'"/>` + after("20s", "answer") + after("30s", "play") + after("50s", "end") + `</transition>` +
			then("answer", `<accept connectionid="c"/>`), logs: "the leg has come by a second socket"},
		{name: "in a bridge", text: withCallee + then("connection.connected", `<join id1="c" id2="d"/>`) + `<transition event="conference.joined"><log expr="'ready'"/>` + after("30s", "play") + after("50s", "end") + `</transition>`,
			logs: "the leg has come by a second socket"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := sitetest.New(t)
			x.Switch.Callee("200", switchsim.Answers{})
			x.Switch.AddSound("/sounds/a.wav", time.Second)
			caller := x.Dial(x.Transitions("a.ccxml", test.text+then("play", play)+says, "c d"))
			x.WaitLog("ready")
			x.Sleep(time.Second)
			if test.silent {
				x.Switch.SilenceSockets(caller.UUID())
			}
			if reply := x.Switch.API("uuid_transfer " + caller.UUID() + ` 'socket:` + x.Daemon.ESLAddress() + ` async full' inline`); !strings.HasPrefix(reply, "+OK") {
				t.Fatal(reply)
			}
			x.Sleep(25 * time.Second)
			want := 1
			if test.silent {
				want = 2 // FreeSWITCH does not notice that the silent one is closed
			}
			if n := x.Switch.Sockets(caller.UUID()); n != want {
				t.Errorf("it has %d sockets", n)
			}
			if n := x.Switch.SilentSockets(); n > 0 {
				t.Errorf("%d silent sockets are not closed", n)
			}
			x.WaitSwitchIdle()
			if x.Trace.Count("log dialog.exit") != 1 || x.Trace.Count("log error") > 0 {
				t.Error("it cannot be played to")
			}
			if !x.DaemonLog.Has(test.logs) {
				t.Errorf("not logged: %s", test.logs)
			}
			if t.Failed() {
				t.Log(strings.Join(x.Trace.Lines(), "\n"))
			}
		})
	}
}

// TestCascadeOutlivesALink: two conferences stay joined while a link drops and comes
// again; one that has ended meanwhile the document hears of then.
func TestCascadeOutlivesALink(t *testing.T) {
	for _, ends := range []bool{false, true} {
		told := &orders{}
		c := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Refuses: told.refused}))
		c.StartSession(c.Transitions("a.ccxml", twoRooms+after("60s", "end")+`</transition>`+then("conference.joined", `<log expr="'joined'"/>`)+
			then("conference.unjoined", `<log expr="'unjoined'"/>`)+then("end", `<exit/>`), "a b"))
		c.WaitLog("joined")
		address := c.Switch.Addr()
		c.Switch.CloseLinks()
		if ends {
			_, id, _ := strings.Cut(told.first("originate"), "origination_uuid=")
			c.Switch.API("uuid_kill " + id[:36])
		}
		c.Sleep(time.Second)
		c.Must(c.Switch.Listen(address))
		c.Sleep(40 * time.Second)
		if told := c.Trace.Count("log unjoined"); told != map[bool]int{true: 1}[ends] {
			t.Errorf("it has ended: %t; told %d times", ends, told)
		}
		c.WaitSwitchIdle()
	}
}

// TestRecordingsOfACall: each time that a document begins to record a call, it is
// another recording, and each is ended.
func TestRecordingsOfACall(t *testing.T) {
	told := &orders{}
	c := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Refuses: told.refused}))
	record := func(on string) string { return `session.connections[c]._RecordCall(` + on + `, 'x')` }
	c.Dial(c.Transitions("a.ccxml", withCaller+then("connection.connected", `<assign name="one" expr="`+record("100")+`"/><assign name="two" expr="`+record("100")+`"/>
<log expr="'the same: ' + (one == two)"/><script>`+record("0")+`</script><assign name="three" expr="`+record("100")+`"/><log expr="'another: ' + (one != three)"/>`+after("5s", "end"))+says, "c one two three"))
	c.WaitSwitchIdle()
	if c.Trace.Count("log the same: true") != 1 || c.Trace.Count("log another: true") != 1 {
		t.Error(strings.Join(c.Trace.Lines(), "\n"))
	}
	if told.count("uuid_record", "-x-") != 3 {
		t.Error("the names do not have the tag")
	}
	if starts, stops := told.count("uuid_record", " start "), told.count("uuid_record", " stop "); starts != 2 || stops != 1 {
		t.Errorf("%d recordings were begun, %d ended", starts, stops)
	}
}

// TestEndOfAVoice: a connection that is heard in a conference while it hears another
// one hangs up; its joins end before it does (BRG-12), once each.
func TestEndOfAVoice(t *testing.T) {
	c := sitetest.New(t)
	c.Switch.Callee("200", switchsim.Answers{})
	caller := c.Dial(c.Transitions("a.ccxml", withCallee+`<transition event="connection.connected"><createconference conferenceid="room"/></transition>
<transition event="conference.created"><join id1="c" id2="room"/></transition>
<transition event="conference.joined" cond="event$.id2 == room"><join id1="c" id2="d" duplex="'half'"/></transition>
<transition event="conference.joined"><log expr="'listens'"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + (event$.id1 == room || event$.id2 == room ? 'room' : 'd')"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == c"><log expr="'gone'"/>`+after("5s", "end")+`</transition>`+says, "c d room"))
	c.WaitLog("listens")
	c.Sleep(5 * time.Second)
	caller.Hangup()
	c.WaitSwitchIdle()
	var order []string
	for _, line := range c.Trace.Lines() {
		if text, ok := strings.CutPrefix(line, "log "); ok && (text == "gone" || strings.HasPrefix(text, "unjoined")) {
			order = append(order, text)
		}
	}
	if got := strings.Join(order, ", "); got != "unjoined d, unjoined room, gone" && got != "unjoined room, unjoined d, gone" {
		t.Errorf("told %s", got)
	}
}

// TestConferenceCreatedAgain: a conference that a session has destroyed, and creates again
// once it is told so, takes its members in again.
func TestConferenceCreatedAgain(t *testing.T) {
	c := sitetest.New(t)
	create := `<createconference conferenceid="room" confname="'again'"/>`
	c.Dial(c.Transitions("a.ccxml", withCaller+then("connection.connected", create+after("30s", "end"))+
		then("conference.created", `<join id1="c" id2="room"/>`)+
		`<transition event="conference.joined" cond="typeof once == 'undefined'"><script>once = true;</script><log expr="'joined'"/><destroyconference conferenceid="room"/></transition>
<transition event="conference.joined"><log expr="'joined again'"/></transition>`+then("conference.destroyed", create)+says, "c room"))
	c.WaitSwitchIdle()
	if c.Trace.Count("log joined") != 2 || c.Trace.Count("log joined again") != 1 || c.Trace.Count("log error") > 0 {
		t.Error(strings.Join(c.Trace.Lines(), "\n"))
	}
}
