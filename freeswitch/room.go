package freeswitch

import (
	"strconv"

	"ccxmld/esl"
)

// Room is a conference of mod_conference, by its name. Its methods give commands of
// mod_commands and mod_conference (conference_api.c).
type Room string

// onMember builds the commands about one member. They take the id of the member's
// own add-member event: ids are the node's, not the room's (traces README, 16).
func (r Room) onMember(what, member string) esl.Command {
	return esl.API("conference", string(r), what, esl.Word(member))
}

// Kick takes a member out of the room; his leg goes on in its socket.
func (r Room) Kick(member string) esl.Command { return r.onMember("kick", member) }

// KickAll takes everybody out of the room.
func (r Room) KickAll() esl.Command { return esl.API("conference", string(r), "kick", "all") }

// SetMuted silences a member, or lets him be heard again.
func (r Room) SetMuted(member string, muted bool) esl.Command {
	if muted {
		return r.onMember("mute", member)
	}
	return r.onMember("unmute", member)
}

// SetDeaf keeps a member from hearing, or lets him hear again.
func (r Room) SetDeaf(member string, deaf bool) esl.Command {
	if deaf {
		return r.onMember("deaf", member)
	}
	return r.onMember("undeaf", member)
}

// Play plays a file or tone_stream to the whole room. Its end is the event
// play-file-done; a missing file gives no event of its own.
func (r Room) Play(file string) esl.Command {
	return esl.API("conference", string(r), "play", esl.Word(file))
}

// List asks for the roster, which [ParseRoster] reads.
func (r Room) List() esl.Command { return esl.API("conference", string(r), "xml_list") }

// SayTo speaks a text to one member, by the engine that the room's profile names
// (tts-engine); without one nothing is heard.
func (r Room) SayTo(member, text string) esl.Command {
	return esl.API("conference", string(r), "saymember", esl.Word(member), text)
}

// VolumeIn changes how loud a member is heard, VolumeOut how loud he hears, in
// mod_conference's steps from -4 to 4.
func (r Room) VolumeIn(member string, level int) esl.Command {
	return esl.API("conference", string(r), "volume_in", esl.Word(member), strconv.Itoa(level))
}

// VolumeOut is what VolumeIn is for the other direction.
func (r Room) VolumeOut(member string, level int) esl.Command {
	return esl.API("conference", string(r), "volume_out", esl.Word(member), strconv.Itoa(level))
}

// Lock lets nobody else in, or lets them in again.
func (r Room) Lock(locked bool) esl.Command {
	if locked {
		return esl.API("conference", string(r), "lock")
	}
	return esl.API("conference", string(r), "unlock")
}

// Record records the room to a file.
func (r Room) Record(file string) esl.Command {
	return esl.API("conference", string(r), "record", esl.Word(file))
}

// EndRecordings ends all recordings of the room.
func (r Room) EndRecordings() esl.Command {
	return esl.API("conference", string(r), "norecord", "all")
}

// Music is what members hear who wait for others.
func (r Room) Music(file string) esl.Command {
	return esl.API("conference", string(r), "moh", esl.Word(file))
}
