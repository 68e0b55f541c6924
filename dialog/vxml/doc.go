// Package vxml runs VoiceXML 2.1 pages as dialogs: forms whose fields take
// digits, prompts with audio and speech, and what happens when nothing comes or
// something else. docs/dialogs.md says which elements there are.
//
// A page is compiled once into an immutable Page, shared by all calls that run
// this version of it. A dialog runs the form interpretation algorithm (VoiceXML
// 2.0, appendix C) as it is written there, one step after the other, in a
// goroutine of its own:
//
//	session's goroutine              the dialog's goroutine
//	browser ◀── Started, Turn, Exited (do) ── run: page ▶ form ▶ item
//	   │                                             ▲
//	   └── outcome of a turn, hangup (channels) ─────┘
//
// The browser belongs to the session's goroutine and owns the conversation with
// the party. The dialog's goroutine owns the ECMAScript runtime; it ends when the
// page exits, at the latest soon after the call is hung up, and at once when
// the dialog is terminated immediately.
package vxml
