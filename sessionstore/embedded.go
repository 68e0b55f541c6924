package sessionstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"

	"github.com/alicebob/miniredis/v2"

	"ccxmld/clock"
	"ccxmld/memnet"
)

// ageEvery is how often the embedded Redis is made older. Ageing walks all of
// its keys, which is also why its own ClockTTL, which does so at every command,
// is not used. Leases there end at most this much too early.
const ageEvery = 500 * time.Millisecond

// embedded is a Redis inside the process, which listens on loopback.
type embedded struct {
	server   *miniredis.Miniredis
	password string    // for other users of this machine reach loopback as well
	last     time.Time // when it was last made older
}

func startEmbedded(address string, now time.Time) (*embedded, error) {
	server, password := miniredis.NewMiniRedis(), rand.Text()
	server.RequireAuth(password)
	if err := server.StartAddr(address); err != nil {
		return nil, fmt.Errorf("start the embedded redis on %s: %w", address, err)
	}
	server.SetTime(now)
	return &embedded{server: server, password: password, last: now}, nil
}

// url is the one by which the server is reached, password included.
func (e *embedded) url() string { return "redis://:" + e.password + "@" + e.server.Addr() }

// dial connects to the server in memory. It goes by real time: Redis is a part of
// whoever asks it, who waits for the answer.
func (e *embedded) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := memnet.Pipe(clock.Real())
	e.server.Server().ServeConn(theirs)
	return ours, nil
}

// age lets the time since the last call pass for the keys. SetTime keeps the
// TIME that scripts see in step with the ageing.
func (e *embedded) age(now time.Time) {
	elapsed := now.Sub(e.last)
	if elapsed <= 0 {
		return
	}
	e.last = now
	e.server.SetTime(now)
	e.server.FastForward(elapsed)
}
