// Package conformance runs the conformance suite: CCXML documents, each of which
// proves one requirement of docs/ccxml-conformance.md or a few that belong
// together, and ends by <exit expr="'pass'"/> or <exit expr="'fail: why'"/>.
//
//	testdata/conformance ─▶ Load ─▶ Site.Run ─▶ NewReport ─▶ docs/conformance.md
//	                                  │
//	             web server ◀── daemon ──▶ Switch (simulated, or a real FreeSWITCH)
//
// A Site is a whole ccxmld, the switch that it works with, and a web server
// which has the documents and answers what they ask. Site.Close ends them all
// and their goroutines; a run starts a goroutine for each document that it runs
// at a time, and waits for them.
package conformance
