package callcontrol

import (
	"fmt"
	"runtime/metrics"
	"sync/atomic"

	"ccxmld/script"
)

// mostStuck is how many scripts that did not end when they were told to may go on
// before no new session is taken: each may keep a processor busy.
const mostStuck = 3

// Strain is what this process has too much of, so that it takes no new sessions. It
// is safe for concurrent use. The zero value bounds no memory.
type Strain struct {
	// Memory bounds the bytes that the process has from the system; 0 for no bound.
	Memory uint64

	stuck atomic.Int64 // goroutines in scripts that were given up and go on
	given atomic.Int64 // scripts given up, ever
}

// Bound returns limits by which scripts that do not end are counted.
func (s *Strain) Bound(limits script.Limits) script.Limits {
	limits.Back = func() { s.stuck.Add(-1) }
	return limits
}

// Abandoned counts a script that was given up.
func (s *Strain) Abandoned() {
	s.stuck.Add(1)
	s.given.Add(1)
}

// Given is how many scripts were given up, ever.
func (s *Strain) Given() int64 { return s.given.Load() }

// Err says what there is too much of, or nil.
func (s *Strain) Err() error {
	if n := s.stuck.Load(); n > mostStuck {
		return fmt.Errorf("%d scripts did not end when they were told to and go on; restart ccxmld when its calls have ended", n)
	}
	if s.Memory == 0 {
		return nil
	}
	if taken := memoryTaken(); taken > s.Memory {
		return fmt.Errorf("%d MiB of memory are taken, more than limits.process_memory, %d MiB", taken>>20, s.Memory>>20)
	}
	return nil
}

// memoryTaken is what the process has from the system and has not given back.
func memoryTaken() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
