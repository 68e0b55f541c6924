package freeswitch

import "strings"

// ChannelState is how far the call of a channel has come.
type ChannelState int

// The states that matter to who was not told of them.
const (
	Down    ChannelState = iota // being dialled, or none of the others
	Ringing                     // the far end rings
	Early                       // the far end sends media before it answers
	Answered
)

// StateOf reads the answer to [Dump].
func StateOf(dump string) ChannelState {
	state := Down
	for line := range strings.Lines(dump) {
		switch strings.TrimSpace(line) {
		case "Answer-State: answered":
			return Answered
		case "Channel-Call-State: RINGING":
			state = Ringing
		case "Channel-Call-State: EARLY":
			state = Early
		}
	}
	return state
}
