package conference

import (
	"context"
	"fmt"
	"time"
)

// HeldOn lists the conferences in which this controller has members on a node.
func (r *Registry) HeldOn(node string) (list []Conference) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		if h.conference.Room != "" && h.isOn(node) {
			list = append(list, h.conference)
		}
	}
	return list
}

// Reconcile compares this controller's members of a conference that are on a node with the
// roster of the room there, the connections that are in it, and removes from the registry, and returns,
// those who are not; the room is the truth. Members that joined at or after settled,
// normally a few seconds before the roster was asked for, may still be on their way and
// are left alone, as are those for whom another leg is in the room. A roster of another
// room is an error. The cascade that nobody needs any more then is to be hung up.
func (r *Registry) Reconcile(ctx context.Context, id, node, room string, roster []string, settled time.Time) (gone []Member, unneeded Cascade, err error) {
	if gone, err = r.missing(id, node, room, roster, settled); err != nil {
		return nil, Cascade{}, err
	}
	for _, m := range gone {
		left, err := r.Leave(ctx, id, m.Connection)
		if err != nil {
			return gone, unneeded, err
		}
		if left.Unneeded.ID != "" {
			unneeded = left.Unneeded
		}
	}
	return gone, unneeded, nil
}

func (r *Registry) missing(id, node, room string, roster []string, settled time.Time) (gone []Member, err error) {
	present := make(map[string]bool, len(roster))
	for _, connection := range roster {
		present[connection] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.held[id]
	if h == nil || h.conference.Room == "" {
		return nil, ErrNotFound
	}
	if h.conference.Room != room {
		return nil, fmt.Errorf("reconcile %s: the roster is of room %.64q, want %s", id, room, h.conference.Room)
	}
	for connection, m := range h.members {
		if h.nodeOf(m) == node && !m.ByVoice && m.Joined.Before(settled) && !present[connection] {
			gone = append(gone, m)
		}
	}
	return gone, nil
}
