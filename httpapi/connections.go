package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"ccxmld/logs"
	"ccxmld/remote"
)

// connections are those of a Server: a listener that bounds them, and knows which
// are idle. Where there is no room an idle one makes it, else one that has not said
// what it wants. Beyond the bound some more are taken, on which only what must be
// answered is.
type connections struct {
	net.Listener
	most       int // but for kept
	perAddress int
	log        *slog.Logger
	now        func() time.Time
	accepting  logs.Trouble

	mu        sync.Mutex
	ending    bool // what asks for nothing is not waited for
	open      map[*connection]struct{}
	byAddress map[string]int
}

const (
	// kept is how many connections are taken beyond the bound for health checks and
	// token starts.
	kept = 64
	// keptTime is how long a request on these may take to arrive.
	keptTime = 2 * time.Second
)

// connection is one of a Server's.
type connection struct {
	net.Conn
	of      *connections
	address string
	beyond  bool // the bound: only what must be answered is

	// Guarded by of.mu.
	state http.ConnState
	since time.Time
}

func newConnections(l net.Listener, o Options) *connections {
	return &connections{
		Listener: l, most: o.Connections, perAddress: o.ConnectionsPerAddress, log: o.Logger, now: o.Now,
		accepting: logs.Trouble{Now: o.Now},
		open:      make(map[*connection]struct{}), byAddress: make(map[string]int),
	}
}

// Accept gives the next connection for which there is room, or is made.
func (cs *connections) Accept() (net.Conn, error) {
	for {
		conn, err := cs.accept()
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: conn, of: cs, address: remote.Counted(conn.RemoteAddr().String()), state: http.StateNew, since: cs.now()}
		gone, ok := cs.admit(c)
		if gone != nil {
			_ = gone.Close()
		}
		if ok {
			return c, nil
		}
		cs.log.Warn("HTTP connection closed: there are too many", "remote", conn.RemoteAddr(), "limit", cs.most, "limit_of_an_address", cs.perAddress,
			"do", "if these are requests, raise http.connections or http.connections_per_address")
		_ = conn.Close()
	}
}

// accept outlasts passing failures, such as too many open files. net/http would log each.
func (cs *connections) accept() (net.Conn, error) {
	wait := 5 * time.Millisecond
	for {
		conn, err := cs.Listener.Accept()
		if err == nil {
			if say, about := cs.accepting.Over(); say {
				cs.log.Info("HTTP connections are accepted again", about...)
			}
			return conn, nil
		}
		//lint:ignore SA1019 net/http asks the same of its listeners.
		if passing := net.Error(nil); !errors.As(err, &passing) || !passing.Temporary() {
			return nil, err
		}
		if say, about := cs.accepting.Found(); say {
			cs.log.Error("HTTP accept failed, trying again", append(about, "error", err)...)
		}
		time.Sleep(wait)
		wait = min(2*wait, time.Second)
	}
}

// admit takes a connection in, with the one that has to go for it, if any.
func (cs *connections) admit(c *connection) (gone *connection, ok bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	ok = true
	switch {
	case cs.byAddress[c.address] >= cs.perAddress:
		gone = cs.waiting(c.address)
		ok = gone != nil
	case len(cs.open) >= cs.most+kept:
		gone = cs.waiting("")
		ok = gone != nil
	case len(cs.open) >= cs.most:
		gone = cs.idle("")
	}
	if gone != nil {
		cs.remove(gone)
	}
	if ok {
		cs.add(c)
	}
	return gone, ok
}

// add counts a connection. cs.mu is held.
func (cs *connections) add(c *connection) {
	c.beyond = len(cs.open) >= cs.most
	cs.open[c] = struct{}{}
	cs.byAddress[c.address]++
}

// remove takes a connection off the list, if it is there. cs.mu is held.
func (cs *connections) remove(c *connection) {
	if _, there := cs.open[c]; !there {
		return
	}
	delete(cs.open, c)
	if cs.byAddress[c.address]--; cs.byAddress[c.address] == 0 {
		delete(cs.byAddress, c.address)
	}
}

// waiting is the connection to close for another one of the address, or of any: the
// one that has been idle longest, else the one that has longest not asked for
// anything yet. cs.mu is held.
func (cs *connections) waiting(address string) *connection {
	if c := cs.idle(address); c != nil {
		return c
	}
	return cs.oldest(address, http.StateNew)
}

func (cs *connections) idle(address string) *connection { return cs.oldest(address, http.StateIdle) }

func (cs *connections) oldest(address string, state http.ConnState) (oldest *connection) {
	for c := range cs.open {
		if c.state == state && (address == "" || c.address == address) && (oldest == nil || c.since.Before(oldest.since)) {
			oldest = c
		}
	}
	return oldest
}

// endSilent closes the connections that have not asked for anything yet, and those that
// come from now on: net/http waits five seconds for what they may ask for.
func (cs *connections) endSilent() {
	cs.mu.Lock()
	cs.ending = true
	var silent []*connection
	for c := range cs.open {
		if c.state == http.StateNew {
			silent = append(silent, c)
		}
	}
	cs.mu.Unlock()
	for _, c := range silent {
		_ = c.Close()
	}
}

// changed notes what net/http says of a connection.
func (cs *connections) changed(conn net.Conn, state http.ConnState) {
	c := ourConnection(conn)
	if c == nil {
		return
	}
	cs.mu.Lock()
	c.state, c.since = state, cs.now()
	if state == http.StateClosed || state == http.StateHijacked {
		cs.remove(c)
	}
	late := cs.ending && state == http.StateNew
	cs.mu.Unlock()
	if late {
		_ = c.Close()
	}
}

// Close gives the connection's place back.
func (c *connection) Close() error {
	c.of.mu.Lock()
	c.of.remove(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// ourConnection is the connection below TLS, nil for others.
func ourConnection(conn net.Conn) *connection {
	if secured, is := conn.(*tls.Conn); is {
		conn = secured.NetConn()
	}
	c, _ := conn.(*connection)
	return c
}

// beyondKey is the key in a request's context of whether its connection is beyond
// the bound.
type beyondKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if c := ourConnection(conn); c != nil && c.beyond {
		return context.WithValue(ctx, beyondKey{}, true)
	}
	return ctx
}

// urgent serves on all connections, patient only on those within the bound.
func urgent(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if isBeyond(r) {
			w.Header().Set("Connection", "close")
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(keptTime)) // where there is none, the usual one holds
		}
		serve(w, r)
	}
}

func patient(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if isBeyond(r) {
			w.Header().Set("Connection", "close")
			w.Header().Set("Retry-After", "1")
			answer(w, http.StatusServiceUnavailable, textFailure+"too many connections; try again, or raise http.connections")
			return
		}
		serve(w, r)
	}
}

func isBeyond(r *http.Request) bool { return r.Context().Value(beyondKey{}) != nil }
