package freeswitch

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"ccxmld/clock"
)

// Turns pace the outbound calls of a node: no more than so many begin in any one
// second, since FreeSWITCH refuses what exceeds its sessions-per-second. The others
// wait, each token and within it each session as one: who places many calls at once
// does not keep others waiting for all of them. A turn is taken when it comes, and
// a call that is given up before has none.
type Turns struct {
	clock clock.Clock

	mu        sync.Mutex
	perSecond int // 0: unlimited
	most      int // that wait
	begun     int // within the last second
	waiting   int
	line      turnLine
}

// turnsWait is how long calls wait at most where no bound of their number is set.
const turnsWait = 30 * time.Second

// NewTurns makes the turns of a node: so many calls a second (0: unlimited), and so many
// that wait (0: as many as get their turn in half a minute).
func NewTurns(c clock.Clock, perSecond, most int) *Turns {
	t := &Turns{clock: c}
	t.setPace(perSecond, most)
	return t
}

// setPace changes what NewTurns was given. Calls that wait get the turns that there are
// by the new pace now.
func (t *Turns) setPace(perSecond, most int) {
	t.mu.Lock()
	t.perSecond, t.most = perSecond, cmp.Or(most, perSecond*int(turnsWait/time.Second))
	var begin []*Turn
	for t.waiting > 0 && (t.begun < perSecond || perSecond <= 0) {
		t.waiting--
		one := t.line.next()
		t.count(one)
		begin = append(begin, one)
	}
	t.mu.Unlock()
	for _, one := range begin {
		one.begin(one)
	}
}

// Turn is a call that waits, or whose turn has come.
type Turn struct {
	of    *Turns
	by    []string // the token and the session that it belongs to
	begin func(*Turn)
	timer *clock.Timer // of the second for which it counts
}

// tooManyWait says that a node's queue is full.
type tooManyWait int

func (n tooManyWait) Error() string {
	return fmt.Sprintf("%d calls wait for their turn there already (limits.originates_waiting)", int(n))
}

// Full tells why no further call can wait, nil if one can.
func (t *Turns) Full() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refusal()
}

func (t *Turns) refusal() error {
	if t.perSecond > 0 && t.waiting >= t.most {
		return tooManyWait(t.waiting)
	}
	return nil
}

// take asks for a turn. begin is called once it comes, in a goroutine of the clock;
// now reports that it has come already, and begin is not called. The error says
// that too many wait.
func (t *Turns) take(by []string, begin func(*Turn)) (one *Turn, now bool, err error) {
	one = &Turn{of: t, by: by, begin: begin}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.perSecond <= 0:
		return one, true, nil
	case t.begun < t.perSecond && t.waiting == 0:
		t.count(one)
		return one, true, nil
	}
	if err := t.refusal(); err != nil {
		return nil, false, err
	}
	t.waiting++
	t.line.add(by, one)
	return one, false, nil
}

// TakeIn takes a turn for a call that belongs to the goroutine which do leads to: place
// is called there once the turn comes, and says whether the call is still wanted. The
// turn is given back if it is not, or if do leads nowhere any more.
func (t *Turns) TakeIn(do func(func()) bool, by []string, place func() (wanted bool)) (one *Turn, now bool, err error) {
	return t.take(by, func(one *Turn) {
		told := do(func() {
			if !place() {
				one.GiveBack()
			}
		})
		if !told {
			one.GiveBack()
		}
	})
}

// count lets a turn count for a second. t.mu is held.
func (t *Turns) count(one *Turn) {
	t.begun++
	one.timer = clock.Start(t.clock, time.Second, nil, t.next)
}

// next passes a place among those who have begun on to who waits.
func (t *Turns) next() {
	t.mu.Lock()
	t.begun--
	var one *Turn
	if t.waiting > 0 && t.begun < t.perSecond {
		t.waiting--
		one = t.line.next()
		t.count(one)
	}
	t.mu.Unlock()
	if one != nil {
		one.begin(one)
	}
}

// Cancel takes a call that waits out of the queue; nil is none.
func (one *Turn) Cancel() {
	if one == nil {
		return
	}
	t := one.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if one.timer == nil && t.line.remove(one.by, one) {
		t.waiting--
	}
}

// GiveBack returns a turn that came and was not used.
func (one *Turn) GiveBack() {
	if one.timer.Stop() {
		one.of.next()
	}
}

// turnLine is a queue: of calls, or of queues that take turns, oldest first.
type turnLine struct {
	key   string
	calls []*Turn
	lines []*turnLine // none of them empty
}

func (l *turnLine) empty() bool { return len(l.calls)+len(l.lines) == 0 }

func (l *turnLine) find(key string) int {
	return slices.IndexFunc(l.lines, func(sub *turnLine) bool { return sub.key == key })
}

func (l *turnLine) add(by []string, one *Turn) {
	if len(by) == 0 {
		l.calls = append(l.calls, one)
		return
	}
	i := l.find(by[0])
	if i < 0 {
		i = len(l.lines)
		l.lines = append(l.lines, &turnLine{key: by[0]})
	}
	l.lines[i].add(by[1:], one)
}

// next takes the call out whose turn it is. The queue must not be empty.
func (l *turnLine) next() *Turn {
	if len(l.calls) > 0 {
		one := l.calls[0]
		l.calls = slices.Delete(l.calls, 0, 1)
		return one
	}
	first := l.lines[0]
	one := first.next()
	l.lines = slices.Delete(l.lines, 0, 1)
	if !first.empty() {
		l.lines = append(l.lines, first)
	}
	return one
}

// remove reports whether the call was there.
func (l *turnLine) remove(by []string, one *Turn) bool {
	if len(by) == 0 {
		i := slices.Index(l.calls, one)
		if i >= 0 {
			l.calls = slices.Delete(l.calls, i, i+1)
		}
		return i >= 0
	}
	i := l.find(by[0])
	if i < 0 || !l.lines[i].remove(by[1:], one) {
		return false
	}
	if l.lines[i].empty() {
		l.lines = slices.Delete(l.lines, i, i+1)
	}
	return true
}
