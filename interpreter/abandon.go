package interpreter

import (
	"fmt"

	"ccxmld/clock"
	"ccxmld/script"
)

// crowded ends the session if the scripts of all sessions hold too much and its own hold
// most of it (script.Limits.Crowded). It may be called on any goroutine.
func (s *Session) crowded() {
	s.Do(func() {
		if s.runtime == nil { // it has ended meanwhile
			return
		}
		if err := s.runtime.Crowded(); err != nil {
			s.log().Error("session holds most of the memory that all sessions may hold, it is ended", "error", err)
			s.end(Ending{Reason: err.Error()})
		}
	})
}

// abandon ends a session whose goroutine is in a script that has not ended when it
// was told to. The goroutine may never come back, and ends without touching the
// session if it does (script.Limits.Stuck): the session is this goroutine's from
// now on. What still waits gets a runtime in which nothing else runs.
func (s *Session) abandon(at script.Position) {
	s.log().Error("script did not end when it was told to, the session is given up", "document", at.String())
	s.options.Account.Abandon()
	if s.options.Abandoned != nil {
		s.options.Abandoned()
	}
	clock.Go(s.options.Clock, func() {
		s.runtime = s.options.Document.language.NewRuntime(s.options.Limits.Script)
		s.end(Ending{Reason: fmt.Sprintf("%s: a script did not end when it was told to", at)})
		s.mail.close()
	})
}
