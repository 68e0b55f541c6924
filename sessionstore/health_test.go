package sessionstore

import (
	"testing"
	"time"
)

// TestUnsteadyRedis: a Redis that goes away as soon as it is back has to answer
// longer each time before it counts as back.
func TestUnsteadyRedis(t *testing.T) {
	var h health
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	back := func() (probes int) {
		for !h.ok.Load() {
			now = now.Add(probeEvery)
			h.answered(now)
			probes++
		}
		return probes
	}
	if n := back(); n != 1 {
		t.Errorf("at first it took %d probes", n)
	}
	now = now.Add(time.Hour)
	for _, want := range []int{1, 2, 4, 8, 16, 32, 32} {
		if !h.fell(now) || h.fell(now) {
			t.Error("news once, and only once")
		}
		if want > 1 { // one that fails between two that go well
			h.answered(now)
			h.fell(now)
		}
		if n := back(); n != want {
			t.Errorf("it took %d probes, want %d", n, want)
		}
	}
	now = now.Add(relapseWithin)
	h.fell(now)
	if n := back(); n != 1 {
		t.Errorf("after it was steady it took %d probes", n)
	}
}
