package freeswitch

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
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
	Aside   bool // see RoomEvent
}

// ErrNoRoom means that FreeSWITCH has no such room.
var ErrNoRoom = errors.New("no such room")

// Channels are the legs that are in the room.
func (r Roster) Channels() []string {
	channels := make([]string, len(r.Members))
	for i, m := range r.Members {
		channels[i] = m.Channel
	}
	return channels
}

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

// ParseRoster reads the answer to [Room.List].
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
