package sessionstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"ccxmld/clock"
	"ccxmld/memnet"
)

// ageEvery is how often the embedded Redis is made older. Ageing walks all of
// its keys, which is also why its own ClockTTL, which does so at every command,
// is not used. Leases there end at most this much too early.
const ageEvery = 500 * time.Millisecond

// Embedded is a Redis inside the process, which listens on loopback. A store starts
// one of its own, or several share one (see [Options]).
type Embedded struct {
	server   *miniredis.Miniredis
	password string    // for other users of this machine reach loopback as well
	last     time.Time // when it was last made older
	stop     func()

	mu        sync.Mutex
	mailboxes map[string]*clock.Waiter // where who receives mail in memory waits, by key
}

// StartEmbedded starts one at an address, whose keys get older by a clock.
func StartEmbedded(address string, c clock.Clock) (*Embedded, error) {
	server, password := miniredis.NewMiniRedis(), rand.Text()
	server.RequireAuth(password)
	if err := server.StartAddr(address); err != nil {
		return nil, fmt.Errorf("start the embedded redis on %s: %w", address, err)
	}
	e := &Embedded{server: server, password: password, last: c.Now(), mailboxes: make(map[string]*clock.Waiter)}
	server.SetTime(e.last)
	e.stop = clock.Every(c, ageEvery, func() { e.age(c.Now()) })
	return e, nil
}

// Close ends it. The stores that share it must be closed before.
func (e *Embedded) Close() {
	e.stop()
	e.server.Close()
}

// URL is the one by which it is reached over the network, password included.
func (e *Embedded) URL() string { return "redis://:" + e.password + "@" + e.server.Addr() }

// dial connects to the server in memory. It goes by real time: Redis is a part of
// whoever asks it, who waits for the answer.
func (e *Embedded) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := memnet.Pipe(clock.Real())
	e.server.Server().ServeConn(theirs)
	return ours, nil
}

// age lets the time since the last call pass for the keys. SetTime keeps the
// TIME that scripts see in step with the ageing.
func (e *Embedded) age(now time.Time) {
	elapsed := now.Sub(e.last)
	if elapsed <= 0 {
		return
	}
	e.last = now
	e.server.SetTime(now)
	e.server.FastForward(elapsed)
}

// await has a waiter woken by every post to a mailbox, until forget is called.
func (e *Embedded) await(mailbox string, w *clock.Waiter) (forget func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mailboxes[mailbox] = w
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.mailboxes, mailbox)
	}
}

// posted wakes who waits for mail in a mailbox.
func (e *Embedded) posted(mailbox string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w := e.mailboxes[mailbox]; w != nil {
		w.Wake()
	}
}
