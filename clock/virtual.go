package clock

import (
	"container/heap"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Virtual is a clock whose time passes only when nothing is left to do: the time of
// a whole site (a daemon, a simulated switch, the network between them) that lives
// in one process. An hour of waiting takes as long as the work in it, and the same
// run does the same things in the same order, however fast the machine is.
//
// It knows that nothing is left to do because it counts who is at work. A goroutine
// that [Virtual.Go] started is at work until it returns, except while it waits
// through the clock: by [Sleep], a [Waiter], or a read from a connection of package
// memnet. Whatever is to happen (the call of a timer, a goroutine that starts, bytes
// that arrive, a waiter that is woken) is an entry of one agenda, by time and then in
// the order in which it was entered. The next entry's turn comes when nobody is at
// work, so one thing happens at a time. A goroutine that waits for anything else
// holds time back, which after a while in real time is told (see
// [Virtual.OnStall]); one that was started by the go statement and works on its own
// is not waited for.
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	order  uint64
	agenda entries
	atWork int
	still  bool // nothing later than now happens any more
	pauses int  // nor while there are some of these

	stalled  func(report string)
	watchdog *time.Timer
	turns    uint64 // of the agenda so far
	seen     uint64 // turns when the watchdog last looked
}

// stallAfter is how long in real time one thing may take before it counts as a
// stall.
const stallAfter = 20 * time.Second

// NewVirtual returns a clock that stands at start. Its maker is at work: time passes
// while he waits through the clock, and from when he calls [Virtual.Leave].
func NewVirtual(start time.Time) *Virtual { return &Virtual{now: start, atWork: 1} }

// Now implements [Clock].
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// AfterFunc implements [Clock].
func (v *Virtual) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.enter(v.now.Add(max(d, 0)), func() {
		f()
		v.done()
	})
	return func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.agenda.remove(e)
	}
}

// Go runs f in a goroutine of its own, which is at work until f returns.
func (v *Virtual) Go(f func()) { v.AfterFunc(0, f) }

// Leave ends the work of the goroutine that calls it; what it does from then on is
// not waited for. It is for who made the clock, and who called Join.
func (v *Virtual) Leave() { v.done() }

// Join makes the goroutine that calls it one that is at work. Unless another one is
// at work meanwhile, any time may have passed before.
func (v *Virtual) Join() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.atWork++
}

// Stop keeps the time from passing any further. What is to happen now still does, so
// that everything can be closed.
func (v *Virtual) Stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.still = true
	if v.watchdog != nil {
		v.watchdog.Stop()
		v.watchdog = nil
	}
}

// pause keeps the time from passing until the end of it, as Stop does for ever.
func (v *Virtual) pause() (end func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pauses++
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.pauses--
		v.next()
	}
}

// OnStall sets who is told if one thing takes longer than 20 s in real time: what
// all goroutines are at then. One of them waits without the clock's knowledge.
func (v *Virtual) OnStall(report func(string)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stalled = report
	if v.watchdog == nil {
		v.watchdog = time.AfterFunc(stallAfter, v.watch)
	}
}

func (v *Virtual) watch() {
	v.mu.Lock()
	stalled := v.atWork > 0 && v.turns == v.seen
	v.seen = v.turns
	report, again := v.stalled, v.watchdog
	now, atWork, waiting := v.now, v.atWork, len(v.agenda)
	v.mu.Unlock()
	if again == nil {
		return
	}
	if stalled {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		report(fmt.Sprintf("virtual time stands still at %s: %d at work, %d entries of the agenda wait; the goroutines are\n%s",
			now.Format(time.TimeOnly), atWork, waiting, stacks))
	}
	again.Reset(stallAfter)
}

// enter puts something into the agenda. When its turn comes, turn is called with
// one more at work, who ends it by done. v.mu is held.
func (v *Virtual) enter(when time.Time, turn func()) *entry {
	e := &entry{when: when, order: v.order, turn: turn}
	v.order++
	heap.Push(&v.agenda, e)
	v.next()
	return e
}

// done ends somebody's work.
func (v *Virtual) done() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.atWork--
	v.next()
}

// next begins the next entry of the agenda if nobody is at work. v.mu is held.
func (v *Virtual) next() {
	if v.atWork > 0 || len(v.agenda) == 0 || (v.still || v.pauses > 0) && v.agenda[0].when.After(v.now) {
		return
	}
	e := heap.Pop(&v.agenda).(*entry)
	if e.when.After(v.now) {
		v.now = e.when
	}
	v.turns++
	v.atWork++
	go e.turn()
}

// entry is something that is going to happen.
type entry struct {
	when  time.Time
	order uint64
	turn  func()
	index int // in the agenda; -1 once it is out
}

// entries is a heap of them, the first one at the root.
type entries []*entry

func (e entries) Len() int { return len(e) }

func (e entries) Less(i, j int) bool {
	if e[i].when.Equal(e[j].when) {
		return e[i].order < e[j].order
	}
	return e[i].when.Before(e[j].when)
}

func (e entries) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].index, e[j].index = i, j
}

// Push implements heap.Interface.
func (e *entries) Push(x any) {
	one := x.(*entry)
	one.index = len(*e)
	*e = append(*e, one)
}

// Pop implements heap.Interface.
func (e *entries) Pop() any {
	last := len(*e) - 1
	one := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	one.index = -1
	return one
}

func (e *entries) remove(one *entry) bool {
	if one.index < 0 {
		return false
	}
	heap.Remove(e, one.index)
	return true
}
