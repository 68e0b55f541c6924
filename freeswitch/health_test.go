package freeswitch

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
)

// A node that works again has its calls at once, and one that fails anew rests for its
// own time: the end of the rest before does not end this one. Each rest in a row is
// twice as long.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNodes(NodesOptions{Owner: deaf{}, Clock: clock.Real(), Logger: slog.New(slog.DiscardHandler)}, []NodeOptions{{Name: "one", Weight: 1}}).All()[0]
		fail := func() {
			for range failuresInARow {
				n.Failed("CRASH")
			}
		}
		rests := func(want bool) {
			t.Helper()
			synctest.Wait()
			if got := n.health.problem() != ""; got != want {
				t.Errorf("it rests: %t", got)
			}
		}
		n.Failed("CRASH")
		n.Failed("CRASH")
		rests(false)
		n.Worked()
		n.Failed("CRASH")
		rests(false) // not in a row
		n.Worked()
		fail()
		rests(true)
		time.Sleep(shortestRest - time.Second)
		n.Worked()
		rests(false)
		fail()
		time.Sleep(2 * time.Second) // when the first rest would have been over
		rests(true)
		time.Sleep(shortestRest)
		rests(false)
		n.Failed("CRASH") // again, by one call
		rests(true)
		time.Sleep(2*shortestRest - time.Second)
		rests(true)
		time.Sleep(2 * time.Second)
		rests(false)
	})
}
