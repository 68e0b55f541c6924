package script

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/dop251/goja"
)

// watchInterval is how often a running evaluation is looked at, and stuckAfter how
// long one that was told to end may go on.
const (
	watchInterval = 20 * time.Millisecond
	stuckAfter    = time.Second
)

// watch keeps the limits on steps and time. A timer is armed by the first
// evaluation and again as long as there are any: a short evaluation pays
// for two uncontended locks and no timer of its own.
type watch struct {
	vm     *goja.Runtime
	limits *Limits
	// minute is when the present minute of Limits.StepsPerMinute began, and
	// minuteSteps the steps until then. Only the session's goroutine uses them.
	minute      time.Time
	minuteSteps int64
	allocated   int64 // when the evaluation began

	mu sync.Mutex
	// depth counts evaluations within evaluations, and number the outermost
	// ones since the beginning.
	depth  int
	number uint64
	at     Position // of the outermost one
	placed Position // of the last one that has a place
	timer  *time.Timer
	armed  bool
	// seen is the evaluation that the timer saw running last, and since when it
	// did first.
	seen  uint64
	since time.Time
	// waiting is since when the evaluation waits for something, zero if it does not.
	waiting time.Time
	// interrupted is the reason for which the evaluation was interrupted, ended when
	// that was, and stuck whether that has been told.
	interrupted string
	ended       time.Time
	stuck       bool
	left        bool // the goroutine of the stuck evaluation has ended
}

func (w *watch) init(vm *goja.Runtime, limits *Limits) {
	w.vm, w.limits = vm, limits
	if limits.Account != nil {
		vm.SetTick(stepsInATick, w.tick)
	}
}

// stepsInATick take a fraction of a millisecond.
const stepsInATick = 4000

// tick is called by a running script. Waiting for its turn does not count as its time.
func (w *watch) tick(lasting bool) (reason string) {
	account := w.limits.Account
	if lasting {
		account.Lasts()
	}
	if !account.Due(w.vm.Allocated() - w.allocated) {
		return ""
	}
	w.stopClock()
	defer w.goOnClock()
	if !account.Take() {
		return "the script waited too long for a processor and was stopped: too many others take theirs"
	}
	return ""
}

// begin starts watching an evaluation.
func (w *watch) begin(at Position) {
	w.limits.Account.Begin()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.depth++; w.depth > 1 {
		return
	}
	w.number++
	w.at = at
	if at.URI != "" {
		w.placed = at
	}
	w.boundSteps()
	w.allocated = w.vm.Allocated()
	if !w.armed {
		w.armed = true
		w.arm()
	}
}

// boundSteps tells the engine how many steps the evaluation may take.
func (w *watch) boundSteps() {
	steps, limits := w.vm.Steps(), w.limits
	if w.minute.IsZero() || steps-w.minuteSteps > limits.StepsPerMinute/2 && time.Since(w.minute) > time.Minute {
		w.minute, w.minuteSteps = time.Now(), steps
	}
	end, reason := steps+limits.Steps, "the script took more than %d steps and was stopped"
	bound := limits.Steps
	if minute := w.minuteSteps + limits.StepsPerMinute; minute < end {
		end, bound, reason = minute, limits.StepsPerMinute, "the scripts of the session took more than %d steps in a minute, and the last one was stopped"
	}
	if limits.StepsInAll < end {
		end, bound, reason = limits.StepsInAll, limits.StepsInAll, "the scripts of the session took more than %d steps in all, and the last one was stopped"
	}
	w.vm.BoundSteps(end, reason, bound)
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
	defer w.limits.Account.End()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stuck && w.limits.Stuck != nil {
		w.leave()
	}
	if w.depth--; w.depth > 0 {
		return
	}
	w.vm.UnboundSteps()
	if w.interrupted != "" {
		w.interrupted, w.stuck = "", false
		w.vm.ClearInterrupt()
	}
}

// leave ends the goroutine of an evaluation that was given up. What deferred calls
// of outer evaluations do to the watch does not matter any more.
func (w *watch) leave() {
	if !w.left {
		w.left = true
		if w.limits.Back != nil {
			w.limits.Back()
		}
		runtime.Goexit()
	}
}

// last gives the place of the last evaluation of the document's code.
func (w *watch) last() Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.placed
}

// wait begins a time in which the evaluation waits for something and needs no processor.
func (w *watch) wait() {
	w.limits.Account.Pause()
	w.stopClock()
}

// stopClock begins a time that does not count.
func (w *watch) stopClock() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = time.Now()
}

// goOn ends it.
func (w *watch) goOn() {
	w.goOnClock()
	w.limits.Account.Resume()
}

func (w *watch) goOnClock() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.Before(w.waiting) {
		w.since = w.since.Add(time.Since(w.waiting))
	} else {
		w.since = time.Now()
	}
	w.waiting = time.Time{}
	if w.depth > 0 && !w.armed {
		w.armed = true
		w.arm()
	}
}

// stopped returns why the evaluation was interrupted, or "".
func (w *watch) stopped() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.interrupted
}

// look is called by the timer.
func (w *watch) look() {
	if at, stuck := w.lookOnce(); stuck && w.limits.Stuck != nil {
		w.limits.Stuck(at)
	}
}

// lookOnce interrupts an evaluation that takes too long, and tells if one has been
// interrupted in vain.
func (w *watch) lookOnce() (at Position, stuck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.depth == 0 || w.stuck {
		w.armed = false
		return at, false
	}
	if !w.waiting.IsZero() { // goOn arms it
		w.armed = false
		return at, false
	}
	w.arm()
	if w.seen != w.number {
		w.seen, w.since = w.number, time.Now()
		return at, false
	}
	if w.interrupted != "" {
		w.stuck = time.Since(w.ended) >= stuckAfter
		return w.at, w.stuck
	}
	if time.Since(w.since) >= w.limits.Time {
		w.interrupted = fmt.Sprintf("the script ran longer than %v and was stopped", w.limits.Time)
		w.ended = time.Now()
		w.vm.Interrupt(&limitError{w.interrupted})
	}
	return at, false
}
