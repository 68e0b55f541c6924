// Package dialogtest has a leg that dialogs can be tried out on: it plays what
// it knows for as long as it lasts, and remembers what was heard. It is meant for
// tests inside a testing/synctest bubble, whose clock it uses.
//
// A Leg is its own session: one goroutine at a time runs what Do is given, in
// order.
package dialogtest

import (
	"errors"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
)

// Leg is a dialog.Channel and the session that owns it.
type Leg struct {
	// Sounds are the files there are, with their lengths. Tones last 300 ms.
	Sounds map[string]time.Duration
	// Engines are the text-to-speech engines there are. They take SpeechRate
	// for each letter.
	Engines map[string]bool
	// Said is set for a leg with the say application, which takes a second.
	Said bool

	// Missing tells which directories there are not; nil for none.
	Missing func(path string) bool

	// Recognized are the arguments of detect_speech so far.
	Recognized []string

	mu      sync.Mutex
	waiting []func()
	running bool
	closed  bool

	// Of the session's goroutine.
	queue  []*execution
	heard  []string
	breaks int
	gone   bool
	ear    func(dialog.Recognition)
}

// SpeechRate is how long a letter takes to speak.
const SpeechRate = 50 * time.Millisecond

type execution struct {
	app, argument string
	started       func()
	done          func(dialog.Completion)
	begun         time.Time
	timer         *time.Timer
}

// NewLeg gives a leg with the engine flite and no files.
func NewLeg() *Leg {
	return &Leg{Sounds: map[string]time.Duration{}, Engines: map[string]bool{"flite": true}}
}

// Do runs f in the session's goroutine, later. It reports false once the session
// is closed.
func (l *Leg) Do(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.waiting = append(l.waiting, f)
	if !l.running {
		l.running = true
		go l.run()
	}
	return true
}

func (l *Leg) run() {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.running = false
			l.mu.Unlock()
			return
		}
		f := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
		f()
	}
}

// Call runs f in the session's goroutine and waits until nothing happens any
// more at this time.
func (l *Leg) Call(f func()) {
	l.Do(f)
	synctest.Wait()
}

// Pass lets time pass.
func (l *Leg) Pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Close ends the session: nothing runs in it any more.
func (l *Leg) Close() {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// Heard gives what was heard so far: paths of files, and texts after "say ".
// What was broken off ends in "…".
func (l *Leg) Heard() []string {
	var heard []string
	l.Call(func() { heard = append(heard, l.heard...) })
	return heard
}

// Breaks counts the breaks so far.
func (l *Leg) Breaks() int {
	n := 0
	l.Call(func() { n = l.breaks })
	return n
}

// HangUp ends the leg: what plays and waits is told that it is gone.
func (l *Leg) HangUp() {
	l.Call(func() {
		l.gone = true
		for len(l.queue) > 0 {
			l.finish(l.queue[0], dialog.Completion{Elapsed: -1, Gone: true})
		}
	})
}

// Execute implements dialog.Channel.
func (l *Leg) Execute(app, argument string, started func(), done func(dialog.Completion)) {
	if l.gone {
		done(dialog.Completion{Elapsed: -1, Gone: true})
		return
	}
	e := &execution{app: app, argument: argument, started: started, done: done}
	l.queue = append(l.queue, e)
	if len(l.queue) == 1 {
		l.begin()
	}
}

// Break implements dialog.Channel. As on a real leg, what plays has not ended
// before the call is over.
func (l *Leg) Break() {
	l.breaks++
	l.Do(func() {
		for _, e := range append([]*execution(nil), l.queue...) {
			l.end(e, true)
		}
	})
}

// Recognize implements dialog.Channel.
func (l *Leg) Recognize(argument string, heard func(dialog.Recognition)) {
	l.Recognized = append(l.Recognized, argument)
	l.ear = heard
}

// Recognition tells whoever listens to speech of something that FreeSWITCH hears.
func (l *Leg) Recognition(kind, body string) {
	l.Call(func() {
		if l.ear != nil {
			l.ear(dialog.Recognition{Kind: kind, Body: body})
		}
	})
}

// Exists implements dialog.Channel.
func (l *Leg) Exists(path string, told func(bool)) {
	l.Do(func() { told(l.Missing == nil || !l.Missing(path)) })
}

// Background implements dialog.Channel: what is mixed is heard as "under FILE".
func (l *Leg) Background(file string, on bool, done func(error)) {
	l.Do(func() {
		_, known := l.Sounds[file]
		switch {
		case !known:
			done(errors.New("-ERR Cannot displace session"))
			return
		case on:
			l.heard = append(l.heard, "under "+file)
		default:
			l.heard = append(l.heard, "not under "+file)
		}
		done(nil)
	})
}

func (l *Leg) begin() {
	e := l.queue[0]
	e.begun = time.Now()
	lasts, known := l.length(e)
	l.Do(func() {
		if e.done == nil {
			return
		}
		if e.started != nil && (known || e.app != "playback") {
			e.started()
		}
		if !known {
			l.finish(e, dialog.Completion{Response: map[bool]string{true: "FILE NOT FOUND", false: "_none_"}[e.app == "playback"], Elapsed: time.Millisecond})
			return
		}
		l.heard = append(l.heard, e.name())
		e.timer = time.AfterFunc(lasts, func() { l.Do(func() { l.end(e, false) }) })
	})
}

func (e *execution) name() string {
	if e.app == "speak" {
		return "say " + strings.SplitN(e.argument, "|", 3)[2]
	}
	return e.argument
}

func (l *Leg) length(e *execution) (time.Duration, bool) {
	if e.app == "speak" {
		parts := strings.SplitN(e.argument, "|", 3)
		return time.Duration(len(parts[2])) * SpeechRate, l.Engines[parts[0]]
	}
	if e.app == "say" {
		return time.Second, l.Said
	}
	if strings.HasPrefix(e.argument, "tone_stream://") || strings.HasPrefix(e.argument, "silence_stream://") {
		return 300 * time.Millisecond, true
	}
	lasts, ok := l.Sounds[e.argument]
	return lasts, ok
}

func (l *Leg) end(e *execution, broken bool) {
	if e.done == nil {
		return
	}
	if broken && e.timer != nil {
		for i := len(l.heard) - 1; i >= 0; i-- {
			if l.heard[i] == e.name() {
				l.heard[i] += "…"
				break
			}
		}
	}
	response := "FILE PLAYED"
	if e.app == "speak" {
		response = "_none_"
	}
	l.finish(e, dialog.Completion{Response: response, Elapsed: time.Since(e.begun)})
}

func (l *Leg) finish(e *execution, c dialog.Completion) {
	if e.timer != nil {
		e.timer.Stop()
	}
	done := e.done
	e.done = nil
	for i := range l.queue {
		if l.queue[i] == e {
			l.queue = append(l.queue[:i:i], l.queue[i+1:]...)
			if i == 0 && len(l.queue) > 0 && !l.gone {
				l.begin()
			}
			break
		}
	}
	if done != nil {
		done(c)
	}
}
