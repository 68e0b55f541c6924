package callcontrol_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/sitetest"
)

var dropsRounds = flag.Int("drops", 12, "how many random orderings TestOrderingsWithDrops runs")

// TestOrderingsWithDrops is TestOrderings on a network that drops the link, which
// comes again some time later, and sockets of legs. Then deadlines may pass and legs
// end, but each element has its answer still, no session waits for ever, and nothing
// is left in FreeSWITCH. What fails is run again as TestOrderings is, with -drops 1.
func TestOrderingsWithDrops(t *testing.T) {
	t.Parallel()
	places := make(chan struct{}, 10)
	for i := range *dropsRounds {
		seed := *orderingFirst + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			places <- struct{}{}
			defer func() { <-places }()
			runOrdering(t, seed, drops)
		})
	}
}

// drops cuts lines at random moments. When it returns the link is up again.
func drops(s *sitetest.Site, random *rand.Rand, legs, links *slowLines) {
	pause := func(longest int) {
		clock.Sleep(s.Context(), s.Clock, time.Duration(random.IntN(longest))*time.Millisecond)
	}
	// FreeSWITCH keeps an incoming call for ever whose socket ends before our first word.
	for len(s.Trace.Lines()) == 0 && s.Context().Err() == nil {
		pause(5)
	}
	kinds := random.IntN(3) // of the link, of legs, of both
	for range 1 + random.IntN(4) {
		pause(200)
		if kinds == 0 || kinds == 2 && random.IntN(2) == 0 {
			s.Trace.Add("cut of the link")
			links.cutAll()
			pause(300)
			links.restore()
			s.Trace.Add("the link may come again")
		} else if legs.cutOne() {
			s.Trace.Add("cut of a leg")
		}
	}
	for s.Daemon.Controller.Nodes()[0].Err != nil && s.Context().Err() == nil {
		pause(5)
	}
}
