package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

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
		err := next(ctx, cmd)
		w.store.observe(err)
		return err
	}
}

func (w watcher) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		w.store.observe(err)
		return err
	}
}

// observe notes what the outcome of a command says about Redis, and logs when
// that changes.
func (s *Store) observe(err error) {
	switch {
	case err == nil || isAnswer(err):
		if !s.healthy.Swap(true) {
			s.log.Info("redis answers")
		}
	case errors.Is(err, context.Canceled):
		// The caller left; it says nothing about Redis.
	default:
		if s.healthy.Swap(false) {
			s.log.Error("redis is away: running calls go on, new shared conferences are refused; still trying", "error", err)
		}
	}
}

// notServing begins the errors of a Redis that is reached but does not do what
// it is asked: loading, without its master, read-only after a failover, unable
// to save or to replicate, asking for a password.
var notServing = [...]string{
	"LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "MISCONF", "NOREPLICAS",
	"TRYAGAIN", "BUSY ", "OOM", "NOAUTH", "NOPERM", "WRONGPASS",
}

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
	text := strings.TrimPrefix(answer.Error(), "ERR ")
	for _, prefix := range notServing {
		if strings.HasPrefix(text, prefix) {
			return false
		}
	}
	return true
}
