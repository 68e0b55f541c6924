package logs_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ccxmld/logs"
)

// TestTrouble: what is found wrong once a second is said at once, then ever less often
// with the count, and when it is over; what comes and goes is said no more often.
func TestTrouble(t *testing.T) {
	now := time.Unix(0, 0)
	trouble := logs.Trouble{Now: func() time.Time { return now }}
	var said []string
	second := func(bad bool) {
		note := trouble.Over
		if bad {
			note = trouble.Found
		}
		if say, about := note(); say {
			said = append(said, fmt.Sprint(now.Unix(), bad, about))
		}
		now = now.Add(time.Second)
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(said, want) {
			t.Errorf("%s: %q, want %q", what, said, want)
		}
		said = nil
	}
	second(false)
	expect("well")
	for range 4 * 3600 {
		second(true)
	}
	expect("four hours",
		"1 true []", "61 true [times 61 for 1m0s]", "181 true [times 181 for 3m0s]", "421 true [times 421 for 7m0s]", "901 true [times 901 for 15m0s]",
		"1861 true [times 1861 for 31m0s]", "3781 true [times 3781 for 1h3m0s]", "7381 true [times 7381 for 2h3m0s]", "10981 true [times 10981 for 3h3m0s]")
	second(false)
	second(false)
	expect("over", "14401 false [times 14400 for 4h0m0s]")
	for range 3600 {
		second(false)
	}
	for i := range 600 {
		second(i%2 == 0)
	}
	expect("it comes and goes", "18003 true []", "18004 false [times 1 for 1s]", "18063 true []", "18064 false [times 1 for 1s]",
		"18183 true []", "18184 false [times 1 for 1s]", "18423 true []", "18424 false [times 1 for 1s]")
}
