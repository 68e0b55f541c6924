package interpreter

import "github.com/dop251/goja"

// MatchPattern tells whether a pattern matches an event's name in lower case.
func MatchPattern(pattern, name string) bool { return compilePattern(pattern).match(name) }

// Step handles the next event, in the session's goroutine.
func (s *Session) Step() bool { return s.step() }

// Waiting is how many events wait, in the session's goroutine.
func (s *Session) Waiting() int { return s.queue.len() }

// DeclareFunction gives documents a function of Go. It is for the time before Start.
func (s *Session) DeclareFunction(name string, f func(goja.FunctionCall) goja.Value) {
	s.runtime.Declare(applicationScope, name, s.runtime.VM().ToValue(f))
}
