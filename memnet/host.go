package memnet

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"ccxmld/clock"
)

// host is what listens and is connected in one place, which may be cut off, as when a
// process is killed or a machine loses its power.
type host struct {
	clock clock.Clock // of who is there

	mu     sync.Mutex
	cut    bool
	tap    func(data []byte)
	opened int
	open   map[any]ending // connections and listeners
}

// ending ends what was opened as the n-th.
type ending struct {
	n   int
	end func()
}

func newHost(c clock.Clock) *host { return &host{clock: c, open: make(map[any]ending)} }

// Host gives another host of the network.
func (n *Network) Host() *Network { return n.HostOf(n.clock) }

// HostOf gives another host, on which a process runs that goes by a clock of its own: what
// comes for it wakes it through that.
func (n *Network) HostOf(c clock.Clock) *Network { return &Network{n.addresses, newHost(c)} }

// Cut ends all connections and listeners of the host, and lets it have no others. Who is at
// their other ends sees them end.
func (n *Network) Cut() {
	h := n.host
	h.mu.Lock()
	h.cut = true
	all := slices.SortedFunc(maps.Values(h.open), func(a, b ending) int { return cmp.Compare(a.n, b.n) })
	h.open = make(map[any]ending)
	h.mu.Unlock()
	for _, one := range all {
		one.end()
	}
}

// Tap has f see what the host writes to its connections, from now on. f must not write.
func (n *Network) Tap(f func(data []byte)) {
	n.host.mu.Lock()
	defer n.host.mu.Unlock()
	n.host.tap = f
}

// writes lets the tap see what is written.
func (h *host) writes(data []byte) {
	if h == nil {
		return
	}
	h.mu.Lock()
	tap := h.tap
	h.mu.Unlock()
	if tap != nil {
		tap(data)
	}
}

func (h *host) isCut() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cut
}

// has notes something that Cut ends by a call. It reports false if the host is cut off.
func (h *host) has(what any, end func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.cut {
		h.opened++
		h.open[what] = ending{h.opened, end}
	}
	return !h.cut
}

func (h *host) hasConn(c *conn) bool {
	c.host = h
	return h.has(c, func() { _ = c.Close() })
}

func (h *host) forget(what any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, what)
}
