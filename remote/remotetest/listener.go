// Package remotetest lets connections of tests come from any address.
package remotetest

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Listener is a listener in memory, whose connections come from the addresses that
// they are said to. A test's synctest bubble may hold it.
type Listener struct {
	// Exhausted lets nothing be accepted, as in a process that has no files left.
	Exhausted atomic.Bool

	address  net.Addr
	arriving chan net.Conn
	closed   chan struct{}
	close    func()
}

// Listen makes a listener on a port of the loopback.
func Listen(port int) *Listener {
	closed := make(chan struct{})
	return &Listener{
		address:  &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port},
		arriving: make(chan net.Conn),
		closed:   closed,
		close:    sync.OnceFunc(func() { close(closed) }),
	}
}

// Dial connects from an address, such as 192.0.2.1:4711, and returns when the
// connection is accepted.
func (l *Listener) Dial(address string) net.Conn {
	ours, theirs := net.Pipe()
	at, _ := net.ResolveTCPAddr("tcp", address)
	l.arriving <- accepted{theirs, l.address, at}
	return ours
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	if l.Exhausted.Load() {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	select {
	case c := <-l.arriving:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]. It may be called more than once.
func (l *Listener) Close() error {
	l.close()
	return nil
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return l.address }

// accepted is the listener's end of a connection.
type accepted struct {
	net.Conn
	local, remote net.Addr
}

func (a accepted) LocalAddr() net.Addr  { return a.local }
func (a accepted) RemoteAddr() net.Addr { return a.remote }
