package callcontrol

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ccxmld/clock"
)

// limited is a controller that only counts.
func limited(l Limits) (*Controller, *clock.Manual) {
	now := clock.NewManual(time.Unix(0, 0))
	c := &Controller{options: Options{Clock: now}, sessions: make(map[string]*control)}
	c.SetLimits(l)
	return c, now
}

// What sessions create is bounded for each session, each tree and each second, by
// words that name the key, and what ends gives its place back.
func TestTrees(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits Limits
		other  origin // which is admitted all the same
		full   string
	}{
		{"session", Limits{Sessions: 100, Children: 3}, origin{tree: "root", parent: "another"}, "limits.children_per_session"},
		{"tree", Limits{Sessions: 100, TreeSessions: 3}, origin{tree: "another", parent: "another"}, "3 sessions that session root and its children created run here already; wait until some end, or raise limits.children_per_tree"},
		{"calls", Limits{Sessions: 4, ForCalls: 25}, origin{call: true}, "out of sessions: 3 run, and the other 1 places are kept for incoming calls (limits.percent_for_calls)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			controller, _ := limited(c.limits)
			child := origin{tree: "root", parent: "root"}
			for range 3 {
				if err := controller.reserve(child); err != nil {
					t.Fatal(err)
				}
			}
			err := controller.reserve(child)
			if err == nil || !strings.Contains(err.Error(), c.full) {
				t.Errorf("the fourth: %v", err)
			}
			if asksOthers := errors.Is(err, ErrOutOfSessions); asksOthers != (c.name == "calls") {
				t.Errorf("another controller is asked: %v", asksOthers)
			}
			if err := controller.reserve(c.other); err != nil {
				t.Errorf("who has to do with none of them: %v", err)
			}
			controller.unreserve(c.other)
			controller.unreserve(child)
			if err := controller.reserve(child); err != nil {
				t.Errorf("after one has ended: %v", err)
			}
		})
	}
}

// The pace of a tree is its own, and is not got round by sessions that end at once:
// neither those of a session nor those of an address.
func TestTreePace(t *testing.T) {
	for _, by := range []origin{{tree: "root", parent: "root"}, {tree: addressTree("192.0.2.1")}} {
		c, now := limited(Limits{Sessions: 1000, ChildrenPerSecond: 2})
		ended := func(o origin) error {
			err := c.reserve(o)
			if err == nil {
				c.unreserve(o)
			}
			return err
		}
		for i := range 2 * pacedSeconds {
			if err := ended(by); err != nil {
				t.Fatalf("%d: %v", i, err)
			}
		}
		if err := ended(by); err == nil || !strings.Contains(err.Error(), "and its children create more than 2 sessions a second; create the others later, or raise limits.children_per_second") {
			t.Errorf("one more of %v: %v", by, err)
		}
		if err := ended(origin{tree: "other", parent: "other"}); err != nil {
			t.Errorf("another tree: %v", err)
		}
		now.Advance(time.Second)
		if one, two, three := ended(by), ended(by), ended(by); one != nil || two != nil || three == nil {
			t.Errorf("a second later: %v, %v, %v", one, two, three)
		}
	}
}

// Trees that have ended are forgotten.
func TestTreesAreForgotten(t *testing.T) {
	c, now := limited(Limits{Sessions: 1000, ChildrenPerSecond: 1})
	for i := range 3 * manyTrees {
		by := origin{tree: fmt.Sprint("root ", i)}
		if err := c.reserve(by); err != nil {
			t.Fatal(err)
		}
		c.unreserve(by)
		now.Advance(time.Millisecond)
	}
	if len(c.trees) > manyTrees+1 {
		t.Errorf("%d trees are remembered", len(c.trees))
	}
}
