package logs

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ccxmld/remote"
)

// The attributes by which lines count together.
const (
	sessionKey = "session"
	remoteKey  = "remote"
)

// limited leaves out what is more than a session or a remote address may log.
type limited struct {
	slog.Handler
	rates *rates
	by    owner // as far as With has told
}

// owner is whom lines count for; an address as remote.Counted has it.
type owner struct{ session, remote string }

func (o *owner) note(a slog.Attr) {
	switch a.Key {
	case sessionKey:
		o.session = a.Value.String()
	case remoteKey:
		o.remote = remote.Counted(a.Value.String())
	}
}

// key is what lines are counted under. An address comes first: which session it
// names is its own choice.
func (o owner) key(message string) (attribute, value string) {
	switch {
	case o.remote != "":
		return remoteKey, o.remote
	case o.session != "":
		return sessionKey, o.session
	}
	return "message", message
}

// Handle passes a record on, or leaves it out.
func (h *limited) Handle(ctx context.Context, r slog.Record) error {
	by := h.by
	r.Attrs(func(a slog.Attr) bool {
		by.note(a)
		return true
	})
	attribute, value := by.key(r.Message)
	taken, say, left := h.rates.take(key{attribute, value, r.Level >= slog.LevelWarn})
	if say != "" {
		note := slog.NewRecord(r.Time, slog.LevelWarn, say, 0)
		note.AddAttrs(slog.String(attribute, value), slog.Int64("left_out", left), slog.Int("lines_per_second", h.rates.perSecond),
			slog.String("do", "if they are needed, raise log.lines_per_second"))
		if err := h.rates.plain.Handle(ctx, note); err != nil {
			return err
		}
	}
	if !taken {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := &limited{h.Handler.WithAttrs(attrs), h.rates, h.by}
	for _, a := range attrs {
		next.by.note(a)
	}
	return next
}

// WithGroup implements slog.Handler.
func (h *limited) WithGroup(name string) slog.Handler {
	return &limited{h.Handler.WithGroup(name), h.rates, h.by}
}

// rates count lines.
type rates struct {
	perSecond int // 0: any number
	now       func() time.Time
	plain     slog.Handler // writes what is said about lines that are left out
	total     atomic.Int64

	mu    sync.Mutex
	byKey map[key]*pace
	sweep int // how many there are when idle ones are forgotten
}

// key is what lines are counted under. Warnings and errors are counted apart, so
// that chatter does not keep them out.
type key struct {
	attribute, value string
	warning          bool
}

// pace is how much may be logged under a key.
type pace struct {
	*rate.Limiter
	left int64 // lines that were left out since told
	told time.Time
}

const (
	// burst is how many seconds' worth of lines may come at once.
	burst = 10
	// tellTime is how often it is said how many lines of a key are left out.
	tellTime = 10 * time.Second
	// fewKeys is how many keys are never looked through.
	fewKeys = 1024
)

func newRates(perSecond int, now func() time.Time) *rates {
	return &rates{perSecond: perSecond, now: now, byKey: make(map[key]*pace), sweep: fewKeys}
}

func (r *rates) leftOut() int64 { return r.total.Load() }

// take tells whether a line may be logged, and what is to be said before it, if
// anything, with the number of lines that were left out.
func (r *rates) take(k key) (taken bool, say string, left int64) {
	if r.perSecond <= 0 {
		return true, "", 0
	}
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.byKey[k]
	if p == nil {
		r.forget(now)
		p = &pace{Limiter: rate.NewLimiter(rate.Limit(r.perSecond), burst*r.perSecond)}
		r.byKey[k] = p
	}
	if taken = p.AllowN(now, 1); !taken {
		r.total.Add(1)
		p.left++
	}
	switch over := now.Sub(p.told) >= tellTime; {
	case p.left > 0 && (over || p.told.IsZero()):
		say = "lines of the log were left out"
		if p.told.IsZero() {
			say = "too much is logged: lines are left out from here on"
		}
		left, p.left, p.told = p.left, 0, now
	case over && taken:
		p.told = time.Time{}
	}
	return taken, say, left
}

// forget drops keys under which nothing was logged for a while. r.mu is held.
func (r *rates) forget(now time.Time) {
	if len(r.byKey) < r.sweep {
		return
	}
	for k, p := range r.byKey {
		if p.TokensAt(now) >= float64(p.Burst()) {
			delete(r.byKey, k)
		}
	}
	r.sweep = max(fewKeys, 2*len(r.byKey))
}
