package callcontrol_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// guest tells who it is, and takes whatever connection is moved to it.
const guest = `
<ccxml version="1.0"><var name="from"/><eventprocessor>
<transition event="ccxml.loaded"><log expr="'guest has ' + Object.keys(session.connections).length"/></transition>
<transition event="connection.alerting"><log expr="'guest alerting ' + event$.connection.state + ' ' + (event$.info.movedfrom != undefined)"/><accept/></transition>
<transition event="connection.progressing"><log expr="'guest progressing ' + event$.connection.state + ' ' + event$.connection.remote"/></transition>
<transition event="connection.signal"><log expr="'guest signal ' + event$.info.value + ' ' + event$.connection.state"/></transition>
<transition event="connection.connected"><log expr="'guest connected ' + session.connections[event$.connectionid].state + ' ' + event$.connection.remote"/>
  <dialogstart connectionid="event$.connectionid" src="'null:?text=You have been moved.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'guest spoke'"/></transition>
<transition event="connection.disconnected"><log expr="'guest lost it by ' + event$.trigger"/><exit/></transition>
<transition event="connection.failed"><log expr="'guest failed ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`

// host is a document that takes a call and moves it to the guest that its
// variable names. What moves it is up to the test.
func host(guest, transitions string) string {
	return `<ccxml version="1.0"><var name="guest" expr="'` + guest + `'"/><var name="c"/><eventprocessor>` + transitions + `
<transition event="move.successful"><log expr="'moved ' + (event$.source == c) + ' ' + (event$.sessionid == guest) + ' ' + (c in session.connections)"/><exit/></transition>
<transition event="error.move"><log expr="'not moved: ' + event$.reason"/></transition>
<transition event="connection.disconnected"><log expr="'host lost it'"/><exit/></transition>
<transition event="connection.failed"><log expr="'host failed'"/><exit/></transition>
</eventprocessor></ccxml>`
}

// ways are the documents that move a call in some state.
var ways = map[string]string{
	"alerting": `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><move source="c" sessionid="guest"/></transition>`,
	"connected": `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><move source="c" sessionid="guest"/></transition>`,
	"signal": `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><log expr="'press 5'"/></transition>
<transition event="connection.signal"><move event="event$" sessionid="guest"/></transition>`,
}

// TestSND20Move: a connection goes to another session in each of its states, on
// the same controller and to another one. The mover keeps nothing of it, and
// what happens to it later is the other's (SND-20, SND-22 to SND-24, SND-26,
// SOB-8).
func TestSND20Move(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"here", "there"} {
		for way, transitions := range ways {
			t.Run(where+" "+way, func(t *testing.T) {
				t.Parallel()
				one := sitetest.New(t, sitetest.WithToken("guest.ccxml"))
				one.Document("guest.ccxml", guest)
				other := one
				if where == "there" {
					other = one.AddDaemon()
				}
				session := other.StartToken("")
				caller := one.Dial(one.Document("host.ccxml", host(session, transitions)))
				if way == "signal" {
					one.WaitLog("press 5")
					caller.Press("5")
					other.WaitLog("guest signal 5 CONNECTED")
				} else {
					other.WaitLog("guest " + way + " " + strings.ToUpper(way) + " ")
				}
				one.WaitLog("moved true true false")
				if way == "alerting" {
					other.WaitLog("guest connected CONNECTED")
				}
				if way != "signal" {
					one.Must(caller.WaitHeard(one.Context(), "You have been moved."))
					other.WaitLog("guest spoke")
				}
				one.Must(one.Trace.Wait(one.Context(), "event move.successful"))
				one.WaitUntil("redis says whose the connection is", func() bool {
					record, ok, err := one.Daemon.Store.Session(one.Context(), session)
					return err == nil && ok && len(record.Connections) == 1
				})
				if where == "there" {
					one.WaitIdle() // the call goes on without the controller that had it first
					if n := other.Daemon.Controller.Connections(); n != 1 {
						t.Errorf("%d connections", n)
					}
					one.WaitUntil("it has one socket", func() bool { return one.Switch.Sockets(caller.UUID()) == 1 })
				}
				caller.Hangup()
				other.WaitLog("guest lost it by remote")
				one.WaitIdle()
				other.WaitIdle()
				if one.Trace.Has("host lost it") || one.Trace.Has("event error.") || other.Trace.Has("event error.") {
					t.Errorf("seen:\n%s\nand\n%s", strings.Join(one.Trace.Lines(), "\n"), strings.Join(other.Trace.Lines(), "\n"))
				}
			})
		}
	}
}

// What is known of how a call came goes with it to another controller.
func TestMovedCallKeepsWhatItBrought(t *testing.T) {
	t.Parallel()
	const brought = `[of.redirect.length, of.redirect[0].uri, of.redirect[0].reason, of.remote, of.local, of.originator, of.aai, JSON.stringify(of.protocol)].join()`
	one := sitetest.New(t, sitetest.WithToken("guest.ccxml"))
	one.Transitions("guest.ccxml", `
<transition event="connection.connected"><script>var of = session.connections[event$.connectionid]</script><log expr="'guest ' + `+brought+`"/><exit/></transition>`)
	other := one.AddDaemon()
	session := other.StartToken("")
	_, err := one.Switch.Dial(switchsim.Call{Sockets: []string{one.Daemon.ESLAddress()}, Variables: map[string]string{
		"ccxml_uri": one.Document("host.ccxml", host(session, strings.Replace(ways["connected"], `<move `,
			`<script>var of = session.connections[event$.connectionid]</script><log expr="'host ' + `+brought+`"/><move `, 1))),
		"sip_h_Diversion": "<sip:desk@example.org>;reason=no-answer", "sip_h_User-to-User": "616263;encoding=hex", "sip_h_X-Order": "12",
	}})
	one.Must(err)
	var brings string
	one.WaitUntil("host tells", func() bool {
		for _, line := range one.Trace.Lines() {
			if text, ok := strings.CutPrefix(line, "log host "); ok {
				brings = text
			}
		}
		return brings != ""
	})
	other.WaitLog("guest " + brings)
	if !strings.HasPrefix(brings, "1,sip:desk@example.org,no reply,") || !strings.Contains(brings, ",abc,") {
		t.Errorf("the call brought %s", brings)
	}
	one.WaitIdle()
	other.WaitIdle()
}

// TestSND20MoveOutlivesController: the call goes on when the controller that it
// was moved away from ends.
func TestSND20MoveOutlivesController(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t, sitetest.WithToken("guest.ccxml"))
	one.Document("guest.ccxml", strings.Replace(guest, "<eventprocessor>", `<eventprocessor>
<transition event="speak"><dialogstart connectionid="Object.keys(session.connections)[0]" src="'null:?text=Still here.'" type="'audio/wav'"/></transition>`, 1))
	other := one.AddDaemon()
	session := other.StartToken("")
	caller := one.Dial(one.Document("host.ccxml", host(session, ways["connected"])))
	other.WaitLog("guest spoke")
	one.WaitLog("moved true true false")
	one.WaitIdle()
	one.Stop()
	other.Get("/ccxml/basichttp?sessionid=" + session + "&name=speak")
	other.Must(caller.WaitHeard(other.Context(), "Still here."))
	caller.Hangup()
	other.WaitLog("guest lost it by remote")
	other.WaitIdle()
}

// TestSND20MoveProgressing: an outbound call that rings can be moved within its
// controller, and is answered in the other session.
func TestSND20MoveProgressing(t *testing.T) {
	t.Parallel()
	const call = `
<transition event="ccxml.loaded"><createcall dest="'tel:200'" connectionid="c" timeout="'TIMEOUT'"/></transition>
<transition event="connection.progressing"><move event="event$" sessionid="guest"/></transition>`
	t.Run("here", func(t *testing.T) {
		t.Parallel()
		s := sitetest.New(t, twoTokens)
		s.Switch.Callee("200", switchsim.Answers{After: 10 * time.Second})
		s.Document("guest.ccxml", guest)
		s.Document("host.ccxml", host(startReceiver(s), strings.Replace(call, "TIMEOUT", "60s", 1)))
		s.StartToken("")
		s.WaitLog("guest progressing PROGRESSING tel:200")
		s.WaitLog("moved true true false")
		s.WaitLog("guest connected CONNECTED tel:200")
		callee, err := s.Switch.WaitCallee(s.Context(), "200")
		s.Must(err)
		s.Must(callee.WaitHeard(s.Context(), "You have been moved."))
		callee.Hangup()
		s.WaitLog("guest lost it by remote")
		s.WaitIdle()
	})
	t.Run("and times out there", func(t *testing.T) {
		t.Parallel()
		s := sitetest.New(t, twoTokens)
		s.Switch.Callee("200", switchsim.Answers{After: time.Hour})
		s.Document("guest.ccxml", guest)
		s.Document("host.ccxml", host(startReceiver(s), strings.Replace(call, "TIMEOUT", "1s", 1)))
		s.StartToken("")
		s.WaitLog("moved true true false")
		s.WaitLog("guest failed timeout")
		s.WaitIdle()
	})
	t.Run("there", func(t *testing.T) {
		t.Parallel()
		one := sitetest.New(t, twoTokens)
		one.Switch.Callee("200", switchsim.Answers{After: time.Hour})
		one.Document("guest.ccxml", guest)
		other := one.AddDaemon()
		session := startReceiver(other)
		one.Document("host.ccxml", host(session, strings.Replace(call, "TIMEOUT", "30s", 1)))
		one.StartToken("")
		one.Must(one.Trace.WaitText(one.Context(), "can only be moved to a session of this controller"))
		one.WaitLog("host failed")
		one.WaitIdle()
		other.Get("/ccxml/basichttp?sessionid=" + session + "&name=ccxml.kill")
		other.WaitIdle()
	})
}

// twoTokens lets the token "s3cret" start the host, and "other" the guest.
func twoTokens(p *sitetest.Options) {
	p.Environment["TOKENS"] = "{s3cret: {uri: 'file://" + p.Dir + "/host.ccxml'}, other: {uri: 'file://" + p.Dir + "/guest.ccxml'}}"
}

// TestCCX5MoveToSessionBeingCreated: a connection may be moved to a child in the
// next element, and by the last one of a session.
func TestCCX5MoveToSessionBeingCreated(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Document("guest.ccxml", guest)
	caller := s.Dial(s.Document("host.ccxml", `
<ccxml version="1.0"><var name="child"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createccxml next="'guest.ccxml'" sessionid="child"/><move event="event$" sessionid="child"/></transition>
<transition event="move.successful"><log expr="'moved'"/><exit/></transition>
</eventprocessor></ccxml>`))
	s.WaitLog("guest connected CONNECTED")
	s.WaitLog("moved")
	s.Must(caller.WaitHeard(s.Context(), "You have been moved."))
	caller.Hangup()
	s.WaitIdle()
	s.CheckOrder("log guest has 0", "log guest connected")

	s.Trace.Reset()
	caller = s.Dial(s.Document("host.ccxml", host(guestOf(s), `
<transition event="connection.alerting"><move event="event$" sessionid="guest"/><exit/></transition>`)))
	s.Must(caller.WaitHeard(s.Context(), "You have been moved."))
	caller.Hangup()
	s.WaitIdle()
}

// TestCCX5MoveOutlivesGiver: a session that creates another one, moves its call
// there and ends loses no call, however long the new session's document takes.
func TestCCX5MoveOutlivesGiver(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.AllowDocuments("http://web"))
	asked := sitetest.NewQueue[*clock.Latch](s.Clock)
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		gate := clock.NewLatch(s.Clock)
		asked.Put(gate)
		_ = gate.Wait(r.Context())
		_, _ = io.WriteString(w, guest)
	})
	open := func() {
		gate, err := asked.Next(s.Context())
		s.Must(err)
		gate.Open()
	}
	giver := s.Document("host.ccxml", `
<ccxml version="1.0"><var name="child"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected">
  <createccxml next="'http://web/guest.ccxml'" sessionid="child"/><move event="event$" sessionid="child"/><exit/></transition>
</eventprocessor></ccxml>`)

	caller := s.Dial(giver)
	s.Must(s.DaemonLog.WaitText(s.Context(), "session ended"))
	open()
	s.Must(caller.WaitHeard(s.Context(), "You have been moved."))
	caller.Hangup()
	s.WaitLog("guest lost it by remote")
	s.WaitIdle()

	s.Trace.Reset()
	s.DaemonLog.Reset()
	caller = s.Dial(giver)
	s.Must(s.DaemonLog.WaitText(s.Context(), "session ended"))
	caller.Hangup()
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	open()
	s.WaitLog("guest lost it by remote")
	s.WaitIdle()
}

// guestOf starts a guest by a session that ends at once.
func guestOf(s *sitetest.Site) (session string) {
	s.Helper()
	s.Dial(s.Transitions("start.ccxml", `
<transition event="connection.alerting"><createccxml next="'guest.ccxml'"/></transition>
<transition event="ccxml.created"><log expr="'created ' + event$.sessionid"/><exit/></transition>`))
	s.WaitLog("created ")
	lines := s.Trace.Lines()
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "log created ") })
	return strings.TrimPrefix(lines[at], "log created ")
}

// TestSND21NotMoved: where a connection cannot be moved, it stays, and the reason
// is told.
func TestSND21NotMoved(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{After: time.Second})
	caller := s.Dial(s.Document("host.ccxml", host("nobody", `
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><move source="c" sessionid="guest"/></transition>
<transition event="error.move" cond="session.connections[c].state == 'ALERTING'"><log expr="event$.reason"/><accept connectionid="c"/></transition>
<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:200'" joinid="c"/></transition>
<transition event="connection.connected"><join id1="c" id2="event$.connectionid"/><move source="c" sessionid="guest"/></transition>`)))
	s.Must(s.Trace.WaitText(s.Context(), "there is no session nobody"))
	s.Must(s.Trace.WaitText(s.Context(), "log not moved: "))
	caller.Hangup()
	s.WaitIdle()
}

// TestSND21OtherNotReached: where FreeSWITCH does not reach the other
// controller, the leg comes back, and the call goes on where it was.
func TestSND21OtherNotReached(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t, sitetest.WithToken("guest.ccxml"))
	one.Document("guest.ccxml", guest)
	other := one.AddDaemon(sitetest.With("ESL_ADVERTISE", "127.0.0.1:1"))
	session := other.StartToken("")
	caller := one.Dial(one.Document("host.ccxml", host(session, ways["connected"]+`
<transition event="error.move" cond="true"><log expr="event$.reason"/><dialogstart connectionid="c" src="'null:?text=Stay with us.'" type="'audio/wav'"/></transition>`)))
	one.Must(one.Trace.WaitText(one.Context(), "FreeSWITCH does not reach the other controller"))
	one.Must(caller.WaitHeard(one.Context(), "Stay with us."))
	caller.Hangup()
	one.WaitIdle()
	other.Get("/ccxml/basichttp?sessionid=" + session + "&name=ccxml.kill")
	other.WaitIdle()
}

// TestSND21TooManyConnections: a session that has as many connections as it may gets
// no other one, which stays where it is.
func TestSND21TooManyConnections(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"here", "there"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			one := sitetest.New(t, sitetest.WithToken("guest.ccxml"), sitetest.With("LIMITS_CONNECTIONS_PER_SESSION", "1"))
			one.Document("guest.ccxml", guest)
			other := one
			if where == "there" {
				other = one.AddDaemon()
			}
			session := other.StartToken("")
			document := one.Document("host.ccxml", host(session, ways["connected"]))
			first := one.Dial(document)
			one.WaitLog("moved true true false")
			second := one.Dial(document)
			one.Must(one.Trace.WaitText(one.Context(), "session "+session+" has 1 connections already"))
			first.Hangup()
			other.WaitLog("guest lost it by remote")
			second.Hangup()
			one.WaitLog("host lost it")
			one.WaitIdle()
			other.WaitIdle()
		})
	}
}
