package conference

import (
	"context"
	"fmt"
	"time"
)

// HeldOn lists the conferences on a node in which this controller has members.
func (r *Registry) HeldOn(node string) (list []Conference) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		if len(h.members) > 0 && h.conference.Room != "" && h.conference.Node == node {
			list = append(list, h.conference)
		}
	}
	return list
}

// Reconcile compares this controller's members of a conference with the room's
// roster, the connections that are there, and removes from the registry, and returns,
// those who are not; the room is the truth. Members that joined at or after settled,
// normally a few seconds before the roster was asked for, may still be on their way and
// are left alone, as are those for whom another leg is in the room. A roster of another
// room is an error.
func (r *Registry) Reconcile(ctx context.Context, id, room string, roster []string, settled time.Time) (gone []Member, err error) {
	if gone, err = r.missing(id, room, roster, settled); err != nil {
		return nil, err
	}
	for _, m := range gone {
		if _, err := r.Leave(ctx, id, m.Connection); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

func (r *Registry) missing(id, room string, roster []string, settled time.Time) (gone []Member, err error) {
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
		if !m.ByVoice && m.Joined.Before(settled) && !present[connection] {
			gone = append(gone, m)
		}
	}
	return gone, nil
}
