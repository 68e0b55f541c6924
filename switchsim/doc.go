// Package switchsim simulates a FreeSWITCH for programs that control it through
// the Event Socket, so that they can be tested and measured without one.
//
// A [Switch] speaks Event Socket over real TCP in both directions: links
// connect to it ([Switch.Listen]), and the socket action of its dialplan
// connects to controllers. Its replies and events are those of the recordings
// under esl/testdata/traces: the same in name, order, headers and size. What it
// simulates are legs, the applications that a controller executes on them,
// bridges, conferences, originated calls and what becomes of legs whose
// controller goes. It has no media: it knows how long a sound lasts, and keeps a
// record of what each [Party] heard.
//
// Callers are made by [Switch.Dial]; what those who are called do is set by
// [Switch.Callee].
//
//	Party ── Dial, Press, Hangup ──▶ channel ◀── sendmsg, api ── listener ◀─TCP─▶ controller
//	                                    │                           ▲
//	                                    └── events (fire) ──────────┘
//
// The switch fails where a test wants it to: it does not do what it promises
// ([Options].Idle), loses or keeps jobs ([Options].Job), and its connections fall
// silent ([Options].Silence, [Switch.SilenceSockets]) or are cut.
//
// # Goroutines
//
// One lock guards the whole switch; a leg has no goroutine. Each connection has
// one that reads its commands, until the connection ends. What was changed
// under the lock is written out once the lock is given back, by a goroutine per
// connection that has something to send and only as long as it has; a connection
// that idles holds no buffer. Everything that happens later is an appointment in
// one agenda, which keeps one timer of the switch's [Clock]. [Switch.Close] ends
// them all and waits for them.
//
// # Differences
//
// The simulated switch takes commands at its media tick like a real one if
// [Options].Tick is set; at 0 it takes them at once. Digits are not kept for an
// application that comes later. Conference relations are accepted and have no
// effect. Events come in the plain format only.
package switchsim
