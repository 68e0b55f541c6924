package freeswitch

import "ccxmld/esl"

// The actions of conference::maintenance events that call control looks at.
const (
	AddMember = "add-member"
	DelMember = "del-member"

	StartTalking = "start-talking"
	StopTalking  = "stop-talking"
	FloorChange  = "floor-change" // Member and Channel are who has it now, "" for nobody

	MuteMember   = "mute-member"
	UnmuteMember = "unmute-member"
	DeafMember   = "deaf-member"
	UndeafMember = "undeaf-member"
)

// RoomEvent is an event of mod_conference (CUSTOM conference::maintenance).
type RoomEvent struct {
	Action  string
	Room    string // Conference-Name
	Created string // Conference-Unique-ID: tells rooms of one name apart, as the next can begin before the last has ended
	Member  string // Member-ID: a number of the node's, not the room's; "" for events about the whole room
	Channel string // Unique-ID of the member's leg
	Number  string // of the member, as a caller
	// Aside tells of an add-member event that this is no member in the eyes of
	// documents, but what plays to the room or brings other voices there.
	Aside bool
}

// ParseRoomEvent takes a conference::maintenance event apart. ok is false for
// other events.
func ParseRoomEvent(e *esl.Event) (m RoomEvent, ok bool) {
	if e.Get("Event-Subclass") != "conference::maintenance" {
		return RoomEvent{}, false
	}
	return RoomEvent{
		Action: e.Get("Action"), Room: e.Get("Conference-Name"), Created: e.Get("Conference-Unique-ID"),
		Member: e.Get("Member-ID"), Channel: e.Get("Unique-ID"),
		Number: e.Get("Caller-Caller-ID-Number"), Aside: e.Get("See") == "false",
	}, true
}
