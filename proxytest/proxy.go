// Package proxytest has a TCP proxy that does to connections what networks do: it cuts
// them, holds them up, and delays what is said. It is for tests.
package proxytest

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy passes connections on to an address, until it is told to do worse. It ends with
// its test.
type Proxy struct {
	target  string
	server  net.Listener
	ctx     context.Context // ends with the proxy
	tasks   sync.WaitGroup
	mu      sync.Mutex
	cut     bool
	held    bool
	delay   time.Duration
	changed chan struct{} // closed at each change
	conns   map[net.Conn]bool
}

// New starts a proxy for connections to an address, HOST:PORT.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Proxy{target: target, server: server, ctx: ctx, changed: make(chan struct{}), conns: make(map[net.Conn]bool)}
	p.tasks.Go(p.accept)
	t.Cleanup(func() {
		cancel()
		_ = server.Close()
		p.change(func() { p.cut = true })
		p.tasks.Wait()
	})
	return p
}

// Addr is where the proxy takes connections.
func (p *Proxy) Addr() string { return p.server.Addr().String() }

// Cut ends all connections and refuses new ones, or no longer.
func (p *Proxy) Cut(on bool) { p.change(func() { p.cut = on }) }

// Hold lets nothing through in either direction, and no connection come to be, or no
// longer: then what was held up goes on, as TCP sends it again.
func (p *Proxy) Hold(on bool) { p.change(func() { p.held = on }) }

// Delay holds up all that is said by a time; 0 is not at all.
func (p *Proxy) Delay(d time.Duration) { p.change(func() { p.delay = d }) }

func (p *Proxy) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
	if p.cut {
		for conn := range p.conns {
			_ = conn.Close()
		}
	}
}

var errCut = errors.New("connection refused: the network is cut")

// pass waits while the proxy holds, and for its delay.
func (p *Proxy) pass(ctx context.Context) error {
	for {
		p.mu.Lock()
		cut, held, delay, changed := p.cut, p.held, p.delay, p.changed
		p.mu.Unlock()
		if cut {
			return errCut
		}
		if !held && delay == 0 {
			return nil
		}
		var late <-chan time.Time
		if !held {
			late = time.After(delay)
		}
		select {
		case <-late:
			return nil
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Dial connects to the address behind the proxy: where that refuses, so does Dial, while
// whoever connects to [Proxy.Addr] sees a connection that ends.
func (p *Proxy) Dial(ctx context.Context) (net.Conn, error) {
	if err := p.pass(ctx); err != nil {
		return nil, err
	}
	far, err := new(net.Dialer).DialContext(ctx, "tcp", p.target)
	if err != nil {
		return nil, err
	}
	near, ours := net.Pipe()
	p.join(ours, far)
	return near, nil
}

func (p *Proxy) accept() {
	for {
		conn, err := p.server.Accept()
		if err != nil {
			return
		}
		p.tasks.Go(func() {
			err := p.pass(p.ctx)
			var far net.Conn
			if err == nil {
				far, err = new(net.Dialer).DialContext(p.ctx, "tcp", p.target)
			}
			if err != nil {
				_ = conn.Close()
				return
			}
			p.join(conn, far)
		})
	}
}

// join passes on what two connections say.
func (p *Proxy) join(a, b net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		_, _ = a.Close(), b.Close()
		return
	}
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		p.conns[way[0]] = true
		p.tasks.Go(func() {
			p.copy(way[0], way[1])
			_, _ = way[0].Close(), way[1].Close()
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.conns, way[0])
		})
	}
}

// copy passes on what from says until that ends.
func (p *Proxy) copy(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if p.pass(p.ctx) != nil {
			return
		}
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
