package conference

import (
	"maps"
	"time"
)

// holding is what this controller holds of a conference. Its states:
//
//	room == ""   nothing is known yet: an operation is under way, or its outcome is unknown
//	clean        Redis has the same
//	dirty        Redis may have something else; the next renewal tells it
//
// It goes when it is empty, clean and in no operation, see [Registry.end].
// All fields belong to the registry's mutex.
type holding struct {
	id         string
	conference Conference
	sessions   map[string]struct{}
	members    map[string]Member
	cascades   map[string]Cascade // by node, those that members here need, or needed
	dirty      bool
	ops        int       // operations under way
	version    uint64    // changes when an operation begins or ends
	until      time.Time // the lease, as far as known
}

func newHolding(id string) *holding {
	return &holding{id: id, sessions: make(map[string]struct{}), members: make(map[string]Member)}
}

func (h *holding) empty() bool { return len(h.sessions) == 0 && len(h.members) == 0 }

// aloneFlag tells a script whether the controller holds nothing else. With
// another operation under way that is not known: the lease then runs out.
func (h *holding) aloneFlag() string {
	return flagOf(h.empty() && h.ops == 1)
}

// flagOf is a boolean as the scripts take it.
func flagOf(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

// refuses tells why a member may not join, as far as this controller's own members
// say, nil if it may; see join.lua.
func (h *holding) refuses(m Member) error {
	c := &h.conference
	if c.Node != "" && m.Node != "" && c.Node != m.Node && !m.Reaches {
		return ErrNode
	}
	before, again := h.members[m.Connection]
	if again && before.Listens == m.Listens {
		return nil
	}
	if !again && c.Limits.MaxMembers > 0 && len(h.members) >= c.Limits.MaxMembers {
		return ErrFull
	}
	var count [2]int // of talkers and listeners
	kind := func(m Member) int {
		if m.Listens {
			return 1
		}
		return 0
	}
	count[kind(m)]++
	for connection, other := range h.members {
		if connection != m.Connection {
			count[kind(other)]++
		}
	}
	if !c.Limits.take(count[0], count[1]) {
		return ErrReserved
	}
	return nil
}

// begin notes that an operation on a conference is under way. What is not held
// yet is held from now on if fresh is set, else it is ErrNotFound.
func (r *Registry) begin(id string, fresh bool) (*holding, error) {
	if _, ok := tag(id); !ok {
		return nil, ErrNotFound
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.held[id]
	switch {
	case h != nil:
	case !fresh:
		return nil, ErrNotFound
	case len(r.held) >= r.maxHeld:
		return nil, ErrTooMany
	default:
		h = newHolding(id)
		r.held[id] = h
	}
	h.ops++
	h.version++
	return h, nil
}

// locked reads or changes holdings inside an operation.
func (r *Registry) locked(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// end ends an operation with its outcome, which may be nil.
func (r *Registry) end(h *holding, outcome func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h.ops--
	h.version++
	if outcome != nil {
		outcome()
	}
	r.dropIfDone(h)
}

func (r *Registry) dropIfDone(h *holding) {
	if h.ops == 0 && !h.dirty && h.empty() && r.held[h.id] == h {
		delete(r.held, h.id)
	}
}

// Disown forgets a session that another controller has claimed, and its members, which that
// one holds in Redis.
func (r *Registry) Disown(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		before := len(h.sessions) + len(h.members)
		delete(h.sessions, session)
		maps.DeleteFunc(h.members, func(_ string, m Member) bool { return m.Session == session })
		if len(h.sessions)+len(h.members) < before {
			h.version++ // a renewal under way is of what was
			r.dropIfDone(h)
		}
	}
}

// adopt takes over what Redis says of the conference. If that is another one
// than was held, the name was created again while this controller was away: what
// it held is in the old room, and the older yields.
func (r *Registry) adopt(h *holding, c Conference) {
	if old := h.conference; old.Room != "" && old.Room != c.Room {
		r.yield(h, c)
	}
	if h.conference.Room != c.Room {
		h.cascades = nil
	}
	h.conference = c
	h.until = r.leaseEnd(r.store.Now())
}

// yield reports, and empties, a holding of an older conference.
func (r *Registry) yield(h *holding, newer Conference) {
	y := Yield{Old: h.conference, New: newer}
	for session := range h.sessions {
		y.Sessions = append(y.Sessions, session)
	}
	for _, m := range h.members {
		y.Members = append(y.Members, m)
	}
	h.cascades = nil
	h.sessions, h.members, h.dirty = make(map[string]struct{}), make(map[string]Member), false
	if len(y.Sessions)+len(y.Members) > 0 {
		r.renewal.Yielded = append(r.renewal.Yielded, y)
	}
}

// forget empties the holding of a conference that has ended.
func (r *Registry) forget(h *holding) {
	clear(h.sessions)
	clear(h.members)
	clear(h.cascades)
	h.conference.Room = ""
	h.dirty = false
	if t, ok := tag(h.id); ok && len(r.unindexed) < r.maxHeld {
		r.unindexed = append(r.unindexed, t) // beyond that the sweep finds it
	}
}
