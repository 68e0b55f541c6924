// Package dialog runs the dialogs of CCXML 1.0, section 7: what plays to a party
// and listens to it. It knows audio, text to be spoken and SSML; other media
// types are registered with [Service.Handle], as dialog/vxml does for VoiceXML.
//
// Everything that a party hears and presses goes through a [Conversation], one
// [Turn] after the other: prompts are played, each with an alternative for when
// it cannot be, and digits are taken until they make sense, time runs out or the
// party is gone. An audio dialog is one turn, a VoiceXML dialog many.
//
//	          Start, Digit, Terminate, HungUp
//	session ────────────────────────────────▶ Dialog ── Turn ──▶ Conversation
//	   ▲                                        │                 │        ▲
//	   └── Started, NotStarted, Exited ─────────┘         Execute ▼        │ done
//	                                                           Channel (a leg)
//
// A dialog belongs to its session: all calls into this package and all calls
// back from it are made in the session's goroutine. Only fetching leaves it, in
// goroutines that end with the dialog and bring what they got through the do
// function given to [Service.Start].
package dialog
