package switchsim

import "net"

// NextUUIDs makes the switch use these identifiers next, in order.
func (sw *Switch) NextUUIDs(ids ...string) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.nextUUIDs = append(sw.nextUUIDs, ids...)
}

// Written returns how many bytes were sent to a peer, and whether nothing more
// is on its way to it.
func (sw *Switch) Written(peer net.Conn) (bytes int64, done bool) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	if sw.connecting > 0 || len(sw.dirty) > 0 {
		return 0, false
	}
	for _, l := range sw.listeners {
		if l.conn.RemoteAddr().String() == peer.LocalAddr().String() && l.conn.LocalAddr().String() == peer.RemoteAddr().String() {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.written, !l.sending && len(l.out) == 0
		}
	}
	return 0, true
}

// SkipMemberIDs counts conference members as if n had been there before.
func (sw *Switch) SkipMemberIDs(n int) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.memberIDs += n
}

// Waiting tells whether a leg's socket waits for its controller to say connect.
func (sw *Switch) Waiting() bool {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	for _, l := range sw.listeners {
		if l.outbound && !l.connected {
			return true
		}
	}
	return false
}

// Connecting tells whether a socket is on its way to a controller.
func (sw *Switch) Connecting() bool {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	return sw.connecting > 0
}
