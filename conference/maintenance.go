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
	// Aside tells of an add-member event that this is no member in the eyes of
	// documents, but what plays to the room or brings other voices there.
	Aside bool
}

// ParseMaintenance takes a conference::maintenance event apart. ok is false for
// other events.
func ParseMaintenance(e *esl.Event) (m Maintenance, ok bool) {
	if e.Get("Event-Subclass") != "conference::maintenance" {
		return Maintenance{}, false
	}
	return Maintenance{
		Action: e.Get("Action"), Room: e.Get("Conference-Name"), Created: e.Get("Conference-Unique-ID"),
		Member: e.Get("Member-ID"), Channel: e.Get("Unique-ID"),
		Number: e.Get("Caller-Caller-ID-Number"), Aside: e.Get("See") == "false",
	}, true
}

// Aside gives the flags, beside others, of members that are none in the eyes of
// documents. They see no video and are not seen: events show the one, rosters the
// other, and no caller can set them. mod_conference's own ghosts will not do: what
// they say is not heard where there is one member.
func Aside(flags ...string) []string { return append([]string{"blind", "vmute"}, flags...) }

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
