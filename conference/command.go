package conference

import "ccxmld/esl"

// onMember builds the commands about one member. They take the id of the member's
// own add-member event: ids are the node's, not the room's (traces README, 16).
func onMember(room, what, member string) esl.Command {
	return esl.API("conference", room, what, esl.Word(member))
}

// Kick takes a member out of the room; his leg goes on in its socket.
func Kick(room string, member string) esl.Command { return onMember(room, "kick", member) }

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

// PlayTo plays to one member; the end is play-file-member-done.
func PlayTo(room, file string, member string) esl.Command {
	return esl.API("conference", room, "play", esl.Word(file), esl.Word(member))
}

// Stop ends what is played to the whole room.
func Stop(room string) esl.Command { return esl.API("conference", room, "stop", "all") }

// ListMembers asks for the roster, which [ParseRoster] reads.
func ListMembers(room string) esl.Command { return esl.API("conference", room, "json_list") }
