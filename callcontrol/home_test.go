package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// talk is a caller and a callee in a bridge. When it is over, each is spoken to; both
// are in the document until the caller hangs up.
type talk struct {
	*sitetest.Site
	caller, callee *switchsim.Party
}

func newTalk(t *testing.T, options ...sitetest.Option) *talk {
	t.Helper()
	s := sitetest.New(t, options...)
	s.Switch.Callee("200", switchsim.Answers{})
	caller := s.Dial(s.Document("bridge.ccxml", bridgeDocument(callAndJoin+`
<transition event="ccxml.loaded"><log expr="'session ' + session.id"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="conference.unjoined"><log expr="'apart'"/>
  <dialogstart connectionid="a" src="'null:?text=You are alone.'" type="'audio/wav'"/>
  <dialogstart connectionid="b" src="'null:?text=So are you.'" type="'audio/wav'"/></transition>
<transition event="again"><join id1="a" id2="b"/></transition>
<transition event="dialog.exit" cond="event$.reason"><log expr="event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("joined")
	return &talk{s, caller, callee}
}

// isOver expects the end of the bridge to be told once, that
// both can be talked to and be bridged again, and that FreeSWITCH has one socket of each
// leg.
func (b *talk) isOver() {
	b.Helper()
	b.WaitLog("apart")
	b.Must(b.caller.WaitHeard(b.Context(), "You are alone."))
	b.Must(b.callee.WaitHeard(b.Context(), "So are you."))
	if n := b.Trace.Count("event conference.unjoined"); n != 1 || b.Trace.Has("event error.") || b.Trace.Has("event connection.disconnected") {
		b.Errorf("seen:\n%s", strings.Join(b.Trace.Lines(), "\n"))
	}
	b.Inject("again")
	b.WaitUntil("they are bridged again", func() bool { return b.Trace.Count("log joined") == 2 })
	for _, party := range []*switchsim.Party{b.caller, b.callee} {
		b.WaitUntil("one socket is left", func() bool { return b.Switch.Sockets(party.UUID()) == 1 })
	}
	b.caller.Hangup()
	b.WaitIdle()
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
				if reply := b.Switch.API(strings.Replace(command, "LEG", party.UUID(), 1)); !strings.HasPrefix(reply, "+OK") {
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
				b.Switch.CutSockets(party.UUID())
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
	b.Switch.API("uuid_transfer " + b.callee.UUID() + ` 'socket:` + b.Daemon.ESLAddress() + ` async full' inline`)
	b.isOver()
}

// A leg has one socket, and none of its ways home leaves another one.
func TestOneSocketALeg(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	caller := s.Dial(s.Document("bridges.ccxml", bridgeDocument(`<transition event="ccxml.loaded"><assign name="d" expr="0"/></transition>`+callAndJoin+`
<transition event="conference.joined"><unjoin id1="a" id2="b"/></transition>
<transition event="conference.unjoined"><assign name="d" expr="d + 1"/><log expr="'cycle ' + d"/>
  <if cond="d &lt; 20"><join id1="a" id2="b"/></if></transition>
<transition event="connection.disconnected"><exit/></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("cycle 20")
	for _, party := range []*switchsim.Party{caller, callee} {
		if n := s.Switch.Sockets(party.UUID()); n != 1 {
			t.Errorf("%s has %d sockets", party.Number(), n)
		}
	}
	caller.Hangup()
	s.WaitIdle()
}

// A leg whose socket is cut while it does nothing comes by itself, and is not fetched:
// what it plays next is not broken off.
func TestIdleLegComesByItself(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	document := s.Document("in.ccxml", `<ccxml version="1.0"><var name="a"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><log expr="'session ' + session.id"/><accept/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="speak"><dialogstart connectionid="a" src="'null:?text=Still here.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'spoken ' + event$.reason"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`)
	caller, err := s.Switch.Dial(switchsim.Call{Sockets: []string{s.Daemon.ESLAddress(), s.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document}})
	s.Must(err)
	s.WaitLog("connected")
	for n := range 3 {
		s.Switch.CutSockets(caller.UUID())
		s.WaitUntil("the cut is noticed", func() bool {
			return strings.Count(strings.Join(s.DaemonLog.Lines(), "\n"), "the leg's socket ended before its hangup") == n+1
		})
		s.Inject("speak")
		s.WaitUntil("it is spoken to", func() bool { return s.Trace.Count("log spoken undefined") == n+1 })
	}
	caller.Hangup()
	s.WaitIdle()
	if s.Trace.Has("log spoken the") || s.Trace.Has("event error.") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}
