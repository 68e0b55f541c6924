package callcontrol_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// These tests are about legs that no document knows, about what is said of calls
// that are over, and about what FreeSWITCH never answers.

// loopbacks are the ids of the loopback calls of a switch.
func loopbacks(s *sitetest.Site) (ids []string) {
	for line := range strings.Lines(s.Switch.API("show channels")) {
		if id, rest, ok := strings.Cut(line, ","); ok && strings.Contains(rest, "loopback/") {
			ids = append(ids, id)
		}
	}
	return ids
}

// hallAndRoom joins two conferences, and does what is asked for by keys.
const hallAndRoom = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="hall"/><var name="a"/><var name="b"/><var name="n" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createconference conferenceid="room" confname="'room'"/></transition>
<transition event="conference.created" cond="n++ == 0"><createconference conferenceid="hall" confname="'hall'"/></transition>
<transition event="conference.created">%s</transition>
<transition event="conference.joined"><log expr="'joined ' + event$.id1 + ' ' + event$.id2"/></transition>
<transition event="dialog.started"><log expr="'started'"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + event$.id1 + ' ' + event$.id2"/></transition>
<transition event="dialog.exit"><log expr="'exit'"/></transition>
<transition event="connection.signal" cond="event$.info.value == '5'"><join id1="room" id2="hall"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="'refused: ' + event$.reason"/></transition></eventprocessor></ccxml>`

// A hidden leg that FreeSWITCH or an operator hangs up is told of: the two conferences
// are not joined any more, and can be again; the dialog has ended.
func TestHiddenLegIsHungUp(t *testing.T) {
	t.Parallel()
	t.Run("of two conferences", func(t *testing.T) {
		t.Parallel()
		s := sitetest.New(t)
		caller := s.Dial(s.Document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="hall"/>`)))
		s.WaitLog("joined conference:room conference:hall")
		for _, id := range loopbacks(s) {
			s.Switch.API("uuid_kill " + id)
		}
		s.WaitLog("unjoined conference:room conference:hall")
		s.Trace.Reset()
		caller.Press("5")
		s.WaitLog("joined conference:room conference:hall")
		caller.Hangup()
		s.WaitIdle()
		rosterIsEmpty(s)
	})
	t.Run("of two conferences while the link is down", func(t *testing.T) {
		t.Parallel()
		s := sitetest.New(t)
		caller := s.Dial(s.Document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="hall"/>`)))
		s.WaitLog("joined conference:room conference:hall")
		address := s.Switch.Addr()
		s.Switch.CloseLinks()
		for _, id := range loopbacks(s) {
			s.Switch.API("uuid_kill " + id)
		}
		s.Must(s.Switch.Listen(address))
		s.WaitLog("unjoined conference:room conference:hall")
		caller.Hangup()
		s.WaitIdle()
	})
	t.Run("of a dialog", func(t *testing.T) {
		t.Parallel()
		s := sitetest.New(t)
		s.Switch.AddSound("/sounds/long.wav", 1000*time.Hour)
		caller := s.Dial(s.Document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="a"/><dialogstart conferenceid="room" src="'/sounds/long.wav'" type="'audio/wav'"/>`)))
		s.WaitLog("started")
		for _, id := range loopbacks(s) {
			s.Switch.API("uuid_kill " + id)
		}
		s.WaitLog("exit")
		caller.Hangup()
		s.WaitIdle()
	})
}

// A job whose result never comes ends in an event all the same, and the result in
// nothing when it comes at last.
func TestJobIsLost(t *testing.T) {
	t.Parallel()
	for _, fate := range []switchsim.JobFate{switchsim.JobUntold, switchsim.JobKept} {
		s := sitetest.New(t, func(o *sitetest.Options) {
			o.Switch.Job = func(name, _ string) switchsim.JobFate {
				if name == "originate" {
					return fate
				}
				return switchsim.JobDone
			}
		})
		caller := s.Dial(s.Document("in.ccxml", fmt.Sprintf(hallAndRoom, `<join id1="room" id2="hall"/>`)))
		s.WaitLog("refused: FreeSWITCH did not say within 15s")
		s.Switch.ReleaseJobs()
		s.WaitUntil("no loopback call is left", func() bool { return len(loopbacks(s)) == 0 })
		caller.Hangup()
		s.WaitIdle()
		if n := s.Trace.Count("log refused"); n != 1 || s.Trace.Has("joined") {
			t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
		}
	}
}

// A leg whose socket falls silent while it is set up is fetched over the link; what
// the document has asked of it meanwhile is done.
func TestSocketSilentWhileSetUp(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"), func(o *sitetest.Options) {
		o.Switch.Silence = func(_, command string) bool {
			return strings.HasPrefix(command, "api uuid_setvar_multi") && !silent.Swap(true)
		}
	})
	s.Switch.Callee("200", switchsim.Answers{})
	s.Switch.AddSound("/sounds/hello.wav", time.Second)
	s.Document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="c"/><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:200'" connectionid="c"/></transition>
<transition event="connection.connected"><dialogstart connectionid="c" src="'/sounds/hello.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><log expr="'played'"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
<transition event="connection.failed"><log expr="event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.Must(callee.WaitHeard(s.Context(), "/sounds/hello.wav"))
	s.WaitLog("played")
	s.WaitIdle()
}

// A call that was given up on one node, and placed on another, and that the first
// node places at last: its callee is hung up, whether there is a link to that node
// again or not, and the call that goes on notices nothing.
func TestLateAttempt(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]bool{"the link comes again": true, "the link stays down": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testLateAttempt(t, link)
		})
	}
}

// newKeptSite has the first node keep the call that it is to place; kept opens then.
func newKeptSite(t *testing.T) (s *nodesSite, kept *clock.Latch) {
	t.Helper()
	s = newNodesSite(t, 1000, 1, func(o *sitetest.Options) {
		kept = clock.NewLatch(o.Clock)
		o.Switch.Job = func(name, _ string) switchsim.JobFate {
			if name == "originate" {
				kept.Open()
				return switchsim.JobKept
			}
			return switchsim.JobDone
		}
	})
	return s, kept
}

func testLateAttempt(t *testing.T, linkComes bool) {
	s, kept := newKeptSite(t)
	s.Switch.Callee("200", switchsim.Answers{})
	s.second.Callee("200", switchsim.Answers{})
	s.Document("out.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/></transition>
<transition event="connection.*"><log expr="event$.name"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	s.Must(kept.Wait(s.Context()))
	address := s.Switch.Addr()
	s.Switch.CloseLinks()
	callee, err := s.second.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("answered")
	s.DaemonLog.Reset()
	if linkComes {
		s.Must(s.Switch.Listen(address))
		s.Must(s.DaemonLog.WaitText(s.Context(), "node link is up"))
	}
	s.Switch.ReleaseJobs()
	late, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	came := s.Clock.Now()
	_, err = late.WaitEnded(s.Context())
	s.Must(err)
	if took := s.Clock.Now().Sub(came); took > time.Second {
		t.Errorf("the late one is hung up after %v", took)
	}
	s.WaitUntil("nothing is left of it", func() bool { return s.Switch.Channels() == 0 })
	s.Sleep(10 * time.Second)
	if s.second.Channels() != 1 || s.Trace.Has("disconnected") {
		t.Errorf("the call that goes on has noticed:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
	callee.Hangup()
	s.Must(s.Trace.Wait(s.Context(), "log connection.disconnected"))
	s.Stop()
	if n := slices.Index(s.Trace.Lines(), "event connection.failed"); n >= 0 {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}
