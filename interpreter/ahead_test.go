package interpreter_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/interpreter"
)

// commits keeps the snapshots that a session commits, and what ends its waiting.
type commits struct {
	snaps []interpreter.Snapshot
	done  []func(error)
}

func (c *commits) commit(snap interpreter.Snapshot, done func(error)) {
	c.snaps = append(c.snaps, snap)
	c.done = append(c.done, done)
}

// release has the oldest commit done.
func (c *commits) release(err error) {
	done := c.done[0]
	c.done = c.done[1:]
	done(err)
	synctest.Wait()
}

// last is what was committed last, as another controller reads it.
func (c *commits) last(t *testing.T) (snap interpreter.Snapshot) {
	t.Helper()
	text, err := c.snaps[len(c.snaps)-1].Encode()
	if err == nil {
		err = json.Unmarshal(text, &snap)
	}
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// TestScenariosAhead: a session whose requests wait until it was written down does the same
// as one whose requests do not.
func TestScenariosAhead(t *testing.T) {
	eachScenario(t, func(t *testing.T, body string) {
		runScenarioWith(t, body, func(o *interpreter.Options) {
			o.Ahead = true
			o.Commit = func(_ interpreter.Snapshot, done func(error)) { time.AfterFunc(0, func() { done(nil) }) }
		})
	})
}

const aheadDocument = `<transition event="connection.alerting"><accept/><send target="'s2'" name="'told'"/><createcall dest="'tel:1'"/>
		<dialogstart src="'a.wav'" hints="{earlymedia: true, n: 7}"/></transition>
	<transition event="user.a"><log expr="'handled'"/></transition>
	<transition event="user.exit"><send target="'s2'" name="'bye'"/><exit expr="{n: 1}"/></transition>
	<transition event="error.*"><log expr="event$.name"/></transition>
	<transition event="connection.failed"><log expr="event$.name + ' ' + event$.reason"/></transition>`

// TestAhead: what a transition asks for goes out when the session was written down with it,
// and nothing is handled before.
func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c commits
		boundaries := 0
		s, platform := newSession(t, aheadDocument, func(o *interpreter.Options) {
			o.Ahead, o.Commit, o.Boundary = true, c.commit, func() { boundaries++ }
		})
		s.Start(connectionEvent("alerting", "c1", nil))
		synctest.Wait()
		c.release(nil) // of ccxml.loaded
		post(s, "user.a")
		synctest.Wait()
		wantTrace(t, platform)
		c.release(errors.New("as asked")) // which is logged
		wantTrace(t, platform, "accept c1", "send id1 told to s2", "createcall id2 tel:1", "dialogstart id3 a.wav connection=c1 hints=[earlymedia:true n:7]", "log handled")
		if boundaries != 1 {
			t.Errorf("%d boundaries were told of when the requests had gone out, want 1", boundaries)
		}
		c.release(nil)
		post(s, "user.exit")
		synctest.Wait()
		wantTrace(t, platform)
		c.release(nil)
		wantTrace(t, platform, "send id4 bye to s2", "ended value=map[n:1]")
	})
}

// TestAheadOnlyMessages: without Ahead, messages wait, and nothing else.
func TestAheadOnlyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c commits
		boundaries := 0
		s, platform := newSession(t, aheadDocument, func(o *interpreter.Options) { o.Commit, o.Boundary = c.commit, func() { boundaries++ } })
		s.Start(connectionEvent("alerting", "c1", nil))
		synctest.Wait()
		wantTrace(t, platform, "accept c1", "createcall id2 tel:1", "dialogstart id3 a.wav connection=c1 hints=[earlymedia:true n:7]")
		c.release(nil)
		wantTrace(t, platform, "send id1 told to s2")
		post(s, "user.a")
		synctest.Wait()
		wantTrace(t, platform, "log handled")
		if len(c.snaps) != 1 || boundaries != 3 {
			t.Errorf("%d commits and %d boundaries", len(c.snaps), boundaries)
		}
		s.End("")
	})
}

// TestResumedBeforeItWentOut: the controller has gone when the session was written down,
// and nobody knows whether its requests went out. Those that may be made twice are made
// again; others fail; the transition does not run again.
func TestResumedBeforeItWentOut(t *testing.T) {
	const gone = "controller: the controller that waited for the answer has gone"
	failed := []string{"accept c1", "dialogstart id3 a.wav connection=c1 hints=[earlymedia:true n:7]", "log connection.failed " + gone, "log error.send.failed"}
	for name, test := range map[string]struct {
		again func(any, interpreter.Again) interpreter.Again
		want  []string
	}{
		"usual": {nil, failed},
		"the call is there": {func(r any, usual interpreter.Again) interpreter.Again {
			if _, ok := r.(interpreter.CallRequest); ok {
				return interpreter.GoesOn
			}
			return usual
		}, slices.Delete(slices.Clone(failed), 2, 3)},
		"the call is not": {func(any, interpreter.Again) interpreter.Again { return interpreter.MakeAgain },
			[]string{"accept c1", "createcall id2 tel:1", failed[1], failed[3]}},
		"nothing": {func(any, interpreter.Again) interpreter.Again { return interpreter.FailAgain },
			[]string{failed[2], "log error.dialog.notstarted", failed[3]}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var c commits
			s, _ := newSession(t, aheadDocument, func(o *interpreter.Options) { o.Ahead, o.Commit = true, c.commit })
			s.Start(connectionEvent("alerting", "c1", nil))
			synctest.Wait()
			c.release(nil)
			snap := c.last(t)
			s.Do(func() { s.Abandon(s) })
			synctest.Wait()
			s, platform := goOn(t, aheadDocument, snap, func(o *interpreter.Options) { o.Again = test.again })
			s.GoOn()
			synctest.Wait()
			if got := platform.trace.take(); !slices.Equal(got, test.want) {
				t.Errorf("%s: the session did\n%s\nwant\n%s", name, indent(strings.Join(got, "\n")), indent(strings.Join(test.want, "\n")))
			}
			s.End("")
		})
	}
}

// TestResumedBeforeItEnded: a session that was written down with its last requests ends.
func TestResumedBeforeItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c commits
		s, _ := newSession(t, `<transition event="ccxml.loaded"><disconnect connectionid="'c1'"/><createconference conferenceid="application.id" confname="'x'"/><exit expr="7"/></transition>`,
			func(o *interpreter.Options) { o.Ahead, o.Commit = true, c.commit })
		s.Start()
		synctest.Wait()
		snap := c.last(t)
		s.Do(func() { s.Abandon(s) })
		synctest.Wait()
		s, platform := goOn(t, `<transition event="user.a"/>`, snap, nil)
		s.GoOn()
		<-s.Done()
		wantTrace(t, platform, "createconference conference:x name=x", "ended value=7")
	})
}

// TestAheadGoesOn: a session that is not written down in time, or cannot be, goes on.
func TestAheadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c commits
		s, platform := newSession(t, `<transition event="user.a"><send target="'s2'" name="'x'"/></transition>
			<transition event="user.big"><assign name="application.big" expr="'x'.repeat(1000000) + 'y'.repeat(48576)"/><send target="'s2'" name="'big'"/></transition>`,
			func(o *interpreter.Options) { o.Commit = c.commit })
		s.Start()
		post(s, "user.a")
		synctest.Wait()
		time.Sleep(5*time.Second - 1)
		synctest.Wait()
		wantTrace(t, platform)
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		wantTrace(t, platform, "send id1 x to s2")
		c.release(nil) // too late
		post(s, "user.big")
		synctest.Wait()
		wantTrace(t, platform, "send id2 big to s2")
		s.End("")
	})
}

// TestSendsFireOnce: whenever the controller goes, of a transition's message and of a delayed
// one no more than one goes out, together with what the next controller sends.
func TestSendsFireOnce(t *testing.T) {
	const text = `<transition event="user.a"><send target="'s2'" name="'now'"/><send target="'s2'" name="'later'" delay="'1s'"/></transition>
		<transition event="error.*"/>`
	for stop := range 12 {
		synctest.Test(t, func(t *testing.T) {
			sent := make(map[string]int)
			count := func(platform *fakePlatform) {
				for _, send := range platform.sends {
					sent[send.request.Event]++
				}
			}
			var last *interpreter.Snapshot
			var first *interpreter.Session
			steps := 0
			gone := func() bool { // the process ends at one of the steps
				steps++
				if steps == stop {
					first.Abandon(first)
				}
				return steps >= stop
			}
			s, platform := newSession(t, text, func(o *interpreter.Options) {
				o.Ahead = true
				o.Commit = func(snap interpreter.Snapshot, done func(error)) {
					if gone() {
						return
					}
					last = &snap
					if gone() { // written, and nobody hears of it
						return
					}
					time.AfterFunc(time.Millisecond, func() { done(nil) })
				}
			})
			first = s
			s.Start()
			post(s, "user.a")
			time.Sleep(3 * time.Second)
			synctest.Wait()
			count(platform)
			if steps < stop || last == nil {
				s.End("")
				return
			}
			s, platform = goOn(t, text, *last, nil)
			s.GoOn()
			post(s, "user.b")
			time.Sleep(3 * time.Second)
			synctest.Wait()
			count(platform)
			for event, n := range sent {
				if n > 1 {
					t.Errorf("the process ended at step %d: %s was sent %d times", stop, event, n)
				}
			}
			s.End("")
		})
	}
}
