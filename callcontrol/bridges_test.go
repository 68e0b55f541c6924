package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// hearsParty waits until a party is bridged to another.
func hearsParty(s *sitetest.Site, party *switchsim.Party, number string) {
	s.Helper()
	s.Must(party.WaitHeardFunc(s.Context(), func(s switchsim.Sound) bool { return s.Kind == "bridge" && s.What == number }))
}

// callAndJoin accepts a call and bridges it to 200.
const callAndJoin = `
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected" cond="event$.connectionid == b"><join id1="a" id2="b"/></transition>`

func bridgeDocument(transitions string) string {
	return `<ccxml version="1.0"><var name="a"/><var name="b"/><var name="c"/><var name="d"/><eventprocessor>` + transitions + `</eventprocessor></ccxml>`
}

// When one side of a bridge hangs up, the other stays and can be talked to.
func TestBridgeSurvivor(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"caller", "callee"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.Callee("200", switchsim.Answers{After: time.Second})
			caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="conference.joined"><log expr="'joined ' + (event$.id1 == a) + ' ' + (event$.id2 == b)"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + (event$.id1 == a) + ' ' + (event$.id2 == b)"/></transition>
<transition event="connection.disconnected"><log expr="'gone by ' + event$.trigger"/>
  <dialogstart connectionid="event$.connectionid == a ? b : a" src="'null:?text=You are alone now.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><exit/></transition>`)))
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			hearsParty(s, caller, "200")
			hearsParty(s, callee, caller.Number())
			s.WaitLog("joined true true")
			leaves, stays := caller, callee
			if who == "callee" {
				leaves, stays = callee, caller
			}
			leaves.Hangup()
			s.Must(stays.WaitHeard(s.Context(), "You are alone now."))
			s.WaitLog("unjoined true true")
			s.WaitLog("gone by remote")
			s.WaitIdle()
			if n := s.Trace.Count("event conference.unjoined"); n != 1 {
				t.Errorf("conference.unjoined came %d times", n)
			}
		})
	}
}

// FreeSWITCH counts the transfers of a leg down in max_forwards, from 70, and hangs it up
// where that is used up; each way home from a bridge is a transfer.
func TestBridgesWithoutNumber(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	caller := s.Dial(s.Document("bridges.ccxml", bridgeDocument(`<transition event="ccxml.loaded"><assign name="d" expr="0"/></transition>`+callAndJoin+`
<transition event="conference.joined"><unjoin id1="a" id2="b"/></transition>
<transition event="conference.unjoined"><assign name="d" expr="d + 1"/>
  <if cond="d &lt; 80"><join id1="a" id2="b"/><else/><dialogstart connectionid="a" src="'null:?text=That was all.'" type="'audio/wav'"/></if></transition>
<transition event="dialog.exit"><exit/></transition>`)))
	s.Must(caller.WaitHeard(s.Context(), "That was all."))
	s.WaitIdle()
}

// A join takes the place of a dialog, and a dialog that of a join; neither bridge
// tells of its fall (BRG-7).
func TestJoinAndDialogTakeEachOthersPlace(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/music.wav", time.Hour)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(`
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a">
  <dialogstart src="'/sounds/music.wav'" type="'audio/wav'" dialogid="d"/><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected"><join id1="a" id2="b"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == d"><log expr="'music over'"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><dialogstart connectionid="a" src="'null:?text=Excuse me.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'again alone'"/><exit/></transition>`)))
	s.Must(caller.WaitHeard(s.Context(), "music.wav"))
	s.WaitLog("music over")
	s.WaitLog("joined")
	s.Must(caller.WaitHeard(s.Context(), "Excuse me."))
	s.WaitLog("again alone")
	s.WaitIdle()
	if s.Trace.Has("conference.unjoined") || s.Trace.Has("event error.") {
		t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
	}
	heard := caller.Heard()
	if len(heard) != 3 || heard[0].Kind != "file" || heard[1].Kind != "bridge" || heard[2].Kind != "speech" {
		t.Errorf("the caller heard %+v", heard)
	}
}

// A leg that is joined elsewhere leaves its bridge without a word; the other one
// stays, and can be joined again.
func TestJoinElsewhere(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	s.Switch.Callee("300", switchsim.Answers{After: time.Second})
	caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="conference.joined" cond="c == undefined"><createcall dest="'tel:300'" connectionid="c"/></transition>
<transition event="connection.connected" cond="event$.connectionid == c"><join id1="c" id2="a"/></transition>
<transition event="conference.joined" cond="event$.id1 == c &amp;&amp; event$.id2 == a"><log expr="'with c'"/><join id1="b" id2="c"/></transition>
<transition event="conference.joined"><log expr="'b with c: ' + (session.connections[b].input == c) + ', a with ' + session.connections[a].input"/>
  <disconnect connectionid="a"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)))
	second, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	third, err := s.Switch.WaitCallee(s.Context(), "300")
	s.Must(err)
	hearsParty(s, caller, "200")
	hearsParty(s, caller, "300")
	s.WaitLog("with c")
	hearsParty(s, second, "300")
	hearsParty(s, third, "200")
	s.WaitLog("b with c: true, a with undefined")
	s.WaitIdle()
	if s.Trace.Has("conference.unjoined") || s.Trace.Has("event error.") {
		t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// Joins in one transition happen in their order.
func TestJoinsInARow(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(`
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected"><createconference conferenceid="c" confname="'row'"/></transition>
<transition event="conference.created"><join id1="a" id2="c"/><join id1="a" id2="b"/><join id1="a" id2="c"/><join id1="b" id2="a"/>
  <dialogstart connectionid="a" src="'null:?text=All done.'" type="'audio/wav'"/></transition>
<transition event="conference.joined"><log expr="'joined ' + event$.id1.substr(0, 4) + ' ' + (event$.id2 == c ? 'c' : event$.id2 == b ? 'b' : 'a')"/></transition>
<transition event="dialog.exit"><exit/></transition>`)))
	s.Must(caller.WaitHeard(s.Context(), "All done."))
	s.WaitIdle()
	var order []string
	for _, line := range s.Trace.Lines() {
		if strings.HasPrefix(line, "log joined") {
			order = append(order, line[len(line)-1:])
		}
	}
	if got := strings.Join(order, ""); got != "cbca" || s.Trace.Has("event error.") {
		t.Errorf("the joins came in the order %q:\n%s", got, strings.Join(s.Trace.Lines(), "\n"))
	}
	var heard []string
	for _, sound := range caller.Heard() {
		heard = append(heard, sound.Kind)
	}
	if got := strings.Join(heard, " "); got != "conference bridge conference bridge speech" {
		t.Errorf("the caller heard %s", got)
	}
	rosterIsEmpty(s)
}

func TestJoinErrors(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	for _, c := range []struct{ name, element, want string }{
		{"not joined", `<unjoin id1="a" id2="b"/>`, "error.conference.unjoin: the two are not joined"},
		{"unknown", `<join id1="a" id2="'nobody'"/>`, `error.semantic: `},
		{"itself", `<join id1="a" id2="a"/>`, "error.conference.join: "},
		{"no such conference", `<join id1="a" id2="'conference:nowhere'"/>`, "error.conference.join: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.In(t)
			s.Trace.Reset()
			s.Dial(s.Document("bridge.ccxml", bridgeDocument(`
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected">`+c.element+`</transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/><exit/></transition>`)))
			s.WaitLog(c.want)
			s.WaitIdle()
		})
	}
}

// A join whose partner hangs up at the same moment ends in an event, whichever
// comes first.
func TestJoinCrossesHangup(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{HangupAfter: 200 * time.Millisecond})
	for range 10 {
		s.Trace.Reset()
		caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="conference.joined"/>
<transition event="conference.unjoined"><exit/></transition>
<transition event="error.conference.join"><exit/></transition>
<transition event="connection.failed"><exit/></transition>`)))
		_, err := caller.WaitEnded(s.Context())
		s.Must(err)
	}
	s.WaitIdle()
}

// createcall's joinid bridges the call when it is answered, without events of
// its own (CAL-5).
func TestJoinID(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(`
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b" joinid="a"/></transition>
<transition event="connection.connected"><log expr="'both up'"/></transition>
<transition event="connection.disconnected"><log expr="'gone'"/><exit/></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	hearsParty(s, caller, "200")
	hearsParty(s, callee, caller.Number())
	caller.Hangup()
	s.WaitLog("gone")
	_, err = callee.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
	if s.Trace.Has("event conference.") || s.Trace.Has("event error.") {
		t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// rosterIsEmpty waits until the registry knows no conference.
func rosterIsEmpty(s *sitetest.Site) {
	s.Helper()
	s.WaitUntil("the registry is empty", func() bool {
		lines, err := s.Daemon.Roster(s.Context())
		return err == nil && len(lines) == 0
	})
}

// Redis knows a session's connections, as long as they last.
func TestRecordOfConnections(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="conference.joined"><log expr="'session ' + session.id"/></transition>
<transition event="connection.disconnected"/><transition event="conference.unjoined"/>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("session ")
	var id string
	for _, line := range s.Trace.Lines() {
		if after, ok := strings.CutPrefix(line, "log session "); ok {
			id = after
		}
	}
	connections := func(want int) func() bool {
		return func() bool {
			record, ok, err := s.Daemon.Store.Session(s.Context(), id)
			return err == nil && ok && len(record.Connections) == want
		}
	}
	s.WaitUntil("redis knows both", connections(2))
	callee.Hangup()
	s.WaitUntil("redis knows one", connections(1))
}

// Merged connections leave the session, which may end; they go on talking until
// one hangs up, and then the other is hung up as well (MRG-1).
func TestMerge(t *testing.T) {
	t.Parallel()
	for _, joined := range []string{"", `<join id1="a" id2="b"/>`} {
		t.Run(map[bool]string{true: "apart", false: "joined"}[joined == ""], func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.Callee("200", switchsim.Answers{})
			caller := s.Dial(s.Document("merge.ccxml", bridgeDocument(`
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected">`+joined+`<merge connectionid1="b" connectionid2="a"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined'"/></transition>
<transition event="connection.merged"><log expr="event$.connection.state"/><exit/></transition>`)))
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			s.WaitLog("DISCONNECTED")
			s.WaitIdle()
			if got := s.Trace.Has("log unjoined"); got != (joined != "") {
				t.Errorf("conference.unjoined came: %v", got)
			}
			hearsParty(s, callee, caller.Number())
			if got := callee.Hears(); len(got) != 1 || got[0] != caller.Number() {
				t.Errorf("the callee hears %v", got)
			}
			callee.Hangup()
			end, err := caller.WaitEnded(s.Context())
			s.Must(err)
			if end.By != "local" {
				t.Errorf("the caller's call ended: %+v", end)
			}
		})
	}
}

// A bridge that is ended by somebody else, such as an operator, is over for both, who
// can be told what to do again.
func TestBridgeEndedByAnOperator(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"><dialogstart connectionid="a" src="'null:?text=You are alone.'" type="'audio/wav'"/>
  <dialogstart connectionid="b" src="'null:?text=So are you.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><assign name="c" expr="(c || 0) + 1"/><if cond="c == 2"><exit/></if></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("joined")
	s.Switch.API("uuid_park " + caller.UUID())
	s.Must(caller.WaitHeard(s.Context(), "You are alone."))
	s.Must(callee.WaitHeard(s.Context(), "So are you."))
	s.WaitIdle()
	if n := s.Trace.Count("event conference.unjoined"); n != 1 || s.Trace.Has("event error.") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// Who is left of a bridge comes home without being asked for anything, and without a
// second word of the bridge's end.
func TestSurvivorComesHome(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"caller", "callee"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			var transferred *clock.Latch
			s := sitetest.New(t, func(o *sitetest.Options) {
				transferred = clock.NewLatch(o.Clock)
				o.Switch.Idle = func(name, _ string) bool {
					if name == "uuid_transfer" {
						transferred.Open()
					}
					return false
				}
			})
			s.Switch.Callee("200", switchsim.Answers{})
			caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="ccxml.loaded"><log expr="'session ' + session.id"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"/>
<transition event="connection.disconnected"><assign name="c" expr="event$.connectionid == a ? b : a"/></transition>
<transition event="speak"><dialogstart connectionid="c" src="'null:?text=Here you are.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><exit/></transition>`)))
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			s.WaitLog("joined")
			leaves, stays := caller, callee
			if who == "callee" {
				leaves, stays = callee, caller
			}
			left := s.Clock.Now()
			leaves.Hangup()
			s.Must(transferred.Wait(s.Context())) // who is left is brought home
			if took := s.Clock.Now().Sub(left); took > 100*time.Millisecond {
				t.Errorf("who is left was with nobody for %v", took)
			}
			s.Inject("speak")
			s.Must(stays.WaitHeard(s.Context(), "Here you are."))
			s.WaitIdle()
			if n := s.Trace.Count("event conference.unjoined"); n != 1 {
				t.Errorf("conference.unjoined came %d times", n)
			}
		})
	}
}

// Connections that were joined and could not be merged are joined as before: one that
// is left alone stays.
func TestMergeThatFails(t *testing.T) {
	t.Parallel()
	s, lines := newLateSite(t)
	s.Switch.Callee("200", switchsim.Answers{})
	document := s.Document("merge.ccxml", bridgeDocument(callAndJoin+`
<transition event="ccxml.loaded"><log expr="'session ' + session.id"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="go.on"><merge connectionid1="a" connectionid2="b"/></transition>
<transition event="connection.merge.failed"><log expr="event$.reason"/></transition>
<transition event="conference.unjoined"><dialogstart connectionid="a" src="'null:?text=Still here.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><exit/></transition>`))
	caller := s.Dial(document)
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("joined")
	areOurs := func() bool { // and neither's far end has the other one taken elsewhere
		for _, party := range []*switchsim.Party{caller, callee} {
			for name, want := range map[string]string{
				"park_after_bridge": "true", "hangup_after_bridge": "false", "deny_refer_requests": "true",
				"signal_bond": "", "park_timeout": "60:RECOVERY_ON_TIMER_EXPIRE",
			} {
				if s.Switch.Variable(party.UUID(), name) != want {
					return false
				}
			}
		}
		return true
	}
	s.WaitUntil("both are as legs in a bridge are", areOurs)
	came, release := lines.holdText("hangup_after_bridge=true")
	t.Cleanup(release)
	s.Inject("go.on")
	s.Must(came.Wait(s.Context()))
	s.WaitLog("the two were not merged: FreeSWITCH did not take up the change within 10s")
	release()
	s.WaitUntil("what was prepared is taken back", areOurs)
	callee.Hangup()
	s.Must(caller.WaitHeard(s.Context(), "Still here."))
	s.WaitIdle()
	if s.Trace.Has("connection.merged") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// Connections that a merge has bridged and could not let go of are apart again.
func TestMergeOfTwoApartThatFails(t *testing.T) {
	t.Parallel()
	s, lines := newLateSite(t)
	s.Switch.Callee("200", switchsim.Answers{})
	came, release := lines.holdText("hangup_after_bridge=true")
	t.Cleanup(release)
	caller := s.Dial(s.Document("merge.ccxml", bridgeDocument(
		strings.Replace(callAndJoin, `<join id1="a" id2="b"/>`, `<merge connectionid1="a" connectionid2="b"/>`, 1)+`
<transition event="connection.merge.failed"><log expr="'not merged'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.Must(came.Wait(s.Context()))
	s.WaitLog("not merged")
	release()
	s.WaitUntil("they do not hear each other", func() bool { return len(caller.Hears())+len(callee.Hears()) == 0 })
	caller.Hangup()
	callee.Hangup()
	s.WaitIdle()
}
