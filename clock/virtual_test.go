package clock_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
)

var noon = time.Date(2026, time.January, 1, 12, 0, 0, 0, time.UTC)

// virtually runs f in a goroutine at work, and waits for all that it starts.
func virtually(t *testing.T, f func(*clock.Virtual)) {
	t.Helper()
	v := clock.NewVirtual(noon)
	var running sync.WaitGroup
	clock.GoIn(&running, v, func() { f(v) })
	clock.Await(v, running.Wait)
	v.Stop()
	v.Leave()
}

// TestVirtualPassesWhenNobodyIsAtWork: an hour passes at once, and not before all
// has been done that is to be done before.
func TestVirtualPassesWhenNobodyIsAtWork(t *testing.T) {
	began := time.Now()
	virtually(t, func(v *clock.Virtual) {
		var done []string
		note := func(what string) { done = append(done, v.Now().Sub(noon).String()+" "+what) }
		v.AfterFunc(time.Hour, func() { note("an hour") })
		v.AfterFunc(2*time.Second, func() {
			note("two seconds")
			clock.Go(v, func() {
				note("a goroutine of it")
				clock.Sleep(t.Context(), v, time.Second)
				note("slept")
			})
		})
		stopped := v.AfterFunc(time.Second, func() { note("never") })
		v.AfterFunc(time.Second, func() { note("a second") })
		if !stopped() || stopped() {
			t.Error("a timer can be stopped once")
		}
		clock.Sleep(t.Context(), v, 2*time.Hour)
		want := "1s a second, 2s two seconds, 2s a goroutine of it, 3s slept, 1h0m0s an hour"
		if got := strings.Join(done, ", "); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
	if took := time.Since(began); took > time.Minute {
		t.Errorf("two hours took %v", took)
	}
}

// TestVirtualDoesOneThingAtATime: whoever is woken waits until the one who woke him
// waits himself, so the order does not depend on the machine.
func TestVirtualDoesOneThingAtATime(t *testing.T) {
	for range 20 {
		virtually(t, func(v *clock.Virtual) {
			var done []int
			var workers sync.WaitGroup
			all := clock.NewWaiter(v)
			left := 50
			for i := range left {
				w := clock.NewWaiter(v)
				clock.GoIn(&workers, v, func() {
					w.Wait()
					done = append(done, i)
					if left--; left == 0 {
						all.Wake()
					}
				})
				clock.Go(v, func() { w.Wake() })
			}
			all.Wait()
			if len(done) != 50 || !slices.IsSorted(done) {
				t.Errorf("the order was %v", done)
			}
		})
	}
}

// TestWaiterRemembersAWake: also on the wall.
func TestWaiterRemembersAWake(t *testing.T) {
	remembers := func(c clock.Clock) {
		w := clock.NewWaiter(c)
		w.Wake()
		w.Wake()
		w.Wait()
		woken := false
		clock.Go(c, func() { woken = true; w.Wake() })
		w.Wait()
		if !woken {
			t.Error("two wakes before a wait count as two")
		}
	}
	virtually(t, func(v *clock.Virtual) { remembers(v) })
	synctest.Test(t, func(*testing.T) { remembers(clock.Real()) })
}

// TestWaitEndsWithItsContext: at the moment of the deadline, and not later.
func TestWaitEndsWithItsContext(t *testing.T) {
	virtually(t, func(v *clock.Virtual) {
		ctx, cancel := clock.WithTimeout(t.Context(), v, 5*time.Second)
		defer cancel()
		inner, stop := context.WithCancel(ctx)
		defer stop()
		v.AfterFunc(6*time.Second, func() {})
		clock.NewWaiter(v).WaitContext(inner)
		if at := v.Now().Sub(noon); at != 5*time.Second || context.Cause(inner) != context.DeadlineExceeded {
			t.Errorf("it ended after %v with %v", at, context.Cause(inner))
		}
	})
}

func TestPromise(t *testing.T) {
	virtually(t, func(v *clock.Virtual) {
		p := clock.NewPromise[int](v)
		v.AfterFunc(time.Second, func() { p.Keep(1); p.Keep(2) })
		if got := p.Wait() + p.Wait(); got != 2 {
			t.Errorf("got %d, want the first value twice", got)
		}
	})
}

// TestStallIsTold: who waits without the clock's knowledge holds time back.
func TestStallIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := clock.NewVirtual(noon)
		told := make(chan string, 1)
		v.OnStall(func(report string) { told <- report })
		v.AfterFunc(time.Second, func() {})
		if report := <-told; !strings.Contains(report, "1 at work, 1 entries") || !strings.Contains(report, "TestStallIsTold") {
			t.Errorf("it was told: %s", report)
		}
		v.Stop()
		v.Leave()
	})
}

// TestLatch: all who wait go on when it happens, in the order in which they came,
// and none before; a context ends the wait of one.
func TestLatch(t *testing.T) {
	t.Parallel()
	v := clock.NewVirtual(time.Unix(0, 0))
	latch := clock.NewLatch(v)
	var all sync.WaitGroup
	var order []int
	for i := range 3 {
		clock.GoIn(&all, v, func() {
			if err := latch.Wait(t.Context()); err != nil || v.Now().Unix() != 2 {
				t.Errorf("%v at %d", err, v.Now().Unix())
			}
			order = append(order, i)
		})
	}
	clock.GoIn(&all, v, func() {
		ctx, cancel := clock.WithTimeout(t.Context(), v, time.Second)
		defer cancel()
		if err := latch.Wait(ctx); err == nil || v.Now().Unix() != 1 || latch.Opened() {
			t.Errorf("%v at %d", err, v.Now().Unix())
		}
	})
	clock.GoIn(&all, v, func() {
		clock.Sleep(t.Context(), v, 2*time.Second)
		latch.Open()
		latch.Open()
		if err := latch.Wait(t.Context()); err != nil || !latch.Opened() {
			t.Error(err)
		}
	})
	clock.Await(v, all.Wait)
	v.Stop()
	v.Leave()
	<-latch.Done()
	if !slices.Equal(order, []int{0, 1, 2}) {
		t.Errorf("they went on in the order %v", order)
	}
}

// TestAwaitNow: what happens now does, meanwhile, and no time passes.
func TestAwaitNow(t *testing.T) {
	virtually(t, func(v *clock.Virtual) {
		now, later := make(chan struct{}), false
		v.AfterFunc(time.Second, func() { later = true })
		clock.Go(v, func() { close(now) })
		clock.AwaitNow(v, func() { <-now })
		if later || !v.Now().Equal(noon) {
			t.Errorf("it is %v later", v.Now().Sub(noon))
		}
		clock.Sleep(t.Context(), v, 2*time.Second)
		if !later {
			t.Error("time does not pass any more")
		}
	})
}

// TestWithCancel: who waits is woken by the cancel itself, before time passes.
func TestWithCancel(t *testing.T) {
	for range 20 {
		virtually(t, func(v *clock.Virtual) {
			ctx, cancel := clock.WithCancel(t.Context())
			inner, stop := context.WithCancel(ctx)
			defer stop()
			v.AfterFunc(time.Second, cancel)
			v.AfterFunc(time.Second+1, func() {})
			if clock.Sleep(inner, v, time.Minute) || v.Now().Sub(noon) != time.Second || context.Cause(ctx) != context.Canceled {
				t.Errorf("woken after %v by %v", v.Now().Sub(noon), context.Cause(ctx))
			}
		})
	}
}

// TestGroup: all goroutines of a group have ended when its wait does, or its context
// has.
func TestGroup(t *testing.T) {
	virtually(t, func(v *clock.Virtual) {
		var group clock.Group
		ended := 0
		for i := range 3 {
			group.Go(v, func() {
				clock.Sleep(t.Context(), v, time.Duration(i+1)*time.Second)
				ended++
			})
		}
		ctx, cancel := clock.WithTimeout(t.Context(), v, 1500*time.Millisecond)
		defer cancel()
		if err := group.Wait(ctx, v); err == nil || ended != 1 {
			t.Errorf("%v with %d ended", err, ended)
		}
		if err := group.Wait(t.Context(), v); err != nil || ended != 3 || v.Now().Sub(noon) != 3*time.Second {
			t.Errorf("%v with %d ended after %v", err, ended, v.Now().Sub(noon))
		}
	})
}

// TestSemaphore: so many at a time, first come, first served; who gives up leaves his
// turn to the next.
func TestSemaphore(t *testing.T) {
	virtually(t, func(v *clock.Virtual) {
		turns := clock.NewSemaphore(v, 2)
		var group clock.Group
		var order []int
		for i := range 6 {
			group.Go(v, func() {
				ctx := t.Context()
				if i == 3 {
					var cancel context.CancelFunc
					ctx, cancel = clock.WithTimeout(ctx, v, time.Second/2)
					defer cancel()
				}
				if err := turns.Acquire(ctx); err != nil {
					if i != 3 {
						t.Error(err)
					}
					return
				}
				defer turns.Release()
				order = append(order, i)
				clock.Sleep(t.Context(), v, time.Second)
			})
		}
		if err := group.Wait(t.Context(), v); err != nil || !slices.Equal(order, []int{0, 1, 2, 4, 5}) || v.Now().Sub(noon) != 3*time.Second {
			t.Errorf("%v in the order %v after %v", err, order, v.Now().Sub(noon))
		}
	})
}
