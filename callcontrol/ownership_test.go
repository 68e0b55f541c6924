package callcontrol_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// These tests are about joins of connections that other sessions have, and that
// change hands, or end with their session, while the join is on its way.

// held is a session Y with the connections a, of a caller, and b, of the callee 200,
// that waits in the middle of a transition, and a session X that can name the two.
type held struct {
	*sitetest.Site
	caller, callee *switchsim.Party
	asks, has      string // the ids of X and Y
	goOn           func()
}

// newHeld makes Y wait before it does what then says, for instance move b to z.
func newHeld(t *testing.T, ask, then string) *held {
	t.Helper()
	h := &held{Site: sitetest.New(t)}
	h.Switch.Callee("200", switchsim.Answers{})
	h.goOn = h.Trace.HoldAt("waits")
	t.Cleanup(h.goOn)
	h.Document("z.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>
<transition event="ccxml.loaded"><log expr="'z ' + session.id"/></transition>
<transition event="stop"><exit/></transition>
<transition event="connection.connected"><log expr="'moved'"/></transition>
<transition event="conference.joined"><log expr="'z joined'"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`)
	h.Document("x.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="room"/>
<var name="a" expr="session.values.a"/><var name="b" expr="session.values.b"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="room" confname="'held'"/></transition>
<transition event="conference.created"><log expr="'x ' + session.id"/></transition>
<transition event="ask">`+ask+`<log expr="'asked'"/></transition>
<transition event="conference.*"><log expr="'answer ' + event$.name"/></transition>
<transition event="error.conference.*"><log expr="'answer ' + event$.name"/><log expr="event$.reason"/></transition>
<transition event="stop"><exit/></transition></eventprocessor></ccxml>`)
	h.caller = h.Dial(h.Document("y.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="a"/><var name="b"/><var name="x"/><var name="z"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected" cond="event$.connectionid == b"><createccxml next="'z.ccxml'" sessionid="z"/></transition>
<transition event="ccxml.created" cond="event$.sessionid == z"><createccxml next="'x.ccxml'" sessionid="x" parameters="a b"/></transition>
<transition event="ccxml.created"><log expr="'y ' + session.id"/></transition>
<transition event="wait"><log expr="'waits'"/>`+then+`</transition>
<transition event="error.move"><log expr="'not moved: ' + event$.reason"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == a"><exit/></transition></eventprocessor></ccxml>`))
	var err error
	h.callee, err = h.Switch.WaitCallee(h.Context(), "200")
	h.Must(err)
	h.asks, h.has = h.idAfter("log x "), h.idAfter("log y ")
	tellSession(h.Site, h.has, "wait")
	h.WaitLog("waits")
	tellSession(h.Site, h.asks, "ask")
	h.WaitLog("asked")
	return h
}

func (h *held) idAfter(beginning string) string {
	h.Helper()
	h.Must(h.Trace.Wait(h.Context(), beginning))
	lines := h.Trace.Lines()
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, beginning) })
	return strings.TrimPrefix(lines[i], beginning)
}

// tell sends an event to a session.
func tellSession(s *sitetest.Site, session, event string) {
	s.Helper()
	if status, body := s.Get("/ccxml/basichttp?sessionid=" + session + "&name=" + event); status >= 300 {
		s.Fatalf("%s: %d %s", event, status, body)
	}
}

// end hangs up and ends all.
func (h *held) end() {
	h.Helper()
	tellSession(h.Site, h.asks, "stop")
	h.caller.Hangup()
	h.callee.Hangup()
	if !h.Trace.Has("log moved") {
		tellSession(h.Site, h.idAfter("log z "), "stop")
	}
	h.WaitIdle()
}

// answers are what X was told, in order.
func (h *held) answers() (list []string) {
	for _, line := range h.Trace.Lines() {
		if answer, ok := strings.CutPrefix(line, "log answer "); ok {
			list = append(list, answer)
		}
	}
	return list
}

// Connection b moves from Y to Z while X's join of a and b is on its way to Y: the
// join is made all the same, between what two sessions have by then, X has one
// answer, and nobody hears anybody else.
func TestJoinOfMovedConnection(t *testing.T) {
	t.Parallel()
	const move = `<move sessionid="z" source="b"/>`
	for _, c := range []struct{ join, a, b string }{
		{`<join id1="a" id2="b"/>`, "[200]", "[caller]"},
		{`<join id1="b" id2="a"/>`, "[200]", "[caller]"},
		{`<join id1="a" id2="b" duplex="'half'"/>`, "[200]", "[]"},
		{`<join id1="b" id2="a" duplex="'half'"/>`, "[]", "[caller]"},
		{`<join id1="b" id2="room"/>`, "[]", "[]"},
	} {
		t.Run(c.join, func(t *testing.T) {
			t.Parallel()
			h := newHeld(t, c.join, move)
			h.goOn()
			h.WaitLog("moved")
			h.WaitLog("answer conference.joined")
			hears := func(p *switchsim.Party, want string) func() bool {
				return func() bool { return fmt.Sprint(p.Hears()) == strings.ReplaceAll(want, "caller", h.caller.Number()) }
			}
			h.WaitUntil("a hears "+c.a, hears(h.caller, c.a))
			h.WaitUntil("b hears "+c.b, hears(h.callee, c.b))
			if !strings.Contains(c.join, "half") {
				h.WaitLog("z joined")
			}
			h.end()
			if got := fmt.Sprint(h.answers()); got != "[conference.joined]" {
				t.Errorf("X was told %s; seen:\n%s", got, strings.Join(h.Trace.Lines(), "\n"))
			}
		})
	}
}

// Y ends with a and b while X's join of them is on its way: X has one answer.
func TestJoinWithEndingSession(t *testing.T) {
	t.Parallel()
	for _, join := range []string{
		`<join id1="a" id2="b"/>`, `<join id1="a" id2="b" duplex="'half'"/>`, `<join id1="room" id2="a"/>`, `<unjoin id1="a" id2="b"/>`,
	} {
		t.Run(join, func(t *testing.T) {
			t.Parallel()
			h := newHeld(t, join, `<exit/>`)
			h.goOn()
			h.Must(h.Trace.Wait(h.Context(), "log answer error.conference."))
			h.end()
			if got := h.answers(); len(got) != 1 {
				t.Errorf("X was told %s", got)
			}
		})
	}
}

// A bridge that FreeSWITCH makes after the join counts as failed is undone, and so
// is a membership.
func TestLateJoinIsUndone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, ignored, late, answer string }{
		{`<join id1="a" id2="b"/>`, "uuid_bridge", "uuid_bridge", "FreeSWITCH did not bridge within 10s"},
		{`<createconference conferenceid="room" confname="'late'"/>`, "conference", "uuid_transfer", "FreeSWITCH did not let it in within 10s"},
	} {
		t.Run(c.ignored, func(t *testing.T) {
			t.Parallel()
			var obeys atomic.Bool
			s := sitetest.New(t, func(o *sitetest.Options) {
				o.Switch.Idle = func(name, _ string) bool { return name == c.ignored && !obeys.Load() }
			})
			s.Switch.Callee("200", switchsim.Answers{})
			s.Switch.AddSound("/sounds/home.wav", time.Second)
			caller := s.Dial(s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="a"/><var name="b"/><var name="room"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected">`+c.what+`</transition>
<transition event="conference.created"><join id1="a" id2="room"/></transition>
<transition event="error.conference.join"><log expr="event$.reason"/><dialogstart connectionid="a" src="'/sounds/home.wav'" type="'audio/wav'"/>
  <dialogstart connectionid="b" src="'/sounds/home.wav'" type="'audio/wav'"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`))
			s.WaitLog(c.answer)
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			home := func(s switchsim.Sound) bool { return s.What == "/sounds/home.wav" && s.Complete }
			s.Must(caller.WaitHeardFunc(s.Context(), home)) // they have been brought home
			s.Must(callee.WaitHeardFunc(s.Context(), home))
			obeys.Store(true)
			if c.late == "uuid_bridge" {
				s.Switch.API("uuid_bridge " + caller.UUID() + " " + callee.UUID())
			} else {
				room := caller.Commands()
				entry := room[slices.IndexFunc(room, func(line string) bool { return strings.HasPrefix(line, "conference ") })]
				s.Switch.API("uuid_transfer " + caller.UUID() + " 'm:^:conference:" + strings.TrimPrefix(entry, "conference ") + "^socket:" + s.Daemon.ESLAddress() + " async full' inline")
			}
			s.Must(s.DaemonLog.WaitText(s.Context(), "that is undone"))
			s.WaitUntil("the two do not hear each other", func() bool { return len(caller.Hears())+len(callee.Hears()) == 0 && s.Switch.Channels() == 2 })
			caller.Hangup()
			s.WaitIdle()
		})
	}
}
