package freeswitch

import (
	"net/url"
	"strings"
)

// Channel is what FreeSWITCH says of a channel, by [Dump].
type Channel struct {
	ID      string
	Machine string // FreeSWITCH's own name
	State   ChannelState
	Home    string // the mark of its last way home
	Session string // whose it is, as its owner has marked it; "" for none
	Partner string // the channel that it is bridged with, "" for none
	Room    string // the conference that it is in, "" for none
	Member  string // its number there
	Hears   string // the channel that it listens to by eavesdrop, "" for none
	Parked  bool
}

// ChannelOf reads the answer to [Dump]. The variables of bridges and conferences outlive
// these: only bridge_to goes with its bridge, and what the channel executes says whether
// it is in a conference still.
func ChannelOf(dump string) Channel {
	of := make(map[string]string)
	for line := range strings.Lines(dump) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			if plain, err := url.PathUnescape(value); err == nil {
				value = plain
			}
			of[name] = value
		}
	}
	c := Channel{
		ID: of["Unique-ID"], Machine: of["FreeSWITCH-Switchname"], State: StateOf(dump), Home: of["variable_"+HomeVariable],
		Partner: of["variable_bridge_to"], Session: of["variable_"+SessionVariable],
	}
	argument := of["variable_current_application_data"]
	switch of["variable_current_application"] {
	case "conference":
		c.Room, c.Member = of["variable_conference_name"], of["variable_conference_member_id"]
	case "eavesdrop":
		c.Hears, _, _ = strings.Cut(argument, " ")
	case "park":
		c.Parked = c.Partner == ""
	}
	return c
}
