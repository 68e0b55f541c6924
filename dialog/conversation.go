package dialog

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
)

// Conversation plays to a party and takes its digits, one Turn at a time. It
// belongs to the goroutine of its session.
type Conversation struct {
	service *Service
	on      Channel
	do      func(func()) bool
	log     *slog.Logger
	about   []any // attributes of what is logged

	ctx    context.Context // of fetches, made when the first begins
	cancel context.CancelFunc

	turn    *turn
	typed   string // pressed while nobody listened
	spent   string // term digits of an input that was complete without one
	spentAt time.Time
	closed  bool
	ear     bool   // FreeSWITCH has listened to speech
	held    func() // gives up the fetched audio that plays; nil for none

	// running is the application that plays, 0 for none; there is never more
	// than one, so that breaking it off breaks nothing else. next waits for its
	// end.
	running, last int
	next          func()
	timer         *clock.Timer // for a digit
	overall       *clock.Timer // for all of them
}

// turn is a Turn in progress.
type turn struct {
	Turn
	done      func(Outcome)
	queue     []Prompt
	outcome   Outcome
	listening bool // the prompts are over
	barrier   bool // what plays cannot be broken off by digits
	began     bool
	hearing   bool // FreeSWITCH listens to speech
	speaking  bool // the party does
	recording bool // it has begun, at least with its beep
	broken    bool // it was interrupted
	markedAt  time.Time
	recordAt  time.Time // when the recording began
}

// Converse opens a conversation on a leg. The session's goroutine calls it, and
// do runs functions there. What is logged has the attributes about.
func (s *Service) Converse(on Channel, do func(func()) bool, about ...any) *Conversation {
	return &Conversation{service: s, on: on, do: do, log: s.options.Logger, about: about}
}

// Take begins a turn; done is told what came of it, once. Take is called when
// there is no turn, and done may be called before it returns.
func (c *Conversation) Take(t Turn, done func(Outcome)) {
	if c.closed {
		done(Outcome{End: Gone})
		return
	}
	c.turn = &turn{Turn: t, done: done, queue: t.Prompts, outcome: Outcome{Recorded: -1}}
	// The first prompt may have to wait for the end of what was broken off.
	c.turn.barrier = len(t.Prompts) > 0 && t.Prompts[0].NoBargeIn
	if c.takeTyped(); c.turn == nil {
		return
	}
	if t := c.turn; !t.listening {
		c.play(t)
	}
}

// Digit takes a digit that the party pressed, and reports whether it is used
// or kept for the next turn.
func (c *Conversation) Digit(digit string) bool {
	digit = strings.ToUpper(digit)
	if c.closed || !isDigit(digit) {
		return false
	}
	if spent := c.spent; spent != "" {
		// The # behind a number that was complete without it belongs to it, also
		// if the next question is out already, unless that takes it.
		c.spent = ""
		if strings.Contains(spent, digit) && c.since(c.spentAt) < lateTermDigit && !c.awaits(digit) {
			return true
		}
	}
	switch t := c.turn; {
	case t != nil && t.Record != nil:
		c.pressInRecording(t, digit)
	case t == nil || t.Listen == nil:
		if len(c.typed) < maxDigits {
			c.typed += digit
		}
	case t.Listen.Deaf || t.barrier && !t.listening:
	default:
		c.press(t, digit)
	}
	return true
}

// awaits tells whether the grammar that is active now goes on with a digit.
func (c *Conversation) awaits(digit string) bool {
	t := c.turn
	if t == nil || t.Listen == nil || t.Listen.Deaf || t.barrier && !t.listening {
		return false
	}
	return t.Listen.Grammar.Match(t.outcome.Digits+digit) != NoMatch
}

// Interrupt ends the turn, if there is one, with what it has. A recording is broken
// off, and the turn ends when it has ended.
func (c *Conversation) Interrupt() {
	switch t := c.turn; {
	case t == nil:
	case t.outcome.Recording && c.running != 0:
		t.broken = true
		c.on.Break()
	default:
		c.end(t, Interrupted)
	}
}

// Forget throws away digits that were pressed ahead.
func (c *Conversation) Forget() { c.typed, c.spent = "", "" }

// Close ends the conversation: what plays is broken off, and the turn, if there
// is one, is told nothing more.
func (c *Conversation) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.turn, c.next = nil, nil
	c.release()
	c.stopTimers()
	if c.cancel != nil {
		c.cancel()
	}
	if c.running != 0 {
		c.on.Break()
	}
	if c.ear {
		c.ear = false
		c.on.Recognize("stop", nil)
	}
}

// HungUp ends the conversation because the leg is gone, or not ours any more:
// nothing is sent to it. The turn, if there is one, is told.
func (c *Conversation) HungUp() {
	t := c.turn
	c.running, c.ear = 0, false
	if c.Close(); t != nil {
		t.outcome.End = Gone
		if t.outcome.Recording && t.outcome.Recorded < 0 { // FreeSWITCH tells no more
			t.outcome.Recorded = c.since(t.recordAt)
		}
		t.done(t.outcome)
	}
}

// takeTyped feeds what was pressed ahead to a turn that listens, unless its
// first prompt must be heard.
func (c *Conversation) takeTyped() {
	t := c.turn
	if t.Listen == nil || c.typed == "" {
		return
	}
	typed := c.typed
	c.typed = ""
	if t.Listen.Deaf || len(t.queue) > 0 && t.queue[0].NoBargeIn {
		return
	}
	for i := range len(typed) {
		if c.turn != t {
			c.typed = typed[i:]
			return
		}
		c.press(t, typed[i:i+1])
	}
}

// play plays the next prompt, or listens when there is none.
func (c *Conversation) play(t *turn) {
	if c.turn != t || t.listening {
		return
	}
	if c.running != 0 { // broken off, but not ended yet
		c.next = func() { c.play(t) }
		return
	}
	if len(t.queue) == 0 {
		c.listen(t)
		return
	}
	p := t.queue[0]
	t.queue = t.queue[1:]
	if t.barrier = p.NoBargeIn; !t.barrier {
		c.hear(t)
	}
	switch {
	case schemeOf(p.Source) == sayScheme:
		c.say(t, p)
	case p.Source != "":
		c.playAudio(t, p)
	case p.Text != "":
		c.speak(t, p)
	case p.Mark != "":
		t.outcome.Mark, t.markedAt = p.Mark, c.now()
		c.play(t)
	case p.Pause > 0:
		c.playback(t, p, "silence_stream://"+strconv.FormatInt(p.Pause.Milliseconds(), 10))
	default:
		c.play(t)
	}
}

// playback plays what FreeSWITCH's playback application takes.
func (c *Conversation) playback(t *turn, p Prompt, path string) {
	c.execute("playback", esl.Literal(path), func() { c.began(t) }, func(done Completion) {
		if done.Response != "FILE PLAYED" {
			c.failed(t, p, fmt.Sprintf("%s could not be played: %s", p.Source, unplayed(path, done.Response)))
			return
		}
		c.began(t)
		c.play(t)
	})
}

// speak speaks a text. That it has begun to is known when it has not ended at
// once: an engine that is not there begins as well.
func (c *Conversation) speak(t *turn, p Prompt) {
	text := p.Text
	if p.SSML && !c.service.voice.knowsSSML() {
		text = p.withoutTags()
	}
	argument, problem := c.service.voice.argument(text)
	if problem != "" {
		c.failed(t, p, problem)
		return
	}
	if p.SSML {
		text = p.withoutTags()
	}
	c.aloud(t, p, "speak", argument, shortest(text), func(done Completion) string { return c.service.spoken(c.service.voice.unspoken(text, done)) })
}

// aloud runs an application that speaks, for some time at least. problem says what
// kept it from that, if anything: FreeSWITCH does not.
func (c *Conversation) aloud(t *turn, p Prompt, app, argument string, least time.Duration, problem func(Completion) string) {
	var settle *clock.Timer
	c.execute(app, argument, func() {
		settle = c.after(least+shortestSpeech, func() { c.began(t) })
	}, func(done Completion) {
		settle.Stop()
		if problem := problem(done); problem != "" {
			c.failed(t, p, problem)
			return
		}
		c.began(t)
		c.play(t)
	})
}

// unplayed says why FreeSWITCH did not play what is at a path. It answers the same
// for a file that is not there, that it may not read, and of a format that none
// of its modules knows.
func unplayed(path, response string) string {
	if response != "FILE NOT FOUND" {
		return orUnknown(response)
	}
	return response + "; FreeSWITCH needs " + path + " on its own machine, readable to it, and in a format it has a module for"
}

func orUnknown(response string) string {
	if response == "" || response == "_none_" {
		return "FreeSWITCH does not say why"
	}
	return response
}

// execute runs an application; then is told how it ended, unless it was broken
// off or the leg is gone.
func (c *Conversation) execute(app, argument string, started func(), then func(Completion)) {
	c.last++
	id, t := c.last, c.turn
	c.running = id
	c.on.Execute(app, argument, func() {
		if c.running == id && c.turn == t && !t.listening && started != nil {
			started()
		}
	}, func(done Completion) {
		if c.running != id {
			return
		}
		c.running = 0
		switch next := c.next; {
		case c.closed:
		case done.Gone:
			c.HungUp()
		case next != nil:
			c.next = nil
			next()
		case c.turn == t && !t.listening:
			then(done)
		}
	})
}

// began tells, once, that something is heard.
func (c *Conversation) began(t *turn) {
	if c.turn == t && !t.began {
		t.began = true
		if t.Began != nil {
			t.Began()
		}
	}
}

// failed plays the alternative of a prompt that cannot be played, or ends the
// turn where there is none.
func (c *Conversation) failed(t *turn, p Prompt, problem string) {
	if c.turn != t || t.listening {
		return
	}
	if len(p.Else) > 0 {
		c.log.With(c.about...).Info("a prompt cannot be played; its alternative is", "reason", problem)
		t.queue = append(append([]Prompt(nil), p.Else...), t.queue...)
		c.play(t)
		return
	}
	c.log.With(c.about...).Warn("a prompt cannot be played", "reason", problem)
	t.outcome.Problems = append(t.outcome.Problems, problem)
	if t.Forgiving && p.Source != "" {
		c.play(t)
		return
	}
	c.end(t, Failed)
}

// listen begins the wait for digits and words, once the prompts are over or broken off.
func (c *Conversation) listen(t *turn) {
	if t.Record != nil {
		c.beginRecording(t)
		return
	}
	t.listening = true
	t.queue = nil
	if c.running != 0 {
		c.on.Break()
	}
	if t.Listen == nil {
		c.began(t)
		c.end(t, Played)
		return
	}
	if c.began(t); c.turn != t {
		return
	}
	c.hear(t)
	if t.Listen.Max > 0 {
		c.overall = c.after(t.Listen.Max, func() { c.end(t, TooLong) })
	}
	if t.outcome.Digits == "" {
		if t.Listen.First > 0 {
			c.timer = c.after(t.Listen.First, func() { c.end(t, Silence) })
		}
	}
}

// press takes a digit for a turn that listens.
func (c *Conversation) press(t *turn, digit string) {
	c.measure(t)
	if !t.listening {
		if c.listen(t); c.turn != t {
			return
		}
	}
	c.timer.Stop()
	if t.Listen.ends(digit, t.outcome.Digits) {
		t.outcome.TermDigit = digit
		c.endInput(t)
		return
	}
	if len(t.outcome.Digits) < maxDigits {
		t.outcome.Digits += digit
	}
	match := t.Listen.Grammar.Match(t.outcome.Digits)
	wait := t.Listen.inter()
	if match == Complete {
		if wait = t.Listen.Term; wait <= 0 || t.Listen.TermDigits == "" {
			c.spent, c.spentAt = t.Listen.TermDigits, c.now()
			c.endInput(t)
			return
		}
	}
	c.timer = c.after(wait, func() {
		t.outcome.TimedOut = match != Complete
		c.endInput(t)
	})
}

// lateTermDigit is how long a term digit may come behind an input that was complete
// without it.
const lateTermDigit = 2 * time.Second

// endInput ends a turn with the digits that it has.
func (c *Conversation) endInput(t *turn) {
	switch t.Listen.Grammar.Match(t.outcome.Digits) {
	case Matched, Complete:
		c.end(t, Input)
	default:
		c.end(t, Mismatch)
	}
}

// end ends a turn.
func (c *Conversation) end(t *turn, how End) {
	if c.turn != t {
		return
	}
	if c.running != 0 && !t.listening {
		c.on.Break()
	}
	c.turn = nil
	c.stopTimers()
	c.stopHearing(t)
	c.measure(t)
	t.outcome.End = how
	t.done(t.outcome)
}

// measure notes, once, how long ago a mark was reached.
func (c *Conversation) measure(t *turn) {
	if !t.markedAt.IsZero() {
		t.outcome.SinceMark, t.markedAt = c.since(t.markedAt), time.Time{}
	}
}

func (c *Conversation) stopTimers() {
	c.timer.Stop()
	c.overall.Stop()
	c.timer, c.overall = nil, nil
}

// after calls f in the session's goroutine after a while, unless it is stopped.
func (c *Conversation) after(d time.Duration, f func()) *clock.Timer {
	return clock.Start(c.service.options.Clock, d, func(f func()) { c.do(f) }, f)
}

// now is the time of the service's clock.
func (c *Conversation) now() time.Time { return c.service.options.Clock.Now() }

// since is how long ago a time was.
func (c *Conversation) since(then time.Time) time.Duration { return c.now().Sub(then) }
