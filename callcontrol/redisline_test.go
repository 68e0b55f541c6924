package callcontrol_test

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/clock"
	"ccxmld/sitetest"
)

// redisLine is what a site's daemon says to Redis, which can be held back or cut.
type redisLine struct {
	clock clock.Clock

	mu   sync.Mutex
	held *clock.Latch // opens when what is held back goes on, nil for nothing
	down bool
	slow bool
	says string // what every command is answered; "" for what Redis says
}

// refusal is an answer of Redis that is an error.
type refusal string

func (r refusal) Error() string { return string(r) }

// RedisError implements redis.Error.
func (refusal) RedisError() {}

// newRedisLine gives the line of a site's daemon.
func newRedisLine(s *sitetest.Site) *redisLine {
	l := &redisLine{clock: s.Clock}
	s.Daemon.Store.Client().AddHook(l)
	return l
}

// hold keeps back all that is asked from now on, until release is called.
func (l *redisLine) hold() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := clock.NewLatch(l.clock)
	l.held = held
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.held = nil
		held.Open()
	}
}

// cut has Redis refuse connections until restore is called.
func (l *redisLine) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
}

func (l *redisLine) restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.slow, l.says = false, false, ""
}

// slowDown has the answers of Redis come too late, until restore is called.
func (l *redisLine) slowDown() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slow = true
}

// refuse has Redis answer all commands so, until restore is called.
func (l *redisLine) refuse(says string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.says = says
}

// pass waits until something may be asked.
func (l *redisLine) pass(ctx context.Context) error {
	l.mu.Lock()
	held, down, slow, says := l.held, l.down, l.slow, l.says
	l.mu.Unlock()
	if slow { // for longer than the client waits
		clock.Sleep(ctx, l.clock, 2*time.Second)
		return os.ErrDeadlineExceeded
	}
	if says != "" {
		return refusal(says)
	}
	if down {
		return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	if held != nil {
		return held.Wait(ctx)
	}
	return nil
}

// DialHook implements redis.Hook.
func (l *redisLine) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (l *redisLine) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := l.pass(ctx); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (l *redisLine) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := l.pass(ctx); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}
