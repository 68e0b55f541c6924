package interpreter

// MatchPattern tells whether a pattern matches an event's name in lower case.
func MatchPattern(pattern, name string) bool { return compilePattern(pattern).match(name) }

// Step handles the next event, in the session's goroutine.
func (s *Session) Step() bool { return s.step() }

// Waiting is how many events wait, in the session's goroutine.
func (s *Session) Waiting() int { return s.queue.len() }
