// Package processors shares the processors of this machine between what is short,
// which takes them as it comes, and what lasts, which takes turns at a part of them.
//
// An [Account] is kept for each session, dialog and document that is compiled, by its
// goroutine. As long as it stays below a few milliseconds, and a small share for good, it
// costs two looks at the clock. Beyond that its work needs a place of the [Gate], of which
// there are fewer than processors, and gives it up every two milliseconds if others wait.
// No goroutine of the package's own runs.
package processors
