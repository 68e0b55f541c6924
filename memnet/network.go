package memnet

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"

	"ccxmld/clock"
)

// Network is where addresses lead to who listens there, as one host sees it. It is safe
// for concurrent use.
type Network struct {
	*addresses
	host *host
}

// addresses are what all hosts of a network share.
type addresses struct {
	clock clock.Clock

	mu        sync.Mutex
	port      int // the last that was given out
	listeners map[string]*listener
	handlers  map[string]handler
}

// New returns a network on which nobody listens.
func New(c clock.Clock) *Network {
	return &Network{
		&addresses{clock: clock.Or(c), port: firstPort, listeners: make(map[string]*listener), handlers: make(map[string]handler)},
		newHost(clock.Or(c)),
	}
}

// firstPort is where the ports begin that are chosen by the network.
const firstPort = 40000

// Listen listens at HOST:PORT; for port 0 the network chooses one.
func (n *Network) Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == "0" {
		n.port++
		address = net.JoinHostPort(host, strconv.Itoa(n.port))
	}
	if n.listeners[address] != nil {
		return nil, fmt.Errorf("listen %s: %w", address, syscall.EADDRINUSE)
	}
	l := &listener{network: n, address: addr(address), arrival: clock.NewWaiter(n.host.clock)}
	if !n.host.has(l, func() { _ = l.Close() }) {
		return nil, fmt.Errorf("listen %s: %w", address, syscall.ENETDOWN)
	}
	n.listeners[address] = l
	return l, nil
}

// DialContext connects to who listens at an address, as net.Dialer's does.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n.mu.Lock()
	l := n.listeners[address]
	n.port++
	from := addr("127.0.0.1:" + strconv.Itoa(n.port))
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ECONNREFUSED)
	}
	ours, theirs := pair(n.host.clock, l.network.host.clock, from, l.address)
	if !n.host.hasConn(ours) {
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ENETDOWN)
	}
	if !l.network.host.hasConn(theirs) || !l.give(theirs) {
		_ = ours.Close()
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ECONNREFUSED)
	}
	return ours, nil
}

// addr is HOST:PORT.
type addr string

// Network implements net.Addr.
func (addr) Network() string { return "memory" }

func (a addr) String() string { return string(a) }

// listener takes connections, in the order in which they were dialled. One
// goroutine accepts them.
type listener struct {
	network *Network
	address addr
	arrival *clock.Waiter

	mu      sync.Mutex
	waiting []net.Conn
	closed  bool
}

func (l *listener) give(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.waiting = append(l.waiting, c)
	l.arrival.Wake()
	return true
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		if c, err := l.take(); c != nil || err != nil {
			return c, err
		}
		l.arrival.Wait()
	}
}

func (l *listener) take() (c net.Conn, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, net.ErrClosed
	case len(l.waiting) == 0:
		return nil, nil
	}
	c = l.waiting[0]
	l.waiting = l.waiting[1:]
	return c, nil
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.network.mu.Lock()
	delete(l.network.listeners, string(l.address))
	l.network.mu.Unlock()
	l.mu.Lock()
	waiting := l.waiting
	l.closed, l.waiting = true, nil
	l.mu.Unlock()
	l.network.host.forget(l)
	for _, c := range waiting {
		_ = c.Close()
	}
	l.arrival.Wake()
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.address }
