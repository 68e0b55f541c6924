package script

import (
	"fmt"
	"runtime"
	"sync"
	"weak"
)

// Shared bounds what the scripts of several runtimes hold together. Beyond half of it,
// what each holds is measured more often; beyond all of it, the one that holds most is
// ended, and beyond a quarter more, whatever asks for memory. It is safe for concurrent
// use.
type Shared struct {
	bytes int64

	mu   sync.Mutex
	held int64
	of   map[*share]struct{} // those that hold more than a little
}

// share is what a Shared knows of a runtime. The Shared's lock guards it.
type share struct {
	runtime  weak.Pointer[Runtime]
	held     int64
	measured int64 // when it was measured last
	asked    bool  // Limits.Crowded was called
}

// NewShared returns one that bounds so many bytes.
func NewShared(bytes int64) *Shared {
	return &Shared{bytes: bytes, of: make(map[*share]struct{})}
}

// Held is what the runtimes hold together, about.
func (s *Shared) Held() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// littleMore is what a runtime may add before it is measured again.
const littleMore = 64 << 10

// Holds is called by the engine with what the runtime holds (goja.Share).
func (r *Runtime) Holds(bytes int64, measured bool) (measure bool, reason string) {
	measure, reason, most := r.limits.Shared.holds(r, bytes, measured)
	if most != nil {
		most.limits.Crowded()
	}
	return measure, reason
}

// holds notes what a runtime holds. most is the one to be told that it holds most.
func (s *Shared) holds(r *Runtime, bytes int64, measured bool) (measure bool, reason string, most *Runtime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(r, bytes, measured)
	share := r.share
	if s.held <= s.bytes/2 {
		return false, "", nil
	}
	if !measured && bytes-share.measured > max(share.measured/4, littleMore) {
		return true, "", nil
	}
	if s.held <= s.bytes {
		return false, "", nil
	}
	if most = s.most(); most == r {
		if !measured {
			return true, "", nil
		}
		return false, s.reason(bytes), s.ask(r)
	}
	if s.held > s.bytes/4*5 {
		reason = fmt.Sprintf("the scripts of all sessions hold more than %d MiB of memory, and there is no more for this one", s.bytes>>20)
	}
	return false, reason, s.ask(most)
}

func (s *Shared) reason(bytes int64) string {
	return fmt.Sprintf("the scripts of all sessions hold more than %d MiB of memory, and those of this one most of it, %d KiB", s.bytes>>20, bytes>>10)
}

// note notes what a runtime holds, until it is collected.
func (s *Shared) note(r *Runtime, bytes int64, measured bool) {
	if r.share == nil {
		r.share = &share{runtime: weak.Make(r)}
		s.of[r.share] = struct{}{}
		runtime.AddCleanup(r, s.forget, r.share)
	}
	s.held += bytes - r.share.held
	r.share.held = bytes
	if measured {
		r.share.measured = bytes
	}
}

func (s *Shared) forget(of *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held -= of.held
	delete(s.of, of)
}

// most gives the runtime that holds most.
func (s *Shared) most() (most *Runtime) {
	bytes := int64(-1)
	for share := range s.of {
		if share.held > bytes {
			if r := share.runtime.Value(); r != nil {
				most, bytes = r, share.held
			}
		}
	}
	return most
}

// ask gives a runtime back if its owner is to be told, and has not been.
func (s *Shared) ask(r *Runtime) *Runtime {
	if r == nil || r.share.asked || r.limits.Crowded == nil {
		return nil
	}
	r.share.asked = true
	return r
}

// Crowded measures what the runtime holds. If there is too much in all, and this one
// still holds most, the error says so, at the place of what was evaluated last: the owner
// lets go of the runtime. It is for the goroutine that uses the runtime, while nothing is
// evaluated.
func (r *Runtime) Crowded() error {
	s := r.limits.Shared
	bytes, at := r.vm.Held(), r.watch.last()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(r, bytes, true)
	r.share.asked = false
	if s.held <= s.bytes || s.most() != r {
		return nil
	}
	return &Error{Position: at, Origin: at, Reason: s.reason(bytes), cause: ErrLimit}
}
