// Package interpreter is CCXML alone: documents are compiled, sessions run them.
//
// A [Compiler] turns the parsed XML of a document into an immutable [Document]:
// transitions with their event patterns, and every expression a compiled
// ECMAScript program. Any number of sessions run one Document at a time. Both
// dialects, W3C CCXML 1.0 with Voxeo's additions and the 2002 one, become the
// same compiled form.
//
// A [Session] is an actor. Whatever happens in the world is posted to it, and
// one goroutine at a time works its mail off: the session starts it when mail
// comes to an idle session, and it ends when there is nothing left to do, so an
// idle session costs no stack. Only that goroutine touches the session's
// ECMAScript runtime, variables and objects; there is no lock inside. Between two
// events it looks at its mail, so that a session that keeps itself busy can still
// be ended. What waits is bounded: a session that is sent more events than
// Limits.Queue ends, and says why. A panic in it or in its platform ends it, and
// no other session.
//
//	platform ── Post(event) ──▶ inbox ──▶ queue ──▶ select transition ──▶ run its actions
//	         ◀── Accept, CreateCall, Join, StartDialog, Send, Fetch … ───────────┘
//
// Between two transitions a session is data: [Session.Snapshot] writes it down, and
// [Resume] makes it again, in this process or another one. [Options].Boundary says
// when, and Options.Commit has the session wait for it.
//
// The world is reached through the small interfaces of [Platform], which the
// host implements. Their methods return at once; the outcome comes back as an
// event. The package knows no FreeSWITCH, Redis or HTTP server.
package interpreter
