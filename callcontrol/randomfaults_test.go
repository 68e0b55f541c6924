package callcontrol_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestFaults kills controllers at random under a load of calls, and starts others in their
// place, or stops one beyond its lease and lets it go on. TEST_FAULTS=FIRST-LAST gives the seeds, each of which is a run of its own that
// repeats itself.
func TestFaults(t *testing.T) {
	for seed := range seeds(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			l := newLoad(t, seed)
			for range 3 {
				l.run(l.between(5*time.Second, 20*time.Second))
				if l.random.IntN(3) == 0 {
					l.stopOne()
				} else {
					l.kill()
				}
				l.run(l.between(20*time.Second, 25*time.Second)) // beyond the lease
				l.check()
			}
			l.end()
		})
	}
}

// seeds are those that TEST_FAULTS names, or a few.
func seeds(t *testing.T) func(yield func(uint64) bool) {
	t.Helper()
	from, to, is := strings.Cut(os.Getenv("TEST_FAULTS"), "-")
	first, last := uint64(1), uint64(3)
	if from != "" {
		var err error
		if first, err = strconv.ParseUint(from, 10, 32); err != nil {
			t.Fatal("TEST_FAULTS: expected FIRST-LAST, such as 1-500:", err)
		}
		last = first
		if is {
			if last, err = strconv.ParseUint(to, 10, 32); err != nil {
				t.Fatal("TEST_FAULTS: expected FIRST-LAST, such as 1-500:", err)
			}
		}
	}
	return func(yield func(uint64) bool) {
		for seed := first; seed <= last && yield(seed); seed++ {
		}
	}
}

// load is a site with three daemons, of which some are killed, and their calls.
type load struct {
	*sitetest.Site
	random  *rand.Rand
	living  []*controller
	dead    []*controller
	stopped []*controller
	killed  []time.Time
	calls   []*loadCall
	sends   []*loadSend
	numbers int
	probed  int // digits that were pressed after faults
	talked  int // bridges that were looked at after faults
}

type controller struct {
	*sitetest.Site
	name  string
	lines []string // of its trace, when it was killed
}

// loadCall is a caller, and who it talks with.
type loadCall struct {
	caller *switchsim.Party
	kind   string
	number string // of who is called, for a bridge
	talks  bool   // in a bridge that is written down
}

// loadSend is a delayed send of a session.
type loadSend struct {
	name    string
	started time.Time
	due     time.Time
}

const (
	loadPrompt = `<transition event="connection.alerting"><assign name="c" expr="event$.connection.remote"/><accept/></transition>
<transition event="connection.connected"><dialogstart src="'tone_stream://%(300000,0,440)'" type="'audio/wav'"/></transition>
<transition event="connection.signal"><log expr="'digit ' + c + ' ' + event$.info.value"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>`

	loadBridge = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == c"><createcall dest="'tel:CALLEE'" connectionid="d"/></transition>
<transition event="connection.connected"><join id1="c" id2="d"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="connection.failed"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
<transition event="conference.unjoined"><log expr="'unjoined'"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>`

	loadRoom = `<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="r" confname="'ROOM'"/></transition>
<transition event="conference.created"><join id1="c" id2="r"/></transition>
<transition event="conference.joined"><log expr="'in'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>`

	loadCallee = `<transition event="ccxml.loaded"><createcall dest="'tel:CALLEE'"/></transition>
<transition event="connection.connected"><dialogstart src="'tone_stream://%(300000,0,440)'" type="'audio/wav'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="connection.failed"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>`

	loadSendLater = `<transition event="ccxml.loaded"><send target="session.id" targettype="'ccxml'" name="'due'" delay="'DELAYms'"/></transition>
<transition event="due"><log expr="'due NAME at ' + Date.now()"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>`
)

func newLoad(t *testing.T, seed uint64) *load {
	l := &load{random: rand.New(rand.NewPCG(seed, 0))}
	l.Site = sitetest.New(t, sitetest.With("CONTROLLER_ID", "c1"))
	l.living = []*controller{{Site: l.Site, name: "c1"}}
	for _, name := range []string{"c2", "c3"} {
		l.start(name)
	}
	return l
}

// start starts a controller.
func (l *load) start(name string) {
	l.Helper()
	c := &controller{Site: l.AddDaemon(sitetest.With("CONTROLLER_ID", name)), name: name}
	c.WaitLinks()
	l.living = append(l.living, c)
}

// between is a random time.
func (l *load) between(least, most time.Duration) time.Duration {
	return least + time.Duration(l.random.Int64N(int64((most-least)/time.Millisecond)))*time.Millisecond
}

func (l *load) number(of string) string {
	l.numbers++
	return fmt.Sprintf("%s%04d", of, l.numbers)
}

// some gives a controller that runs.
func (l *load) some() *controller {
	for {
		if c := l.living[l.random.IntN(len(l.living))]; !slices.Contains(l.stopped, c) {
			return c
		}
	}
}

// run lets calls come, be placed and end for a time.
func (l *load) run(d time.Duration) {
	l.Helper()
	for end := l.Clock.Now().Add(d); l.Clock.Now().Before(end); l.Sleep(l.between(10*time.Millisecond, 1500*time.Millisecond)) {
		switch n := l.random.IntN(12); {
		case n < 2:
			l.dial("prompt", loadPrompt)
		case n < 4:
			callee := l.number("2")
			l.Switch.Callee(callee, switchsim.Answers{After: l.between(0, 10*time.Second)})
			call := l.dial("bridge", strings.ReplaceAll(loadBridge, "CALLEE", callee))
			call.number = callee
		case n < 6:
			l.dial("room", strings.ReplaceAll(loadRoom, "ROOM", fmt.Sprint("room ", l.random.IntN(3))))
		case n < 7:
			callee := l.number("3")
			l.Switch.Callee(callee, switchsim.Answers{After: l.between(0, 20*time.Second), HangupAfter: l.between(time.Second, time.Minute)})
			l.some().StartSession(l.Transitions("callee"+callee+".ccxml", strings.ReplaceAll(loadCallee, "CALLEE", callee)))
		case n < 9:
			s := &loadSend{name: l.number("send"), started: l.Clock.Now()}
			delay := l.between(0, 40*time.Second)
			s.due = s.started.Add(delay)
			text := strings.NewReplacer("DELAY", fmt.Sprint(delay.Milliseconds()), "NAME", s.name).Replace(loadSendLater)
			l.some().StartSession(l.Transitions(s.name+".ccxml", text))
			l.sends = append(l.sends, s)
		case len(l.calls) > 0:
			i := l.random.IntN(len(l.calls))
			call := l.calls[i]
			if n == 9 && call.kind == "prompt" {
				call.caller.Press("5")
				break
			}
			call.caller.Hangup()
			l.calls = slices.Delete(l.calls, i, i+1)
		}
	}
}

// dial has a call come to some controller, and to the others if that is not there.
func (l *load) dial(kind, document string) *loadCall {
	l.Helper()
	number := l.number("1")
	sockets := []string{l.some().Daemon.ESLAddress()}
	uri := l.Transitions(kind+number+".ccxml", document, "c d r")
	caller, err := l.Switch.Dial(switchsim.Call{From: number, Sockets: sockets, Variables: map[string]string{"ccxml_uri": uri}})
	l.Must(err)
	call := &loadCall{caller: caller, kind: kind}
	l.calls = append(l.calls, call)
	return call
}

// kill kills one controller or two, and starts others in their place.
func (l *load) kill() {
	l.Helper()
	l.noteTalks()
	var names []string
	for range 1 + l.random.IntN(2) {
		i := l.random.IntN(len(l.living))
		c := l.living[i]
		c.lines = c.Trace.Lines()
		c.Kill()
		l.Logf("=== %v %s is killed", l.Clock.Now(), c.name)
		l.living = slices.Delete(l.living, i, i+1)
		l.dead = append(l.dead, c)
		l.killed = append(l.killed, l.Clock.Now())
		names = append(names, c.name)
		l.Sleep(l.between(0, 3*time.Second))
	}
	for _, name := range names {
		if l.random.IntN(2) == 0 {
			name = l.number("c")
		}
		l.run(l.between(0, 10*time.Second))
		l.start(name)
		l.Logf("=== %v %s is started", l.Clock.Now(), name)
	}
}

// stopOne stops a controller beyond its lease, as SIGSTOP does, and lets it go on.
func (l *load) stopOne() {
	l.Helper()
	l.noteTalks()
	c := l.some()
	c.Pause()
	l.Logf("=== %v %s is stopped", l.Clock.Now(), c.name)
	l.stopped = append(l.stopped, c)
	l.killed = append(l.killed, l.Clock.Now())
	l.run(l.between(20*time.Second, time.Minute))
	l.stopped = nil
	c.Resume()
	l.Logf("=== %v %s goes on", l.Clock.Now(), c.name)
}

// noteTalks finds the bridges that have been for a while, and so are written down.
func (l *load) noteTalks() {
	for _, call := range l.calls {
		if heard := call.caller.Heard(); call.kind == "bridge" && len(call.caller.Hears()) == 1 {
			call.talks = l.Clock.Now().Sub(heard[len(heard)-1].From) > time.Second
		}
	}
}

// check checks what holds a while after a fault.
func (l *load) check() {
	l.Helper()
	l.within(30*time.Second, l.strays)
	l.within(5*time.Second, l.roster)
	for _, call := range l.calls {
		if !call.talks {
			continue
		}
		l.talked++
		heard := call.caller.Heard()
		if last := heard[len(heard)-1]; !slices.Equal(call.caller.Hears(), []string{call.number}) || last.Kind != "bridge" || !last.To.IsZero() {
			l.Errorf("%v: %s does not talk with %s any more: %+v", l.Clock.Now(), call.caller.Number(), call.number, last)
		}
	}
	for _, call := range l.calls {
		l.probe(call)
	}
	if l.Failed() {
		l.FailNow()
	}
}

// probe checks that the session of a call that is up takes a digit, once.
func (l *load) probe(call *loadCall) {
	if call.kind != "prompt" || !l.channels()[call.caller.UUID()] || len(call.caller.Heard()) == 0 {
		return
	}
	line := "log digit sip:" + call.caller.Number()
	count := func() (n int) {
		for _, c := range l.living {
			n += c.Trace.Count(line)
		}
		return n
	}
	l.probed++
	before := count()
	call.caller.Press("7")
	l.Sleep(500 * time.Millisecond)
	if n := count() - before; n != 1 {
		l.Errorf("%v: a digit of %s (%s) was told %d times", l.Clock.Now(), call.caller.Number(), call.caller.UUID(), n)
	}
}

// within waits until nothing is wrong.
func (l *load) within(d time.Duration, wrong func() string) {
	l.Helper()
	var last string
	for end := l.Clock.Now().Add(d); l.Clock.Now().Before(end); l.Sleep(500 * time.Millisecond) {
		if last = wrong(); last == "" {
			return
		}
	}
	l.Errorf("%v: %s", l.Clock.Now(), last)
}

// channels are the ids of the calls that the switch has.
func (l *load) channels() map[string]bool {
	ids := make(map[string]bool)
	for line := range strings.Lines(l.Switch.API("show channels")) {
		if id, _, ok := strings.Cut(line, ","); ok && id != "uuid" {
			ids[id] = true
		}
	}
	return ids
}

// strays tells of calls and sessions that do not belong to exactly one living controller.
func (l *load) strays() string {
	channels, sessions, legs := l.channels(), 0, 0
	owner := make(map[string]string)
	for session, err := range l.living[0].Daemon.Store.Sessions(l.Context()) {
		l.Must(err)
		if !slices.ContainsFunc(l.living, func(c *controller) bool { return c.name == session.Controller }) {
			return fmt.Sprintf("session %s is of %s, which is dead", session.ID, session.Controller)
		}
		sessions++
		for _, id := range session.Connections {
			if owner[id] != "" {
				return fmt.Sprintf("call %s is of sessions %s and %s", id, owner[id], session.ID)
			}
			owner[id] = session.ID
			if !channels[id] {
				return fmt.Sprintf("call %s of session %s is not there", id, session.ID)
			}
		}
	}
	for id := range channels {
		if owner[id] == "" {
			return fmt.Sprintf("call %s has no session", id)
		}
	}
	running := 0
	for _, c := range l.living {
		running += c.Daemon.Controller.Sessions()
		has, waits := c.Daemon.Controller.LegIDs()
		for _, id := range append(has, waits...) {
			if !channels[id] {
				return fmt.Sprintf("%s has leg %s, which the switch has not (whose end it waits for: %q)", c.name, id, waits)
			}
		}
		legs += len(has) + len(waits)
	}
	if running != sessions || legs != len(channels) {
		return fmt.Sprintf("%d sessions run, and %d are in redis; controllers have %d legs, and the switch %d", running, sessions, legs, len(channels))
	}
	return ""
}

// roster tells of conferences whose members in Redis are not those of the switch.
func (l *load) roster() string {
	registry := l.living[0].Daemon.Conferences
	for conference, err := range registry.List(l.Context()) {
		l.Must(err)
		members, err := registry.Members(l.Context(), conference.ID)
		l.Must(err)
		var known, in []string
		for _, m := range members {
			known = append(known, m.Connection)
		}
		for _, m := range l.Switch.Conference(conference.Room) {
			in = append(in, m.UUID)
		}
		slices.Sort(known)
		slices.Sort(in)
		if !slices.Equal(known, in) {
			return fmt.Sprintf("of %s the members %q are known, and %q are in it", conference.ID, known, in)
		}
	}
	return ""
}

// end ends all calls, and checks that nothing is left.
func (l *load) end() {
	l.Helper()
	for _, call := range l.calls {
		call.caller.Hangup()
	}
	l.calls = nil
	l.Sleep(2 * time.Minute)
	if n := l.Switch.Channels(); n > 0 {
		l.Errorf("%d calls are left", n)
	}
	for _, c := range l.living {
		if sessions, legs := c.Daemon.Controller.Sessions(), c.Daemon.Controller.Connections(); sessions+legs > 0 {
			l.Errorf("%s has %d sessions and %d legs", c.name, sessions, legs)
		}
	}
	l.within(5*time.Second, func() string {
		for conference, err := range l.living[0].Daemon.Conferences.List(l.Context()) {
			l.Must(err)
			return fmt.Sprintf("conference %s is held", conference.ID)
		}
		return l.keys()
	})
	l.checkSends()
	l.Logf("=== %d controllers killed, %d calls, %d bridges and %d digits looked at", len(l.killed), l.numbers, l.talked, l.probed)
	for _, c := range slices.Concat(l.living, l.dead) {
		for _, line := range c.DaemonLog.Lines() {
			if strings.Contains(line, "internal error") {
				l.Errorf("%s: %s", c.name, line)
			}
		}
	}
}

// keys tells of a key in Redis that should not be there any more.
func (l *load) keys() string {
	client := l.living[0].Daemon.Store.Client()
	all, err := client.Keys(l.Context(), "*").Result()
	l.Must(err)
	for _, key := range all {
		rest := strings.TrimPrefix(key, "ccxml:")
		switch kind, _, _ := strings.Cut(rest, ":"); {
		case kind == "session" && strings.HasSuffix(key, "}"): // the epoch of one that was claimed
			fields, err := client.HKeys(l.Context(), key).Result()
			l.Must(err)
			if !slices.Equal(fields, []string{"epoch"}) {
				return fmt.Sprintf("%s is left with %q", key, fields)
			}
		case strings.HasPrefix(rest, "controller:") && strings.HasSuffix(key, ":sessions"):
			ids, err := client.SMembers(l.Context(), key).Result()
			l.Must(err)
			return fmt.Sprintf("%s is left with %q", key, ids)
		case kind == "health", kind == "controllers", kind == "controller", kind == "text":
		case kind == "conference" && (strings.HasSuffix(key, ":epoch") || strings.HasSuffix(key, ":ended")):
		default:
			return key + " is left"
		}
	}
	return ""
}

// checkSends checks that each delayed send was fired once. What was not written down is lost,
// and one that has fired and whose effect was not written down is fired again.
func (l *load) checkSends() {
	l.Helper()
	near := func(at time.Time) bool {
		return slices.ContainsFunc(l.killed, func(kill time.Time) bool { return !at.After(kill) && kill.Sub(at) < 500*time.Millisecond })
	}
	for _, s := range l.sends {
		var fired []time.Time
		for _, c := range slices.Concat(l.living, l.dead) {
			lines := c.lines
			if lines == nil {
				lines = c.Trace.Lines()
			}
			for _, line := range lines {
				if at, ok := strings.CutPrefix(line, "log due "+s.name+" at "); ok {
					ms, err := strconv.ParseInt(at, 10, 64)
					l.Must(err)
					fired = append(fired, time.UnixMilli(ms))
				}
			}
		}
		switch {
		case len(fired) == 1, len(fired) == 2 && near(fired[0]), len(fired) == 0 && near(s.started):
		default:
			l.Errorf("%s, started at %v and due at %v, was fired %d times: %v", s.name, s.started, s.due, len(fired), fired)
		}
	}
}
