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

// Abandon ends a session as the end of its process does: it handles nothing any more, and
// releases nothing. The mail that has come since is given to another session. It is for the
// session's goroutine.
func (s *Session) Abandon(successor *Session) {
	for _, send := range s.sends {
		send.timer.Stop()
	}
	s.loops.rest.Stop()
	s.waits = true
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	for _, item := range s.mail.waiting {
		successor.mail.put(item)
	}
	s.mail.waiting = nil
}

// KeepRequests keeps GoOn from giving up what waits for an answer.
func (s *Session) KeepRequests() {
	for _, r := range s.requests {
		r.kept = true
	}
}

// AnswerFetch answers the oldest fetch, or the <goto next> that waits for one.
func (s *Session) AnswerFetch(result FetchResult) {
	s.Do(func() {
		for _, r := range s.requests {
			if r.kind == fetchRequest || r.kind == gotoRequest {
				s.answer(r, result)
				return
			}
		}
	})
}

// Answer answers a request that was made before the session was resumed: one of a kind,
// with an id.
func (s *Session) Answer(kind, id string, result any) {
	s.Do(func() {
		for _, r := range s.requests {
			if string(r.kind) == kind && r.id == id {
				s.answer(r, result)
				return
			}
		}
	})
}
