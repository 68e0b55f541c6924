// Package freeswitch is what ccxmld knows of FreeSWITCH: its nodes, with the link to
// each ([Nodes], [Node]), the rooms of mod_conference ([Room], [RoomEvent], [Roster]),
// how a channel ended and what its causes mean ([Hangup]), the commands and modules
// that are made use of. It knows no CCXML, no sessions and no Redis: what it is told,
// it tells an [Owner].
//
// [Nodes.Run] has the goroutines of the links; timers call back from the clock's.
package freeswitch
