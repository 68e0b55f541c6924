package callcontrol

import (
	"fmt"
	"time"

	"ccxmld/dialog"
	"ccxmld/esl"
)

// What a session asks of FreeSWITCH ends in an event in any case: where FreeSWITCH
// says nothing, after these times. docs/design.md has the table of all deadlines.
const (
	acceptPatience = 10 * time.Second       // for an answered call to be told of
	hangupAgain    = 3 * time.Second        // after which FreeSWITCH is asked to hang up once more
	hangupAsked    = 3                      // how often it is asked before the call counts as ended
	leavePatience  = 5 * time.Second        // for a member to leave its room
	beginPatience  = 15 * time.Second       // for an application to begin whose turn it is
	breakAgain     = 500 * time.Millisecond // after which what was broken off and plays still is broken off once more
	breakPatience  = 5 * time.Second        // for what is broken off to end
)

// acceptLate tells the document that a call it accepted is not answered.
func (c *control) acceptLate(l *leg) {
	l.after(acceptPatience, func() {
		if l.state == legAlerting && !l.ending && !l.redirected {
			l.control.operationFailed("connection.accept.failed", l.id,
				fmt.Sprintf("FreeSWITCH did not answer the call within %s", acceptPatience))
		}
	})
}

// hangupLate sees to it that a leg which is told to hang up ends.
func (l *leg) hangupLate(asked int, cause string) {
	l.hangupTimer.Stop()
	l.hangupTimer = l.after(hangupAgain, func() {
		switch {
		case l.state == legGone:
		case asked < hangupAsked:
			l.killAgain(cause)
			l.hangupLate(asked+1, cause)
		default:
			l.complain("FreeSWITCH does not say that the call has ended; it counts as ended", "asked", asked)
			if l.detail == "" {
				l.detail = fmt.Sprintf("FreeSWITCH was told to hang up %d times and did not say that the call has ended", asked)
			}
			l.gone(hangup{cause: cause})
		}
	})
}

// leaveLate brings a member home that was kicked out of its room and did not come.
func (l *leg) leaveLate() {
	room, member := l.place.room, l.place.member
	l.after(leavePatience, func() {
		if l.place.leaving && l.place.room == room && l.place.member == member {
			l.log().Warn("FreeSWITCH did not say that the leg has left its conference", "room", room)
			l.place.leaving = false
			l.control.bringHome(l)
		}
	})
}

func broken(reason string) dialog.Completion {
	return dialog.Completion{Response: reason, Elapsed: -1}
}

// beginLate sees to it that the application whose turn it is begins. One that
// plays already has no deadline: music may play as long as the call.
func (l *leg) beginLate() {
	if len(l.playing) == 0 {
		return
	}
	run := l.playing[0].id
	if l.playing[0].begun || l.overdue == run {
		return
	}
	l.overdue = run
	l.after(beginPatience, func() {
		if len(l.playing) > 0 && l.playing[0].id == run && !l.playing[0].begun {
			l.Break()
			l.completed(run, broken(fmt.Sprintf("FreeSWITCH did not begin with it within %s", beginPatience)))
		}
	})
}

// silence breaks off what plays, so that the next command need not wait for it.
func (l *leg) silence() {
	if len(l.playing) > 0 {
		l.Break()
	}
}

// breakLate sees to it that what is broken off ends.
func (l *leg) breakLate() {
	runs := make([]string, len(l.playing))
	for i, run := range l.playing {
		runs[i] = run.id
		l.playing[i].broken = true
	}
	if len(runs) == 0 {
		return
	}
	l.breakMissed()
	l.after(breakPatience, func() {
		for _, run := range runs {
			l.completed(run, broken("FreeSWITCH did not end it when told to"))
		}
	})
}

// breakMissed sees to it that an application ends whose beginning crossed our
// uuid_break: FreeSWITCH forgets a break that comes after it took up the
// application and before it runs it (switch_core_session_exec). What waits behind
// it is meant to play, so this time not all goes.
func (l *leg) breakMissed() {
	l.breakTimer.Stop() // lest a second one hits what is next
	l.breakTimer = l.after(breakAgain, func() {
		if len(l.playing) > 0 && l.playing[0].broken && l.playing[0].begun && l.state != legGone {
			l.send(esl.API("uuid_break", l.id), nil)
		}
	})
}
