// Package sessionstore keeps in Redis what other controllers and operators must
// know of the running sessions: the controllers, their sessions, and the mail
// between them. What only the running process needs stays in its memory.
//
//	SaveSession ──▶ table of live sessions ──▶ writer ──pipelines──▶ Redis
//	EndSession      (newest record of each)     │                     ▲  │
//	                                            ├─ lease of the controller
//	                                            └─ leases of its sessions
//	Post ───────────────── one script ────────────────────────────────┘  │
//	Receive ◀────────────── XREAD, then XDEL of what was handled ◀────────┘
//
// Redis is not on the path of an event: SaveSession and EndSession only note
// what is to be written and never block. One goroutine, the writer, started by
// [Open] and ended by [Store.Close], writes the newest record of each changed
// session every [Options.WriteEvery]; a session that began and ended in between
// is never written. The same goroutine renews the leases and finds out whether
// Redis is there. [Receive] runs on its caller's goroutine.
//
// With no Redis configured the store starts miniredis inside the process, so
// that there is one code path and redis-cli works in a first try-out; a second
// goroutine then advances its clock, because miniredis does not age its keys.
//
// Keys and fields are documented in docs/redis.md. All keys of one session, and
// all keys of one controller, carry the same hash tag, so that each script
// touches one slot of a Redis Cluster.
package sessionstore
