package freeswitch

// Module is a module of FreeSWITCH that ccxmld makes use of.
type Module struct {
	Name string
	// For is what it is for, in words.
	For string
	// Needed says that little works without it.
	Needed bool
}

// Modules are those that a node should have loaded, beside mod_event_socket,
// which is how one asks.
func Modules() []Module {
	return []Module{
		{"mod_commands", "bridges, outbound calls and hanging up", true},
		{"mod_dptools", "answering, prompts and the socket action", true},
		{"mod_sndfile", "prompts from WAV files, and recordings", true},
		{"mod_conference", "conferences, and joins between sessions", true},
		{"mod_dialplan_xml", "incoming calls by the XML dialplan", false},
		{"mod_sofia", "SIP calls", false},
		{"mod_loopback", "conferences joined to each other, dialogs on conferences, and calls of FreeSWITCH to itself", false},
		{"mod_say_en", "numbers, dates and money said in English", false},
		{"mod_tone_stream", "beeps, tones and silence", false},
	}
}
