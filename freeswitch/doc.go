// Package freeswitch is what ccxmld knows of FreeSWITCH: how a channel ended and what
// its causes mean, the commands and modules that are made use of, the rooms of
// mod_conference, and the pace at which it takes calls. It knows no CCXML, no sessions
// and no Redis.
//
// Nothing in it starts a goroutine; [Turns] calls back from its clock's.
package freeswitch
