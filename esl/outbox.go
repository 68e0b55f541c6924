package esl

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Bounds of what a connection owes FreeSWITCH, which takes its commands at once as
// long as it is well.
const (
	maxUnsent   = 1 << 20 // bytes that the network has not taken yet, beyond which commands are refused
	maxInFlight = 20_000  // commands without an answer yet
)

// outbox is how a connection writes without waiting: what the network takes at once
// is written by who sends it, and the rest by a goroutine that lives as long as there
// is some. Its lock is held while commands are queued too, so that replies come in
// their order; it is never held over a write that waits.
type outbox struct {
	conn    net.Conn
	timeout time.Duration // in which the network must take something of the rest
	failed  func(error)   // called in the goroutine

	sync.Mutex
	memory  immediate       // a network in memory; nil for others
	raw     syscall.RawConn // nil for a network that has none
	try     func(fd uintptr) bool
	now     []byte // what try writes
	n       int    // and how much it has
	err     error
	rest    []byte
	drains  bool
	running sync.WaitGroup
}

// immediate is a network connection that takes at once whatever it takes.
type immediate interface {
	WriteNow(data []byte) (int, error)
}

func newOutbox(conn net.Conn, timeout time.Duration, failed func(error)) *outbox {
	o := &outbox{conn: conn, timeout: timeout, failed: failed}
	o.memory, _ = conn.(immediate)
	if c, ok := conn.(syscall.Conn); ok {
		o.raw, _ = c.SyscallConn() // nil beside an error
	}
	o.try = func(fd uintptr) bool {
		o.n, o.err = writeNow(fd, o.now)
		return true
	}
	return o
}

// full tells whether more than has been taken must not be added. The lock is held.
func (o *outbox) full(more int) bool { return len(o.rest) > 0 && len(o.rest)+more > maxUnsent }

// write writes data or keeps it for the goroutine. The lock is held.
func (o *outbox) write(data []byte) error {
	if !o.drains && o.memory != nil {
		n, err := o.memory.WriteNow(data)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	if !o.drains && o.raw != nil {
		o.now, o.n, o.err = data, 0, nil
		err := o.raw.Write(o.try)
		o.now = nil
		if err := errors.Join(err, o.err); err != nil {
			return err
		}
		data = data[o.n:]
	}
	if len(data) == 0 {
		return nil
	}
	o.rest = append(o.rest, data...)
	if !o.drains {
		o.drains = true
		o.running.Go(o.drain)
	}
	return nil
}

// drain writes the rest, a piece at a time.
func (o *outbox) drain() {
	const piece = 64 << 10
	for {
		o.Lock()
		rest := o.rest
		o.rest = nil
		if len(rest) == 0 {
			o.drains = false
			err := o.conn.SetWriteDeadline(time.Time{}) // it would count for writes that do not wait, too
			o.Unlock()
			if err != nil {
				o.failed(err)
			}
			return
		}
		o.Unlock()
		for len(rest) > 0 {
			err := o.conn.SetWriteDeadline(time.Now().Add(o.timeout))
			n := 0
			if err == nil {
				n, err = o.conn.Write(rest[:min(len(rest), piece)])
			}
			if err != nil {
				o.failed(stalled(err))
				return // whatever comes is refused, or kept until the end
			}
			rest = rest[n:]
		}
	}
}

// wait returns when the goroutine has ended. Nothing may be written any more.
func (o *outbox) wait() {
	o.Lock()
	drains := o.drains
	o.Unlock()
	if drains {
		o.running.Wait()
	}
}

// stalled names a network that takes nothing.
func stalled(err error) error {
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%w: %w", ErrStalled, err)
	}
	return err
}
