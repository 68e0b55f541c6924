// Package lint finds what is wrong, or probably not meant, in CCXML documents
// before a call does.
//
// [Document] compiles a document and looks at its [interpreter.Outline]. Each
// [Finding] has a code, which stays the same between versions and is explained in
// docs/check.md. It prefers silence to a false alarm: what is a mistake only
// probably is a note.
package lint
