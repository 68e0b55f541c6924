// Package documents gets and compiles the CCXML documents that sessions run: those
// of calls and token starts, of <createccxml> and of <fetch>. The document of a URI
// vxml:PAGE is our own, which runs a VoiceXML page (voicexml.ccxml).
//
//	fetch.Client ── text, version ──▶ Loader ── interpreter.Document ──▶ sessions
//
// A Loader is used by many goroutines at once. It starts none but those in which
// [fetch.Versions] compiles, and its methods wait for the network.
package documents
