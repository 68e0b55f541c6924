package freeswitch

// Names of events that tell of channels (switch_event.c) and of rooms (mod_conference).
const (
	ChannelProgress       = "CHANNEL_PROGRESS"
	ChannelProgressMedia  = "CHANNEL_PROGRESS_MEDIA"
	ChannelHangupComplete = "CHANNEL_HANGUP_COMPLETE"
	ConferenceMaintenance = "CUSTOM conference::maintenance"
)
