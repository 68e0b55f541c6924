package sitetest

import (
	"strings"
	"time"

	"ccxmld/clock"
)

// How often WaitUntil looks.
const (
	virtualPoll = 2 * time.Millisecond
	realPoll    = 20 * time.Millisecond // a real FreeSWITCH is asked each time
)

// WaitLinks waits until the daemon has a link to each node.
func (s *Site) WaitLinks() {
	s.Helper()
	s.Must(s.Daemon.Controller.WaitNodes(s.ctx))
}

// WaitUntil waits for what nobody tells of: it looks again and again, and after long less
// often, so that it is found out by a hundredth of the wait too late.
func (s *Site) WaitUntil(what string, holds func() bool) {
	s.Helper()
	poll := virtualPoll
	if s.site == nil {
		poll = realPoll
	}
	for begun := s.Clock.Now(); !holds(); {
		if !clock.Sleep(s.ctx, s.Clock, max(poll, s.Clock.Now().Sub(begun)/100)) {
			s.Fatalf("never true: %s; so far:\n%s", what, strings.Join(s.Trace.Lines(), "\n"))
		}
	}
}

// Sleep lets time pass by the site's clock.
func (s *Site) Sleep(d time.Duration) { clock.Sleep(s.ctx, s.Clock, d) }

// WaitIdle waits until no session runs and all calls have ended.
func (s *Site) WaitIdle() {
	s.Helper()
	s.Must(s.Daemon.Controller.WaitIdle(s.ctx))
	s.WaitUntil("all calls have ended", func() bool { return s.Daemon.Controller.Connections() == 0 })
}

// WaitSwitchIdle waits until no session runs and the switch has no call.
func (s *Site) WaitSwitchIdle() {
	s.Helper()
	s.WaitIdle()
	s.WaitUntil("the switch has no call", func() bool { return s.Switch.Channels() == 0 })
}

// WaitLog waits until a document's <log> writes a text, or has written it.
func (s *Site) WaitLog(text string) {
	s.Helper()
	s.Must(s.Trace.Wait(s.ctx, "log "+text))
}

// Next waits for the next text of a queue.
func (s *Site) Next(from *Queue[string]) string {
	s.Helper()
	text, err := from.Next(s.ctx)
	s.Must(err)
	return text
}

// CheckOrder checks that lines with these beginnings are in the trace, in this order.
func (s *Site) CheckOrder(beginnings ...string) {
	s.Helper()
	all := s.Trace.Lines()
	at := 0
	for _, line := range all {
		if at < len(beginnings) && strings.HasPrefix(line, beginnings[at]) {
			at++
		}
	}
	if at < len(beginnings) {
		s.Errorf("%q did not come in its turn:\n%s", beginnings[at], strings.Join(all, "\n"))
	}
}
