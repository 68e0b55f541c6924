package main

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
//	go test ./cmd/ccxmld -run TestOrderings -ordering SEED -orderings 1
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
func runOrdering(t *testing.T, seed uint64, troubles func(h *house, random *rand.Rand, legs, links *slowLines), options ...option) {
	random := rand.New(rand.NewPCG(seed, 0))
	var h *house
	var legs, links *slowLines
	longest := time.Duration(random.IntN(4)) * 15 * time.Millisecond
	h = newHouse(t, append([]option{func(p *plan) {
		lines := func(to func() string) *slowLines {
			return slowLinesOf(p, rand.New(rand.NewPCG(seed, 1)), longest, to)
		}
		legs, links = lines(func() string { return h.daemon.ESLAddress() }), lines(func() string { return switchAddress })
		p.environment["ESL_ADVERTISE"] = legs.address()
		p.environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", links.address())
	}}, options...)...)
	h.up()
	for number, does := range map[string]switchsim.Behaviour{
		"200": switchsim.Answers{}, "201": switchsim.Answers{After: 500 * time.Millisecond}, "202": switchsim.Answers{HangupAfter: time.Second},
		"203": switchsim.EarlyMedia{After: 100 * time.Millisecond, AnswerAfter: time.Second}, "204": switchsim.NoAnswer{}, "205": switchsim.Busy{},
		"206": switchsim.EarlyMedia{AnswerAfter: 500 * time.Millisecond, Refuses: 486}, "207": switchsim.Answers{After: 4 * time.Second},
		"208": switchsim.EarlyMedia{AnswerAfter: -1},
	} {
		h.sw.Callee(number, does)
	}
	h.sw.AddSound("/sounds/beep.wav", 400*time.Millisecond)
	h.sw.AddSound("/sounds/music.wav", 1000*time.Hour)
	uri := orderings(h, random, "main.ccxml", func() *ordering {
		return &ordering{
			callees: []string{"200", "200", "201", "202", "203", "203", "204", "205", "206", "207", "208"},
			short:   "/sounds/beep.wav", long: "/sounds/music.wav",
		}
	})
	caller, err := h.sw.Dial(switchsim.Call{Sockets: []string{legs.address()}, Variables: map[string]string{"ccxml_uri": uri}})
	h.must(err)
	over := clock.NewLatch(h.clock)
	clock.Go(h.clock, func() {
		defer over.Open()
		if troubles != nil {
			troubles(h, rand.New(rand.NewPCG(seed, 2)), legs, links)
		}
	})
	farEnds(h, random, caller)
	h.must(over.Wait(h.ctx))
	finish(h, random)
	if len(read(h.seen.all()).mergesAsked()) == 0 { // else who was merged is nobody's any more
		h.within("nothing is left in FreeSWITCH", func() bool { return h.sw.Channels() == 0 })
	}
	caller.Hangup()
	for callee := h.someCallee(); callee != nil && h.sw.Channels() > 0; callee = h.someCallee() {
		callee.Hangup()
	}
	h.within("nothing is left in FreeSWITCH", func() bool { return h.sw.Channels() == 0 })
}

// orderings writes a document, and those of the sessions that it creates, and gives
// its URI.
func orderings(h *house, random *rand.Rand, name string, world func() *ordering) string {
	h.Helper()
	about := random.IntN(6)
	o := func() *ordering {
		o := world()
		o.Rand, o.about = random, about
		return o
	}
	for i := range 2 {
		child := o()
		child.child = true
		h.document(fmt.Sprintf("child%d.ccxml", i), child.document(1+random.IntN(4)))
	}
	text := o().document(3 + random.IntN(6))
	h.Logf("document:\n%s", text)
	return h.document(name, text)
}

// within is until, and says what there was.
func (h *house) within(what string, holds func() bool) {
	h.Helper()
	patience := 100 * time.Second // a leg whose end was not heard of is remembered for a minute
	for deadline := h.clock.Now().Add(patience); !holds(); clock.Sleep(h.ctx, h.clock, 2*time.Millisecond) {
		if h.clock.Now().After(deadline) {
			h.Fatalf("never: %s; %d sessions, %d legs\nseen:\n%s", what, h.daemon.Controller.Sessions(), h.daemon.Controller.Connections(), brief(h.seen.all()))
		}
	}
}

// farEnds lets the caller do what callers do, after some events.
func farEnds(h *house, random *rand.Rand, caller *switchsim.Party) {
	after := 0
	for range random.IntN(3) {
		after += random.IntN(14)
		act := random.IntN(4)
		h.within("some events", func() bool {
			lines := h.seen.all()
			return len(lines) >= after || slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "log asked all ") }) ||
				len(lines) > 0 && h.daemon.Controller.Sessions() == 0
		})
		switch act {
		case 0:
			h.seen.add("caller hangs up")
			caller.Hangup()
		case 1, 2:
			if callee := h.someCallee(); callee != nil {
				h.seen.add("callee hangs up")
				callee.Hangup()
			}
		default:
			h.seen.add("caller presses 5")
			caller.Press("5")
		}
	}
}

// given shows the commands of all connections.
func (h *house) given(a *account) string {
	if h.sw == nil {
		return ""
	}
	var lines []string
	for _, c := range a.sessions {
		for _, id := range c.connections() {
			lines = append(lines, "log commands of "+id+":")
			for _, command := range h.sw.Commands(id) {
				lines = append(lines, "  "+strings.ReplaceAll(command, "\n", " "))
			}
		}
	}
	return brief(lines)
}

// someCallee is somebody who was called, nil for nobody yet.
func (h *house) someCallee() *switchsim.Party {
	ctx, cancel := clock.WithTimeout(h.ctx, h.clock, 10*time.Millisecond)
	defer cancel()
	callee, err := h.sw.WaitCallee(ctx, "*")
	if err != nil {
		return nil
	}
	return callee
}

// finish waits until all sessions have what they asked for, plays a prompt to each
// connection that is left, ends them, and looks at what there was.
func finish(h *house, random *rand.Rand) {
	h.Helper()
	troubles := h.seen.has("cut of ")
	running := func(session string, c *claims) bool { return !c.over }
	probes := make(map[string]int)
	settled := func() (open []string) {
		a := read(h.seen.all())
		if len(a.order) == 0 && !h.seen.has("caller hangs up") {
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
	a := func() *account { return read(h.seen.all()) }
	settle := func(when string) {
		h.Helper()
		deadline := h.clock.Now().Add(100 * time.Second)
		for {
			open := settled()
			if len(open) == 0 {
				return
			}
			if h.clock.Now().After(deadline) {
				h.Fatalf("%s: %s\nseen:\n%s\n%s", when, strings.Join(open, "\n"), brief(h.seen.all()), h.given(a()))
			}
			clock.Sleep(h.ctx, h.clock, 5*time.Millisecond)
		}
	}
	settle("after all was asked")
	tell := func(session, name, about string) {
		probes[session]++
		_ = h.daemon.Controller.Inject(h.ctx, callcontrol.Injection{
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
	h.seen.add("prompts at the end")
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
	h.within("nothing is left", func() bool {
		for session, c := range a().sessions {
			if !c.over {
				tell(session, "probe.exit", "")
			}
		}
		lines, err := h.daemon.Roster(h.ctx)
		return err == nil && len(lines) == 0 && h.daemon.Controller.Sessions() == 0 && h.daemon.Controller.Connections() == 0
	})
	var problems []string
	for session, c := range a().sessions {
		for _, problem := range c.tooMuch(troubles) {
			problems = append(problems, "session "+session+": "+problem)
		}
		if n := c.count(isLost); n > 0 && !h.seen.has("cut of a leg") {
			problems = append(problems, fmt.Sprintf("session %s: %d answered calls did not survive the loss of the link", session, n))
		}
	}
	for _, line := range h.log.all() {
		if strings.Contains(line, "level=ERROR") && (!troubles || strings.Contains(line, "panic")) || strings.Contains(line, "internal error") {
			problems = append(problems, line)
		}
	}
	if len(problems) > 0 {
		h.Errorf("%s\nseen:\n%s", strings.Join(problems, "\n"), brief(h.seen.all()))
	}
}
