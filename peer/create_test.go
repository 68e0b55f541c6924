package peer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/sessionstore"
)

// inTime runs a test in time of its own.
func inTime(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// The same request for a session that comes again, while the session is being created
// or runs, is not for another one.
func TestSessionThatIsAskedForTwice(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		c := r.join(t, "c1")
		body, err := json.Marshal(Session{ID: "child", Parent: "parent", ParentAt: "c2"})
		if err != nil {
			t.Fatal(err)
		}
		mail := sessionstore.Mail{ID: "q1", From: "c2", Kind: createKind, Body: body}
		goOn := make(chan struct{})
		c.create = func(Session) error { <-goOn; c.running["child"] = true; return nil }
		for _, then := range []func(){func() {}, func() { close(goOn) }, func() {}} {
			if err := r.Post(t.Context(), "c1", mail); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			then()
			synctest.Wait()
		}
		if n := len(c.noted); n != 1 {
			t.Errorf("it is created %d times", n)
		}
	})
}

// Who asks for a session hears what came of it, or why nothing does.
func TestCreate(t *testing.T) {
	shut := errors.New("the controller is shutting down")
	for name, test := range map[string]struct {
		controller string
		create     func(Session) error
		during     func(one *controller)
		want       string
		after      time.Duration
	}{
		"done":     {"c2", nil, nil, "", 0},
		"failed":   {"c2", func(Session) error { return errors.New("HTTP 404") }, nil, "on controller c2: HTTP 404", 0},
		"full":     {"c2", func(Session) error { return ErrOutOfSessions }, nil, "on controller c2: out of sessions", 0},
		"not here": {"c3", nil, nil, "the controller is gone", 0},
		"late":     {"c2", func(Session) error { time.Sleep(time.Minute); return nil }, nil, "the other controller did not answer within 37s", 37 * time.Second},
		"shutdown": {"c2", func(Session) error { time.Sleep(time.Minute); return nil }, func(one *controller) { one.shut(shut) }, "on controller c2: the controller is shutting down", 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				r := newRedis()
				one, two := r.join(t, "c1"), r.join(t, "c2")
				two.create = test.create
				if test.during != nil {
					time.AfterFunc(5*time.Second, func() { test.during(one) })
				}
				began := time.Now()
				err := one.Create(t.Context(), test.controller, Session{ID: "s", Document: Document{Timeout: 7 * time.Second}})
				if err == nil != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %s", err, test.want)
				}
				if took := time.Since(began); took != test.after {
					t.Errorf("after %s, want %s", took, test.after)
				}
				if name == "full" && !errors.Is(err, ErrOutOfSessions) {
					t.Error("it is not told that another one might be asked")
				}
				time.Sleep(time.Hour) // an answer that comes late is for nobody
			})
		})
	}
}

// Where one controller is full the next one is asked, in turn; what fails for another
// reason fails.
func TestCreateElsewhere(t *testing.T) {
	full := func(Session) error { return ErrOutOfSessions }
	for name, test := range map[string]struct {
		two, three func(Session) error
		want       string
		asked      int
	}{
		"the first takes it": {nil, nil, "", 1},
		"the first is full":  {full, nil, "", 2},
		"all are full":       {full, full, "out of sessions, as are the 2 other controllers", 2},
		"the document fails": {func(Session) error { return errors.New("HTTP 404") }, nil, "on controller c2: HTTP 404", 1},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				r := newRedis()
				one, two, three := r.join(t, "c1"), r.join(t, "c2"), r.join(t, "c3")
				two.create, three.create = test.two, test.three
				r.controllers = append(r.controllers, sessionstore.Controller{ID: "dead"})
				err := one.CreateElsewhere(t.Context(), Session{ID: "s"}, ErrOutOfSessions)
				if err == nil != (test.want == "") || err != nil && err.Error() != test.want {
					t.Errorf("%v, want %s", err, test.want)
				}
				if asked := len(two.noted) + len(three.noted); asked != test.asked {
					t.Errorf("%d were asked, want %d", asked, test.asked)
				}
			})
		})
	}
	inTime(t, func(t *testing.T) {
		err := newRedis().join(t, "c1").CreateElsewhere(t.Context(), Session{}, ErrOutOfSessions)
		if err == nil || err.Error() != "out of sessions, and there is no other controller; raise limits.sessions" {
			t.Error(err)
		}
	})
}

// A parent hears of its child's end after the answer to its creation, and of one whose
// result is too long without that.
func TestExitComesAfterTheCreation(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		one, two := r.join(t, "c1"), r.join(t, "c2")
		r.owners["p"], one.running["p"] = "c1", true
		two.create = func(s Session) error {
			two.Exited(Exit{Parent: s.Parent, Session: s.ID, Ending: Ending{Value: "done"}}) // before it is answered for
			return nil
		}
		one.InOrder("child", func(ctx context.Context) {
			if err := one.Create(ctx, "c2", Session{ID: "child", Parent: "p", ParentAt: "c1"}); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second) // what the exit waits for
			one.note("created")
		})
		for _, want := range []string{"created", "exit of child for p: done "} {
			if got := one.next(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		r.tooLong = 200
		two.Exited(Exit{Parent: "p", Session: "long", Ending: Ending{Value: strings.Repeat("x", 200)}})
		if got := one.next(); got != "exit of long for p: <nil> what the session returned is too long to be sent to another controller" {
			t.Error(got)
		}
		two.running["near's"] = true
		two.Exited(Exit{Parent: "near's", Session: "near"})
		two.next() // its creation
		if got := two.next(); got != "exit of near for near's: <nil> " {
			t.Error(got)
		}
	})
}

// What is for one session goes in its order, that for others meanwhile; beyond a bound,
// and after the end, it is refused.
func TestInOrder(t *testing.T) {
	inTime(t, func(t *testing.T) {
		c := newRedis().join(t, "c1")
		goOn := make(chan struct{})
		add := func(session, name string, f func()) {
			t.Helper()
			if !c.InOrder(session, func(context.Context) { f(); c.note("%s", name) }) {
				t.Fatalf("%s is refused", name)
			}
		}
		add("slow", "first", func() { <-goOn })
		synctest.Wait()
		add("slow", "second", func() {})
		add("fast", "other", func() {})
		if got := c.next(); got != "other" {
			t.Error(got)
		}
		synctest.Wait()
		if !c.Busy("slow") || c.Busy("fast") {
			t.Errorf("busy: %t, %t", c.Busy("slow"), c.Busy("fast"))
		}
		nothing := func(context.Context) {}
		for range MaxQueued - 1 {
			c.InOrder("slow", nothing)
		}
		if c.InOrder("slow", nothing) {
			t.Error("there is no bound")
		}
		close(goOn)
		if one, two := c.next(), c.next(); one != "first" || two != "second" {
			t.Errorf("%s, %s", one, two)
		}
		synctest.Wait()
		if c.Busy("slow") {
			t.Error("it is busy with nothing")
		}
		c.Close()
		if c.InOrder("slow", nothing) {
			t.Error("something is taken after the end")
		}
	})
}
