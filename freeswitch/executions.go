package freeswitch

import (
	"fmt"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
)

// Line is a channel under control, as its executions use it. All its methods are for one
// goroutine, that of the channel's owner, and call back in it.
type Line interface {
	ID() string
	// Gone tells that the channel is hung up.
	Gone() bool
	// Send gives a command to the channel's socket; failed, which may be nil, is told that
	// FreeSWITCH has not taken it.
	Send(cmd esl.Command, failed func(error))
	After(d time.Duration, f func()) *clock.Timer
	NewID() string
}

// Completion tells how an execution ended.
type Completion struct {
	// Response is FreeSWITCH's Application-Response: FILE PLAYED, FILE NOT FOUND, PLAYBACK
	// ERROR, or _none_ from applications that never tell; or what kept the command from
	// running.
	Response string
	Elapsed  time.Duration // by FreeSWITCH's clock; -1 when that is not known
	Gone     bool          // the channel has gone away
}

// Executions are the applications that run on a channel one after the other, under
// event-lock: the first runs, the others wait for their turn. Each ends in its done,
// once: when FreeSWITCH says so, or after a deadline.
type Executions struct {
	line       Line
	list       []execution
	overdue    string // the one whose beginning is waited for
	subscribed bool   // to the beginnings of applications
	breakTimer *clock.Timer
}

type execution struct {
	id      string
	app     string
	begun   bool
	broken  bool      // off, by us
	began   time.Time // by FreeSWITCH's clock
	started func()
	done    func(Completion)
}

// NewExecutions makes the executions of a channel.
func NewExecutions(line Line) *Executions { return &Executions{line: line} }

// plays is the application that has begun only with PLAYBACK_START.
const plays = "playback"

// maxHeaderArgument is how long an application's argument may be before it goes
// in the message's body.
const maxHeaderArgument = 1024

// Run runs an application after those that run or wait already. started, which may be
// nil, is called when it begins, done, which may be nil, when it has ended.
func (e *Executions) Run(app, argument string, started func(), done func(Completion)) {
	if app != plays {
		e.Subscribe()
	}
	run := execution{id: e.line.NewID(), app: app, started: started, done: done}
	e.list = append(e.list, run)
	e.expectBeginning()
	cmd := esl.Execute(app, argument, run.id)
	if len(argument) > maxHeaderArgument {
		cmd = esl.ExecuteBody("", app, argument, run.id)
	}
	e.line.Send(cmd, func(err error) {
		e.completed(run.id, Completion{Response: err.Error(), Elapsed: -1, Gone: e.line.Gone()})
	})
}

// Subscribe has the channel's socket tell of the beginnings of applications.
func (e *Executions) Subscribe() {
	if !e.subscribed {
		e.subscribed = true
		e.line.Send(esl.Subscribe(ExecutionEvents), nil)
	}
}

// SocketIsNew notes that the channel has another socket, which is subscribed to nothing.
func (e *Executions) SocketIsNew() { e.subscribed = false }

// Empty tells that nothing runs and nothing waits.
func (e *Executions) Empty() bool { return len(e.list) == 0 }

// Began notes that an application has begun ([ChannelOwner.ExecutionBegan]).
func (e *Executions) Began(id string, at time.Time) {
	for i := range e.list {
		if e.list[i].id == id {
			e.list[i].began = at
			if e.list[i].app != plays {
				e.start(i)
			}
		}
	}
}

// PlaybackBegan notes that a file plays: it is the first that waits.
func (e *Executions) PlaybackBegan() {
	for i := range e.list {
		if e.list[i].app == plays {
			e.start(i)
			return
		}
	}
}

func (e *Executions) start(i int) {
	started := e.list[i].started
	e.list[i].started, e.list[i].begun = nil, true
	if e.list[i].broken {
		e.breakAgain()
	}
	if started != nil {
		started()
	}
}

// Ended notes that an application has ended ([ChannelOwner.ExecutionEnded]).
func (e *Executions) Ended(id, response string, at time.Time) {
	elapsed := time.Duration(-1)
	for _, run := range e.list {
		if run.id == id && !run.began.IsZero() {
			elapsed = at.Sub(run.began)
		}
	}
	e.completed(id, Completion{Response: response, Elapsed: elapsed})
}

func (e *Executions) completed(id string, c Completion) {
	for i, run := range e.list {
		if run.id != id {
			continue
		}
		e.list = append(e.list[:i:i], e.list[i+1:]...)
		e.expectBeginning()
		if run.done != nil {
			run.done(c)
		}
		return
	}
}

// expectBeginning sees to it that the application whose turn it is begins. One that
// plays already has no deadline: music may play as long as the call.
func (e *Executions) expectBeginning() {
	if len(e.list) == 0 {
		return
	}
	run := e.list[0].id
	if e.list[0].begun || e.overdue == run {
		return
	}
	e.overdue = run
	e.line.After(beginTimeout, func() {
		if len(e.list) > 0 && e.list[0].id == run && !e.list[0].begun {
			e.Break()
			e.completed(run, Completion{Response: fmt.Sprintf("FreeSWITCH did not begin with it within %s", beginTimeout), Elapsed: -1})
		}
	})
}

// Silence breaks off what runs, so that the next command need not wait for it.
func (e *Executions) Silence() {
	if len(e.list) > 0 {
		e.Break()
	}
}

// Break has FreeSWITCH end what runs and what waits, and sees to it that it ends.
func (e *Executions) Break() {
	e.line.Send(BreakAll(e.line.ID()), nil)
	runs := make([]string, len(e.list))
	for i, run := range e.list {
		runs[i] = run.id
		e.list[i].broken = true
	}
	if len(runs) == 0 {
		return
	}
	e.breakAgain()
	e.line.After(breakTimeout, func() {
		for _, run := range runs {
			e.completed(run, Completion{Response: "FreeSWITCH did not end it when told to", Elapsed: -1})
		}
	})
}

// breakAgain sees to it that an application ends whose beginning crossed our break:
// FreeSWITCH forgets one that comes after it took up the application and before it runs
// it (switch_core_session_exec). What waits behind it is meant to run, so this time not
// all goes.
func (e *Executions) breakAgain() {
	e.breakTimer.Stop() // a second one would end what is next
	e.breakTimer = e.line.After(breakAgainAfter, func() {
		if len(e.list) > 0 && e.list[0].broken && e.list[0].begun && !e.line.Gone() {
			e.line.Send(Break(e.line.ID()), nil)
		}
	})
}

// BreakOff notes that what runs, and what waits, has ended for a reason that FreeSWITCH
// does not tell.
func (e *Executions) BreakOff(reason string) {
	for len(e.list) > 0 {
		e.completed(e.list[0].id, Completion{Response: reason, Elapsed: -1})
	}
}

// End tells that the channel is gone.
func (e *Executions) End() {
	list := e.list
	e.list = nil
	for _, run := range list {
		if run.done != nil {
			run.done(Completion{Elapsed: -1, Gone: true})
		}
	}
}
