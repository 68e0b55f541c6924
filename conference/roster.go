package conference

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Roster is who is in a room according to FreeSWITCH.
type Roster struct {
	Room     string
	UniqueID string // of this creation of the room
	Locked   bool
	Members  []RosterMember
}

// RosterMember is a member of a room. A leg that is nested stands there twice.
type RosterMember struct {
	ID      int
	Channel string // Unique-ID of the leg
	Number  string // of the member, as a caller
	Hears   bool
	Speaks  bool
	Floor   bool
	Aside   bool // see Maintenance
}

// ErrNoRoom means that FreeSWITCH has no such room.
var ErrNoRoom = errors.New("no such room")

// rosterXML is the answer to xml_list (mod_conference, conference_xlist). A
// recording that runs is a member of another type.
type rosterXML struct {
	Rooms []struct {
		Name     string `xml:"name,attr"`
		UniqueID string `xml:"uuid,attr"`
		Locked   bool   `xml:"locked,attr"`
		Members  []struct {
			Type   string `xml:"type,attr"`
			ID     int    `xml:"id"`
			UUID   string `xml:"uuid"`
			Number string `xml:"caller_id_number"` // percent-encoded
			Hears  bool   `xml:"flags>can_hear"`
			Speaks bool   `xml:"flags>can_speak"`
			Floor  bool   `xml:"flags>has_floor"`
			Sees   bool   `xml:"flags>can_see"`
			Hold   bool   `xml:"flags>hold"` // then it can do nothing
		} `xml:"members>member"`
	} `xml:"conference"`
}

// ParseRoster reads the answer to [ListMembers].
func ParseRoster(answer string) (Roster, error) {
	answer = strings.TrimSpace(answer)
	if strings.HasPrefix(answer, "-ERR") {
		if strings.HasSuffix(answer, "not found") {
			return Roster{}, ErrNoRoom
		}
		return Roster{}, fmt.Errorf("roster: %.200s", answer)
	}
	var list rosterXML
	if err := xml.Unmarshal([]byte(answer), &list); err != nil {
		return Roster{}, fmt.Errorf("roster: %w", err)
	}
	if len(list.Rooms) != 1 {
		return Roster{}, fmt.Errorf("roster: %d rooms in the answer about one", len(list.Rooms))
	}
	room := &list.Rooms[0]
	roster := Roster{Room: room.Name, UniqueID: room.UniqueID, Locked: room.Locked}
	for i := range room.Members {
		m := &room.Members[i]
		if m.Type != "caller" {
			continue
		}
		number, err := url.PathUnescape(m.Number)
		if err != nil {
			number = m.Number
		}
		roster.Members = append(roster.Members, RosterMember{
			ID: m.ID, Channel: m.UUID, Number: number, Hears: m.Hears, Speaks: m.Speaks, Floor: m.Floor, Aside: !m.Sees && !m.Hold,
		})
	}
	return roster, nil
}

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
// roster, and removes from the registry, and returns, those who are not there; the
// room is the truth. Members that joined at or after settled, normally a few
// seconds before the roster was asked for, may still be on their way and are left
// alone, as are those for whom another leg is in the room. A roster of another room is an error.
func (r *Registry) Reconcile(ctx context.Context, id string, roster Roster, settled time.Time) (gone []Member, err error) {
	if gone, err = r.missing(id, roster, settled); err != nil {
		return nil, err
	}
	for _, m := range gone {
		if _, err := r.Leave(ctx, id, m.Connection); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

func (r *Registry) missing(id string, roster Roster, settled time.Time) (gone []Member, err error) {
	present := make(map[string]bool, len(roster.Members))
	for _, m := range roster.Members {
		present[m.Channel] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.held[id]
	if h == nil || h.conference.Room == "" {
		return nil, ErrNotFound
	}
	if h.conference.Room != roster.Room {
		return nil, fmt.Errorf("reconcile %s: the roster is of room %.64q, want %s", id, roster.Room, h.conference.Room)
	}
	for connection, m := range h.members {
		if !m.ByVoice && m.Joined.Before(settled) && !present[connection] {
			gone = append(gone, m)
		}
	}
	return gone, nil
}
