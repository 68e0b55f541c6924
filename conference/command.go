package conference

import (
	"strconv"

	"ccxmld/esl"
)

// onMember builds the commands about one member. They take the id of the member's
// own add-member event: ids are the node's, not the room's (traces README, 16).
func onMember(room, what, member string) esl.Command {
	return esl.API("conference", room, what, esl.Word(member))
}

// Kick takes a member out of the room; his leg goes on in its socket.
func Kick(room string, member string) esl.Command { return onMember(room, "kick", member) }

// KickAll takes everybody out of the room.
func KickAll(room string) esl.Command { return esl.API("conference", room, "kick", "all") }

// Mute silences a member, Unmute lets him be heard again.
func Mute(room string, member string) esl.Command { return onMember(room, "mute", member) }

// Unmute is the opposite of Mute.
func Unmute(room string, member string) esl.Command { return onMember(room, "unmute", member) }

// Deaf keeps a member from hearing, Undeaf lets him hear again.
func Deaf(room string, member string) esl.Command { return onMember(room, "deaf", member) }

// Undeaf is the opposite of Deaf.
func Undeaf(room string, member string) esl.Command { return onMember(room, "undeaf", member) }

// Play plays a file or tone_stream to the whole room. Its end is the event
// play-file-done; a missing file gives no event of its own.
func Play(room, file string) esl.Command {
	return esl.API("conference", room, "play", esl.Word(file))
}

// ListMembers asks for the roster, which [ParseRoster] reads.
func ListMembers(room string) esl.Command { return esl.API("conference", room, "xml_list") }

// SayTo speaks a text to one member, by the engine that the room's profile names
// (tts-engine); without one nothing is heard.
func SayTo(room, text, member string) esl.Command {
	return esl.API("conference", room, "saymember", esl.Word(member), text)
}

// VolumeIn changes how loud a member is heard, VolumeOut how loud he hears, in
// mod_conference's steps from -4 to 4.
func VolumeIn(room, member string, level int) esl.Command {
	return esl.API("conference", room, "volume_in", esl.Word(member), strconv.Itoa(level))
}

// VolumeOut is what VolumeIn is for the other direction.
func VolumeOut(room, member string, level int) esl.Command {
	return esl.API("conference", room, "volume_out", esl.Word(member), strconv.Itoa(level))
}

// Lock lets nobody else in, or lets them in again.
func Lock(room string, locked bool) esl.Command {
	if locked {
		return esl.API("conference", room, "lock")
	}
	return esl.API("conference", room, "unlock")
}

// Record records the room to a file, or ends that.
func Record(room, file string, on bool) esl.Command {
	if on {
		return esl.API("conference", room, "record", esl.Word(file))
	}
	return esl.API("conference", room, "norecord", esl.Word(file))
}

// Music is what members hear who wait for others.
func Music(room, file string) esl.Command {
	return esl.API("conference", room, "moh", esl.Word(file))
}
