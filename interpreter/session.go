package interpreter

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
	"golang.org/x/time/rate"

	"ccxmld/clock"
	"ccxmld/processors"
	"ccxmld/random"
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
	Errors      int // error events handled in a row, or half as many as within 10 s, before the session is ended as a loop (default 100)
	Events      int // a second, beyond which the session is slowed; three seconds' worth at once (default 1000)
	Connections int // at a time (default 100)
	Dialogs     int // at a time (default 100)
	Sends       int // delayed sends pending (default 1000)
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value    *int
		standard int
	}{{&l.Queue, 1000}, {&l.Errors, 100}, {&l.Events, 1000}, {&l.Connections, 100}, {&l.Dialogs, 100}, {&l.Sends, 1000}} {
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
	Values       map[string]any    // session.values; must not change any more
	IOProcessors map[string]string // session.ioprocessors; must not change any more
	Platform     Platform
	Clock        clock.Clock
	NewID        func() string       // unique ids for connections, dialogs, sends …
	Random       *random.Source      // of Math.random; nil is the system's
	Account      *processors.Account // of its time on processors; nil for none
	Limits       Limits
	Logger       *slog.Logger // nil: nothing is logged
	Observer     Observer     // may be nil

	// Abandoned is called if a script of the session does not end when it is told
	// to, and the session is given up (script.Limits.Stuck). It may be nil.
	Abandoned func()
	// Loading is called in the session's goroutine with each document of the session,
	// the first one included, before it is initialised. It may be nil.
	Loading func(*Document)
	// Started is called once, in the session's goroutine, when the document is
	// initialised; not for one that fails in that. It may be nil.
	Started func()
	// Boundary is called in the session's goroutine after each event that was handled,
	// and when what has come between events has changed what waits: where the session can
	// be written down (Snapshot). It must not block. It may be nil.
	Boundary func()
	// Commit writes the session down before what it asks of the platform goes out, and
	// calls done then, on any goroutine; until that, or for 5 s, the session handles
	// nothing. What goes out is in the snapshot. With Ahead that is done at each boundary
	// at which something has changed; else only where messages go out, of which others then
	// know by their ids. Boundary is called at the other boundaries, and once
	// more when what was held back has gone out. Commit must not block, nor call done
	// before it has returned. Nil: nothing waits.
	Commit func(snap Snapshot, done func(error))
	Ahead  bool
	// Again tells what becomes of a request of a snapshot that may have been made or not,
	// when the session goes on: an AcceptRequest, CallRequest … usual is what does where
	// Again is nil: calls, redirections and merges fail, others are made again. Messages,
	// fetches and whatever else has an answer fail without being asked about.
	Again func(request any, usual Again) Again
	// Recompile gives what a session had fetched, for Resume: a document, which takes the
	// texts of its scripts, too, or a script. Without it, or with an error, the fetch
	// counts as failed from then on.
	Recompile func(texts []Text, script bool) (FetchResult, error)
	// Hold is asked each time before the session does anything. If it tells true, the
	// session waits until goOn is called, and only what is urgent is done (Urgent). It must
	// not block, nor call goOn before it has returned. Nil holds nothing.
	Hold func(goOn func()) bool
	// Measured is called in the session's goroutine after each event. It must not block; nil
	// measures nothing.
	Measured func(Measure)
	// Ended is called once, in the session's goroutine, after the platform
	// released what the session held. It may be nil.
	Ended func(Ending)
}

// Measure tells how an event was handled.
type Measure struct {
	Wait   time.Duration // from its arrival at the session to its turn
	All    time.Duration // from its arrival until the platform had been asked for all that its transition asks for
	Behind int           // events that waited behind it
	Taken  bool          // by a transition
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
	// SessionEnded tells how a session ended that began with the document at
	// uri. It is the last that is told of the session.
	SessionEnded(session, uri string, e Ending)
}

// standardState is the state variable of documents that name none (EVT-7).
const standardState = "state$"

// killUnconditional ends a session whatever its document says (CCXML 1.0, 6.3).
const killUnconditional = "ccxml.kill.unconditional"

// Session runs a document (CCXML 1.0, 3.5). Post, Do and End may be called from
// any goroutine; everything else belongs to the session's own.
type Session struct {
	options  Options
	limits   Limits
	logger   *slog.Logger // made by log
	platform Platform
	document *Document // nil until Start
	began    string    // the URI of its first document
	runtime  *script.Runtime

	connections directory[*Connection]
	dialogs     directory[*Dialog]
	conferences directory[*Conference]
	media       Graph
	sends       map[string]*pendingSend
	sendCount   int
	fetches     []*fetched // oldest first
	requests    []*request // under way
	queue       queue
	event       *Event    // being handled
	opening     time.Time // when the mail came that is being taken in, if that is measured
	state       string    // value of the state variable after the last transition
	loops       loops
	eventCount  int
	paused      bool       // a goto waits for its document (2002 dialect)
	waits       bool       // resumed, and GoOn was not called yet
	early       []*Event   // come meanwhile
	changed     bool       // since the last boundary
	ahead       *ahead     // nil where nothing is held back
	held        []heldData // after Resume, until GoOn
	over        *Ending    // after Resume: how it ends once that is done
	debug       debugLog
	ending      *Ending // set once the session is to end

	mail mailbox
	done *clock.Latch
}

// NewSession makes a session and initialises its document. It handles its first
// event when Start is called.
func NewSession(o Options) *Session {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Clock = clock.Or(o.Clock)
	s := &Session{
		options:  o,
		limits:   o.Limits.withDefaults(),
		platform: o.Platform,
		began:    o.Document.URI,
		done:     clock.NewLatch(o.Clock),
	}
	scripts := o.Limits.Script
	scripts.Stuck, scripts.Crowded, scripts.Account = s.abandon, s.crowded, o.Account
	s.runtime = o.Document.language.NewRuntime(scripts)
	s.runtime.SetNow(o.Clock.Now)
	s.runtime.SetRandom(o.Random.Float64)
	s.mail.session = s
	s.loops.pace = rate.NewLimiter(rate.Limit(s.limits.Events), burst*s.limits.Events)
	if o.Commit != nil {
		s.ahead = &ahead{Platform: o.Platform, session: s, all: o.Ahead}
		s.platform = s.ahead
	}
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
	s.Do(func() {
		if s.logs(slog.LevelInfo) {
			s.log().Info("session begins", append([]any{"document", s.options.Document.URI, "startup", s.options.Startup}, callOf(first)...)...)
		}
		s.publishSession()
		for _, e := range first {
			s.stamp(e)
		}
		s.queue.putFirst(first...)
		s.load(s.options.Document)
		if s.ending == nil && s.options.Started != nil {
			s.options.Started()
		}
	})
}

// callOf says for the log which call brings a session, if one does.
func callOf(first []*Event) []any {
	for _, e := range first {
		if effect, ok := e.Effect.(ConnectionEffect); ok && effect.New != nil {
			return []any{"connection", effect.ConnectionID, "from", effect.New.Remote, "to", effect.New.Local}
		}
	}
	return nil
}

// Post puts an event into the session's queue. It never blocks, and reports
// false when the session has ended, or is about to because it was sent more
// events than Limits.Queue allows.
func (s *Session) Post(e *Event) bool { return s.mail.put(mail{event: e}) }

// Do runs f in the session's goroutine, between two events. Events that f posts
// by Queue are in the queue before any that arrive later. It reports false when
// the session has ended, or must end because too much waits for it, and f is not run
// then; otherwise f is run, even if the session ends first.
func (s *Session) Do(f func()) bool { return s.mail.put(mail{do: f}) }

// Urgent is Do before everything that waits, and while Options.Hold holds the session.
func (s *Session) Urgent(f func()) bool { return s.mail.hurry(f) }

// Queue puts an event into the queue. It may only be called in the session's
// goroutine, from Do or from a Platform method.
func (s *Session) Queue(e *Event) { s.enqueue(e) }

// End ends the session before its next event, as ccxml.kill.unconditional does.
func (s *Session) End(reason string) {
	s.Do(func() { s.end(Ending{Reason: reason}) })
}

// Drop ends the session, whose platform is another one's by now: what was held back does not
// go out. It is for the session's goroutine.
func (s *Session) Drop(reason string) {
	s.ahead.stop()
	s.end(Ending{Reason: reason})
}

// Done is closed when the session has ended and released everything.
func (s *Session) Done() <-chan struct{} { return s.done.Done() }

// load initialises a document and puts ccxml.loaded before everything queued
// (CCXML 1.0, 6.3). An error here ends the session (9.5.2).
func (s *Session) load(d *Document) {
	s.document = d
	if s.options.Loading != nil {
		s.options.Loading(d)
	}
	s.debug.enabled = d.wantsDebugLog
	s.runtime.OpenScope(transitionScope)
	s.runtime.OpenScope(ccxmlScope)
	if d.stateVariable == standardState {
		s.runtime.Declare(s.variableScope(), standardState, goja.Undefined())
	}
	s.publishURI(d.URI)
	for _, a := range d.init {
		if err := a.run(s); err != nil {
			position, reason := explain(a.element(), err)
			s.end(Ending{Reason: fmt.Sprintf("%s: <%s>: %s", position, a.element().tag, reason)})
			return
		}
	}
	s.declareState()
	loaded := &Event{
		Name: "ccxml.loaded", Source: s.ID(), SourceType: "ccxml",
		Fields: []Field{{"sessionid", s.ID()}, {"parent", optional(s.options.ParentID)}},
	}
	s.stamp(loaded)
	s.queue.putFirst(loaded)
}

// declareState makes a state variable that the document forgot to declare
// (EVT-8, read leniently; OLD-5). A script that set it without declaring it made
// a global variable, whose value counts.
func (s *Session) declareState() {
	name := s.document.stateVariable
	if _, declared := s.runtime.Resolve(name); declared {
		return
	}
	if !s.document.dialect.declareTargets {
		s.tellLenient(script.Position{URI: s.document.URI}, name, "the state variable is not declared; it is declared with no value")
	}
	value := s.runtime.VM().GlobalObject().Get(name)
	if value == nil {
		value = goja.Undefined()
	}
	s.runtime.Declare(s.variableScope(), name, value)
}

// variableScope is where <var> under <ccxml> declares.
func (s *Session) variableScope() string {
	if s.document.dialect.keepVariables {
		return applicationScope
	}
	return ccxmlScope
}

func (s *Session) enqueue(e *Event) {
	switch {
	case s.ending != nil:
		return
	case strings.EqualFold(e.Name, killUnconditional):
		// It waits for no other event, and no transition sees it (SES-13, EVT-2).
		s.end(Ending{Reason: because("killed", e)})
		return
	case s.queue.len() >= s.limits.Queue:
		s.end(Ending{Reason: s.tooMany()})
		return
	}
	s.stamp(e)
	s.queue.put(e)
	s.changed = true
}

func (s *Session) tooMany() string {
	return fmt.Sprintf("more than %d events were waiting", s.limits.Queue)
}

// stamp gives an event its id (EVT-19).
func (s *Session) stamp(e *Event) {
	s.eventCount++
	e.came = s.opening
	if e.ID == "" {
		e.ID = s.options.ID + "." + strconv.Itoa(s.eventCount)
	}
}

// step handles the next event. It reports whether there was one.
func (s *Session) step() bool {
	if s.ending != nil || s.paused || s.waits || s.document == nil || s.ahead.busy() {
		return false
	}
	if s.queue.len() == 0 || !s.mayHandle() {
		return false
	}
	e := s.queue.take()
	if s.options.Measured == nil {
		s.handle(e)
	} else {
		s.measure(e)
	}
	s.changed = true
	return true
}

// measure handles an event and tells how long that took.
func (s *Session) measure(e *Event) {
	begun := s.options.Clock.Now()
	if e.came.IsZero() { // it follows from another one
		e.came = begun
	}
	m := Measure{Wait: begun.Sub(e.came), Behind: s.queue.len()}
	m.Taken = s.handle(e)
	m.All = s.options.Clock.Now().Sub(e.came)
	s.options.Measured(m)
}

// boundary tells of a boundary at which something has changed.
func (s *Session) boundary() {
	switch {
	case !s.changed || s.waits || s.document == nil || s.ahead.busy():
		return
	case s.ahead.due() && (s.ending == nil || len(s.ahead.held) > 0):
		s.changed = false
		s.safely("commit", s.ahead.write)
		return
	case s.ending != nil:
		return
	}
	s.changed = false
	s.tellBoundary()
}

func (s *Session) tellBoundary() {
	if s.options.Boundary != nil {
		s.safely("boundary", s.options.Boundary)
	}
}

// end marks the session as ended; the first reason stays. What it holds is
// released by finish, once the current transition is over.
func (s *Session) end(ending Ending) {
	if s.ending == nil {
		s.ending = &ending
	}
}

// finish releases everything, in the session's goroutine. Whatever panics in it,
// Done is closed.
func (s *Session) finish() {
	defer s.done.Open()
	if s.ending.Reason != "" {
		s.log().Warn("session ended", "reason", s.ending.Reason)
	} else {
		s.info("session ended")
	}
	for _, send := range s.sends {
		send.timer.Stop()
	}
	s.loops.rest.Stop()
	s.queue, s.sends, s.fetches, s.requests = queue{}, nil, nil, nil
	s.ahead.stop()
	s.safely("release", s.platform.Release)
	if s.options.Observer != nil {
		s.safely("observer", func() { s.options.Observer.SessionEnded(s.ID(), s.began, *s.ending) })
	}
	if s.options.Ended != nil {
		s.safely("ended", func() { s.options.Ended(*s.ending) })
	}
	s.runtime = nil // whoever remembers the session need not keep its variables
}

func (s *Session) safely(during string, f func()) {
	defer s.survive(during)
	f()
}

// Gone is Done for goroutines that wait through the clock.
func (s *Session) Gone() *clock.Latch { return s.done }

// Wait waits until the session has ended and released everything, or until ctx
// ends.
func (s *Session) Wait(ctx context.Context) error {
	return s.done.Wait(ctx)
}

// after runs f in the session's goroutine after a while, unless it is stopped.
func (s *Session) after(d time.Duration, f func()) *clock.Timer {
	return clock.Start(s.options.Clock, d, func(f func()) { s.Do(f) }, f)
}

// log gives the logger with the session's id. It is made when there is first
// something to say: most sessions say nothing above the level that is logged.
func (s *Session) log() *slog.Logger {
	if s.logger == nil {
		s.logger = s.options.Logger.With("session", s.options.ID)
	}
	return s.logger
}

// info logs at level info.
func (s *Session) info(message string, args ...any) {
	if s.logs(slog.LevelInfo) {
		s.log().Info(message, args...)
	}
}

// logs tells whether a level is logged, for what is costly to say.
func (s *Session) logs(level slog.Level) bool {
	return s.options.Logger.Enabled(context.Background(), level)
}
