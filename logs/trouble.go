package logs

import (
	"sync"
	"time"
)

// Trouble is something that can be wrong for long, and is found to be again and again:
// it is said when it begins, then after a minute and after twice as long each time, up
// to an hour, with how often it was found, and when it is over. One that comes and goes
// is said no more often. It is safe for concurrent use, and the zero value, which goes
// by time.Now, is ready.
type Trouble struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	mu    sync.Mutex
	bad   bool
	said  bool          // since it began
	began time.Time     // of what is wrong now
	ended time.Time     // of what was wrong last
	due   time.Time     // when it is said again
	wait  time.Duration // between the last two times that it was said
	times int64         // that it was found since it began
}

const (
	firstWait   = time.Minute
	longestWait = time.Hour
)

// Found notes that it is wrong. say tells whether that is to be logged, about gives
// attributes for that: none when it begins.
func (t *Trouble) Found() (say bool, about []any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, fresh := t.now(), false
	if !t.bad {
		if fresh = t.wait == 0 || now.Sub(t.ended) >= t.wait; fresh {
			t.wait, t.due = firstWait, now
		}
		t.bad, t.said, t.began, t.times = true, false, now, 0
	}
	t.times++
	if now.Before(t.due) {
		return false, nil
	}
	if t.times > 1 {
		about = []any{"times", t.times, "for", now.Sub(t.began).Round(time.Second)}
	}
	if !fresh {
		t.wait = min(2*t.wait, longestWait)
	}
	t.said, t.due = true, now.Add(t.wait)
	return true, about
}

// Over notes that it is well. say tells whether that is to be logged: it was said to be
// wrong.
func (t *Trouble) Over() (say bool, about []any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.bad {
		return false, nil
	}
	now := t.now()
	t.bad, t.ended = false, now
	return t.said, []any{"times", t.times, "for", now.Sub(t.began).Round(time.Second)}
}

func (t *Trouble) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}
