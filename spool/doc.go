// Package spool keeps the directories that ccxmld shares with FreeSWITCH: that of
// audio which ccxmld fetches and FreeSWITCH plays, and that of recordings, which
// FreeSWITCH writes and ccxmld sends on.
//
//	fetched audio ─▶ Audio.Put ─▶ HASH.wav ─▶ playback
//	record ─▶ recording-ID.wav ─▶ Recordings.Read ─▶ upload
//
// Both may stand in the system's temporary directory, where others could have made
// them before (Check). Both are bounded in bytes and age: what is oldest goes first,
// and never what is in use.
//
// The package goes by the file system's time and starts no goroutine.
package spool
