// Package callcontrol runs CCXML sessions on FreeSWITCH: it implements the
// interpreter's [interpreter.Platform] with legs, outbound calls, bridges,
// conferences and dialogs.
//
// A [Controller] is one daemon's share of the work. It takes the legs that
// FreeSWITCH's socket action hands over, keeps a link to each node, and has a
// session for each call or token start. Per session there is one control: what
// the session asked for, and the legs that it owns.
//
//	esl.Server ── new leg ──▶ Controller ── document ──▶ interpreter.Session
//	     │                                                 │       ▲
//	     └── events of the leg ──▶ Session.Do ──▶ leg ◀── control ─┘
//	esl.Link ── originate, progress, failure ──▶ Session.Do
//
// Everything about a session (its control, legs, bridges and dialogs) belongs to
// the session's own goroutine: what the readers of Event Socket connections see
// is cut down to a few values and handed over by Session.Do. There is no lock in
// legs, and nothing here waits. Work that waits, such as Redis or HTTP, runs in
// goroutines that the Controller owns and that end before Close returns.
package callcontrol
