package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// LogClient sends what the Redis client itself has to say, of connections and
// Sentinels, to a log at level debug: what an operator must know, the Store says. The
// client has one log for the whole process, and writes to standard error otherwise.
func LogClient(log *slog.Logger) { redis.SetLogger(clientLog{log}) }

type clientLog struct{ log *slog.Logger }

func (l clientLog) Printf(ctx context.Context, format string, values ...any) {
	if l.log.Enabled(ctx, slog.LevelDebug) {
		l.log.DebugContext(ctx, "redis client", "text", fmt.Sprintf(format, values...))
	}
}

// watcher learns from every command whether Redis is there.
type watcher struct{ store *Store }

func (w watcher) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

func (w watcher) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		begun := w.store.clock.Now()
		err := next(ctx, cmd)
		if cmd.Name() != "xread" { // it waits for mail
			w.store.answered(begun, err)
		}
		w.store.observe(err)
		return err
	}
}

func (w watcher) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		begun := w.store.clock.Now()
		err := next(ctx, cmds)
		w.store.answered(begun, err)
		w.store.observe(err)
		for _, cmd := range cmds { // err is the first of theirs, which may be an answer
			w.store.observe(cmd.Err())
		}
		return err
	}
}

// answered tells how long Redis took. That something is not there is an answer.
func (s *Store) answered(begun time.Time, err error) {
	if s.onAnswer != nil {
		s.onAnswer(s.clock.Now().Sub(begun), err != nil && !errors.Is(err, redis.Nil))
	}
}

// health is what is known of Redis. Any command may find out that it is away; only
// writes that are made to find that out tell that it is back, since a server may
// answer and yet refuse to write.
type health struct {
	ok atomic.Bool // read without the lock, changed with it

	mu     sync.Mutex
	since  time.Time // when it came back last
	good   int       // probes in a row that went well while it was away
	needed int       // how many of them make it healthy again; 0 counts as 1
}

const (
	// relapseWithin is how soon after it came back Redis counts as unsteady if it
	// goes away again. Each time it must answer twice as many probes as before.
	relapseWithin = 10 * time.Second
	mostProbes    = 32
)

// fell notes that Redis does not do what it is asked. It reports whether that is
// news.
func (h *health) fell(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.good = 0
	if !h.ok.Swap(false) {
		return false
	}
	if now.Sub(h.since) < relapseWithin {
		h.needed = min(2*max(h.needed, 1), mostProbes)
	} else {
		h.needed = 1
	}
	return true
}

// answered notes a probe that went well. It reports whether Redis is back by it.
func (h *health) answered(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.good++; h.ok.Load() || h.good < h.needed {
		return false
	}
	if h.needed > 0 { // it has been away
		h.since = now
	}
	h.ok.Store(true)
	return true
}

// observe notes what the outcome of a command says about Redis, and logs when it
// has gone away by it.
func (s *Store) observe(err error) {
	switch {
	case err == nil || isAnswer(err):
	case errors.Is(err, context.Canceled):
		// The caller left; it says nothing about Redis.
	default:
		s.health.fell(s.clock.Now())
		if say, about := s.away.Found(); say && s.opened.Load() { // before, greet says it
			s.log.Error("redis is away: running calls go on, new shared conferences are refused; still trying", append(about, "error", err)...)
		}
	}
}

// Probe writes something, which is what Redis is needed for, and so finds out whether
// it is there. The store does so once a second by itself.
func (s *Store) Probe(ctx context.Context) error {
	err := s.client.Set(ctx, s.healthKey(), s.controllerID(), healthLasts).Err()
	if err == nil && s.health.answered(s.clock.Now()) {
		say, about := s.away.Over()
		if first := !s.greeted.Swap(true); say || first {
			s.log.Info("redis answers, and takes what is written", about...)
		}
	}
	return err
}

// healthLasts is how long the key stays that a probe writes.
const healthLasts = time.Minute

// notServing begins the errors of a Redis that is reached but does not do what
// it is asked: loading, without its master, read-only after a failover, unable
// to save or to replicate, asking for a password, with too many clients. Before
// Redis 7, what a script was refused stands behind a dash within the script's error.
var notServing = regexp.MustCompile(`^(?:ERR )?(?:Error running script .*: -)?(?:` +
	`LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|MISCONF|NOREPLICAS|TRYAGAIN|BUSY|OOM|` +
	`NOAUTH|NOPERM|WRONGPASS|DENIED|max number of clients reached)\b`)

// isAnswer reports whether the error is Redis's own answer to a command, from a
// Redis that is at work.
func isAnswer(err error) bool {
	if errors.Is(err, redis.Nil) {
		return true
	}
	answer, ok := errors.AsType[redis.Error](err)
	if !ok {
		return false
	}
	return !notServing.MatchString(answer.Error())
}
