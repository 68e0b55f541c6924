package processors

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gate is one of two processors.
func gate() *Gate { return &Gate{places: 1} }

// spend lets an account have taken so long.
func spend(a *Account, d time.Duration) { a.spent, a.at = d, time.Now() }

// TestShortWorkNeedsNoPlace: what is short goes on while all places are taken, and an
// account that takes little for good stays short.
func TestShortWorkNeedsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate()
		long := g.Account()
		spend(long, time.Second)
		long.Begin()
		short := g.Account()
		for range 1000 {
			short.Begin()
			time.Sleep(time.Millisecond)
			if short.Due(0) {
				t.Fatal("short work is to take a place")
			}
			short.End()
			time.Sleep(time.Second)
		}
		long.End()
		if g.common != 0 || g.reserved {
			t.Error("a place was not given back")
		}
	})
}

// TestLongWorkTakesTurns: of what lasts only as much runs as there are places, each for
// its turn, and all of it comes to its end.
func TestLongWorkTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate()
		var mu sync.Mutex
		running, most, turns := 0, 0, 0
		var all sync.WaitGroup
		for range 5 {
			a := g.Account()
			spend(a, 200*time.Millisecond)
			all.Go(func() {
				work := func(n int) {
					mu.Lock()
					defer mu.Unlock()
					running += n
					most = max(most, running)
				}
				a.Begin()
				work(1)
				for range 50 {
					time.Sleep(time.Millisecond)
					if a.Due(0) {
						turns++
						work(-1)
						if !a.Take() {
							t.Error("no place in time")
						}
						work(1)
					}
				}
				work(-1)
				a.End()
			})
		}
		all.Wait()
		if most != 1 || turns < 50 || g.common != 0 || g.waiting.Load() != 0 {
			t.Errorf("%d at once, %d turns, %d places taken, %d wait", most, turns, g.common, g.waiting.Load())
		}
	})
}

// TestWhoHasTakenLittleGoesFirst: of those that wait, and at once by a place of its own;
// but every fourth place is for those behind.
func TestWhoHasTakenLittleGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate()
		holder := g.Account()
		spend(holder, time.Hour)
		holder.Begin()
		light := g.Account()
		spend(light, 5*time.Millisecond)
		light.Begin()
		if light.has != reserved {
			t.Error("no place is kept for what has taken little")
		}
		time.Sleep(10 * time.Millisecond)
		if !light.Due(0) {
			t.Error("the place that is kept is held by what has taken much")
		}
		var order []time.Duration
		var all sync.WaitGroup
		for _, spent := range []time.Duration{time.Hour, time.Minute, 90 * time.Millisecond, 80 * time.Millisecond, 70 * time.Millisecond} {
			a := g.Account()
			spend(a, spent)
			all.Go(func() {
				a.Begin()
				order = append(order, spent)
				a.End()
			})
			synctest.Wait()
		}
		light.End()
		holder.End()
		all.Wait()
		want := []time.Duration{90 * time.Millisecond, 80 * time.Millisecond, time.Hour, 70 * time.Millisecond, time.Minute}
		for i := range want {
			if order[i] != want[i] {
				t.Fatalf("served were %v, want %v", order, want)
			}
		}
	})
}

// TestLargeWorkIsServedOneAfterTheOther: that which was large first goes on until it ends,
// and what all of it allocates is paced.
func TestLargeWorkIsServedOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate()
		began := time.Now()
		var ended []int
		var all sync.WaitGroup
		for n := range 3 {
			a := g.Account()
			all.Go(func() {
				a.Begin()
				for allocated := int64(0); allocated < 64<<20; allocated += 2 << 20 {
					time.Sleep(100 * time.Microsecond)
					if a.Due(allocated) && !a.Take() {
						t.Error("no place in time")
					}
				}
				ended = append(ended, n)
				a.End()
			})
			time.Sleep(time.Millisecond)
		}
		all.Wait()
		if ended[0] != 0 || ended[1] != 1 || ended[2] != 2 {
			t.Errorf("ended in the order %v", ended)
		}
		if took := time.Since(began); took < 2*time.Second || took > 3*time.Second {
			t.Errorf("192 MiB took %v", took)
		}
	})
}

// TestWaitsEnd: with time, with the gate, and where a holder is given up.
func TestWaitsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(g *Gate, holder *Account)
		took time.Duration
		ok   bool
	}{
		"time is up":      {func(*Gate, *Account) {}, patience, false},
		"closed":          {func(g *Gate, _ *Account) { g.Close() }, time.Second, false},
		"given up":        {func(_ *Gate, holder *Account) { holder.Abandon() }, time.Second, true},
		"holder pauses":   {func(_ *Gate, holder *Account) { holder.Pause() }, time.Second, true},
		"holder is ready": {func(_ *Gate, holder *Account) { holder.End() }, time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := gate()
				holder, a := g.Account(), g.Account()
				spend(holder, time.Hour)
				spend(a, time.Hour)
				holder.Begin()
				began := time.Now()
				time.AfterFunc(time.Second, func() { c.end(g, holder) })
				a.Begin()
				if took := time.Since(began); took != c.took || (a.has != none) != c.ok {
					t.Errorf("it waited %v and has the place %v", took, a.has)
				}
				if !c.ok && a.Due(0) && a.Take() {
					t.Error("it waits again")
				}
				a.End()
				if g.waiting.Load() != 0 {
					t.Error("it still waits")
				}
			})
		})
	}
}

// TestTheOnlyProcessor: between two turns it is left to others.
func TestTheOnlyProcessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := (&Gate{places: 1, alone: true}).Account()
		spend(a, time.Second)
		a.Begin()
		began := time.Now()
		time.Sleep(turn + time.Microsecond)
		if !a.Due(0) || !a.Take() {
			t.Error("it keeps its place")
		}
		if left := time.Since(began) - turn; left < breath {
			t.Errorf("the processor was left for %v", left)
		}
		a.End()
	})
}

// TestNoGate: without one, nothing is counted and nothing waits.
func TestNoGate(t *testing.T) {
	var g *Gate
	a := g.Account()
	a.Begin()
	a.Tick()
	a.Lasts()
	a.Pause()
	a.Resume()
	if a.Due(1<<40) || !a.Take() {
		t.Error("without a gate there is something to wait for")
	}
	a.End()
	a.Abandon()
	g.Close()
}
