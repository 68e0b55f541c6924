package processors

import (
	"time"
)

// What an account may take, in time on a processor.
const (
	// free is what takes no place, and percentage what that grows by again.
	free       = 3 * time.Millisecond
	percentage = 0.2
	// room is how many bytes an evaluation may allocate without a place; those that have
	// allocated more are served one after the other, so that not many hold much while
	// they wait. inFront is how long one of them stays before those that came later.
	room    = 1 << 20
	inFront = time.Second
	// portion is how many bytes an account that is large may allocate before it waits for
	// them to be due.
	portion = 4 << 20
	// turn is how long a place is kept while others wait.
	turn = 2 * time.Millisecond
	// patience is how long a piece of work waits for places, in all.
	patience = 5 * time.Second
)

// Account is the time on processors that one session, dialog or document has taken. It
// belongs to one goroutine at a time, but for Abandon. The methods of a nil Account do
// nothing.
type Account struct {
	gate   *Gate
	depth  int           // of Begin
	spent  time.Duration // less what was forgiven since
	at     time.Time     // until when that is counted
	waited time.Duration // for places, since the outermost Begin
	has    place         // and since when
	since  time.Time
	large  bool          // its work holds much memory, or does not stop for others
	first  time.Time     // since when it is large, or has gone behind the others again
	until  time.Duration // spent, when it goes behind them

	// allocated are the bytes of the evaluation so far, and unpaid those of a large
	// account that the gate does not know of.
	allocated, unpaid int64

	wait waiter // the gate's
}

// Begin begins work. It waits for a place if the account has taken much already; if none
// comes in time it goes on without.
func (a *Account) Begin() {
	if a == nil {
		return
	}
	if a.depth++; a.depth > 1 {
		return
	}
	a.waited, a.allocated = 0, 0
	a.resume()
	if a.spent > free {
		a.Take()
	} else {
		a.large = false
	}
}

// End ends what Begin began, and gives the place back.
func (a *Account) End() {
	if a == nil {
		return
	}
	if a.depth--; a.depth == 0 {
		a.leave(time.Now())
	}
}

// Pause ends work that waits for something, until Resume.
func (a *Account) Pause() {
	if a != nil && a.depth > 0 {
		a.leave(time.Now())
	}
}

// Resume goes on with work after Pause. The next Due takes the place again.
func (a *Account) Resume() {
	if a != nil && a.depth > 0 {
		a.resume()
	}
}

// resume begins to count, and forgives what has grown again meanwhile.
func (a *Account) resume() {
	now := time.Now()
	a.spent = max(a.spent-time.Duration(float64(now.Sub(a.at))*percentage/100), 0)
	a.at = now
}

func (a *Account) charge(now time.Time) {
	a.spent += now.Sub(a.at)
	a.at = now
}

func (a *Account) leave(now time.Time) {
	a.charge(now)
	if a.has != none {
		a.has = none
		a.gate.leave(a, a.unpaid)
		a.unpaid = 0
	}
}

// Tick is Due and Take, for work that nothing ends. It is to be called often, several
// times in a millisecond.
func (a *Account) Tick() {
	if a.Due(0) {
		a.Take()
	}
}

// TickFor is Tick before a source of so many bytes is compiled, which nothing divides.
func (a *Account) TickFor(bytes int) {
	if bytes > longSource {
		a.Lasts()
	}
	a.Tick()
}

// longSource is what takes some milliseconds to compile.
const longSource = 16 << 10

// Due tells whether work that goes on, and has allocated so many bytes since it began,
// must call Take.
func (a *Account) Due(allocated int64) bool {
	if a == nil || a.depth == 0 {
		return false
	}
	now := time.Now()
	a.charge(now)
	a.count(allocated)
	switch {
	case a.spent <= free && !a.large:
		return false
	case a.has == none, a.has == reserved && a.queue() > 0:
		return true
	}
	return a.unpaid > portion || now.Sub(a.since) > turn && a.gate.wanted()
}

// Lasts says that work begins which may take long and does not call Due meanwhile: it
// gets none of the places that are kept for what is short.
func (a *Account) Lasts() {
	if a != nil {
		a.grow()
	}
}

// count counts what is allocated.
func (a *Account) count(allocated int64) {
	if allocated > room {
		a.grow()
	}
	if a.large {
		a.unpaid += allocated - a.allocated
		a.allocated = allocated
	}
}

// grow makes an account large.
func (a *Account) grow() {
	if !a.large {
		a.large, a.first, a.until = true, a.at, a.spent+inFront
	}
}

// Take takes a place for work that goes on, or gives the one that it has to others and
// takes one later. It is false if that takes too long: the work should end.
func (a *Account) Take() bool {
	if a == nil {
		return true
	}
	began := time.Now()
	a.leave(began)
	a.has = a.gate.enter(a, a.queue(), patience-a.waited)
	a.since = time.Now()
	a.at = a.since // waiting is not charged
	a.waited += a.since.Sub(began)
	return a.has != none
}

// queue is the one in which it waits.
func (a *Account) queue() int {
	if a.large {
		if a.spent > a.until {
			a.first, a.until = a.at, a.spent+inFront
		}
		return large
	}
	for n, most := range spentAtMost {
		if n != large && a.spent <= most {
			return n
		}
	}
	return len(spentAtMost)
}

// Abandon gives back the place of work that does not end, which needs none any more. It
// may be called from any goroutine.
func (a *Account) Abandon() {
	if a != nil {
		a.gate.abandon(a)
	}
}
