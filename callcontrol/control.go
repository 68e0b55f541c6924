package callcontrol

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/logs"
	"ccxmld/peer"
	"ccxmld/script"
	"ccxmld/sessionstore"
)

// control is what one session has and does in FreeSWITCH: the session's
// Platform. It belongs to the session's goroutine.
type control struct {
	controller *Controller
	session    *interpreter.Session
	record     sessionstore.Session
	document   atomic.Pointer[interpreter.Document] // for other goroutines

	legs      map[string]*leg
	dialogs   map[string]*leg
	prepared  map[string]*preparedDialog
	starting  map[string]interpreter.DialogRequest // dialogs whose leg is on its way
	couplings []*coupling
	rosters   map[string]*roster // of conferences of which it hears, by id
	attaching map[string]int     // conferences that the session is about to be attached to, and how often it is asked for
	givingUp  []string           // conferences that are to be destroyed once the session's legs are out
	registry  workQueue
	fetches   requests
	sends     requests
	orders    int // joins that it has asked for, by which they have their ids
	creating  int // sessions of which it waits to hear
	away      int // messages on their way to sessions that are not at hand
	lifetime  *clock.Timer
	whenEnded func()
	child     *child // of another session; nil for one that no session created
	by        origin

	epoch     int64        // how often the session was claimed, from 1
	writes    bool         // its state is about to be written
	writing   *clock.Timer // by this one
	unwritten logs.Trouble // the state cannot be
	ends      time.Time    // when it has lived for too long; zero for never
	lost      bool         // another controller has it, or is to have it
	taken     atomic.Bool  // another controller has it; for other goroutines
	left      bool         // it is left to another controller, which is to find it in Redis

	events takenEvents // the last ones

	again      map[string]bool // dialogs that start once more, by id
	resumption *resumption     // of a session that another controller had; nil else
}

var _ interpreter.Platform = (*control)(nil)

// beginning is what a session starts with.
type beginning struct {
	id       string // "" for a new one
	document *interpreter.Document
	mode     interpreter.StartupMode
	values   map[string]any
	token    string // a fingerprint
	secret   string // "" for a new one
	child    *child // of a session that another one creates
	by       origin
}

// newControl makes a session with its control; begin starts it.
func (c *Controller) newControl(b beginning) *control {
	control, options := c.bareControl(b)
	control.session = interpreter.NewSession(options)
	return control
}

// bareControl makes a control, and says what its session is made of.
func (c *Controller) bareControl(b beginning) (*control, interpreter.Options) {
	if b.id == "" {
		b.id = c.newID()
	}
	control := &control{
		controller: c,
		record: sessionstore.Session{
			ID: b.id, Controller: c.options.ID, Document: b.document.URI, Startup: string(b.mode), Started: c.options.Store.Now(),
			Token: b.token, PostEvent: b.document.PostEvent(),
		},
		child: b.child, by: b.by, epoch: 1,
	}
	if control.record.Secret = b.secret; c.options.Secrets && b.secret == "" {
		control.record.Secret = c.newID()
	}
	control.unwritten.Now = c.options.Clock.Now
	control.document.Store(b.document)
	options := interpreter.Options{
		ID: b.id, Document: b.document, Startup: b.mode, Values: b.values,
		IOProcessors: control.ioProcessors(), Platform: control, Clock: c.options.Clock, NewID: c.newID, Random: c.options.Random,
		Account: c.options.Processors.Account(), Limits: c.limits().Session, Logger: c.options.Logger, Observer: sessionObserver{control}, Ended: control.ended,
	}
	if c.limits().Strain != nil {
		options.Abandoned = c.limits().Strain.Abandoned
	}
	options.Loading = control.loading
	if c.gate != nil {
		options.Hold = c.gate.Hold
	}
	if m := c.options.Metrics; m != nil {
		options.Measured = func(e interpreter.Measure) { m.EventHandled(e.Wait, e.All, e.Behind, e.Taken) }
	}
	if c.IsDurable() {
		options.Boundary, options.Commit, options.Again = control.changed, control.commit, control.goesOn
		options.Ahead = c.options.Durability == Ahead
	}
	if b.child != nil {
		control.record.Parent, options.ParentID, options.Started = b.child.parent, b.child.parent, b.child.start
	}
	return control, options
}

// ioProcessors is where the session takes events (session.ioprocessors).
func (c *control) ioProcessors() map[string]string {
	if c.record.Secret == "" {
		return c.controller.options.IOProcessors
	}
	own := maps.Clone(c.controller.options.IOProcessors)
	own[basicHTTP] += "/" + c.record.Secret
	return own
}

// loading notes in the record which document the session is in.
func (c *control) loading(d *interpreter.Document) {
	c.record.Document, c.record.PostEvent = d.URI, d.PostEvent()
	c.document.Store(d)
	c.save()
}

// sessionObserver keeps the session's record in the store, and passes on to the
// controller's observer what it watches.
type sessionObserver struct{ *control }

// EventHandled passes the event on.
func (w sessionObserver) EventHandled(session string, e *interpreter.Event, at *script.Position) {
	w.events.note(takenEvent{w.controller.options.Clock.Now(), e.Name, w.record.State, at})
	if o := w.controller.options.Observer; o != nil {
		o.EventHandled(session, e, at)
	}
}

// Logged passes the text on.
func (w sessionObserver) Logged(session, label, text string) {
	if o := w.controller.options.Observer; o != nil {
		o.Logged(session, label, text)
	}
}

// StateChanged notes the new state in the store.
func (w sessionObserver) StateChanged(session, state string) {
	w.record.State = state
	w.save()
	if o := w.controller.options.Observer; o != nil {
		o.StateChanged(session, state)
	}
}

// SessionEnded passes the end on.
func (w sessionObserver) SessionEnded(session, uri string, e interpreter.Ending) {
	if o := w.controller.options.Observer; o != nil {
		o.SessionEnded(session, uri, e)
	}
}

// log gives the logger with the session's id.
func (c *control) log() *slog.Logger { return c.controller.log.With("session", c.record.ID) }

// save writes the session's record; it does not wait for Redis.
func (c *control) save() { c.controller.options.Store.SaveSession(c.record) }

func (c *control) own(l *leg) {
	l.control = c
	if c.legs == nil {
		c.legs = make(map[string]*leg, 1)
	}
	c.legs[l.id] = l
	c.record.Connections = append(c.record.Connections, l.id)
}

// after runs f in the session's goroutine after a while, unless it is stopped.
func (c *control) after(d time.Duration, f func()) *clock.Timer {
	run := func(f func()) { c.controller.afterStop(func() { c.session.Do(f) }) }
	return clock.Start(c.controller.options.Clock, d, run, f)
}

// after runs f in a goroutine of its own after a while, unless it is stopped.
func (c *Controller) after(d time.Duration, f func()) *clock.Timer {
	return clock.Start(c.options.Clock, d, nil, f)
}

// connectionFields are what all connection events have (CEV-1).
func connectionFields(id string) []interpreter.Field {
	return []interpreter.Field{{Name: "connectionid", Value: id}, {Name: "protocol", Value: "sip"}}
}

// queueConnection tells the document of a connection.
func (c *control) queueConnection(l *leg, name string, state interpreter.ConnectionState, fields ...interpreter.Field) {
	c.session.Queue(&interpreter.Event{
		Name: name, Source: l.id, SourceType: "connection",
		Fields: append(connectionFields(l.id), fields...),
		Effect: interpreter.ConnectionEffect{ConnectionID: l.id, State: state},
	})
}

// legEnded tells the document how a connection ended. Exactly one final event
// comes of each (CEV-6).
func (c *control) legEnded(l *leg, was legState, h freeswitch.Hangup) {
	if l.standIn != nil {
		c.standInEnded(l, h)
		return
	}
	delete(c.legs, l.id)
	if l.browser != nil {
		l.browser.ended(h)
		return
	}
	c.forgetConnection(l.id)
	if l.logger.Enabled(context.Background(), slog.LevelInfo) {
		l.log().Info("leg ended", "cause", h.Cause, "sipstatus", h.Status, "disposition", h.Disposition)
	}
	if l.answerUntold(was, h) {
		c.tellConnection(l, connectedEvent)
		was = legConnected
	}
	last, reason := disconnectedEvent, h.Cause
	switch {
	case l.isRedirected():
		last = redirectedEvent
	case was != legConnected:
		last = failedEvent
		if was != legAlerting { // the table is about calls that we placed
			reason = failureReason(h)
		}
		if h.Contact != "" {
			reason = reasonUnknown // as of any other status 3xx
		}
		if l.failure != "" {
			reason = l.failure
		}
	}
	fields := []interpreter.Field{
		{Name: "reason", Value: reason}, {Name: "trigger", Value: triggerOf(h, l.isEnding())}, {Name: "info", Value: infoOf(h)},
	}
	if detail := cmp.Or(l.detail, h.Detail()); detail != "" {
		fields = append(fields, interpreter.Field{Name: "detail", Value: detail})
	}
	c.tellConnection(l, last, fields...)
}

// answerUntold tells whether the far end answered a call that we placed, and its
// hangup came over the link before the leg did on its socket. A leg that did not come
// for as long as attachTimeout has failed.
func (l *leg) answerUntold(was legState, h freeswitch.Hangup) bool {
	placed := slices.Contains(placing, was) || was == legEarly
	return placed && h.Answered && !l.isEnding() && l.failure == ""
}

func (c *control) forgetConnection(id string) {
	if slices.Contains(c.record.Connections, id) {
		c.record.Connections = without(c.record.Connections, id)
		c.save()
	}
}

// without gives the list less an id. The store may still read the old list.
func without(list []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(other string) bool { return other == id })
}

// Release ends what the session still holds (SES-5 to SES-7).
func (c *control) Release() {
	if c.lost { // all that it had is another controller's
		return
	}
	c.endCouplings("")
	for id := range byKey(c.rosters) {
		c.attendNoMore(id)
	}
	for _, l := range byKey(c.legs) {
		if l.handover != nil { // it is the other session's soon, and hung up else
			continue
		}
		c.tellOthers(l)
		l.leftRoom()
		l.takePresence().ends(c)
		if l.voice() != nil {
			c.leaveVoice(l)
		}
		l.hangUp("NORMAL_CLEARING")
		c.controller.releaseLeg(l)
		for _, m := range slices.Clone(l.moves) { // joins that others have asked for are answered
			m.advance()
		}
	}
	for id := range byKey(c.prepared) {
		c.discard(id)
	}
	c.detachAll()
}

// tellOthers tells other sessions that a join of the leg is over, or will not be
// made, since the session that has it ends.
func (c *control) tellOthers(l *leg) {
	o := l.joinPending
	if o == nil && l.place.kind != alone {
		o = l.place.order
	}
	switch {
	case o == nil || l.place.silent || o.browser != nil:
	case l.joinPending != nil:
		for _, other := range o.legs {
			if c.legs[other.id] == other && other.joinPending == o {
				other.joinDone(joinFails)
			}
		}
		if l.place.pairRoom == nil || l.place.pairRoom.end() >= 0 {
			if l.place.pairRoom != nil {
				l.place.pairRoom.tell(l.place.pair)
			}
			o.fail(c, "the session of connection "+l.id+" has ended")
		}
	default:
		l.tellLeft()
		if partner := c.legs[l.place.partner]; partner != nil && partner.bridgedTo(l) {
			partner.place.silent = true
		}
	}
}

// releaseLeg lets go of a leg whose session has ended and which was told to hang
// up. Its socket stays open until FreeSWITCH closes it: a socket that closes
// first leaves the call to its dialplan.
func (c *Controller) releaseLeg(l *leg) {
	dialogs := make([]dialog.Dialog, len(l.dialogs))
	for i, d := range l.dialogs {
		dialogs[i] = d.dialog
	}
	l.take(legReleased)
	l.stopTimers()
	patience := releaseTimeout
	if l.arriving != nil {
		patience = peer.ArrivalTimeout
	}
	if l.hungUp.Load() || l.conn != nil && l.conn.Err() != nil { // nothing more will tell of it
		c.forgetLeg(l)
		c.recordReleased(l)
	} else if c.remember(l, "NORMAL_CLEARING", dialogs, patience) {
		return
	}
	for _, d := range dialogs {
		d.HungUp()
	}
}

func (c *control) ended(ending interpreter.Ending) {
	outcome := "exit"
	switch {
	case c.lost || c.left:
		outcome = "dropped"
	case ending.Reason != "":
		outcome = "died"
	}
	c.keepRecord(ending)
	c.controller.options.Metrics.SessionEnded(outcome, c.controller.options.Clock.Now().Sub(c.record.Started))
	c.lifetime.Stop()
	c.writing.Stop()
	// The session counts until the conferences it was in know that it has gone.
	c.registry.last(c.controller, func() { c.controller.forgetSession(c.record.ID) })
	if !c.left {
		c.controller.options.Store.EndSession(c.record.ID)
	}
	if c.child != nil && !c.lost {
		c.controller.childEnded(c.record.ID, c.child, ending)
	}
	if c.whenEnded != nil {
		c.whenEnded()
	}
}

// workQueue runs what waits for Redis in the order in which a session asked
// for it, one after the other, without keeping the session waiting. Its
// goroutine is the controller's and lives while there is work, which may be
// longer than the session.
type workQueue struct {
	mu      sync.Mutex
	waiting []func(context.Context)
	running bool
	crowded bool // which was logged
}

// maxOrders bounds what one session may ask of Redis while that is slow.
const maxOrders = 1000

// errTooManyOrders tells a document that it asked for more.
var errTooManyOrders = fmt.Errorf("%d requests of this session wait for the directory of conferences already", maxOrders)

// ask is add for what a document asks for. It reports false when too much waits.
func (w *workQueue) ask(c *control, f func(context.Context)) bool {
	w.mu.Lock()
	full, first := len(w.waiting) >= maxOrders, !w.crowded
	w.crowded = full || w.crowded && len(w.waiting) > maxOrders/2
	w.mu.Unlock()
	switch {
	case !full:
		w.add(c.controller, f)
	case first:
		c.log().Warn("requests about conferences fail: too many wait for redis", "most", maxOrders)
	}
	return !full
}

// add takes what is to be done in any case, of which there is no more than the
// session has conferences and members.
func (w *workQueue) add(c *Controller, f func(context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = append(w.waiting, f)
	if !w.running {
		w.running = true
		c.directory.Go(c.options.Clock, func() { w.run(c.directoryDone) })
	}
}

// last runs f when all the work given so far is done; at once if there is none.
func (w *workQueue) last(c *Controller, f func()) {
	w.mu.Lock()
	idle := !w.running
	w.mu.Unlock()
	if idle {
		f()
		return
	}
	w.add(c, func(context.Context) { f() })
}

func (w *workQueue) run(ctx context.Context) {
	for {
		w.mu.Lock()
		batch := w.waiting
		w.waiting = nil
		w.running = len(batch) > 0
		w.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, f := range batch {
			f(ctx)
		}
	}
}

// inOrder runs f in the background after all that the session gave before; then
// runs in the session's goroutine with what f returned. If the session has ended
// meanwhile, undo, which may be nil, takes back in the background what f did. If too
// much waits, f is not run and then gets the error.
func inOrder[T any](c *control, f func(context.Context) (T, error), then func(T, error), undo func(context.Context)) {
	if !c.registry.ask(c, inSession(c, f, then, undo)) {
		var nothing T
		c.session.Do(func() { then(nothing, errTooManyOrders) })
	}
}

// inSession is f, then then in the session's goroutine, or undo.
func inSession[T any](c *control, f func(context.Context) (T, error), then func(T, error), undo func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		result, err := f(ctx)
		if !c.session.Do(func() { then(result, err) }) && undo != nil {
			undo(ctx)
		}
	}
}
