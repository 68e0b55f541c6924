package sessionstore_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// ended is the PID of a process that has ended.
func ended(t *testing.T) int {
	t.Helper()
	command := exec.Command("true")
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	return command.Process.Pid
}

// registration is a Register under way.
type registration struct {
	store *sessionstore.Store
	clock *clock.Manual
	done  chan error
}

// register begins to register a controller, which ends by itself or as time goes on.
func register(t *testing.T, o sessionstore.Options, c *clock.Manual, as sessionstore.Controller) *registration {
	t.Helper()
	r := &registration{store: open(t, o), clock: c, done: make(chan error, 1)}
	go func() { r.done <- r.store.Register(context.WithoutCancel(t.Context()), as) }()
	return r
}

// after lets up to a time pass, a little at a time, until the registration ends, and
// tells how much that was. Others go by the same clock or by theirs.
func (r *registration) after(t *testing.T, most time.Duration, others ...*clock.Manual) (time.Duration, error) {
	t.Helper()
	begun := r.clock.Now()
	var err error
	redistest.Eventually(t, "the registration ends", func() bool {
		select {
		case err = <-r.done:
			return true
		default:
		}
		if passed := r.clock.Now().Sub(begun); passed < most {
			r.clock.Advance(100 * time.Millisecond)
			for _, other := range others {
				other.Advance(100 * time.Millisecond)
			}
		}
		return false
	})
	return r.clock.Now().Sub(begun), err
}

// TestAProcessTakesItsIDAgain at once from one that can be seen to be gone, and a while
// later from one that cannot, if that does not renew its lease; else it is refused.
func TestAProcessTakesItsIDAgain(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after sessionstore.Controller
		renews        bool // the one before
		refused       bool
		atOnce        bool
	}{
		{name: "a process that has ended", before: sessionstore.Controller{PID: ended(t)}, atOnce: true},
		{name: "a PID that came again", before: sessionstore.Controller{PID: 1}, atOnce: true},
		{name: "its address could be opened", before: sessionstore.Controller{PID: os.Getpid(), Listen: "10.0.0.1:8084"},
			after: sessionstore.Controller{Listen: "10.0.0.1:8084"}, atOnce: true},
		{name: "another address", before: sessionstore.Controller{PID: os.Getpid(), Listen: "10.0.0.1:8084"},
			after: sessionstore.Controller{Listen: "10.0.0.2:8084"}, renews: true, refused: true},
		{name: "no address", before: sessionstore.Controller{PID: os.Getpid()}, renews: true, refused: true},
		{name: "stopped", before: sessionstore.Controller{PID: os.Getpid()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			redistest.Each(t, func(t *testing.T, server *redistest.Server) {
				c.before.ID, c.after.ID, c.after.PID = "a", "a", os.Getpid()
				theirs, ours := newClock(), newClock()
				before := open(t, options(server.URL, theirs))
				if err := before.Register(t.Context(), c.before); err != nil {
					t.Fatal(err)
				}
				o := options(server.URL, ours)
				o.Instance = "second"
				r := register(t, o, ours, c.after)
				var others []*clock.Manual
				if c.renews {
					others = append(others, theirs)
				}
				most := 20 * time.Second
				if c.atOnce {
					most = 0
				}
				passed, err := r.after(t, most, others...)
				if c.refused != errors.Is(err, sessionstore.ErrIDTaken) || err != nil && !c.refused {
					t.Errorf("registered: %v", err)
				}
				if !c.atOnce && !c.refused && passed < 6*time.Second {
					t.Errorf("after %v", passed)
				}
				list, err := before.Controllers(t.Context())
				if err != nil || len(list) != 1 || !list[0].Alive || (list[0].Instance == "a second") == c.refused {
					t.Errorf("controllers: %+v %v", list, err)
				}
			})
		})
	}
}

// TestTheProcessBeforeIsReplaced: one that goes on after another has taken its id learns of
// it, gets no mail any more, and leaves the other alone in the end.
func TestTheProcessBeforeIsReplaced(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		theirs, ours := newClock(), newClock()
		o := options(server.URL, theirs)
		replaced := make(chan error, 10)
		o.Replaced = func(err error) { replaced <- err }
		before := open(t, o)
		if err := before.Register(t.Context(), sessionstore.Controller{ID: "a", PID: os.Getpid()}); err != nil {
			t.Fatal(err)
		}
		_, stop := receive(t, before, "a")
		r := register(t, options(server.URL, ours), ours, sessionstore.Controller{ID: "a", PID: os.Getpid()})
		if _, err := r.after(t, 20*time.Second); err != nil {
			t.Fatal(err)
		}
		redistest.Eventually(t, "it learns of it", func() bool {
			ours.Advance(time.Second)
			theirs.Advance(time.Second)
			return len(replaced) > 0
		})
		for range 20 {
			theirs.Advance(time.Second)
		}
		if err := <-replaced; !errors.Is(err, sessionstore.ErrIDTaken) || len(replaced) != 0 {
			t.Errorf("told of %v, and %d times more", err, len(replaced))
		}
		if err := stop(); !errors.Is(err, sessionstore.ErrIDTaken) && !errors.Is(err, context.Canceled) {
			t.Errorf("its receiver ended with %v", err)
		}
		if err := before.Close(); err != nil {
			t.Error(err)
		}
		if list, err := r.store.Controllers(t.Context()); err != nil || len(list) != 1 || !list[0].Alive {
			t.Errorf("controllers: %+v %v", list, err)
		}
	})
}

// TestRegisteredWhileRedisIsAway: the one before is looked at when Redis is back.
func TestRegisteredWhileRedisIsAway(t *testing.T) {
	for _, lives := range []bool{false, true} {
		server := redistest.Mini(t)
		theirs, ours := newClock(), newClock()
		pid := os.Getpid()
		if !lives {
			pid = ended(t)
		}
		before := open(t, options(server.URL, theirs))
		if err := before.Register(t.Context(), sessionstore.Controller{ID: "a", PID: pid}); err != nil {
			t.Fatal(err)
		}
		redistest.Refuse(t, server, "LOADING Redis is loading the dataset in memory", true)
		o := options(server.URL, ours)
		replaced := false
		o.Replaced = func(error) { replaced = true }
		second := open(t, o)
		if err := second.Register(t.Context(), sessionstore.Controller{ID: "a", PID: os.Getpid()}); err != nil {
			t.Fatal(err)
		}
		if !second.LeaseEnds().IsZero() {
			t.Error("the lease is held without Redis")
		}
		redistest.Refuse(t, server, "", false)
		for range 20 {
			ours.Advance(time.Second)
			if lives {
				theirs.Advance(time.Second)
			}
		}
		if replaced != lives || second.LeaseEnds().IsZero() != lives {
			t.Errorf("the one before lives: %v, and this one is replaced: %v, its lease ends %v", lives, replaced, second.LeaseEnds())
		}
		if !lives && second.LeaseEnds().Sub(ours.Now()) < 5*time.Second {
			t.Errorf("the lease ends %v, it is %v", second.LeaseEnds(), ours.Now())
		}
	}
}
