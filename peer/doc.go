// Package peer is how controllers talk to each other, by the mail that
// [ccxmld/sessionstore] carries: events for sessions that others run, sessions that
// others are to create, the ends of these, and legs that move.
//
//	callcontrol ── Send, Create, Move, … ──▶ Peers ── mail ──▶ Redis ──▶ other controllers
//	     ▲                                     │                              │
//	     └──────────── Controller ◀────────────┴────────── Receive ◀──────────┘
//
// All kinds of mail are in mail.go, how long each may take in deadline.go. What is for
// one session goes in the order in which it came (queues.go): a session that is still
// being created gets what is sent to it meanwhile.
//
// Peers knows neither CCXML nor FreeSWITCH: what it carries are plain values, whose
// form on the wire does not change when a type of the interpreter does. It is used by
// many goroutines at once. It owns none: the queues run in goroutines that its
// controller starts and waits for, Receive runs in its caller's.
package peer
