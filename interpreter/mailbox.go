package interpreter

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"ccxmld/clock"
)

// mailbox is what the world has for a session, and the goroutine that works it
// off. The goroutine runs only while there is something to do.
type mailbox struct {
	session *Session

	mu      sync.Mutex
	waiting []mail
	urgent  []func() // come before all mail, and while the session is held
	running bool
	held    bool   // it waits to be let go on (Options.Hold), and no goroutine runs
	flooded string // why the session must end: more came than it may leave waiting
	closed  bool
}

// mail is an event or something to do.
type mail struct {
	event *Event
	do    func()
	came  time.Time // if that is measured
}

// maxThings bounds what waits for a busy session beside events, and is counted with
// them: answers of FreeSWITCH and of servers, and timers.
const maxThings = 10_000

// put leaves mail for the session; false when the session has ended, or must since
// too much waits. Events are bounded here too, since a session that is busy with a
// script does not come to count its queue.
func (m *mailbox) put(item mail) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.flooded != "" && item.event != nil {
		return false
	}
	switch most := 2 * m.session.limits.Queue; {
	case item.event != nil && len(m.waiting) >= most:
		m.flooded = m.session.tooMany()
		return false
	case len(m.waiting) >= most+maxThings:
		m.flooded = cmp.Or(m.flooded, fmt.Sprintf("more than %d events, answers and timers were waiting while it was busy", most+maxThings))
		return false
	}
	if m.session.options.Measured != nil {
		item.came = m.session.options.Clock.Now()
	}
	m.waiting = append(m.waiting, item)
	m.start()
	return true
}

// start starts the goroutine if it does not run. m.mu is held.
func (m *mailbox) start() {
	if !m.running {
		m.running = true
		clock.Go(m.session.options.Clock, m.run)
	}
}

// hurry has f run before all mail; false if the session has ended.
func (m *mailbox) hurry(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.urgent = append(m.urgent, f)
	if m.held {
		m.held, m.running = false, false
	}
	m.start()
	return true
}

// mayGoOn runs what is urgent. It reports false, and ends the goroutine, if the session is
// held.
func (m *mailbox) mayGoOn() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.urgent) > 0 {
		urgent := m.urgent
		m.urgent = nil
		m.mu.Unlock()
		for _, f := range urgent {
			m.session.open(mail{do: f})
		}
		m.mu.Lock()
	}
	hold := m.session.options.Hold
	m.held = hold != nil && m.session.ending == nil && hold(m.goOn)
	return !m.held
}

// goOn ends a wait.
func (m *mailbox) goOn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held {
		m.held, m.running = false, false
		m.start()
	}
}

// run works off the mail: all that has come, then one event, and so on, so that
// whatever arrived before an event is handled has had its effect on the queue,
// and a session that sends to itself without end can still be ended.
func (m *mailbox) run() {
	var batch []mail
	for {
		var handled bool
		if !m.mayGoOn() {
			return
		}
		batch, handled = m.round(batch)
		if m.session.ending != nil && !m.session.ahead.busy() {
			m.close()
			return
		}
		if !handled && m.rest() {
			return
		}
	}
}

// round works off the mail that has come and one event, in the session's share of the
// processors.
func (m *mailbox) round(empty []mail) (batch []mail, handled bool) {
	account := m.session.options.Account
	account.Begin()
	defer account.End()
	batch = m.take(empty)
	for i := range batch {
		m.session.open(batch[i])
		batch[i] = mail{}
	}
	m.session.opening = time.Time{}
	handled = m.session.safeStep()
	m.session.boundary()
	return batch, handled
}

// take exchanges the mail that has come for the emptied batch.
func (m *mailbox) take(empty []mail) []mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	batch := m.waiting
	m.waiting = empty[:0]
	if m.flooded != "" {
		m.session.end(Ending{Reason: m.flooded})
	}
	return batch
}

// rest ends the goroutine if no mail has come meanwhile.
func (m *mailbox) rest() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting)+len(m.urgent) > 0 {
		return false
	}
	m.running = false
	m.waiting = nil
	return true
}

// close takes no more mail. What Do promised to run is still run.
func (m *mailbox) close() {
	m.mu.Lock()
	if m.closed { // given up meanwhile
		m.mu.Unlock()
		return
	}
	m.closed = true
	rest, urgent := m.waiting, m.urgent
	m.waiting, m.urgent = nil, nil
	m.mu.Unlock()
	for _, f := range urgent {
		m.session.open(mail{do: f})
	}
	for _, item := range rest {
		m.session.open(item)
	}
	m.session.finish()
}

// open takes one piece of mail in.
func (s *Session) open(item mail) {
	defer s.survive("mail")
	s.opening = item.came
	switch {
	case item.event != nil && s.waits && len(s.early) < s.limits.Queue:
		s.early = append(s.early, item.event)
	case item.event != nil:
		s.enqueue(item.event)
	default:
		item.do()
	}
}

func (s *Session) safeStep() (handled bool) {
	defer s.survive("event")
	return s.step()
}

// survive is deferred around everything that a session does: a panic ends this
// session and no other.
func (s *Session) survive(during string) {
	if x := recover(); x != nil {
		s.log().Error("internal error", "during", during, "panic", x, "stack", string(debug.Stack()))
		s.end(Ending{Reason: fmt.Sprintf("internal error: %v", x)})
	}
}
