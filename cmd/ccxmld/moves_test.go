package main

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
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
				one := newHouse(t, withToken("guest.ccxml"))
				one.document("guest.ccxml", guest)
				other := one
				if where == "there" {
					other = one.another()
				}
				session := other.startToken("")
				caller := one.dial(one.document("host.ccxml", host(session, transitions)))
				if way == "signal" {
					one.logged("press 5")
					caller.Press("5")
					other.logged("guest signal 5 CONNECTED")
				} else {
					other.logged("guest " + way + " " + strings.ToUpper(way) + " ")
				}
				one.logged("moved true true false")
				if way == "alerting" {
					other.logged("guest connected CONNECTED")
				}
				if way != "signal" {
					one.must(caller.WaitHeard(one.ctx, "You have been moved."))
					other.logged("guest spoke")
				}
				one.must(one.seen.wait(one.ctx, "event move.successful"))
				one.until("redis says whose the connection is", func() bool {
					record, ok, err := one.daemon.Store.Session(one.ctx, session)
					return err == nil && ok && len(record.Connections) == 1
				})
				if where == "there" {
					one.idle() // the call goes on without the controller that had it first
					if n := other.daemon.Controller.Connections(); n != 1 {
						t.Errorf("%d connections", n)
					}
				}
				caller.Hangup()
				other.logged("guest lost it by remote")
				one.idle()
				other.idle()
				if one.seen.has("host lost it") || one.seen.has("event error.") || other.seen.has("event error.") {
					t.Errorf("seen:\n%s\nand\n%s", strings.Join(one.seen.all(), "\n"), strings.Join(other.seen.all(), "\n"))
				}
			})
		}
	}
}

// TestSND20MoveOutlivesController: the call goes on when the controller that it
// was moved away from ends.
func TestSND20MoveOutlivesController(t *testing.T) {
	t.Parallel()
	one := newHouse(t, withToken("guest.ccxml"))
	one.document("guest.ccxml", strings.Replace(guest, "<eventprocessor>", `<eventprocessor>
<transition event="speak"><dialogstart connectionid="Object.keys(session.connections)[0]" src="'null:?text=Still here.'" type="'audio/wav'"/></transition>`, 1))
	other := one.another()
	session := other.startToken("")
	caller := one.dial(one.document("host.ccxml", host(session, ways["connected"])))
	other.logged("guest spoke")
	one.logged("moved true true false")
	one.idle()
	one.stop()
	other.get("/ccxml/basichttp?sessionid=" + session + "&name=speak")
	other.must(caller.WaitHeard(other.ctx, "Still here."))
	caller.Hangup()
	other.logged("guest lost it by remote")
	other.idle()
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
		h := newHouse(t, twoTokens)
		h.sw.Callee("200", switchsim.Answers{After: 10 * time.Second})
		h.document("guest.ccxml", guest)
		h.document("host.ccxml", host(h.startReceiver(), strings.Replace(call, "TIMEOUT", "60s", 1)))
		h.startToken("")
		h.logged("guest progressing PROGRESSING tel:200")
		h.logged("moved true true false")
		h.logged("guest connected CONNECTED tel:200")
		callee, err := h.sw.WaitCallee(h.ctx, "200")
		h.must(err)
		h.must(callee.WaitHeard(h.ctx, "You have been moved."))
		callee.Hangup()
		h.logged("guest lost it by remote")
		h.idle()
	})
	t.Run("and times out there", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, twoTokens)
		h.sw.Callee("200", switchsim.Answers{After: time.Hour})
		h.document("guest.ccxml", guest)
		h.document("host.ccxml", host(h.startReceiver(), strings.Replace(call, "TIMEOUT", "1s", 1)))
		h.startToken("")
		h.logged("moved true true false")
		h.logged("guest failed timeout")
		h.idle()
	})
	t.Run("there", func(t *testing.T) {
		t.Parallel()
		one := newHouse(t, twoTokens)
		one.sw.Callee("200", switchsim.Answers{After: time.Hour})
		one.document("guest.ccxml", guest)
		other := one.another()
		session := other.startReceiver()
		one.document("host.ccxml", host(session, strings.Replace(call, "TIMEOUT", "30s", 1)))
		one.startToken("")
		one.must(one.seen.waitFor(one.ctx, "can only be moved to a session of this controller"))
		one.logged("host failed")
		one.idle()
		other.get("/ccxml/basichttp?sessionid=" + session + "&name=ccxml.kill")
		other.idle()
	})
}

// twoTokens lets the token "s3cret" start the host, and "other" the guest.
func twoTokens(p *plan) {
	p.environment["TOKENS"] = "{s3cret: {uri: 'file://" + p.dir + "/host.ccxml'}, other: {uri: 'file://" + p.dir + "/guest.ccxml'}}"
}

// TestCCX5MoveToSessionBeingCreated: a connection may be moved to a child in the
// next element, and by the last one of a session.
func TestCCX5MoveToSessionBeingCreated(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.document("guest.ccxml", guest)
	caller := h.dial(h.document("host.ccxml", `
<ccxml version="1.0"><var name="child"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createccxml next="'guest.ccxml'" sessionid="child"/><move event="event$" sessionid="child"/></transition>
<transition event="move.successful"><log expr="'moved'"/><exit/></transition>
</eventprocessor></ccxml>`))
	h.logged("guest connected CONNECTED")
	h.logged("moved")
	h.must(caller.WaitHeard(h.ctx, "You have been moved."))
	caller.Hangup()
	h.idle()
	h.inOrder("log guest has 0", "log guest connected")

	h.seen.forget()
	caller = h.dial(h.document("host.ccxml", host(guestOf(h), `
<transition event="connection.alerting"><move event="event$" sessionid="guest"/><exit/></transition>`)))
	h.must(caller.WaitHeard(h.ctx, "You have been moved."))
	caller.Hangup()
	h.idle()
}

// TestCCX5MoveOutlivesGiver: a session that creates another one, moves its call
// there and ends loses no call, however long the new session's document takes.
func TestCCX5MoveOutlivesGiver(t *testing.T) {
	t.Parallel()
	h := newHouse(t, allowing("http://web"))
	asked := newBox[*clock.Latch](h.clock)
	h.serve("web", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		gate := clock.NewLatch(h.clock)
		asked.put(gate)
		_ = gate.Wait(r.Context())
		_, _ = io.WriteString(w, guest)
	})
	open := func() {
		gate, err := asked.next(h.ctx)
		h.must(err)
		gate.Open()
	}
	giver := h.document("host.ccxml", `
<ccxml version="1.0"><var name="child"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected">
  <createccxml next="'http://web/guest.ccxml'" sessionid="child"/><move event="event$" sessionid="child"/><exit/></transition>
</eventprocessor></ccxml>`)

	caller := h.dial(giver)
	h.must(h.log.waitFor(h.ctx, "session ended"))
	open()
	h.must(caller.WaitHeard(h.ctx, "You have been moved."))
	caller.Hangup()
	h.logged("guest lost it by remote")
	h.idle()

	h.seen.forget()
	h.log.forget()
	caller = h.dial(giver)
	h.must(h.log.waitFor(h.ctx, "session ended"))
	caller.Hangup()
	_, err := caller.WaitEnded(h.ctx)
	h.must(err)
	open()
	h.logged("guest lost it by remote")
	h.idle()
}

// guestOf starts a guest by a session that ends at once.
func guestOf(h *house) (session string) {
	h.Helper()
	h.dial(h.transitions("start.ccxml", `
<transition event="connection.alerting"><createccxml next="'guest.ccxml'"/></transition>
<transition event="ccxml.created"><log expr="'created ' + event$.sessionid"/><exit/></transition>`))
	h.logged("created ")
	lines := h.seen.all()
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "log created ") })
	return strings.TrimPrefix(lines[at], "log created ")
}

// TestSND21NotMoved: where a connection cannot be moved, it stays, and the reason
// is told.
func TestSND21NotMoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sw.Callee("200", switchsim.Answers{After: time.Second})
	caller := h.dial(h.document("host.ccxml", host("nobody", `
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><move source="c" sessionid="guest"/></transition>
<transition event="error.move" cond="session.connections[c].state == 'ALERTING'"><log expr="event$.reason"/><accept connectionid="c"/></transition>
<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:200'" joinid="c"/></transition>
<transition event="connection.connected"><join id1="c" id2="event$.connectionid"/><move source="c" sessionid="guest"/></transition>`)))
	h.must(h.seen.waitFor(h.ctx, "there is no session nobody"))
	h.must(h.seen.waitFor(h.ctx, "log not moved: "))
	caller.Hangup()
	h.idle()
}

// TestSND21OtherNotReached: where FreeSWITCH does not reach the other
// controller, the leg comes back, and the call goes on where it was.
func TestSND21OtherNotReached(t *testing.T) {
	t.Parallel()
	one := newHouse(t, withToken("guest.ccxml"))
	one.document("guest.ccxml", guest)
	other := one.another(with("ESL_ADVERTISE", "127.0.0.1:1"))
	session := other.startToken("")
	caller := one.dial(one.document("host.ccxml", host(session, ways["connected"]+`
<transition event="error.move" cond="true"><log expr="event$.reason"/><dialogstart connectionid="c" src="'null:?text=Stay with us.'" type="'audio/wav'"/></transition>`)))
	one.must(one.seen.waitFor(one.ctx, "FreeSWITCH does not reach the other controller"))
	one.must(caller.WaitHeard(one.ctx, "Stay with us."))
	caller.Hangup()
	one.idle()
	other.get("/ccxml/basichttp?sessionid=" + session + "&name=ccxml.kill")
	other.idle()
}

// TestSND21TooManyConnections: a session that has as many connections as it may gets
// no other one, which stays where it is.
func TestSND21TooManyConnections(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"here", "there"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			one := newHouse(t, withToken("guest.ccxml"), with("LIMITS_CONNECTIONS_PER_SESSION", "1"))
			one.document("guest.ccxml", guest)
			other := one
			if where == "there" {
				other = one.another()
			}
			session := other.startToken("")
			document := one.document("host.ccxml", host(session, ways["connected"]))
			first := one.dial(document)
			one.logged("moved true true false")
			second := one.dial(document)
			one.must(one.seen.waitFor(one.ctx, "session "+session+" has 1 connections already"))
			first.Hangup()
			other.logged("guest lost it by remote")
			second.Hangup()
			one.logged("host lost it")
			one.idle()
			other.idle()
		})
	}
}
