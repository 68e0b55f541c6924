package main

import (
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// talk is a caller and a callee in a bridge. When it is over, each is spoken to; both
// are in the document until the caller hangs up.
type talk struct {
	*house
	caller, callee *switchsim.Party
}

func newTalk(t *testing.T, options ...option) *talk {
	t.Helper()
	h := newHouse(t, options...)
	h.sw.Callee("200", switchsim.Answers{})
	caller := h.dial(h.document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="ccxml.loaded"><log expr="'session ' + session.id"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"><log expr="'apart'"/>
  <dialogstart connectionid="a" src="'null:?text=You are alone.'" type="'audio/wav'"/>
  <dialogstart connectionid="b" src="'null:?text=So are you.'" type="'audio/wav'"/></transition>
<transition event="again"><join id1="a" id2="b"/></transition>
<transition event="dialog.exit" cond="event$.reason"><log expr="event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)))
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.logged("joined")
	return &talk{h, caller, callee}
}

// isOver expects the end of the bridge to be told once, that
// both can be talked to and be bridged again, and that FreeSWITCH has one socket of each
// leg.
func (b *talk) isOver() {
	b.Helper()
	b.logged("apart")
	b.must(b.caller.WaitHeard(b.ctx, "You are alone."))
	b.must(b.callee.WaitHeard(b.ctx, "So are you."))
	if n := b.seen.count("event conference.unjoined"); n != 1 || b.seen.has("event error.") || b.seen.has("event connection.disconnected") {
		b.Errorf("seen:\n%s", strings.Join(b.seen.all(), "\n"))
	}
	b.inject("again")
	b.until("they are bridged again", func() bool { return b.seen.count("log joined") == 2 })
	for _, party := range []*switchsim.Party{b.caller, b.callee} {
		b.until("one socket is left", func() bool { return b.sw.Sockets(party.UUID()) == 1 })
	}
	b.caller.Hangup()
	b.idle()
}

// A bridge that an operator ends, in whichever way and of whichever leg, is over for
// both legs, and none of them is lost.
func TestOperatorEndsABridge(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"uuid_park LEG", "uuid_transfer LEG park: inline", "uuid_transfer LEG echo: inline",
		"uuid_transfer LEG -both park: inline", "uuid_transfer LEG -bleg park: inline", "uuid_transfer LEG sleep:60000 inline",
	} {
		for _, leg := range []string{"caller", "callee"} {
			t.Run(command+" of the "+leg, func(t *testing.T) {
				t.Parallel()
				b := newTalk(t)
				party := map[string]*switchsim.Party{"caller": b.caller, "callee": b.callee}[leg]
				if reply := b.sw.API(strings.Replace(command, "LEG", party.UUID(), 1)); !strings.HasPrefix(reply, "+OK") {
					t.Fatal(reply)
				}
				b.isOver()
			})
		}
	}
}

// A bridge of which a leg's socket is cut, or both are, is over for both legs, and none
// of them is lost.
func TestCutSocketOfABridge(t *testing.T) {
	t.Parallel()
	for name, legs := range map[string]func(b *talk) []*switchsim.Party{
		"caller": func(b *talk) []*switchsim.Party { return []*switchsim.Party{b.caller} },
		"callee": func(b *talk) []*switchsim.Party { return []*switchsim.Party{b.callee} },
		"both":   func(b *talk) []*switchsim.Party { return []*switchsim.Party{b.caller, b.callee} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTalk(t)
			for _, party := range legs(b) {
				b.sw.CutSockets(party.UUID())
			}
			b.isOver()
		})
	}
}

// An operator sends a leg to our socket, out of a bridge. It keeps its own socket, and
// the second one is closed.
func TestOperatorSendsALegToUs(t *testing.T) {
	t.Parallel()
	b := newTalk(t)
	b.sw.API("uuid_transfer " + b.callee.UUID() + ` 'socket:` + b.daemon.ESLAddress() + ` async full' inline`)
	b.isOver()
}

// A leg has one socket, and none of its ways home leaves another one.
func TestOneSocketALeg(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sw.Callee("200", switchsim.Answers{})
	caller := h.dial(h.document("bridges.ccxml", bridgeDocument(`<transition event="ccxml.loaded"><assign name="d" expr="0"/></transition>`+callAndJoin+`
<transition event="conference.joined"><unjoin id1="a" id2="b"/></transition>
<transition event="conference.unjoined"><assign name="d" expr="d + 1"/><log expr="'cycle ' + d"/>
  <if cond="d &lt; 20"><join id1="a" id2="b"/></if></transition>
<transition event="connection.disconnected"><exit/></transition>`)))
	callee, err := h.sw.WaitCallee(h.ctx, "200")
	h.must(err)
	h.logged("cycle 20")
	for _, party := range []*switchsim.Party{caller, callee} {
		if n := h.sw.Sockets(party.UUID()); n != 1 {
			t.Errorf("%s has %d sockets", party.Number(), n)
		}
	}
	caller.Hangup()
	h.idle()
}

// A leg whose socket is cut while it does nothing comes by itself, and is not fetched:
// what it plays next is not broken off.
func TestIdleLegComesByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.document("in.ccxml", `<ccxml version="1.0"><var name="a"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><log expr="'session ' + session.id"/><accept/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="speak"><dialogstart connectionid="a" src="'null:?text=Still here.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'spoken ' + event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`)
	caller, err := h.sw.Dial(switchsim.Call{Sockets: []string{h.daemon.ESLAddress(), h.daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document}})
	h.must(err)
	h.logged("connected")
	for n := range 3 {
		h.sw.CutSockets(caller.UUID())
		h.until("the cut is noticed", func() bool {
			return strings.Count(strings.Join(h.log.all(), "\n"), "the leg's socket ended before its hangup") == n+1
		})
		h.inject("speak")
		h.until("it is spoken to", func() bool { return h.seen.count("log spoken undefined") == n+1 })
	}
	caller.Hangup()
	h.idle()
	if h.seen.has("log spoken the") || h.seen.has("event error.") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}
