package conference

import (
	"strings"

	"ccxmld/esl"
)

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

// Maintenance is an event of mod_conference (CUSTOM conference::maintenance).
type Maintenance struct {
	Action  string
	Room    string // Conference-Name
	Created string // Conference-Unique-ID: tells rooms of one name apart, as the next can begin before the last has ended
	Member  string // Member-ID: a number of the node's, not the room's; "" for events about the whole room
	Channel string // Unique-ID of the member's leg
	Number  string // of the member, as a caller
	Ghost   bool   // none in the eyes of documents, see GhostNumber
}

// ParseMaintenance takes a conference::maintenance event apart. ok is false for
// other events.
func ParseMaintenance(e *esl.Event) (m Maintenance, ok bool) {
	if e.Get("Event-Subclass") != "conference::maintenance" {
		return Maintenance{}, false
	}
	number := e.Get("Caller-Caller-ID-Number")
	return Maintenance{
		Action: e.Get("Action"), Room: e.Get("Conference-Name"), Created: e.Get("Conference-Unique-ID"),
		Member: e.Get("Member-ID"), Channel: e.Get("Unique-ID"),
		Number: number, Ghost: number == GhostNumber,
	}, true
}

// GhostNumber is the number, of the caller and of the callee, of members that are none in the eyes of
// documents: what plays to the room, or brings another one's voices there. They
// cannot have mod_conference's own flag ghost: it does not count those, and lets a
// member be heard only where it counts two (conference_loop_input).
const GhostNumber = "ghost"

// JoinArgument is the argument of the conference application: the room, with the
// profile it is made by if it is not there yet, and the member's flags, such as
// mute or deaf.
func JoinArgument(room, profile string, flags ...string) string {
	argument := room + "@" + profile
	if len(flags) > 0 {
		argument += "+flags{" + strings.Join(flags, "|") + "}"
	}
	return argument
}
