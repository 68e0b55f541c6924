package freeswitch

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
)

// queue records whose turn came, and when.
type queue struct {
	*Turns
	t     *testing.T
	began time.Time

	mu    sync.Mutex
	came  []string
	times []time.Duration
}

func newQueue(t *testing.T, perSecond, most int) *queue {
	return &queue{Turns: NewTurns(clocktest.Real(), perSecond, most), t: t, began: time.Now()}
}

// call asks for a turn for a session of a token.
func (q *queue) call(name, token, session string) *Turn {
	q.t.Helper()
	note := func(*Turn) {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.came, q.times = append(q.came, name), append(q.times, time.Since(q.began))
	}
	one, now, err := q.take([]string{token, session}, note)
	if err != nil {
		q.t.Fatal(err)
	}
	if now {
		note(one)
	}
	return one
}

// after lets time pass.
func (q *queue) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// In no second do more calls begin than FreeSWITCH takes, whenever it starts to
// count, and no call waits longer than it must.
func TestTurnsKeepToThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 3, 0)
		for i := range 20 {
			q.call(strconv.Itoa(i), "", "s")
			q.after(100 * time.Millisecond)
		}
		q.after(10 * time.Second)
		if len(q.came) != 20 || !slices.IsSortedFunc(q.came, func(a, b string) int { x, _ := strconv.Atoi(a); y, _ := strconv.Atoi(b); return x - y }) {
			t.Fatalf("turns: %v", q.came)
		}
		for i := 3; i < len(q.times); i++ {
			if q.times[i]-q.times[i-3] < time.Second {
				t.Errorf("four calls from %s to %s", q.times[i-3], q.times[i])
			}
		}
		if last := q.times[19]; last > 6500*time.Millisecond {
			t.Errorf("the last call began after %s", last)
		}
	})
}

// Calls that are given up before their turn leave nothing behind.
func TestTurnsOfGivenUpCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 10, 0)
		for range 10 {
			q.call("first", "", "s")
		}
		var waiting []*Turn
		for range 90 {
			waiting = append(waiting, q.call("given up", "", "s"))
		}
		for _, one := range waiting {
			one.Cancel()
			one.Cancel()
		}
		q.call("next", "", "s")
		q.after(time.Second)
		if len(q.came) != 11 || q.came[10] != "next" || q.waiting != 0 || !q.line.empty() {
			t.Errorf("turns: %v; %d wait", q.came, q.waiting)
		}
	})
}

// A turn that is not used is the next call's at once.
func TestTurnGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 1, 0)
		first := q.call("first", "", "s")
		q.call("second", "", "s")
		first.GiveBack()
		if len(q.came) != 2 {
			t.Errorf("turns: %v", q.came)
		}
		q.after(2 * time.Second)
		q.call("third", "", "s").GiveBack()
		q.call("fourth", "", "s")
		q.Turns.mu.Lock()
		begun := q.begun
		q.Turns.mu.Unlock()
		if len(q.came) != 4 || begun != 1 {
			t.Errorf("turns: %v; %d began", q.came, begun)
		}
		q.after(time.Second)
	})
}

// Tokens take turns, and within each its sessions do; the calls of a session begin
// in their order.
func TestTurnsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 1, 0)
		q.call("a", "", "s")
		for _, c := range [][3]string{
			{"b1", "x", "b"}, {"b2", "x", "b"}, {"b3", "x", "b"}, {"c1", "x", "c"}, {"d1", "d", "d"}, {"d2", "d", "d"},
		} {
			q.call(c[0], c[1], c[2])
		}
		q.after(7 * time.Second)
		if want := []string{"a", "b1", "d1", "c1", "d2", "b2", "b3"}; !slices.Equal(q.came, want) {
			t.Errorf("turns: %v; want %v", q.came, want)
		}
		q.after(time.Second)
	})
}

// Calls that wait begin as soon as a new pace lets them, and no sooner.
func TestPaceThatChanges(t *testing.T) {
	for pace, want := range map[int]int{0: 5, 1: 1, 3: 3, 9: 5} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(t, 1, 0)
			for i := range 5 {
				q.call(strconv.Itoa(i), "", "s")
			}
			q.setPace(pace, 0)
			if q.mu.Lock(); len(q.came) != want || !slices.IsSorted(q.came) {
				t.Errorf("%d a second: %q began at once", pace, q.came)
			}
			q.mu.Unlock()
			q.after(4 * time.Second)
			if q.mu.Lock(); len(q.came) != 5 || q.waiting != 0 {
				t.Errorf("%d a second: %q have begun, %d wait", pace, q.came, q.waiting)
			}
			q.mu.Unlock()
			q.after(time.Second)
		})
	}
}

// A turn that comes to a call which is not wanted any more, or that nobody has any more,
// is the next one's at once.
func TestTurnThatNobodyWants(t *testing.T) {
	for _, test := range []struct{ there, wanted bool }{{true, true}, {true, false}, {false, false}} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(t, 1, 0)
			q.call("first", "", "s")
			do := func(f func()) bool {
				if test.there {
					f()
				}
				return test.there
			}
			if _, now, err := q.TakeIn(do, []string{"", "s"}, func() bool { return test.wanted }); now || err != nil {
				t.Errorf("its turn is now: %t %v", now, err)
			}
			q.call("next", "", "s")
			q.after(1500 * time.Millisecond)
			if q.mu.Lock(); (len(q.came) == 2) == test.wanted {
				t.Errorf("%+v: %q have begun", test, q.came)
			}
			q.mu.Unlock()
			q.after(3 * time.Second)
		})
	}
}

// Beyond the bound a call is refused at once; one that is given up makes room.
func TestTurnsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 1, 2)
		q.call("first", "", "s")
		q.call("second", "", "s")
		third := q.call("third", "", "s")
		if _, _, err := q.take([]string{"", "s"}, nil); err == nil || q.Full() == nil {
			t.Error("a third call waits")
		}
		third.Cancel()
		q.call("fourth", "", "s")
		q.after(3 * time.Second)
		if want := []string{"first", "second", "fourth"}; !slices.Equal(q.came, want) {
			t.Errorf("turns: %v", q.came)
		}
	})
}
