package clock_test

import (
	"context"
	"testing"
	"time"

	"ccxmld/clock"
)

// Whatever runs first in a process that was stopped for too long finds the gate closed: a
// timer, or somebody who was woken. A shorter stop is none.
func TestGate(t *testing.T) {
	for name, test := range map[string]struct {
		stop   time.Duration
		closes bool
	}{"short": {3 * time.Second, false}, "long": {20 * time.Second, true}} {
		for _, first := range []string{"timer", "woken"} {
			t.Run(name+", "+first, func(t *testing.T) {
				v := clock.NewVirtual(time.Unix(0, 0))
				p := clock.NewProcess(v)
				closed := 0
				var gate *clock.Gate
				gate = clock.NewGate(p, 5*time.Second, func() {
					closed++
					clock.Sleep(context.Background(), p, time.Second)
					gate.Open()
				})
				defer gate.Watch()()
				if !clock.Sleep(context.Background(), v, time.Hour) || closed > 0 {
					t.Fatal("it closes while the process runs")
				}
				w, found, acted, begun := clock.NewWaiter(p), clock.NewPromise[bool](v), time.Duration(0), time.Time{}
				look := func() {
					found.Keep(gate.IsOpen())
					gate.Do(func() { acted = v.Now().Sub(begun) })
				}
				clock.Go(p, func() {
					w.Wait()
					look()
				})
				clock.Sleep(context.Background(), v, 0)
				p.Pause()
				begun = v.Now()
				if first == "timer" {
					p.AfterFunc(time.Second, w.Wake)
				} else {
					w.Wake()
				}
				clock.Sleep(context.Background(), v, test.stop)
				p.Resume()
				if open := found.Wait(); open == test.closes {
					t.Errorf("open: %t", open)
				}
				clock.Sleep(context.Background(), v, 10*time.Second)
				want := test.stop
				if test.closes {
					want += time.Second
				}
				if acted != want || (closed == 1) != test.closes || !gate.IsOpen() {
					t.Errorf("acted after %v, want %v; closed %d times", acted, want, closed)
				}
			})
		}
	}
	var none *clock.Gate
	if !none.IsOpen() || none.Hold(func() {}) || none.Wait(t.Context()) != nil {
		t.Error("no gate is closed")
	}
}
