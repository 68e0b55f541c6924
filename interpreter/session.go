package interpreter

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/dop251/goja"

	"ccxmld/script"
)

// StartupMode tells how a session came to be (CCXML 1.0, session.startupmode).
type StartupMode string

// The ways a session starts.
const (
	NewCall  StartupMode = "newcall"
	Created  StartupMode = "createccxml"
	External StartupMode = "external"
)

// Limits keep a document from taking more than its share. Zero values mean the
// defaults.
type Limits struct {
	Script      script.Limits
	Queue       int // events waiting; one more ends the session (default 1000)
	Errors      int // error events handled in a row, before the session is ended as a loop (default 100)
	Connections int // at a time (default 100)
	Dialogs     int // at a time (default 100)
	Sends       int // delayed sends pending (default 1000)
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value    *int
		standard int
	}{{&l.Queue, 1000}, {&l.Errors, 100}, {&l.Connections, 100}, {&l.Dialogs, 100}, {&l.Sends, 1000}} {
		if *limit.value <= 0 {
			*limit.value = limit.standard
		}
	}
	return l
}

// Options say what a session runs and where.
type Options struct {
	ID           string
	Document     *Document
	Startup      StartupMode
	ParentID     string
	Values       map[string]any    // session.values
	IOProcessors map[string]string // session.ioprocessors
	Platform     Platform
	Clock        Clock
	NewID        func() string // unique ids for connections, dialogs, sends …
	Limits       Limits
	Logger       *slog.Logger
	Observer     Observer // may be nil

	// Ended is called once, in the session's goroutine, after the platform
	// released what the session held. It may be nil.
	Ended func(Ending)
}

// Ending tells how a session ended.
type Ending struct {
	Reason string         // why it died; "" after <exit>
	Value  any            // of <exit expr>
	Values map[string]any // of <exit namelist>
}

// Observer watches a session, for traces and debuggers. Its methods are called
// in the session's goroutine and must not block.
type Observer interface {
	// EventHandled tells of an event that was taken from the queue, and of the
	// transition it selected; nil when none matched.
	EventHandled(session string, e *Event, transition *script.Position)
	// Logged tells what <log> wrote.
	Logged(session, label, text string)
	// StateChanged tells the new value of the state variable.
	StateChanged(session, state string)
}

// Session runs a document (CCXML 1.0, 3.5). Post, Do and End may be called from
// any goroutine; everything else belongs to the session's own.
type Session struct {
	options  Options
	limits   Limits
	log      *slog.Logger
	platform Platform
	document *Document
	runtime  *script.Runtime

	connections directory[*Connection]
	dialogs     directory[*Dialog]
	conferences directory[*Conference]
	media       Graph
	sends       map[string]*pendingSend
	fetches     map[string]*fetched
	queue       []*Event
	event       *Event // being handled
	lastEvent   *Event // 2002 dialect: _event
	state       string // value of the state variable after the last transition
	errorsInRow int
	eventCount  int
	paused      bool // a goto waits for its document (2002 dialect)
	debug       debugLog
	ending      *Ending // set once the session is to end

	mail mailbox
	done chan struct{}
}

// NewSession makes a session and initialises its document. It handles its first
// event when Start is called.
func NewSession(o Options) *Session {
	s := &Session{
		options:  o,
		limits:   o.Limits.withDefaults(),
		platform: o.Platform,
		document: o.Document,
		runtime:  o.Document.language.NewRuntime(o.Limits.Script),
		log:      o.Logger.With("session", o.ID),
		done:     make(chan struct{}),
	}
	s.mail.session = s
	s.connections = directory[*Connection]{session: s, visible: func(c *Connection) bool { return c.State != "" }}
	s.dialogs = directory[*Dialog]{session: s, visible: func(*Dialog) bool { return true }}
	s.conferences = directory[*Conference]{session: s, visible: func(c *Conference) bool { return c.attached }}
	return s
}

// ID gives the session's id.
func (s *Session) ID() string { return s.options.ID }

// Start begins the session: its document is initialised and gets ccxml.loaded,
// then the given events, then whatever was posted.
func (s *Session) Start(first ...*Event) {
	s.mail.do(func() {
		s.publishSession()
		s.load(s.document)
		for _, e := range first {
			s.enqueue(e)
		}
	})
}

// Post puts an event into the session's queue. It never blocks, and reports
// false when the session has ended.
func (s *Session) Post(e *Event) bool {
	return s.mail.do(func() { s.enqueue(e) })
}

// Do runs f in the session's goroutine, between two events. Events that f posts
// by Queue are in the queue before any that arrive later. It reports false when
// the session has ended, and f is not run then.
func (s *Session) Do(f func()) bool { return s.mail.do(f) }

// Queue puts an event into the queue. It may only be called in the session's
// goroutine, from Do or from a Platform method.
func (s *Session) Queue(e *Event) { s.enqueue(e) }

// End ends the session before its next event, as ccxml.kill.unconditional does.
func (s *Session) End(reason string) {
	s.mail.do(func() { s.end(Ending{Reason: reason}) })
}

// Done is closed when the session has ended and released everything.
func (s *Session) Done() <-chan struct{} { return s.done }

// load initialises a document and puts ccxml.loaded before everything queued
// (CCXML 1.0, 6.3). An error here ends the session (9.5.2).
func (s *Session) load(d *Document) {
	s.document = d
	s.debug.enabled = d.wantsDebugLog
	s.runtime.OpenScope(transitionScope)
	s.runtime.OpenScope(ccxmlScope)
	s.runtime.Declare(ccxmlScope, "state$", goja.Undefined())
	s.publishURI(d.URI)
	for _, notice := range d.Notices {
		s.log.Debug("lenient reading", "document", notice.Position.String(), "notice", notice.Reason)
	}
	for _, a := range d.init {
		if err := a.run(s); err != nil {
			s.end(Ending{Reason: fmt.Sprintf("%s: <%s>: %s", a.element().position, a.element().tag, reasonOf(err))})
			return
		}
	}
	if d.stateVariable != "state$" {
		s.declareState()
	}
	loaded := &Event{
		Name: "ccxml.loaded", Source: s.ID(), SourceType: "ccxml",
		Fields: []Field{{"sessionid", s.ID()}, {"parent", optional(s.options.ParentID)}},
	}
	s.stamp(loaded)
	s.queue = append([]*Event{loaded}, s.queue...)
}

// declareState makes a state variable that the document forgot to declare
// (EVT-8, read leniently; OLD-5).
func (s *Session) declareState() {
	if _, declared := s.runtime.Resolve(s.document.stateVariable); !declared {
		s.log.Warn("the state variable is not declared; it starts undefined",
			"document", s.document.URI, "variable", s.document.stateVariable)
		s.runtime.Declare(s.variableScope(), s.document.stateVariable, goja.Undefined())
	}
}

// variableScope is where <var> under <ccxml> declares.
func (s *Session) variableScope() string {
	if s.document.dialect.keepVariables {
		return applicationScope
	}
	return ccxmlScope
}

func (s *Session) enqueue(e *Event) {
	if s.ending != nil {
		return
	}
	if len(s.queue) >= s.limits.Queue {
		s.end(Ending{Reason: fmt.Sprintf("more than %d events were waiting", s.limits.Queue)})
		return
	}
	s.stamp(e)
	s.queue = append(s.queue, e)
}

// stamp gives an event its id (EVT-19).
func (s *Session) stamp(e *Event) {
	s.eventCount++
	if e.ID == "" {
		e.ID = s.options.ID + "." + strconv.Itoa(s.eventCount)
	}
}

// step handles the next event. It reports whether there was one.
func (s *Session) step() bool {
	if s.ending != nil || s.paused || len(s.queue) == 0 {
		return false
	}
	e := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	s.handle(e)
	return true
}

// end marks the session as ended; the first reason stays. What it holds is
// released by finish, once the current transition is over.
func (s *Session) end(ending Ending) {
	if s.ending == nil {
		s.ending = &ending
	}
}

// finish releases everything, in the session's goroutine.
func (s *Session) finish() {
	if s.ending.Reason != "" {
		s.log.Warn("session ended", "reason", s.ending.Reason, "document", s.document.URI)
	} else {
		s.log.Info("session ended", "document", s.document.URI)
	}
	for _, send := range s.sends {
		send.stop()
	}
	s.queue, s.sends, s.fetches = nil, nil, nil
	s.platform.Release()
	if s.options.Ended != nil {
		s.options.Ended(*s.ending)
	}
	close(s.done)
}

// Wait waits until the session has ended and released everything, or until ctx
// ends.
func (s *Session) Wait(ctx context.Context) error {
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mailbox is what the world has for a session, and the goroutine that works it
// off. The goroutine runs only while there is something to do.
type mailbox struct {
	session *Session

	mu      sync.Mutex
	waiting []func()
	running bool
	closed  bool
}

func (m *mailbox) do(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.waiting = append(m.waiting, f)
	if !m.running {
		m.running = true
		go m.run()
	}
	return true
}

// run works off the mail: all that has come, then one event, and so on, so that
// whatever arrived before an event is handled has had its effect on the queue.
func (m *mailbox) run() {
	var batch []func()
	for {
		m.mu.Lock()
		batch, m.waiting = m.waiting, batch[:0]
		m.mu.Unlock()
		for i, f := range batch {
			batch[i] = nil
			m.session.safely(f)
		}
		handled := false
		m.session.safely(func() { handled = m.session.step() })
		if m.session.ending != nil {
			m.close()
			return
		}
		if !handled && m.rest() {
			return
		}
	}
}

// safely ends the session, and no other, if f panics.
func (s *Session) safely(f func()) {
	defer func() {
		if x := recover(); x != nil {
			s.log.Error("internal error", "panic", x, "stack", string(debug.Stack()))
			s.end(Ending{Reason: fmt.Sprintf("internal error: %v", x)})
		}
	}()
	f()
}

// rest ends the goroutine if no mail has come meanwhile.
func (m *mailbox) rest() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) > 0 {
		return false
	}
	m.running = false
	m.waiting = nil
	return true
}

func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	m.waiting = nil
	m.mu.Unlock()
	m.session.safely(m.session.finish)
}

// after runs f in the session's goroutine after a while. stop prevents it.
func (s *Session) after(d time.Duration, f func()) (stop func() bool) {
	return s.options.Clock.AfterFunc(d, func() { s.mail.do(f) })
}
