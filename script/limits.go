package script

import (
	"fmt"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/dop251/goja"
)

// Limits bound what a document's code may take. Zero fields have the defaults.
type Limits struct {
	// Time bounds one evaluation, calls into Go included; 1 s by default.
	Time time.Duration
	// CallDepth bounds nested function calls; 500 by default.
	CallDepth int
	// StringLength bounds what one built-in function may produce, in UTF-16
	// units; 1 Mi by default.
	StringLength int
	// ArrayLength bounds the length of arrays that built-in functions make or
	// loop over; 100,000 by default.
	ArrayLength int
	// Memory bounds how much the heap of the whole process may grow while one
	// evaluation runs, in bytes; 256 MiB by default. It is looked at every
	// 20 ms: a coarse net below the other limits.
	Memory uint64
	// RegexpInput bounds the texts, in UTF-16 units, in which regular expressions
	// are looked for that can be matched by backtracking only, as those with
	// lookarounds and backreferences; 64 Ki by default. Such a match is also
	// bounded in time, by a second.
	RegexpInput int
	// NoBacktracking refuses them when they are matched.
	NoBacktracking bool
}

func (l Limits) withDefaults() Limits {
	if l.Time <= 0 {
		l.Time = time.Second
	}
	if l.CallDepth <= 0 {
		l.CallDepth = 500
	}
	if l.StringLength <= 0 {
		l.StringLength = 1 << 20
	}
	if l.ArrayLength <= 0 {
		l.ArrayLength = 100_000
	}
	if l.Memory == 0 {
		l.Memory = 256 << 20
	}
	if l.RegexpInput <= 0 {
		l.RegexpInput = 64 << 10
	}
	return l
}

// watchInterval is how often a running evaluation is looked at.
const watchInterval = 20 * time.Millisecond

// watch interrupts evaluations that exceed a limit. A timer is armed by the first
// evaluation and again as long as there are any: a short evaluation pays
// for two uncontended locks and no timer of its own.
type watch struct {
	vm     *goja.Runtime
	limits *Limits

	mu sync.Mutex
	// depth counts evaluations within evaluations, and number the outermost
	// ones since the beginning.
	depth  int
	number uint64
	timer  *time.Timer
	armed  bool
	// seen is the evaluation that the timer saw running last, since and heap
	// are when it did first and the size of the heap then.
	seen  uint64
	since time.Time
	heap  uint64
	// waiting is since when the evaluation waits for something, zero if it does not.
	waiting time.Time
	// interrupted is the reason for which the evaluation was interrupted.
	interrupted string
}

func (w *watch) init(vm *goja.Runtime, limits *Limits) { w.vm, w.limits = vm, limits }

// begin starts watching an evaluation.
func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.depth++; w.depth > 1 {
		return
	}
	w.number++
	if !w.armed {
		w.armed = true
		w.arm()
	}
}

func (w *watch) arm() {
	interval := min(watchInterval, max(w.limits.Time/2, time.Millisecond))
	if w.timer == nil {
		w.timer = time.AfterFunc(interval, w.look)
	} else {
		w.timer.Reset(interval)
	}
}

// end ends what begin began. After the outermost evaluation nothing of an
// interrupt is left, so that the runtime can be used again.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.depth--; w.depth == 0 && w.interrupted != "" {
		w.interrupted = ""
		w.vm.ClearInterrupt()
	}
}

// wait begins a time that does not count.
func (w *watch) wait() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = time.Now()
}

// goOn ends it.
func (w *watch) goOn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.Before(w.waiting) {
		w.since = w.since.Add(time.Since(w.waiting))
	} else {
		w.since = time.Now()
	}
	w.waiting = time.Time{}
}

// stopped returns why the evaluation was interrupted, or "".
func (w *watch) stopped() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.interrupted
}

// look is called by the timer.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.depth == 0 || w.interrupted != "" {
		w.armed = false
		return
	}
	w.arm()
	if w.seen != w.number {
		w.seen, w.since, w.heap = w.number, time.Now(), heapSize()
		return
	}
	if !w.waiting.IsZero() {
		w.heap = heapSize()
		return
	}
	if reason := w.exceeded(); reason != "" {
		w.interrupted = reason
		w.vm.Interrupt(&limitError{reason})
	}
}

// exceeded says which limit the running evaluation has exceeded, if any.
func (w *watch) exceeded() string {
	if time.Since(w.since) >= w.limits.Time {
		return fmt.Sprintf("the script ran longer than %v and was stopped", w.limits.Time)
	}
	if heap := heapSize(); heap > w.heap && heap-w.heap > w.limits.Memory {
		return fmt.Sprintf("the script took more than %d MiB of memory and was stopped", w.limits.Memory>>20)
	}
	return ""
}

// heapSize returns the bytes of the process's live and not yet swept objects.
func heapSize() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
