package callcontrol_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/clock"
	"ccxmld/interpreter"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

var (
	orderingRounds = flag.Int("orderings", 24, "how many random orderings TestOrderings runs")
	orderingFirst  = flag.Uint64("ordering", 1, "the seed of the first of them")
)

// TestOrderings lets documents ask for things at random, while an earlier one is
// still on its way, far ends do what they like, and what FreeSWITCH says comes late
// and in any order. Whatever it was, each element has its one answer, no session
// waits for ever, each connection that is left can be played to, and when all has
// ended nothing is left. What fails says its seed:
//
//	go test ./callcontrol -run TestOrderings -ordering SEED -orderings 1
func TestOrderings(t *testing.T) {
	t.Parallel()
	places := make(chan struct{}, 10)
	for i := range *orderingRounds {
		seed := *orderingFirst + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			places <- struct{}{}
			defer func() { <-places }()
			runOrdering(t, seed, nil)
		})
	}
}

// runOrdering runs the ordering of a seed. troubles, which may be nil, has the lines
// of legs and of links to itself while the ordering runs, and leaves them whole.
func runOrdering(t *testing.T, seed uint64, troubles func(s *sitetest.Site, random *rand.Rand, legs, links *slowLines), options ...sitetest.Option) {
	random := rand.New(rand.NewPCG(seed, 0))
	var s *sitetest.Site
	var legs, links *slowLines
	longest := time.Duration(random.IntN(4)) * 15 * time.Millisecond
	s = sitetest.New(t, append([]sitetest.Option{func(o *sitetest.Options) {
		lines := func(to func() string) *slowLines {
			return slowLinesOf(o, rand.New(rand.NewPCG(seed, 1)), longest, to)
		}
		legs, links = lines(func() string { return s.Daemon.ESLAddress() }), lines(func() string { return sitetest.SwitchAddress })
		o.Environment["ESL_ADVERTISE"] = legs.address()
		o.Environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", links.address())
	}}, options...)...)
	s.WaitLinks()
	for number, does := range map[string]switchsim.Behaviour{
		"200": switchsim.Answers{}, "201": switchsim.Answers{After: 500 * time.Millisecond}, "202": switchsim.Answers{HangupAfter: time.Second},
		"203": switchsim.EarlyMedia{After: 100 * time.Millisecond, AnswerAfter: time.Second}, "204": switchsim.NoAnswer{}, "205": switchsim.Busy{},
		"206": switchsim.EarlyMedia{AnswerAfter: 500 * time.Millisecond, Refuses: 486}, "207": switchsim.Answers{After: 4 * time.Second},
		"208": switchsim.EarlyMedia{AnswerAfter: -1},
	} {
		s.Switch.Callee(number, does)
	}
	s.Switch.AddSound("/sounds/beep.wav", 400*time.Millisecond)
	s.Switch.AddSound("/sounds/music.wav", 1000*time.Hour)
	uri := orderings(s, random, "main.ccxml", func() *ordering {
		return &ordering{
			callees: []string{"200", "200", "201", "202", "203", "203", "204", "205", "206", "207", "208"},
			short:   "/sounds/beep.wav", long: "/sounds/music.wav",
		}
	})
	caller, err := s.Switch.Dial(switchsim.Call{Sockets: []string{legs.address()}, Variables: map[string]string{"ccxml_uri": uri}})
	s.Must(err)
	over := clock.NewLatch(s.Clock)
	clock.Go(s.Clock, func() {
		defer over.Open()
		if troubles != nil {
			troubles(s, rand.New(rand.NewPCG(seed, 2)), legs, links)
		}
	})
	farEnds(s, random, caller)
	s.Must(over.Wait(s.Context()))
	finish(s, random)
	if len(read(s.Trace.Lines()).mergesAsked()) == 0 { // else who was merged is nobody's any more
		within(s, "nothing is left in FreeSWITCH", func() bool { return s.Switch.Channels() == 0 })
	}
	caller.Hangup()
	for callee := someCallee(s); callee != nil && s.Switch.Channels() > 0; callee = someCallee(s) {
		callee.Hangup()
	}
	within(s, "nothing is left in FreeSWITCH", func() bool { return s.Switch.Channels() == 0 })
}

// orderings writes a document, and those of the sessions that it creates, and gives
// its URI.
func orderings(s *sitetest.Site, random *rand.Rand, name string, world func() *ordering) string {
	s.Helper()
	about := random.IntN(6)
	o := func() *ordering {
		o := world()
		o.Rand, o.about = random, about
		return o
	}
	for i := range 2 {
		child := o()
		child.child = true
		s.Document(fmt.Sprintf("child%d.ccxml", i), child.document(1+random.IntN(4)))
	}
	text := o().document(3 + random.IntN(6))
	s.Logf("document:\n%s", text)
	return s.Document(name, text)
}

// within is until, and says what there was.
func within(s *sitetest.Site, what string, holds func() bool) {
	s.Helper()
	patience := 100 * time.Second // a leg whose end was not heard of is remembered for a minute
	for deadline := s.Clock.Now().Add(patience); !holds(); clock.Sleep(s.Context(), s.Clock, 2*time.Millisecond) {
		if s.Clock.Now().After(deadline) {
			s.Fatalf("never: %s; %d sessions, %d legs\nseen:\n%s", what, s.Daemon.Controller.Sessions(), s.Daemon.Controller.Connections(), brief(s.Trace.Lines()))
		}
	}
}

// farEnds lets the caller do what callers do, after some events.
func farEnds(s *sitetest.Site, random *rand.Rand, caller *switchsim.Party) {
	after := 0
	for range random.IntN(3) {
		after += random.IntN(14)
		act := random.IntN(4)
		within(s, "some events", func() bool {
			lines := s.Trace.Lines()
			return len(lines) >= after || slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "log asked all ") }) ||
				len(lines) > 0 && s.Daemon.Controller.Sessions() == 0
		})
		switch act {
		case 0:
			s.Trace.Add("caller hangs up")
			caller.Hangup()
		case 1, 2:
			if callee := someCallee(s); callee != nil {
				s.Trace.Add("callee hangs up")
				callee.Hangup()
			}
		default:
			s.Trace.Add("caller presses 5")
			caller.Press("5")
		}
	}
}

// given shows the commands of all connections.
func gaveUpOrdering(s *sitetest.Site, a *account) string {
	if s.Switch == nil {
		return ""
	}
	var lines []string
	for _, c := range a.sessions {
		for _, id := range c.connections() {
			lines = append(lines, "log commands of "+id+":")
			for _, command := range s.Switch.Commands(id) {
				lines = append(lines, "  "+strings.ReplaceAll(command, "\n", " "))
			}
		}
	}
	return brief(lines)
}

// someCallee is somebody who was called, nil for nobody yet.
func someCallee(s *sitetest.Site) *switchsim.Party {
	ctx, cancel := clock.WithTimeout(s.Context(), s.Clock, 10*time.Millisecond)
	defer cancel()
	callee, err := s.Switch.WaitCallee(ctx, "*")
	if err != nil {
		return nil
	}
	return callee
}

// finish waits until all sessions have what they asked for, plays a prompt to each
// connection that is left, ends them, and looks at what there was.
func finish(s *sitetest.Site, random *rand.Rand) {
	s.Helper()
	troubles := s.Trace.Has("cut of ")
	running := func(session string, c *claims) bool { return !c.over }
	probes := make(map[string]int)
	settled := func() (open []string) {
		a := read(s.Trace.Lines())
		if len(a.order) == 0 && !s.Trace.Has("caller hangs up") {
			return []string{"the session has not begun"}
		}
		for _, session := range a.order {
			if c := a.sessions[session]; running(session, c) {
				if !c.all {
					open = append(open, "session "+session+" has not asked for all")
				}
				probed := c.count(func(e happening) bool { return strings.HasPrefix(e.Name, "probe.") })
				if probed < probes[session] {
					open = append(open, "session "+session+" does not handle its events")
				}
				for _, problem := range c.open() {
					open = append(open, "session "+session+": "+problem)
				}
			}
		}
		return open
	}
	a := func() *account { return read(s.Trace.Lines()) }
	settle := func(when string) {
		s.Helper()
		deadline := s.Clock.Now().Add(100 * time.Second)
		for {
			open := settled()
			if len(open) == 0 {
				return
			}
			if s.Clock.Now().After(deadline) {
				s.Fatalf("%s: %s\nseen:\n%s\n%s", when, strings.Join(open, "\n"), brief(s.Trace.Lines()), gaveUpOrdering(s, a()))
			}
			clock.Sleep(s.Context(), s.Clock, 5*time.Millisecond)
		}
	}
	settle("after all was asked")
	tell := func(session, name, about string) {
		probes[session]++
		_ = s.Daemon.Controller.Inject(s.Context(), callcontrol.Injection{
			Session: session, Name: name, Parameters: []interpreter.Pair{{Name: "about", Value: about}},
		})
	}
	sessions := a().order
	for _, session := range sessions {
		c := a().sessions[session]
		for _, one := range c.askedFor("dialogstart") {
			if _, over := c.dialog(one.id(0)); over == 0 && running(session, c) {
				tell(session, "probe.terminate", one.id(0))
			}
		}
	}
	settle("after dialogs were told to end")
	s.Trace.Add("prompts at the end")
	for _, session := range sessions {
		c := a().sessions[session]
		for _, id := range c.connections() {
			if running(session, c) && c.count(ended(id)) == 0 && !c.moved(id) {
				tell(session, "probe.prompt", id)
			}
		}
	}
	settle("after the prompts at the end")
	if random.IntN(2) == 0 {
		for _, session := range sessions {
			c := a().sessions[session]
			for _, id := range c.connections() {
				if running(session, c) && c.count(ended(id)) == 0 && !c.moved(id) {
					tell(session, "probe.end", id)
				}
			}
		}
		settle("after all calls were told to end")
	}
	within(s, "nothing is left", func() bool {
		for session, c := range a().sessions {
			if !c.over {
				tell(session, "probe.exit", "")
			}
		}
		lines, err := s.Daemon.Roster(s.Context())
		return err == nil && len(lines) == 0 && s.Daemon.Controller.Sessions() == 0 && s.Daemon.Controller.Connections() == 0
	})
	var problems []string
	for session, c := range a().sessions {
		for _, problem := range c.tooMuch(troubles) {
			problems = append(problems, "session "+session+": "+problem)
		}
		if n := c.count(isLost); n > 0 && !s.Trace.Has("cut of a leg") {
			problems = append(problems, fmt.Sprintf("session %s: %d answered calls did not survive the loss of the link", session, n))
		}
	}
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "level=ERROR") && (!troubles || strings.Contains(line, "panic")) || strings.Contains(line, "internal error") {
			problems = append(problems, line)
		}
	}
	if len(problems) > 0 {
		s.Errorf("%s\nseen:\n%s", strings.Join(problems, "\n"), brief(s.Trace.Lines()))
	}
}
