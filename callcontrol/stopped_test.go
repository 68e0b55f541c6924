package callcontrol_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// stoppedCalls are the calls of a daemon that is stopped: a prompt, a bridge, a session
// without a call that is to place one in half a minute.
type stoppedCalls struct {
	prompt, talker *switchsim.Party
	ids            []string // of the calls
}

func callsToStop(one *sitetest.Site) *stoppedCalls {
	c := new(stoppedCalls)
	one.Switch.Callee("200", switchsim.Answers{})
	one.Switch.Callee("300", switchsim.Answers{})
	prompt := one.Transitions("prompt", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'tone_stream://%(600000,0,440)'" type="'audio/wav'"/></transition>
		<transition event="dialog.started"><log expr="'started'"/></transition>
		<transition event="connection.signal"><log expr="'digit ' + event$.info.value"/></transition>
		<transition event="connection.disconnected"><log expr="'prompt over'"/><exit/></transition>`)
	bridge := one.Transitions("bridge", `
		<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
		<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" joinid="a"/></transition>
		<transition event="connection.connected"><log expr="'joined'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`, "a")
	later := one.Transitions("later", `
		<transition event="ccxml.loaded"><send target="session.id" targettype="'ccxml'" name="'due'" delay="'30s'"/></transition>
		<transition event="due"><log expr="'due'"/><createcall dest="'tel:300'"/></transition>
		<transition event="connection.connected"><log expr="'placed'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>
		<transition event="connection.failed"><log expr="'failed ' + event$.reason"/><exit/></transition>`)
	c.prompt, c.talker = one.DialFrom("100", prompt), one.DialFrom("101", bridge)
	one.WaitLog("started")
	one.WaitLog("joined")
	one.StartSession(later)
	written(one)
	c.ids, _ = one.Daemon.Controller.LegIDs()
	return c
}

// talks tells whether the bridge is up, and has been without a break.
func (c *stoppedCalls) talks() bool {
	return slices.Equal(c.talker.Hears(), []string{"200"}) && len(c.talker.Heard()) == 1
}

// writes are what a daemon writes, and how much of it before it knows whose its sessions are.
type writes struct {
	mu   sync.Mutex
	text []string
}

func tap(s *sitetest.Site) *writes {
	w := new(writes)
	s.Tap(func(data []byte) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !slices.ContainsFunc(s.DaemonLog.Lines(), func(line string) bool { return strings.Contains(line, "this process goes on") }) {
			w.text = append(w.text, "too early: "+string(data))
			return
		}
		w.text = append(w.text, string(data))
	})
	return w
}

// about gives what was written that has one of some texts in it.
func (w *writes) about(texts ...string) (found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range w.text {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(line, text) }) {
			found = append(found, line)
		}
	}
	return found
}

// wakings are how a daemon goes on that was stopped: in the order in which things were due,
// and the other way round.
var wakings = map[string]func(*sitetest.Site){"in order": (*sitetest.Site).Resume, "in reverse": (*sitetest.Site).ResumeInReverse}

// TestStoppedAndTakenOver: a daemon that was stopped for a minute, while another one has
// taken its sessions over, says nothing when it goes on: not to FreeSWITCH, and not to those
// whom its timers are for.
func TestStoppedAndTakenOver(t *testing.T) {
	t.Parallel()
	for name, resume := range wakings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, other := pairOfDaemons(t)
			calls := callsToStop(one)
			one.Trace.Reset()
			one.Pause()
			sent := tap(one)
			one.Sleep(time.Minute)
			other.WaitLog("due")
			other.WaitLog("placed")
			if sent.text != nil {
				t.Fatalf("it says while it is stopped: %q", sent.text)
			}
			release := newRedisLine(one).hold()
			resume(one)
			one.Sleep(time.Second) // which Redis takes to answer
			release()
			one.Must(one.DaemonLog.WaitText(one.Context(), "this process goes on"))
			one.Sleep(time.Minute)
			if found := sent.about(append(calls.ids, "too early", "originate")...); found != nil {
				t.Errorf("it says of what another controller has: %q", found)
			}
			if lines := slices.DeleteFunc(one.Trace.Lines(), func(line string) bool { return strings.HasPrefix(line, "end") }); len(lines) > 0 {
				t.Errorf("its sessions have done something: %q", lines)
			}
			if n := one.Daemon.Controller.Sessions() + one.Daemon.Controller.Connections(); n > 0 {
				t.Errorf("it has %d sessions and legs", n)
			}
			if !calls.talks() {
				t.Errorf("the talk was disturbed: %+v", calls.talker.Heard())
			}
			if n := len(calls.prompt.Heard()); n != 2 {
				t.Errorf("the prompt was heard %d times, want two, one from each controller", n)
			}
			if n := other.Trace.Count("log placed"); n != 1 {
				t.Errorf("the call was placed %d times", n)
			}
			calls.prompt.Press("5")
			other.WaitLog("digit 5")
			calls.prompt.Hangup()
			calls.talker.Hangup()
			other.WaitLog("prompt over")
		})
	}
}

// TestStoppedAndGoesOn: where nobody has taken the sessions over, they go on, and what was
// due meanwhile happens once.
func TestStoppedAndGoesOn(t *testing.T) {
	t.Parallel()
	for name, resume := range wakings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := sitetest.New(t)
			calls := callsToStop(one)
			one.Pause()
			sent := tap(one)
			one.Sleep(time.Minute)
			calls.prompt.Press("6")
			release := newRedisLine(one).hold()
			resume(one)
			one.Sleep(time.Second) // which Redis takes to answer
			release()
			one.WaitLog("due")
			one.WaitLog("placed")
			one.WaitLog("digit 6")
			one.Sleep(10 * time.Second)
			if found := sent.about("too early"); found != nil {
				t.Errorf("it says something before it knows that its sessions are its own: %q", found)
			}
			if !calls.talks() || len(calls.prompt.Heard()) != 1 {
				t.Errorf("calls were disturbed: %+v %+v", calls.talker.Heard(), calls.prompt.Heard())
			}
			if n := one.Trace.Count("log placed"); n != 1 {
				t.Errorf("the call was placed %d times", n)
			}
			calls.prompt.Hangup()
			calls.talker.Hangup()
			one.WaitLog("prompt over")
		})
	}
}

// TestStoppedWhileItJoins: what FreeSWITCH has done while the daemon was stopped counts, not
// that the time for it is over.
func TestStoppedWhileItJoins(t *testing.T) {
	t.Parallel()
	for name, resume := range wakings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := sitetest.New(t)
			one.Switch.Callee("200", switchsim.Answers{})
			caller := one.Dial(one.Document("bridge.ccxml", strings.ReplaceAll(bridgeDocument(callAndJoin+`
				<transition event="conference.joined"><log expr="'joined'"/></transition>
				<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
				<transition event="connection.disconnected"><log expr="'over'"/><exit/></transition>`), "DEST", "tel:200")))
			var once sync.Once
			one.Tap(func(data []byte) {
				if strings.Contains(string(data), "uuid_bridge") {
					once.Do(one.Pause)
				}
			})
			one.WaitUntil("they talk", func() bool { return len(caller.Hears()) == 1 })
			one.Sleep(time.Minute)
			resume(one)
			one.WaitLog("joined")
			one.Sleep(time.Minute)
			if !slices.Equal(caller.Hears(), []string{"200"}) {
				t.Errorf("the caller hears %v", caller.Hears())
			}
			caller.Hangup()
			one.WaitLog("over")
		})
	}
}

// TestStoppedWhileRedisIsAway: FreeSWITCH tells whose the calls are.
func TestStoppedWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	for name, resume := range wakings {
		for _, taken := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " taken ", taken), func(t *testing.T) {
				t.Parallel()
				one := sitetest.New(t)
				other := one
				if taken {
					other = anotherDaemon(one)
				}
				calls := callsToStop(one)
				one.Trace.Reset()
				one.Pause()
				sent := tap(one)
				one.Sleep(time.Minute)
				newRedisLine(one).cut()
				resume(one)
				one.Sleep(10 * time.Second)
				if found := sent.about(calls.ids...); taken && slices.ContainsFunc(found, func(line string) bool { return !strings.HasPrefix(line, "too early: api uuid_getvar") }) {
					t.Errorf("it says of what another controller has: %q", found)
				}
				if legs := one.Daemon.Controller.Connections(); taken != (legs == 0) {
					t.Errorf("it has %d legs", legs)
				}
				if !calls.talks() {
					t.Errorf("the talk was disturbed: %+v", calls.talker.Heard())
				}
				calls.prompt.Press("5")
				other.WaitLog("digit 5")
				calls.prompt.Hangup()
				calls.talker.Hangup()
				other.WaitLog("prompt over")
			})
		}
	}
}

// TestCutFromRedis: a daemon that is cut off from Redis for a minute goes on with its calls;
// where another one has claimed them meanwhile, FreeSWITCH tells it, and it says nothing more.
func TestCutFromRedis(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{true, false} {
		t.Run(fmt.Sprint("taken ", taken), func(t *testing.T) {
			t.Parallel()
			one := sitetest.New(t)
			other := one
			if taken {
				other = anotherDaemon(one)
			}
			calls := callsToStop(one)
			one.Trace.Reset()
			line := newRedisLine(one)
			line.cut()
			one.Sleep(14 * time.Second)
			calls.prompt.Press("4")
			one.WaitLog("digit 4")
			if taken {
				other.Must(other.DaemonLog.WaitText(other.Context(), "sessions taken over"))
			}
			one.Sleep(time.Second)
			sent := tap(one)
			calls.prompt.Press("5")
			other.WaitLog("digit 5")
			one.Sleep(time.Minute)
			if found := sent.about(calls.ids...); taken && found != nil {
				t.Errorf("it says of what another controller has: %q", found)
			}
			if legs := one.Daemon.Controller.Connections(); taken != (legs == 0) {
				t.Errorf("it has %d legs", legs)
			}
			if taken {
				other.WaitLog("placed")
				if one.Trace.Has("log digit 5") {
					t.Error("both have taken the digit")
				}
			}
			line.restore()
			one.WaitUntil("redis is back", one.Daemon.Store.Healthy)
			one.Sleep(10 * time.Second)
			if !calls.talks() || taken && len(calls.prompt.Heard()) != 2 || !taken && len(calls.prompt.Heard()) != 1 {
				t.Errorf("calls were disturbed: %+v %+v", calls.talker.Heard(), calls.prompt.Heard())
			}
			if n := one.Trace.Count("log placed") + other.Trace.Count("log placed"); taken && n != 1 {
				t.Errorf("the call was placed %d times", n)
			}
			calls.prompt.Hangup()
			calls.talker.Hangup()
			other.WaitLog("prompt over")
		})
	}
}

// TestMarksOfLegs: a leg that was taken over has the mark of who has it, also in a bridge;
// and by that alone a daemon that was stopped knows that it is not its own any more.
func TestMarksOfLegs(t *testing.T) {
	t.Parallel()
	one, other := pairOfDaemons(t)
	calls := callsToStop(one)
	mark := func(id string) string { return one.Switch.API("uuid_getvar " + id + " ccxmld_instance") }
	before := make(map[string]string)
	for _, id := range calls.ids {
		before[id] = mark(id)
	}
	one.Kill()
	other.Must(other.DaemonLog.WaitText(other.Context(), "sessions taken over"))
	other.Sleep(10 * time.Second)
	for _, id := range calls.ids {
		if now := mark(id); now == before[id] || now == "_undef_" {
			t.Errorf("the mark of leg %s is %s, and was %s", id, now, before[id])
		}
	}
	other.Pause()
	other.Sleep(30 * time.Second)
	newRedisLine(other).cut()
	gone := calls.prompt.UUID()
	other.Switch.API("uuid_setvar " + gone + " ccxmld_instance another")
	other.Resume()
	other.Sleep(10 * time.Second)
	if ids, _ := other.Daemon.Controller.LegIDs(); slices.Contains(ids, gone) || len(ids) != len(calls.ids)-1 {
		t.Errorf("it has the legs %v, and another one has %s", ids, gone)
	}
	calls.prompt.Hangup()
	calls.talker.Hangup()
}

// TestSessionsWithoutCallsWaitForRedis: a session that has no call, and so nobody to tell it
// that another controller has it, places none and sends nothing when the lease is over, until
// Redis is back. Where that does not come, it hears of that.
func TestSessionsWithoutCallsWaitForRedis(t *testing.T) {
	t.Parallel()
	one := sitetest.New(t)
	calls := callsToStop(one)
	one.Switch.Callee("400", switchsim.Answers{})
	actions := `<send target="'nobody'" targettype="'ccxml'" name="'x'"/><createcall dest="'tel:400'"/>`
	events := `
		<transition event="connection.connected"><log expr="'NAME placed'"/></transition>
		<transition event="connection.failed"><log expr="'NAME ' + event$.name"/></transition>
		<transition event="error.send.*"><log expr="'NAME ' + event$.name"/></transition>`
	later := one.Transitions("later2", `
		<transition event="ccxml.loaded"><send target="session.id" targettype="'ccxml'" name="'due'" delay="'40s'"/><send target="session.id" targettype="'ccxml'" name="'due'" delay="'60s'"/></transition>
		<transition event="due">`+actions+`</transition>`+strings.ReplaceAll(events, "NAME", "without"))
	caller := one.Transitions("caller", `
		<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
		<transition event="connection.signal">`+actions+`</transition>
		<transition event="connection.connected" cond="event$.connectionid == a"><log expr="'up'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`+strings.ReplaceAll(events, "NAME", "with"), "a")
	one.StartSession(later)
	began := one.Clock.Now()
	party := one.DialFrom("105", caller)
	one.WaitLog("up")
	line := newRedisLine(one)
	line.cut()
	one.Sleep(20 * time.Second) // the lease is over
	party.Press("1")
	one.WaitLog("with placed")
	one.WaitLog("without connection.failed")
	one.WaitLog("without error.send.failed")
	if one.Trace.Has("log without placed") {
		t.Error("a call is placed for a session that another controller may have")
	}
	one.Sleep(61*time.Second - one.Clock.Now().Sub(began))
	line.restore()
	one.WaitLog("without placed")
	party.Hangup()
	calls.prompt.Hangup()
	calls.talker.Hangup()
}
