package clock

import "time"

// Window counts what happens within a time that begins anew with the first thing after
// it is over. The zero value is usable.
type Window struct {
	n     int
	since time.Time
}

// Count notes that something happens now, and returns how often it has within length.
func (w *Window) Count(now time.Time, length time.Duration) int {
	if w.n == 0 || now.Sub(w.since) > length {
		w.n, w.since = 0, now
	}
	w.n++
	return w.n
}
