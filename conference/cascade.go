package conference

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
)

// Cascade is the call between two nodes by which the members on one of them are in a
// conference that is on the other. There is one for a conference and a node, whichever
// controllers have the members.
type Cascade struct {
	Node string `json:"-"`  // of the members
	ID   string `json:"id"` // the Unique-ID of its leg there
	Room string `json:"-"`  // that it joins
	// Up tells that members hear each other by it; else a controller is about to make it.
	Up         bool   `json:"up"`
	Controller string `json:"controller"` // that makes it, or watches over it
}

// Ended is a conference that has ended.
type Ended struct {
	Conference
	Elsewhere []string // the nodes beside its own on which it had members
}

// Left is what a connection leaves behind.
type Left struct {
	Size int // members that are left, as far as known
	// Over are the nodes on which everybody is to go, since it was the last member that ends
	// the conference (Member.Ends); Room is the room there.
	Over []string
	Room string
	// Unneeded is the cascade of its node, if nobody needs that any more; ID "" for none.
	// It is to be hung up by whoever gets it, and is told once.
	Unneeded Cascade
}

// Reach gives the cascade by which members on a node are in a conference that is on
// another one. If there is none, or the one of the id lost, the caller is to make it under
// the id offered, and tell of that by [Registry.Cascaded]; mine says so, and instead, if
// it is not "", is the leg of one on that node which nobody makes any more, to be hung up.
// A member on the node keeps the cascade, so it has to be in the conference already.
//
// ErrNotFound says that the conference has ended. Without Redis, a cascade that this
// controller knows serves; else it is ErrUnavailable.
func (r *Registry) Reach(ctx context.Context, id, node, offered, lost string) (c Cascade, mine bool, instead string, err error) {
	h, err := r.begin(id, false)
	if err != nil {
		return Cascade{}, false, "", err
	}
	var room string
	var known Cascade
	r.locked(func() { room, known = h.conference.Room, h.cascades[node] })
	reply, err := r.run(ctx, r.scripts.cascade, id, r.controller, r.leaseMillis(), r.keepMillis(), room, node, offered, lost)
	list, _ := reply.([]any)
	switch {
	case err != nil && known.Up && known.ID != lost:
		r.end(h, nil)
		return known, false, "", nil
	case err != nil:
		r.end(h, nil)
		return Cascade{}, false, "", unavailable("reach", id, err)
	case len(list) < 4:
		r.end(h, func() { h.dirty = true })
		return Cascade{}, false, "", ErrNotFound
	}
	c = Cascade{Node: node, Room: room, Up: list[1] == int64(1), Controller: r.controller}
	c.ID, _ = list[0].(string)
	instead, _ = list[3].(string)
	r.end(h, func() { h.keep(c) })
	return c, list[2] == int64(1), instead, nil
}

// Cascaded tells others that a cascade which this controller was to make is up, or that it
// could not be made. It reports whether the conference still wants it.
func (r *Registry) Cascaded(ctx context.Context, id string, c Cascade, up bool) (wanted bool) {
	h, err := r.begin(id, false)
	if err != nil {
		return false
	}
	reply, err := r.run(ctx, r.scripts.cascaded, id, c.Room, c.Node, c.ID, flagOf(up))
	wanted = up && (err != nil || reply == int64(1)) // without Redis, the next renewal tells it
	c.Up = up
	r.end(h, func() {
		switch {
		case h.conference.Room != c.Room || h.cascades[c.Node].ID != c.ID:
		case wanted:
			h.keep(c)
			h.dirty = h.dirty || err != nil
		default:
			delete(h.cascades, c.Node)
		}
	})
	return wanted
}

// End ends a conference for all, if it is still that of the room: other controllers hear of
// that with their next renewal ([Renewal.Lost]). It reports whether this controller held
// it; it does not any more then.
func (r *Registry) End(ctx context.Context, id, room string) (held bool, err error) {
	h, err := r.begin(id, false)
	if err != nil {
		return false, nil
	}
	if _, err = r.run(ctx, r.scripts.end, id, room); err != nil {
		err = unavailable("end", id, err)
	}
	r.end(h, func() {
		if held = h.conference.Room == room; held {
			r.forget(h)
		}
	})
	return held, err
}

// HeldFar lists the cascades that this controller's members need, with their conferences.
func (r *Registry) HeldFar() (conferences []Conference, cascades []Cascade) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		for _, c := range h.cascades {
			if h.isOn(c.Node) {
				conferences, cascades = append(conferences, h.conference), append(cascades, c)
			}
		}
	}
	return conferences, cascades
}

// HeldMembers lists the connections of this controller that are in the conference of a room
// on a node.
func (r *Registry) HeldMembers(id, room, node string) (connections []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.held[id]; h != nil && h.conference.Room == room {
		for connection, m := range h.members {
			if h.nodeOf(m) == node {
				connections = append(connections, connection)
			}
		}
	}
	return connections
}

// HeldAt lists the conferences that are on a node and that this controller has something
// of.
func (r *Registry) HeldAt(node string) (list []Conference) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		if h.conference.Room != "" && h.conference.Node == node {
			list = append(list, h.conference)
		}
	}
	return list
}

// keep notes a cascade. The registry's mutex is held.
func (h *holding) keep(c Cascade) {
	if h.cascades == nil {
		h.cascades = make(map[string]Cascade, 1)
	}
	h.cascades[c.Node] = c
}

// nodeOf is where a member is.
func (h *holding) nodeOf(m Member) string { return cmp.Or(m.Node, h.conference.Node) }

// isOn tells whether the controller has members on a node.
func (h *holding) isOn(node string) bool {
	for _, m := range h.members {
		if h.nodeOf(m) == node {
			return true
		}
	}
	return false
}

func (c Cascade) encode() string {
	text, err := json.Marshal(c)
	if err != nil {
		return "{}" // strings and a boolean do not fail
	}
	return string(text)
}

// unneeded reads pairs of nodes and ids in a script's reply.
func unneeded(room string, pairs []any) (list []Cascade) {
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, Cascade{Room: room, Node: fmt.Sprint(pairs[i]), ID: fmt.Sprint(pairs[i+1])})
	}
	return list
}

// texts are the strings of a script's reply.
func texts(list []any) (all []string) {
	for _, text := range list {
		all = append(all, fmt.Sprint(text))
	}
	return all
}

// Elsewhere lists the nodes beside its own on which a conference has members, or is about to.
func (r *Registry) Elsewhere(ctx context.Context, id string) ([]string, error) {
	t, ok := tag(id)
	if !ok {
		return nil, ErrNotFound
	}
	nodes, err := r.store.Client().HKeys(ctx, r.keys(t)[5]).Result()
	if err != nil {
		return nil, unavailable("nodes of", id, err)
	}
	return nodes, nil
}
