package freeswitch

import "ccxmld/esl"

// Commands of mod_commands on a channel, by its uuid. They take arguments as they are;
// [esl.Word] is for one that came from outside.

// Answer answers the channel, whatever it executes.
func Answer(id string) esl.Command { return esl.API("uuid_answer", id) }

// Kill hangs the channel up with a cause. A hangup message would wait for an
// application that runs under event-lock.
func Kill(id, cause string) esl.Command { return esl.API("uuid_kill", id, cause) }

// Exists asks whether the channel is there: true or false.
func Exists(id string) esl.Command { return esl.API("uuid_exists", id) }

// Dump asks for the channel's state, as an event.
func Dump(id string) esl.Command { return esl.API("uuid_dump", id) }

// SetVariable sets a variable of the channel.
func SetVariable(id, name, value string) esl.Command {
	return esl.API("uuid_setvar", id, name, value)
}

// SetVariables sets several variables of the channel: name=value;name=value.
func SetVariables(id, assignments string) esl.Command {
	return esl.API("uuid_setvar_multi", id, assignments)
}

// StartRecording records what the channel hears and says to a file.
func StartRecording(id, file string) esl.Command { return esl.API("uuid_record", id, "start", file) }

// StopRecording ends the recording to a file.
func StopRecording(id, file string) esl.Command { return esl.API("uuid_record", id, "stop", file) }

// SendDTMF presses keys for the channel's party.
func SendDTMF(id, digits string) esl.Command { return esl.API("uuid_send_dtmf", id, digits) }
