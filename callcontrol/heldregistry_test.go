package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// newHeldBoard makes a switchboard whose Redis can be made to answer late.
func newHeldBoard(t *testing.T) (*board, *redisLine) {
	t.Helper()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	s.Switch.Callee("300", switchsim.Answers{})
	return newBoard(s), newRedisLine(s)
}

// handled waits until the board has taken all that it was told.
func (b *board) handled() {
	b.Helper()
	before := b.Trace.Count("log refused error.conference.unjoin")
	b.tell("unjoin a c")
	b.WaitUntil("it is handled", func() bool { return b.Trace.Count("log refused error.conference.unjoin") > before })
}

// inRoom gives how many members there are in the room m, by the registry and by the
// switch.
func (b *board) inRoom() (registered, there int) {
	b.Helper()
	room, registered := roomOf(b.Site)
	return registered, len(b.Switch.Conference(room))
}

// TestBRG6VoiceAwaitsRegistry: a connection that a conference is to hear beside its
// bridge, and that is joined with it otherwise, or unjoined, before the registry has
// answered, has its answers, and is there but once, or not at all.
func TestBRG6VoiceAwaitsRegistry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		then    string
		answers []string
		members int
		legs    int // beside those of a, b and c
	}{
		{"join m b", []string{"refused error.conference.join", "joined m b: a<c >c; b<m >m;"}, 1, 0},
		{"join m b half", []string{"refused error.conference.join", "joined m b: a<b >b; b<a >am;"}, 1, 1},
		{"unjoin m b", []string{"refused error.conference.join", "unjoined m b"}, 0, 0},
		{"destroy", []string{"refused error.conference.join", "destroyed"}, 0, 0},
		{"hangup b", []string{"refused error.conference.join", "gone b"}, 0, 0},
	} {
		t.Run(c.then, func(t *testing.T) {
			t.Parallel()
			b, redis := newHeldBoard(t)
			b.play([]step{{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"}})
			b.Trace.Reset()
			release := redis.hold()
			b.tell("join m b half")
			b.tell(c.then)
			b.handled()
			if c.then == "join m b" { // which takes it out of its bridge first, as a
				b.tell("join a c")
				b.WaitLog("joined a c")
			}
			if c.then == "hangup b" { // or the join may be made before the call has ended
				b.WaitUntil("b has gone", func() bool { return b.Daemon.Controller.Connections() == 2 })
			}
			release()
			for _, answer := range c.answers {
				b.WaitLog(answer)
			}
			calls := 3
			if c.then == "hangup b" {
				calls = 2
			}
			b.WaitUntil("there is no leg too many", func() bool { return b.Daemon.Controller.Connections() == calls+c.legs })
			if c.then == "destroy" {
				rosterIsEmpty(b.Site)
			} else {
				b.WaitUntil("the registry and the room agree", func() bool {
					registered, there := b.inRoom()
					return registered == c.members && there == c.members
				})
			}
			if n := b.Trace.Count("log joined m b"); n != strings.Count(strings.Join(c.answers, ""), "joined m b: ") {
				t.Errorf("joined %d times", n)
			}
			if n := b.Trace.Count("log unjoined m b"); n > 0 && c.then != "unjoin m b" {
				t.Error("what was not joined is unjoined")
			}
			b.parties["a"].Hangup()
			b.WaitIdle()
			rosterIsEmpty(b.Site)
		})
	}
}

// TestBRG6VoiceEndsMeanwhile: a session that ends before the registry has answered
// leaves nothing of such a join behind.
func TestBRG6VoiceEndsMeanwhile(t *testing.T) {
	t.Parallel()
	b, redis := newHeldBoard(t)
	b.play([]step{{"join a b", "joined a b: a<b >b; b<a >a; c< >", "a<b; b<a; c<"}})
	release := redis.hold()
	b.tell("join m b half")
	b.handled()
	b.parties["a"].Hangup()
	_, err := b.parties["b"].WaitEnded(b.Context())
	b.Must(err)
	release()
	b.WaitIdle()
	rosterIsEmpty(b.Site)
}

// TestCNF6JoinWhileDestroyed: who is to join a conference that the document has
// destroyed, is refused while its members leave; who was on the way into it, comes
// out of it again. After conference.destroyed nothing of the session is there.
func TestCNF6JoinWhileDestroyed(t *testing.T) {
	t.Parallel()
	b, _ := newHeldBoard(t)
	b.play([]step{{"join a m", "joined a m", "a<; b<; c<"}})
	b.tell("destroy b")
	b.WaitLog("destroyed: a< >; b< >; c< >")
	b.WaitLog("refused error.conference.join: ")
	b.WaitLog("unjoined a m")
	if b.Trace.Has("log joined b m") {
		t.Error("b has joined")
	}
	rosterIsEmpty(b.Site)
	b.parties["a"].Hangup()
	b.WaitIdle()

	b, redis := newHeldBoard(t)
	b.play([]step{{"join a m", "joined a m", "a<; b<; c<"}})
	release := redis.hold()
	b.tell("join b m")
	b.tell("join m c")
	b.tell("destroy")
	b.handled()
	release()
	b.WaitLog("destroyed: a< >; b< >; c< >")
	b.CheckOrder("log joined b m", "log unjoined b m", "log destroyed")
	b.CheckOrder("log joined m c", "log unjoined m c", "log destroyed")
	b.CheckOrder("log unjoined a m", "log destroyed")
	rosterIsEmpty(b.Site)
	b.parties["a"].Hangup()
	b.WaitIdle()
	rosterIsEmpty(b.Site)
}

// TestCNF6DestroyedAtOnce: a dialog on a conference, and a join of it with another
// one, that were asked for just before it is destroyed, do not outlast it.
func TestCNF6DestroyedAtOnce(t *testing.T) {
	t.Parallel()
	for _, asked := range []string{
		`<dialogstart conferenceid="one" src="'/sounds/music.wav'" type="'audio/wav'"/>`,
		`<join id1="one" id2="two"/>`,
	} {
		s := sitetest.New(t)
		s.Switch.AddSound("/sounds/music.wav", time.Hour)
		caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="one"/><var name="two" expr="''"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="one"/></transition>
<transition event="conference.created" cond="two == ''"><createconference conferenceid="two"/></transition>
<transition event="conference.created">`+asked+`<destroyconference conferenceid="one"/></transition>
<transition event="error.*"/><transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`))
		s.Must(s.Trace.Wait(s.Context(), "event conference.destroyed"))
		s.WaitUntil("what was asked for has its answer", func() bool {
			return s.Trace.Has("event error.dialog.notstarted") || s.Trace.Has("event dialog.exit") ||
				s.Trace.Has("event error.conference.join") || s.Trace.Has("event conference.unjoined")
		})
		s.WaitUntil("the caller is alone", func() bool { return s.Daemon.Controller.Connections() == 1 && s.Switch.Channels() == 1 })
		caller.Hangup()
		s.WaitIdle()
		rosterIsEmpty(s)
	}
}
