package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ccxmld/sessionstore"
)

// got are the events that a controller took in, not those that it was asked to.
func (c *controller) got() (events []string) {
	for len(c.noted) > 0 {
		events = append(events, <-c.noted)
	}
	return slices.Compact(events)
}

// TestEventsFollowTheirSession to whoever claims it, in order: from a controller that has
// died, from one that has handed it over, and to one that has not made it again yet.
func TestEventsFollowTheirSession(t *testing.T) {
	want := []string{"e0 from x for s", "e1 from x for s", "e2 from x for s"}
	for _, test := range []struct {
		name  string
		owner string                                   // by Redis, at the beginning
		then  func(r *redis, one, two, to *controller) // a second later
	}{
		{"its controller has died", "dead", func(r *redis, _, _, to *controller) {
			to.runs("s", true)
			r.own("s", "c3")
		}},
		{"it was claimed and is not made again yet", "dead", func(r *redis, _, _, to *controller) {
			r.own("s", "c3")
			time.Sleep(2 * time.Second)
			to.runs("s", true)
		}},
		{"it was handed over", "c2", func(r *redis, _, two, to *controller) {
			two.runs("s", false)
			to.runs("s", true)
			r.own("s", "c3")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				r := newRedis()
				one, two, to := r.join(t, "c1"), r.join(t, "c2"), r.join(t, "c3")
				r.own("s", test.owner)
				for i := range 3 {
					one.InOrder("s", func(ctx context.Context) {
						if err := one.Send(ctx, Event{Session: "s", Source: "x", Name: fmt.Sprint("e", i)}); err != nil {
							t.Error(err)
						}
					})
				}
				time.Sleep(time.Second)
				test.then(r, one, two, to)
				time.Sleep(10 * time.Second)
				if got := to.got(); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q; log: %s", got, want, to.log.String())
				}
			})
		})
	}
}

// TestAnEventForASessionThatIsHereByThen: who sends it has claimed the session meanwhile.
func TestAnEventForASessionThatIsHereByThen(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		one := r.join(t, "c1")
		r.own("s", "dead")
		sent := make(chan error, 1)
		go func() { sent <- one.Send(t.Context(), Event{Session: "s", Name: "e"}) }()
		time.Sleep(time.Second)
		r.own("s", "c1")
		time.Sleep(time.Second)
		one.runs("s", true)
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// TestAnEventForASessionThatNobodyClaims fails a while later.
func TestAnEventForASessionThatNobodyClaims(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		one := r.join(t, "c1")
		r.own("s", "dead")
		begun := time.Now()
		err := one.Send(t.Context(), Event{Session: "s", Name: "e"})
		if passed := time.Since(begun); !errors.Is(err, sessionstore.ErrNoController) || passed < claimTimeout || passed > claimTimeout+time.Second {
			t.Errorf("%v after %v", err, passed)
		}
	})
}

// TestAChildsEndFollowsItsParent to whoever has claimed that.
func TestAChildsEndFollowsItsParent(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		one, two, to := r.join(t, "c1"), r.join(t, "c2"), r.join(t, "c3")
		told := func() {
			t.Helper()
			if got := to.next(); got != "exit of s for p: <nil> " {
				t.Error(got)
			}
		}
		exit := Exit{Parent: "p", Session: "s"}
		r.own("p", "c3")
		to.runs("p", true)
		one.Exited(exit)
		told()
		two.childExited(exit) // it was told to the one before
		told()
		to.runs("p", false)
		one.Exited(exit) // it is not made again yet
		time.Sleep(time.Second)
		to.runs("p", true)
		told()
		r.own("p", "dead")
		one.Exited(exit)
		time.Sleep(time.Second)
		r.own("p", "c3")
		told()
	})
}
