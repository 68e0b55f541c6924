package main

import (
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// These tests show that what FreeSWITCH says +OK to and does not do ends in an
// event all the same, and what becomes of calls whose two ends act at once. The
// first kind takes as long as the deadlines, which docs/design.md lists.

// idle makes the switch take commands and do nothing about them.
func idle(command string) option {
	return func(p *plan) {
		p.sw.Idle = func(name, argument string) bool { return strings.Contains(" "+name+" "+argument+" ", " "+command+" ") }
	}
}

// TestNotObeyed lets all wait at the same time.
func TestNotObeyed(t *testing.T) {
	t.Parallel()
	var ends []func()
	for _, ignored := range []func(*testing.T) func(){
		acceptIgnored, hangupIgnored, kickIgnored, breakIgnored, playbackIgnored, bridgeIgnored,
	} {
		ends = append(ends, ignored(t))
	}
	for _, end := range ends {
		end()
	}
}

func acceptIgnored(t *testing.T) (ends func()) {
	h := newHouse(t, idle("answer"))
	h.dial(h.transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.accept.failed"><log expr="event$.reason"/><exit/></transition>`))
	return func() {
		h.logged("FreeSWITCH did not answer the call within 10s")
		h.idle()
	}
}

// A leg that is not hung up counts as gone in the end: after disconnect, and after
// reject.
func hangupIgnored(t *testing.T) (ends func()) {
	h := newHouse(t, idle("uuid_kill"))
	hungUp := h.dial(h.transitions("disconnect.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><disconnect/></transition>
<transition event="connection.disconnected"><log expr="'disconnected: ' + event$.detail"/><exit/></transition>`))
	rejected := h.dial(h.transitions("reject.ccxml", `
<transition event="connection.alerting"><reject/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.detail"/><exit/></transition>`))
	return func() {
		h.logged("disconnected: FreeSWITCH was told to hang up 3 times")
		h.logged("failed: FreeSWITCH was told to hang up 3 times")
		hungUp.Hangup()
		rejected.Hangup()
		h.idle()
	}
}

// A member that does not leave its room is brought home; the conference ends.
func kickIgnored(t *testing.T) (ends func()) {
	h := newHouse(t, idle("kick"))
	h.dial(h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="caller"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'stays'"/></transition>
<transition event="conference.created"><join id1="room" id2="caller"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><destroyconference conferenceid="room"/></transition>
<transition event="conference.destroyed"><log expr="'destroyed'"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	return func() {
		h.logged("destroyed")
		h.idle()
	}
}

// A dialog that is broken off gives way to the next one, also if FreeSWITCH does
// not break it off.
func breakIgnored(t *testing.T) (ends func()) {
	h := newHouse(t, idle("uuid_break"))
	h.sw.AddSound("/sounds/long.wav", 1000*time.Hour)
	h.dial(h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="dialog"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart dialogid="dialog" src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'started'"/><dialogterminate dialogid="dialog"/></transition>
<transition event="dialog.exit"><log expr="'exit'"/><exit/></transition></eventprocessor></ccxml>`))
	return func() {
		h.logged("exit")
		h.idle()
	}
}

// TestBreakMissed: a prompt that missed what <dialogterminate> told it, as one that
// is just about to begin does, ends soon after, and what waits for it is played.
func TestBreakMissed(t *testing.T) {
	t.Parallel()
	var breaks atomic.Int32
	h := newHouse(t, func(p *plan) {
		p.sw.Idle = func(name, _ string) bool { return name == "uuid_break" && breaks.Add(1) <= 2 }
	})
	h.sw.AddSound("/sounds/long.wav", 1000*time.Hour)
	h.sw.AddSound("/sounds/next.wav", time.Second)
	caller := h.dial(h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="dialog"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><dialogstart dialogid="dialog" connectionid="c" src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.started" cond="event$.dialogid == dialog"><dialogterminate dialogid="dialog"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == dialog"><dialogstart connectionid="c" src="'/sounds/next.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'exit'"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	h.logged("exit")
	h.idle()
	next := func(s switchsim.Sound) bool { return s.What == "/sounds/next.wav" && s.Complete }
	if !slices.ContainsFunc(caller.Heard(), next) {
		t.Errorf("heard %v", caller.Heard())
	}
}

// A prompt that FreeSWITCH promises to play and does not begin fails the dialog.
func playbackIgnored(t *testing.T) (ends func()) {
	h := newHouse(t, idle("playback"))
	h.sw.AddSound("/sounds/long.wav", time.Hour)
	h.dial(h.transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="error.dialog.notstarted"><log expr="event$.reason"/><exit/></transition>`))
	return func() {
		h.must(h.seen.waitFor(h.ctx, "FreeSWITCH did not begin with it within 15s"))
		h.idle()
	}
}

// A bridge that FreeSWITCH promises and does not make fails.
func bridgeIgnored(t *testing.T) (ends func()) {
	h := newHouse(t, idle("uuid_bridge"))
	h.sw.Callee("200", switchsim.Answers{})
	h.dial(h.document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="caller"/><var name="callee"/><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/><createcall dest="'tel:200'" connectionid="callee"/></transition>
<transition event="connection.connected"><assign name="n" expr="n + 1"/><if cond="n == 2"><join id1="caller" id2="callee"/></if></transition>
<transition event="error.conference.join"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	return func() {
		h.logged("FreeSWITCH did not bridge within 10s")
		h.idle()
	}
}

// giveUp is a document that calls 200 and gives up when it is told to.
const giveUp = `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="call"/><var name="ends" expr="0"/><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:200'" connectionid="call"/></transition>
<transition event="give.up"><disconnect connectionid="call" reason="'gave up'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/></transition>
<transition event="connection.failed"><assign name="ends" expr="ends + 1"/>
 <log expr="'failed: ' + event$.reason"/><send target="session.id" targettype="'ccxml'" name="'over'" delay="'100ms'"/></transition>
<transition event="connection.disconnected"><assign name="ends" expr="ends + 1"/>
 <log expr="'disconnected'"/><send target="session.id" targettype="'ccxml'" name="'over'" delay="'100ms'"/></transition>
<transition event="over"><log expr="'ends: ' + ends"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`

// gaveUp waits for the end of a call of giveUp, and checks that one final event came of
// it, the right one.
func (h *house) gaveUp(callee *switchsim.Party) {
	h.Helper()
	_, err := callee.WaitEnded(h.ctx)
	h.must(err)
	h.must(h.seen.wait(h.ctx, "log ends: "))
	if !h.seen.has("log ends: 1") || h.seen.has("log answered") != h.seen.has("log disconnected") {
		h.Fatalf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
	h.seen.forget()
}

// The callee answers as the caller gives up: one final event comes, and no call is
// left, whoever was first.
func TestGlare(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	h.document("out.ccxml", giveUp)
	h.sw.Callee("200", switchsim.Undecided{})
	for i := range 4 {
		session := h.startToken("")
		callee, err := h.sw.WaitCallee(h.ctx, "200")
		h.must(err)
		h.must(h.seen.wait(h.ctx, "event ccxml.loaded"))
		if i%2 == 0 {
			callee.Answer()
		}
		h.get("/ccxml/basichttp?sessionid=" + session + "&name=give.up")
		if i/2 == 0 {
			callee.Answer()
		}
		h.gaveUp(callee)
	}
	h.idle()
}

// A callee who hangs up in the moment that he has answered: one final event comes.
func TestAnswerThenHangup(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("out.ccxml"))
	h.document("out.ccxml", giveUp)
	h.sw.Callee("200", switchsim.Undecided{})
	for range 20 {
		h.startToken("")
		callee, err := h.sw.WaitCallee(h.ctx, "200")
		h.must(err)
		callee.Answer()
		callee.Hangup()
		h.must(h.seen.wait(h.ctx, "log ends: "))
		if !h.seen.has("log ends: 1") {
			t.Fatalf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
		}
		h.seen.forget()
	}
	h.idle()
}

// silentlyHouse is a house in which the sockets of legs go to somebody who takes
// connections and says nothing; came tells of them.
func silentlyHouse(t *testing.T, options ...option) (h *house, came *box[net.Conn]) {
	t.Helper()
	return newHouse(t, append([]option{func(p *plan) {
		listener, err := p.site.Network.Listen("127.0.0.1:0")
		if err != nil {
			p.Fatal(err)
		}
		p.environment["ESL_ADVERTISE"] = listener.Addr().String()
		came = newBox[net.Conn](p.site.Clock)
		clock.Go(p.site.Clock, func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				came.put(conn)
			}
		})
		p.Cleanup(func() { listener.Close() })
	}}, options...)...), came
}

// The document hangs up a call that is answered and whose socket is on its way.
func TestHangupWhileSocketConnects(t *testing.T) {
	t.Parallel()
	h, came := silentlyHouse(t, withToken("out.ccxml"))
	h.document("out.ccxml", giveUp)
	h.sw.Callee("200", switchsim.Answers{})
	session := h.startToken("")
	_, err := came.next(h.ctx)
	h.must(err)
	h.get("/ccxml/basichttp?sessionid=" + session + "&name=give.up")
	h.logged("failed: gave up")
	h.logged("ends: 1")
	h.idle()
}
