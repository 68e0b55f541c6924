package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ccxmld/clock"
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
func drops(h *house, random *rand.Rand, legs, links *slowLines) {
	pause := func(longest int) {
		clock.Sleep(h.ctx, h.clock, time.Duration(random.IntN(longest))*time.Millisecond)
	}
	// FreeSWITCH keeps an incoming call for ever whose socket ends before our first word.
	for len(h.seen.all()) == 0 && h.ctx.Err() == nil {
		pause(5)
	}
	kinds := random.IntN(3) // of the link, of legs, of both
	for range 1 + random.IntN(4) {
		pause(200)
		if kinds == 0 || kinds == 2 && random.IntN(2) == 0 {
			h.seen.add("cut of the link")
			links.cutAll()
			pause(300)
			links.restore()
			h.seen.add("the link may come again")
		} else if legs.cutOne() {
			h.seen.add("cut of a leg")
		}
	}
	for h.daemon.Controller.Nodes()[0].Err != nil && h.ctx.Err() == nil {
		pause(5)
	}
}
