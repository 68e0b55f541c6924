package memnet

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// host is what listens and is connected in one place, which may be cut off, as when a
// process is killed or a machine loses its power.
type host struct {
	mu     sync.Mutex
	cut    bool
	opened int
	open   map[any]ending // connections and listeners
}

// ending ends what was opened as the n-th.
type ending struct {
	n   int
	end func()
}

func newHost() *host { return &host{open: make(map[any]ending)} }

// Host gives another host of the network.
func (n *Network) Host() *Network { return &Network{n.addresses, newHost()} }

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
