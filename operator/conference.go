package operator

import "time"

// Conference is a conference in a list.
type Conference struct {
	ID         string    `json:"id" doc:"What documents know as conference id."`
	Name       string    `json:"name" doc:"As documents gave it; empty for one without a name."`
	Node       string    `json:"node" doc:"The FreeSWITCH that it is on, by its own name; empty until somebody is in it."`
	Controller string    `json:"controller" doc:"The controller that answers for it."`
	Created    time.Time `json:"created"`
	Members    int       `json:"members" doc:"How many calls are in it."`
}

// ConferenceOf makes the conference of a list.
func ConferenceOf(id, name, node, controller string, created time.Time, members int) Conference {
	return Conference{ID: id, Name: name, Node: node, Controller: controller, Created: created.UTC(), Members: members}
}

// ConferenceDetail is all that can be seen of one conference.
type ConferenceDetail struct {
	Conference
	MaxMembers int      `json:"maxMembers" doc:"Most members; 0 for no limit."`
	Locked     bool     `json:"locked" doc:"Nobody else is let in."`
	Recording  bool     `json:"recording" doc:"It is recorded."`
	Roster     []Member `json:"roster"`
}

// Member is a call in a conference.
type Member struct {
	Call       string    `json:"call"`
	Session    string    `json:"session"`
	Controller string    `json:"controller"`
	Node       string    `json:"node" doc:"The FreeSWITCH that the call is on."`
	Number     string    `json:"number,omitempty" doc:"Who it is, as FreeSWITCH has it."`
	Joined     time.Time `json:"joined"`
	Moderator  bool      `json:"moderator"`
	Hears      bool      `json:"hears"`
	Heard      bool      `json:"heard" doc:"Not muted."`
	Floor      bool      `json:"floor" doc:"The active speaker."`
}

// ConferenceRequest names a conference.
type ConferenceRequest struct {
	Conference string `json:"conference"`
}

// ConferenceSettings change a conference; what is nil stays.
type ConferenceSettings struct {
	ConferenceRequest
	Locked    *bool `json:"locked,omitempty"`
	Recording *bool `json:"recording,omitempty"`
}

// PlayRequest plays a sound to all members.
type PlayRequest struct {
	ConferenceRequest
	Src string `json:"src" doc:"A file or HTTP URI within documents.allow, or a tone_stream of FreeSWITCH."`
}

// MemberRequest names a member.
type MemberRequest struct {
	ConferenceRequest
	Call string `json:"call"`
}

// MemberSettings change how a member is in its conference; what is nil stays.
type MemberSettings struct {
	MemberRequest
	Muted *bool `json:"muted,omitempty"`
	Deaf  *bool `json:"deaf,omitempty"`
}
