// Package records keeps call detail records: one for each call and one for each session, when
// it ends.
//
//	callcontrol ── Put ──▶ queue ──▶ journal: files of JSON lines, rotated
//	                                    │
//	                                    └─ followed by ──▶ webhook, Redis stream
//
// The journal is what makes a record last: it is written as soon as a call has ended, and each
// follower reads it from where it got to last, which it keeps in a file beside it. So a
// receiver may be away for as long as the journal is kept, and a process that is killed loses
// nothing that it has written. What is delivered twice, since a process was killed between the
// receiver's answer and the note of it, has the same id.
package records
