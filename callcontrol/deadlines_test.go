package callcontrol_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// These tests show that what FreeSWITCH says +OK to and does not do ends in an
// event all the same, and what becomes of calls whose two ends act at once. The
// first kind takes as long as the deadlines, which docs/design.md lists.

// ignoring makes the switch take commands and do nothing about them.
func ignoring(command string) sitetest.Option {
	return func(o *sitetest.Options) {
		o.Switch.Idle = func(name, argument string) bool { return strings.Contains(" "+name+" "+argument+" ", " "+command+" ") }
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
	s := sitetest.New(t, ignoring("answer"))
	s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.accept.failed"><log expr="event$.reason"/><exit/></transition>`))
	return func() {
		s.WaitLog("FreeSWITCH did not answer the call within 10s")
		s.WaitIdle()
	}
}

// A leg that is not hung up counts as gone in the end: after disconnect, and after
// reject.
func hangupIgnored(t *testing.T) (ends func()) {
	s := sitetest.New(t, ignoring("uuid_kill"))
	hungUp := s.Dial(s.Transitions("disconnect.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><disconnect/></transition>
<transition event="connection.disconnected"><log expr="'disconnected: ' + event$.detail"/><exit/></transition>`))
	rejected := s.Dial(s.Transitions("reject.ccxml", `
<transition event="connection.alerting"><reject/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.detail"/><exit/></transition>`))
	return func() {
		s.WaitLog("disconnected: FreeSWITCH was told to hang up 3 times")
		s.WaitLog("failed: FreeSWITCH was told to hang up 3 times")
		hungUp.Hangup()
		rejected.Hangup()
		s.WaitIdle()
	}
}

// A member that does not leave its room is brought home; the conference ends.
func kickIgnored(t *testing.T) (ends func()) {
	s := sitetest.New(t, ignoring("kick"))
	s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="caller"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'stays'"/></transition>
<transition event="conference.created"><join id1="room" id2="caller"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><destroyconference conferenceid="room"/></transition>
<transition event="conference.destroyed"><log expr="'destroyed'"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	return func() {
		s.WaitLog("destroyed")
		s.WaitIdle()
	}
}

// A dialog that is broken off gives way to the next one, also if FreeSWITCH does
// not break it off.
func breakIgnored(t *testing.T) (ends func()) {
	s := sitetest.New(t, ignoring("uuid_break"))
	s.Switch.AddSound("/sounds/long.wav", 1000*time.Hour)
	s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="dialog"/><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart dialogid="dialog" src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'started'"/><dialogterminate dialogid="dialog"/></transition>
<transition event="dialog.exit"><log expr="'exit'"/><exit/></transition></eventprocessor></ccxml>`))
	return func() {
		s.WaitLog("exit")
		s.WaitIdle()
	}
}

// TestBreakMissed: a prompt that missed what <dialogterminate> told it, as one that
// is just about to begin does, ends soon after, and what waits for it is played.
func TestBreakMissed(t *testing.T) {
	t.Parallel()
	var breaks atomic.Int32
	s := sitetest.New(t, func(o *sitetest.Options) {
		o.Switch.Idle = func(name, _ string) bool { return name == "uuid_break" && breaks.Add(1) <= 2 }
	})
	s.Switch.AddSound("/sounds/long.wav", 1000*time.Hour)
	s.Switch.AddSound("/sounds/next.wav", time.Second)
	caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="dialog"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><dialogstart dialogid="dialog" connectionid="c" src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.started" cond="event$.dialogid == dialog"><dialogterminate dialogid="dialog"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == dialog"><dialogstart connectionid="c" src="'/sounds/next.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'exit'"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	s.WaitLog("exit")
	s.WaitIdle()
	next := func(s switchsim.Sound) bool { return s.What == "/sounds/next.wav" && s.Complete }
	if !slices.ContainsFunc(caller.Heard(), next) {
		t.Errorf("heard %v", caller.Heard())
	}
}

// A prompt that FreeSWITCH promises to play and does not begin fails the dialog.
func playbackIgnored(t *testing.T) (ends func()) {
	s := sitetest.New(t, ignoring("playback"))
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/long.wav'" type="'audio/wav'"/></transition>
<transition event="error.dialog.notstarted"><log expr="event$.reason"/><exit/></transition>`))
	return func() {
		s.Must(s.Trace.WaitText(s.Context(), "FreeSWITCH did not begin with it within 15s"))
		s.WaitIdle()
	}
}

// A bridge that FreeSWITCH promises and does not make fails.
func bridgeIgnored(t *testing.T) (ends func()) {
	s := sitetest.New(t, ignoring("uuid_bridge"))
	s.Switch.Callee("200", switchsim.Answers{})
	s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="caller"/><var name="callee"/><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/><createcall dest="'tel:200'" connectionid="callee"/></transition>
<transition event="connection.connected"><assign name="n" expr="n + 1"/><if cond="n == 2"><join id1="caller" id2="callee"/></if></transition>
<transition event="error.conference.join"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`))
	return func() {
		s.WaitLog("FreeSWITCH did not bridge within 10s")
		s.WaitIdle()
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
// it, the right one, which it names.
func gaveUp(s *sitetest.Site, callee *switchsim.Party) (ended string) {
	s.Helper()
	_, err := callee.WaitEnded(s.Context())
	s.Must(err)
	s.Must(s.Trace.Wait(s.Context(), "log ends: "))
	if !s.Trace.Has("log ends: 1") || s.Trace.Has("log answered") != s.Trace.Has("log disconnected") {
		s.Fatalf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
	ended = "failed"
	if s.Trace.Has("log answered") {
		ended = "disconnected"
	}
	s.Trace.Reset()
	return ended
}

// glareLongest is the longest way of a piece of the Event Socket in TestGlare, and the
// time within which both ends act.
const glareLongest = 40 * time.Millisecond

// The callee answers as the caller gives up: one final event comes, and no call is
// left, whoever was first. Either acts within the time that word of the other takes, so
// that answer, hangup and what is told of them cross in all orders; each seed is one.
func TestGlare(t *testing.T) {
	t.Parallel()
	var s *sitetest.Site
	s = sitetest.New(t, sitetest.WithToken("out.ccxml"), func(o *sitetest.Options) {
		legs := slowLinesOf(o, rand.New(rand.NewPCG(1, 0)), glareLongest, func() string { return s.Daemon.ESLAddress() })
		links := slowLinesOf(o, rand.New(rand.NewPCG(1, 1)), glareLongest, func() string { return sitetest.SwitchAddress })
		o.Environment["ESL_ADVERTISE"] = legs.address()
		o.Environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", links.address())
	})
	s.WaitLinks()
	s.Document("out.ccxml", giveUp)
	s.Switch.Callee("200", switchsim.Undecided{})
	ends := make(map[string]int)
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(2, seed))
		session := s.StartToken("")
		callee, err := s.Switch.WaitCallee(s.Context(), "200")
		s.Must(err)
		s.Must(s.Trace.Wait(s.Context(), "event ccxml.loaded"))
		answer, giveUp := time.Duration(random.Int64N(int64(glareLongest))), time.Duration(random.Int64N(int64(glareLongest)))
		if seed%10 == 0 {
			giveUp = answer // in the same moment
		}
		clock.Go(s.Clock, func() {
			clock.Sleep(s.Context(), s.Clock, answer)
			callee.Answer()
		})
		clock.Sleep(s.Context(), s.Clock, giveUp)
		s.Get("/ccxml/basichttp?sessionid=" + session + "&name=give.up")
		ends[gaveUp(s, callee)]++
	}
	s.WaitIdle()
	t.Logf("%v", ends)
	if ends["failed"] == 0 || ends["disconnected"] == 0 {
		t.Errorf("the orders have not both outcomes: %v", ends)
	}
}

// A callee who hangs up in the moment that he has answered: one final event comes.
func TestAnswerThenHangup(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	s.Document("out.ccxml", giveUp)
	s.Switch.Callee("200", switchsim.Undecided{})
	for range 20 {
		s.StartToken("")
		callee, err := s.Switch.WaitCallee(s.Context(), "200")
		s.Must(err)
		callee.Answer()
		callee.Hangup()
		s.Must(s.Trace.Wait(s.Context(), "log ends: "))
		if !s.Trace.Has("log ends: 1") {
			t.Fatalf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
		}
		s.Trace.Reset()
	}
	s.WaitIdle()
}

// newSilentSite makes a site in which the sockets of legs go to somebody who takes
// connections and says nothing; came tells of them.
func newSilentSite(t *testing.T, options ...sitetest.Option) (s *sitetest.Site, came *sitetest.Queue[net.Conn]) {
	t.Helper()
	return sitetest.New(t, append([]sitetest.Option{func(o *sitetest.Options) {
		listener, err := o.Network.Listen("127.0.0.1:0")
		if err != nil {
			o.Fatal(err)
		}
		o.Environment["ESL_ADVERTISE"] = listener.Addr().String()
		came = sitetest.NewQueue[net.Conn](o.Clock)
		clock.Go(o.Clock, func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				came.Put(conn)
			}
		})
		o.Cleanup(func() { listener.Close() })
	}}, options...)...), came
}

// The document hangs up a call that is answered and whose socket is on its way.
func TestHangupWhileSocketConnects(t *testing.T) {
	t.Parallel()
	s, came := newSilentSite(t, sitetest.WithToken("out.ccxml"))
	s.Document("out.ccxml", giveUp)
	s.Switch.Callee("200", switchsim.Answers{})
	session := s.StartToken("")
	_, err := came.Next(s.Context())
	s.Must(err)
	s.Get("/ccxml/basichttp?sessionid=" + session + "&name=give.up")
	s.WaitLog("failed: gave up")
	s.WaitLog("ends: 1")
	s.WaitIdle()
}
