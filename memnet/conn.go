package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"ccxmld/clock"
)

// conn is one end of a connection. What is written to it is taken at once, however
// much it is, and the other end's reader is woken through the clock. One goroutine
// reads.
type conn struct {
	clock         clock.Clock
	local, remote addr
	in, out       *stream
	host          *host // whose end it is; nil for none
}

// Pipe returns the two ends of a connection, of which one goroutine each reads.
func Pipe(c clock.Clock) (one, other net.Conn) { return pair(clock.Or(c), clock.Or(c), "pipe", "pipe") }

// pair returns the two ends of a connection, each with the clock of who has it.
func pair(c, d clock.Clock, a, b addr) (one, other *conn) {
	ab, ba := &stream{filled: clock.NewWaiter(d)}, &stream{filled: clock.NewWaiter(c)}
	return &conn{clock: c, local: a, remote: b, in: ba, out: ab}, &conn{clock: d, local: b, remote: a, in: ab, out: ba}
}

// stream is one direction of a connection.
type stream struct {
	filled *clock.Waiter // where the reader waits

	mu       sync.Mutex
	data     []byte
	ended    bool // the writer has closed it
	closed   bool // the reader has
	late     bool // its deadline is over
	deadline *clock.Timer
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	for {
		if n, err := c.in.take(p); n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		c.in.filled.Wait()
	}
}

func (s *stream) take(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.late:
		return 0, os.ErrDeadlineExceeded
	case len(s.data) > 0:
		n := copy(p, s.data)
		if s.data = s.data[n:]; len(s.data) == 0 {
			s.data = nil
		}
		return n, nil
	case s.ended:
		return 0, io.EOF
	}
	return 0, nil
}

// Write implements net.Conn. It never waits.
func (c *conn) Write(p []byte) (int, error) {
	c.host.writes(p)
	s := c.out
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return 0, net.ErrClosed
	case s.closed:
		return 0, syscall.EPIPE
	}
	s.data = append(s.data, p...)
	s.filled.Wake()
	return len(p), nil
}

// WriteNow is Write, which never waits, for those who ask whether it does.
func (c *conn) WriteNow(p []byte) (int, error) { return c.Write(p) }

// Close implements net.Conn. The other end still reads what was written before.
func (c *conn) Close() error {
	if c.host != nil {
		c.host.forget(c)
	}
	c.in.mu.Lock()
	c.in.closed, c.in.data = true, nil
	c.in.deadline.Stop()
	c.in.mu.Unlock()
	c.in.filled.Wake() // a read of our own
	c.out.mu.Lock()
	c.out.ended = true
	c.out.mu.Unlock()
	c.out.filled.Wake()
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn. The time is one on the wall, as it is for
// every net.Conn; how far off it is, is waited for by the network's clock.
func (c *conn) SetReadDeadline(t time.Time) error {
	s := c.in
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline.Stop()
	s.deadline, s.late = nil, false
	if !t.IsZero() {
		s.deadline = clock.Start(c.clock, time.Until(t).Round(time.Millisecond), nil, func() {
			s.mu.Lock()
			s.late = true
			s.mu.Unlock()
			s.filled.Wake()
		})
	}
	return nil
}

// SetWriteDeadline implements net.Conn: a write never waits.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
