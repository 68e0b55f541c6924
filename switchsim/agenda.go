package switchsim

import (
	"container/heap"
	"time"

	"ccxmld/clock"
)

// agenda is what a switch is going to do and when. It keeps one timer of the
// switch's clock, for the earliest appointment; the switch's lock guards it.
type agenda struct {
	sw      *Switch
	entries appointments
	order   uint64
	timer   *clock.Timer
	wakeAt  time.Time
}

// appointment is one thing to do. The function runs with the switch locked.
type appointment struct {
	when  time.Time
	order uint64
	do    func()
	index int
}

// after makes an appointment in d from now.
func (a *agenda) after(d time.Duration, do func()) *appointment {
	return a.at(a.sw.now().Add(max(d, 0)), do)
}

// at makes an appointment at a time, at once if that has passed.
func (a *agenda) at(when time.Time, do func()) *appointment {
	entry := &appointment{when: when, order: a.order, do: do}
	a.order++
	heap.Push(&a.entries, entry)
	if entry.index == 0 {
		a.arm()
	}
	return entry
}

// cancel drops an appointment; nil and kept appointments are fine.
func (a *agenda) cancel(entry *appointment) {
	if entry != nil && entry.index >= 0 {
		heap.Remove(&a.entries, entry.index)
	}
}

// arm sets the clock's timer for the earliest appointment. A timer that is set
// for earlier is left: it finds nothing to do and arms again.
func (a *agenda) arm() {
	if len(a.entries) == 0 || a.sw.closed {
		return
	}
	first := a.entries[0].when
	if a.timer != nil {
		if !first.Before(a.wakeAt) {
			return
		}
		a.timer.Stop()
	}
	a.wakeAt = first
	a.timer = clock.Start(a.sw.clock, first.Sub(a.sw.now()), nil, a.sw.wake)
}

// keep does what has fallen due.
func (a *agenda) keep() {
	a.timer = nil
	now := a.sw.now()
	for len(a.entries) > 0 && !a.entries[0].when.After(now) {
		entry := heap.Pop(&a.entries).(*appointment)
		entry.do()
	}
	a.arm()
}

// stop drops everything.
func (a *agenda) stop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	for _, entry := range a.entries {
		entry.index = -1
	}
	a.entries = nil
}

type appointments []*appointment

func (h appointments) Len() int { return len(h) }
func (h appointments) Less(i, j int) bool {
	if h[i].when.Equal(h[j].when) {
		return h[i].order < h[j].order
	}
	return h[i].when.Before(h[j].when)
}
func (h appointments) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *appointments) Push(x any) {
	entry := x.(*appointment)
	entry.index = len(*h)
	*h = append(*h, entry)
}
func (h *appointments) Pop() any {
	last := len(*h) - 1
	entry := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	entry.index = -1
	return entry
}
