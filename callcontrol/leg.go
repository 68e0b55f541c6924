package callcontrol

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/fsm"
	"ccxmld/interpreter"
)

// leg is a channel of FreeSWITCH that a session owns. All its fields belong to
// the session's goroutine, except route and hungUp, which readers of connections
// use.
type leg struct {
	route      legRoute
	hungUp     atomic.Bool // its last event has come
	control    *control
	controller *Controller
	id         string       // the channel's uuid and the connection's id
	logger     *slog.Logger // the controller's; see log
	state      fsm.Machine[legState, legInput]
	clearing   fsm.Machine[clearingState, clearingInput]
	socket     fsm.Machine[socketState, socketInput]
	conn       *esl.Conn        // the leg's own socket, nil until it is there
	others     []*esl.Conn      // those that it has beside its own
	watched    *esl.Conn        // the one whose answers are waited for
	follows    *freeswitch.Node // whose link tells of the leg, which has no socket; nil else
	unpaired   bool             // its partner in a room of two is with another controller
	unseen     bool             // it was made again, and FreeSWITCH has not told of it yet
	untold     []func()         // wait until conn tells of what a document may react to
	node       *freeswitch.Node // of an outbound leg
	calling    *calling         // of one that is being placed
	attempt    *calling         // the one that placed it, or is about to; nil for one that came in
	strangers  []*esl.Conn      // sockets of attempts that were given up
	call       dialog.Call
	machine    string // the FreeSWITCH it is on, by its own name

	incoming      bool // a caller's; it does not change
	notes         callNotes
	ended         *freeswitch.Hangup // once it has
	session       string             // the id that its session will have, or has; of one that came in
	turn          *freeswitch.Turn   // that it waits for
	forwards      int                // how often its callees have redirected it
	answered      bool               // an inbound leg that the dialplan answered before us
	takesEarly    bool               // early media is let through
	socketTimer   *clock.Timer       // of the wait for the leg to come to our socket
	callTimer     *clock.Timer       // of the wait for the answer
	hangupTimer   *clock.Timer       // of the wait for the end that we asked for
	watchTimer    *clock.Timer       // of the answers to what was sent on its socket
	redirectTimer *clock.Timer       // of the wait for what comes of a redirection
	joinTimer     *clock.Timer       // of joinPending
	answerBy      time.Time          // when a call that we place is given up
	cause         string             // of the hangup that we asked for
	failure       string             // reason that overrides the table's
	detail        string             // more words about it

	timers      []*clock.Timer // all of them
	place       place
	moves       []*move  // wait for their turn, the next one first
	atHome      []func() // wait until the leg is in our park again
	homing      fsm.Machine[homeState, homeInput]
	home        string                   // by which the park is known
	parks       int                      // that stand behind the first one on that way home
	closing     int                      // how many of the others close, each of which ends a park
	executions  *freeswitch.Executions   // nil where there were none; see playing
	recognizes  bool                     // speech is, too
	hears       func(dialog.Recognition) // whoever listens to speech, or nil
	heardLast   int64                    // number of the last that was told of speech
	dialogs     []*legDialog
	clamps      bool      // the digits that it sends do not reach who it is bridged to
	termDigit   string    // the digit that took the leg out of its join
	analysis    *analysis // of an outbound leg, until it is over
	digitsBound bool      // told while the leg listens to another one
	tones       bool      // digits are looked for in its audio
	recording   string    // the file that FreeSWITCH records the leg to, "" for none

	connection fsm.Machine[connectionState, connectionInput] // none for the two that follow

	standIn  *standIn // of a leg that no document knows
	browser  *browser // of a leg to a VoiceXML server, which no document knows either
	owner    fsm.Machine[ownerState, ownerInput]
	handover *handover // to another session
	arriving *arrival  // from another controller

	join        *interpreter.CallRequest // of an outbound leg with joinid
	joinState   fsm.Machine[joinState, joinInput]
	joinPending *order    // conference or bridge on its way
	notEntered  string    // the room of a join that counts as failed, and may still succeed
	notBridged  string    // the partner of a bridge that counts as failed, and may still come
	present     *presence // in a conference, while the way in which it is there changes
	goesOn      *order    // of a bridge whose partner turns to another leg and is still heard
}

// log gives the logger with the leg's ids. It is made each time, since most legs
// have little to say, and the longer they live the less.
func (l *leg) log() *slog.Logger {
	log := l.logger.With("connection", l.id)
	if l.node != nil {
		log = log.With("node", l.node.Name())
	}
	if l.control != nil {
		log = log.With("session", l.control.record.ID)
	}
	return log
}

// isHidden tells whether the leg is none of the document's connections.
func (l *leg) isHidden() bool { return l.standIn != nil || l.browser != nil }

// newLeg makes a leg with a call in a state, which no session has yet.
func (c *Controller) newLeg(id string, state legState) *leg {
	return &leg{
		id: id, logger: c.log, controller: c, notes: callNotes{Began: c.now()}, state: legStates.At(state), clearing: clearings.At(notClearing), socket: socketStates.At(noSocket),
		homing: homeStates.At(notHoming), joinState: joinStates.At(notJoined), owner: ownerStates.At(legOurs),
	}
}

// legRoute brings what happens on a leg to the session that owns it. Until the
// session is there, which takes as long as its document does, and while the leg
// is handed over to another, it keeps the mail.
type legRoute struct {
	mu      sync.Mutex
	control *control
	leaving bool      // a handover waits for its turn, which its giver may not live to see
	passed  []legMail // came for the former owner, which did not get to it
	waiting []legMail
	flooded bool // more came than may wait
}

// legMail is something to do in the goroutine of the session that has a leg. Where
// none has it any more, lost is done instead, in any goroutine; it may be nil.
type legMail struct{ do, lost func() }

func (m legMail) isLost() {
	if m.lost != nil {
		m.lost()
	}
}

// maxRouted bounds what waits for the session of a leg: a document is there, or a
// handover over, within seconds.
const maxRouted = 1000

// do runs f in the session's goroutine, or keeps it for then. It reports false
// when the session has ended. A leg of which more comes than may wait is hung up by
// its session: something of it is lost.
func (r *legRoute) do(f func()) bool { return r.put(legMail{do: f}) }

// ask runs f in the session's goroutine, or lost if the session has ended, also
// if it does while the leg is handed over, or if too much waits: one of the two.
func (r *legRoute) ask(f, lost func()) {
	if !r.put(legMail{f, lost}) {
		lost()
	}
}

func (r *legRoute) put(m legMail) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if owner := r.control; owner != nil {
		if owner.session.Do(func() { r.run(owner, m) }) {
			return true
		}
		if !r.leaving {
			return false
		}
	}
	if len(r.waiting) >= maxRouted {
		r.flooded = true
		return m.lost == nil // who can be told that it is lost is
	}
	r.waiting = append(r.waiting, m)
	return true
}

// run does what mail asks for in the goroutine of c, unless c has handed the leg
// over since it was given to it.
func (r *legRoute) run(c *control, m legMail) {
	r.mu.Lock()
	owner := r.control
	if owner == nil {
		r.passed = append(r.passed, m)
	}
	r.mu.Unlock()
	switch owner {
	case c:
		m.do()
	case nil:
	default:
		r.pass(owner, m)
	}
}

// pass gives mail to a session that has, or had, the leg.
func (r *legRoute) pass(owner *control, m legMail) {
	if !owner.session.Do(func() { r.run(owner, m) }) {
		m.isLost()
	}
}

// suspend begins a handover: until bind everything waits.
func (r *legRoute) suspend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.control = nil
}

// leave keeps the mail, from now to stay or bind, if the owner ends.
func (r *legRoute) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaving = true
}

// stay ends what leave began. What came after the owner's end is for nobody.
func (r *legRoute) stay() {
	r.mu.Lock()
	r.leaving = false
	var late []legMail
	if r.control != nil {
		late, r.waiting = r.waiting, nil
	}
	r.mu.Unlock()
	for _, m := range late {
		m.isLost()
	}
}

// bind gives what happens on the leg to a session.
func (l *leg) bind(c *control) {
	r := &l.route
	r.mu.Lock()
	r.control, r.leaving = c, false
	waiting := append(r.passed, r.waiting...)
	if r.flooded {
		waiting = append(waiting, legMail{do: l.flooded})
	}
	var late []legMail
	for _, m := range waiting {
		if !c.session.Do(func() { r.run(c, m) }) {
			late = append(late, m)
		}
	}
	r.passed, r.waiting, r.flooded = nil, nil, false
	r.mu.Unlock()
	for _, m := range late {
		m.isLost()
	}
}

// flooded ends a leg of which more came than may wait for its session.
func (l *leg) flooded() {
	if l.isGone() {
		return
	}
	l.detail = fmt.Sprintf("more than %d messages of FreeSWITCH waited for the session of this call", maxRouted)
	l.log().Error("the leg is hung up: more came of it than may wait for its session", "most", maxRouted)
	l.hangUp("NORMAL_TEMPORARY_FAILURE")
}

// after runs f in the goroutine of the leg's session after a while, whichever
// session that is then, unless it is stopped.
func (l *leg) after(d time.Duration, f func()) *clock.Timer {
	c := l.control.controller
	timer := clock.Start(c.options.Clock, d, func(f func()) { c.afterStop(func() { l.route.do(f) }) }, f)
	if len(l.timers) >= cap(l.timers) { // lest a long call keeps all that it ever had
		l.timers = slices.DeleteFunc(l.timers, (*clock.Timer).Over)
	}
	l.timers = append(l.timers, timer)
	return timer
}

// stopTimers ends all waits of a leg that has ended: each would keep its session.
func (l *leg) stopTimers() {
	for _, timer := range l.timers {
		timer.Stop()
	}
	l.timers = nil
}

// owner gives the control of the session that owns the leg, nil until there is
// one. It may be called in any goroutine.
func (r *legRoute) owner() *control {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.control
}

// send gives a command to the leg's own socket, or to the link that tells of it. What
// FreeSWITCH refuses is logged, and failed is told, which may be nil.
func (l *leg) send(cmd esl.Command, failed func(error)) {
	if l.conn == nil && l.follows != nil {
		l.sendOver(l.follows, cmd, failed)
		return
	}
	l.sendTo(l.conn, cmd, failed)
	l.watch()
}

func (l *leg) sendTo(conn *esl.Conn, cmd esl.Command, failed func(error)) {
	if conn == nil {
		if failed != nil {
			failed(errNoSocket)
		}
		return
	}
	conn.Send(cmd, func(r *esl.Reply, err error) { l.refused(cmd, r, err, failed) })
}

// refused tells of a command that was not obeyed, in any goroutine.
func (l *leg) refused(cmd esl.Command, r *esl.Reply, err error, failed func(error)) {
	if err == nil {
		err = r.Err()
	}
	if err == nil {
		return
	}
	l.route.do(func() {
		if !l.isGone() {
			l.log().Warn("command failed", "command", firstLine(cmd.BuildMessage()), "error", err)
		}
		if failed != nil {
			failed(err)
		}
	})
}

// line is a leg as its executions use it.
type line struct{ leg *leg }

func (l line) ID() string                                   { return l.leg.id }
func (l line) Gone() bool                                   { return l.leg.isGone() }
func (l line) Send(cmd esl.Command, failed func(error))     { l.leg.send(cmd, failed) }
func (l line) After(d time.Duration, f func()) *clock.Timer { return l.leg.after(d, f) }
func (l line) NewID() string                                { return l.leg.control.controller.newID() }

// playing is what plays and listens on the leg, or waits to.
func (l *leg) playing() *freeswitch.Executions {
	if l.executions == nil {
		l.executions = freeswitch.NewExecutions(line{l})
	}
	return l.executions
}

// Execute runs an application on the leg after what already runs there
// (dialog.Channel).
func (l *leg) Execute(app, argument string, started func(), done func(dialog.Completion)) {
	if l.isGone() || l.conn == nil && !l.isHoming() {
		if done != nil {
			done(dialog.Completion{Gone: true, Elapsed: -1})
		}
		return
	}
	if l.isHoming() {
		l.atHome = append(l.atHome, func() { l.Execute(app, argument, started, done) })
		return
	}
	l.playing().Run(app, argument, started, func(c freeswitch.Completion) {
		if done != nil {
			done(dialog.Completion(c))
		}
	})
}

func (l *leg) runAtHome() {
	waiting := l.atHome
	l.atHome = nil
	for _, f := range waiting {
		f()
	}
}

// Break ends what plays on the leg, and what waits to (dialog.Channel).
func (l *leg) Break() { l.playing().Break() }

// background begins or ends to mix a file, again and again, under what the party
// hears, wherever it is.
func (l *leg) background(file string, on bool, done func(error)) {
	if l.conn == nil || l.isGone() {
		done(errNoSocket)
		return
	}
	cmd := freeswitch.StopBackground(l.id, file)
	if on {
		cmd = freeswitch.StartBackground(l.id, file)
	}
	l.conn.Send(cmd, func(r *esl.Reply, err error) {
		if err == nil {
			err = r.Err()
		}
		l.route.do(func() { done(err) })
	})
	l.watch()
}

// exists asks the leg's FreeSWITCH whether a path is there, also one of a directory.
func (l *leg) exists(path string, told func(bool)) {
	if l.conn == nil || l.isGone() {
		told(true) // what needs it fails by itself
		return
	}
	l.conn.Send(freeswitch.PathExists(path), func(r *esl.Reply, err error) {
		missing := err == nil && r.Err() == nil && freeswitch.IsMissing(r.Text)
		l.route.do(func() { told(!missing) })
	})
}

// digit brings a digit that the party pressed to whoever listens: what the join
// reserves, the dialogs, else the document.
func (l *leg) digit(digit string) {
	switch {
	case l.place.takesOut(digit):
		l.termDigit = digit
		l.leave()
	case l.dialogTakes(digit):
	default:
		l.controller.options.Metrics.Digit()
		l.signal("dtmf", digit)
	}
}

// signal tells the document of something that the party did beside talking
// (CEV-3): dtmf with the digit, hold, resume.
func (l *leg) signal(kind, value string) {
	info := map[string]any{"type": kind}
	if value != "" {
		info["value"] = value
	}
	l.control.queueConnection(l, "connection.signal", "", interpreter.Field{Name: "info", Value: info})
}

// hangUp asks FreeSWITCH to end the leg.
func (l *leg) hangUp(cause string) {
	if l.isGone() {
		return
	}
	l.clearing.Take(clearAsked, l.log)
	if l.state.Is(legWaiting, legDialing, legRinging, legMedia, legAttachingEarly, legEarly) {
		cause = "ORIGINATOR_CANCEL"
	}
	if l.state.Is(legWaiting) { // FreeSWITCH does not know it yet
		l.turn.Cancel()
		if !l.route.do(func() { l.gone(freeswitch.Hangup{Cause: cause}) }) {
			l.control.controller.forgetLeg(l)
		}
		return
	}
	l.cause = cause
	l.kill(cause)
	l.expectHangup(1, cause)
}

// kill tells FreeSWITCH to hang the leg up: on its socket, else over its node's link.
func (l *leg) kill(cause string) {
	switch node := l.reach(); {
	case l.conn == nil:
		if node != nil {
			node.Kill(l.id, cause)
		}
	default:
		l.conn.Send(freeswitch.Kill(l.id, cause), func(r *esl.Reply, err error) {
			switch {
			case err != nil && node != nil && !errors.Is(err, esl.ErrDisconnected):
				node.Kill(l.id, cause) // the socket was cut; there may be no session any more to notice it
			case err == nil && r.Err() != nil:
				l.route.do(func() {
					if !l.isGone() {
						l.log().Warn("leg not hung up", "error", r.Err())
					}
				})
			}
		})
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}
