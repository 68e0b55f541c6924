package freeswitch

// Names of events that tell of channels (switch_event.c), of jobs, and of rooms
// (mod_conference).
const (
	ChannelAnswer         = "CHANNEL_ANSWER"
	ChannelBridge         = "CHANNEL_BRIDGE"
	ChannelUnbridge       = "CHANNEL_UNBRIDGE"
	ChannelPark           = "CHANNEL_PARK"
	ChannelProgress       = "CHANNEL_PROGRESS"
	ChannelProgressMedia  = "CHANNEL_PROGRESS_MEDIA"
	ChannelHangupComplete = "CHANNEL_HANGUP_COMPLETE"
	BackgroundJob         = "BACKGROUND_JOB"
	ConferenceMaintenance = "CUSTOM conference::maintenance"
)

// Where FreeSWITCH has what the inputs of state machines come from, beside events.
const (
	FromOriginate    = BackgroundJob + " of originate (mod_commands)"
	FromSocket       = "socket (mod_event_socket)"
	FromDump         = "uuid_dump (mod_commands)"
	FromKill         = "uuid_kill (mod_commands)"
	FromBridge       = "uuid_bridge (mod_commands)"
	FromTransfer     = "uuid_transfer (mod_commands)"
	FromRedirect     = "redirect (mod_dptools) or uuid_deflect (mod_commands)"
	FromRefer        = "sofia::notify_refer (mod_sofia)"
	FromRoom         = ConferenceMaintenance + " (mod_conference)"
	FromKick         = "conference NAME kick (mod_conference)"
	FromEavesdrop    = "eavesdrop (mod_dptools)"
	FromSetVariables = "uuid_setvar_multi (mod_commands)"
)
