package freeswitch

import "strings"

// Membership says how a channel is in a room: the member flags of mod_conference
// (conference_utils.c).
type Membership struct {
	Moderator         bool
	EndsRoom          bool // which ends with the last such member (endconf)
	WaitsForModerator bool // and hears music until one is there (wait-mod)
	Muted             bool // is not heard
	Deaf              bool // does not hear
	// Aside marks who is no member in the eyes of documents. They see no video and are
	// not seen: events show the one, rosters the other, and no caller can set them.
	// mod_conference's own ghosts will not do: what they say is not heard where there is
	// one member.
	Aside bool
}

func (m Membership) flags() (flags []string) {
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"blind", m.Aside}, {"vmute", m.Aside},
		{"moderator", m.Moderator}, {"endconf", m.EndsRoom}, {"wait-mod", m.WaitsForModerator},
		{"mute", m.Muted}, {"deaf", m.Deaf},
	} {
		if flag.set {
			flags = append(flags, flag.name)
		}
	}
	return flags
}

// JoinArgument is the argument of the conference application by which a channel
// enters the room. profile makes the room if it is not there yet.
func (r Room) JoinArgument(profile string, m Membership) string {
	argument := string(r) + "@" + profile
	if flags := m.flags(); len(flags) > 0 {
		argument += "+flags{" + strings.Join(flags, "|") + "}"
	}
	return argument
}

// Dial is the dial string of a loopback call one half of which enters the room. A |
// in it would separate two destinations.
func (r Room) Dial(profile string, m Membership) string {
	return "loopback/app=conference:" + strings.ReplaceAll(r.JoinArgument(profile, m), "|", `\|`)
}
