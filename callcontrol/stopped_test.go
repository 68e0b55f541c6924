package callcontrol_test

import (
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
