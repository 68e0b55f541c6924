package callcontrol

import (
	"fmt"
	"time"

	"ccxmld/freeswitch"
)

// What a session asks of FreeSWITCH ends in an event in any case: where FreeSWITCH
// says nothing, after these times. docs/design.md has the table of all deadlines.
const (
	acceptTimeout = 10 * time.Second // for an answered call to be told of
	hangupAgain   = 3 * time.Second  // after which FreeSWITCH is asked to hang up once more
	hangupAsked   = 3                // how often it is asked before the call counts as ended
	jobTimeout    = 5 * time.Second  // for the result of a job, beyond the time that the job itself has
	leaveTimeout  = 5 * time.Second  // for a member to leave its room
)

// The rest of the deadlines, each with what it is for.
const (
	// replyTimeout is how long FreeSWITCH may take to answer a command on a leg's
	// socket.
	replyTimeout = 10 * time.Second
	// probeTimeout is how long the answer to a probe on a leg's own socket may take.
	probeTimeout = 10 * time.Second
	// joinTimeout is how long a join may take to happen in FreeSWITCH before it
	// counts as failed.
	joinTimeout = 10 * time.Second
	// strandedAfter is how long a bridge may be gone before its legs are brought
	// home, when neither has hung up and nothing was asked of them.
	strandedAfter = 250 * time.Millisecond
	// A leg may take homeTimeout to come home, and is sent there once more meanwhile.
	homeAgain   = time.Second
	homeAsked   = 5
	homeTimeout = homeAsked * homeAgain
	// fetchAfter is how long a leg whose socket was cut has to come by itself before
	// it is fetched over its node's link.
	fetchAfter = 100 * time.Millisecond
	// secondSocketTimeout is how long a leg's own socket may take to answer when the leg
	// comes by another one.
	secondSocketTimeout = time.Second
	// browserTimeout is how long a VoiceXML server may take to answer.
	browserTimeout = 30 * time.Second
	// refusalTimeout is how long a leg may take to end by the SIP status that it was
	// refused with.
	refusalTimeout = time.Second
	// publishTimeout bounds how long a new session waits for its record to be in
	// Redis. Without it, others do not find the session yet.
	publishTimeout = 2 * time.Second
	// confirmTimeout is how long Redis may take to tell a process that was stopped which
	// sessions are its own still, and these to be dropped that are not. It is asked again
	// after confirmAgain.
	confirmTimeout = 2 * time.Second
	confirmAgain   = 100 * time.Millisecond
	// settlesAfter is how long after a process that was stopped goes on its timers are due.
	settlesAfter = 500 * time.Millisecond
	// oursTimeout is how long what a session without calls asks for waits for Redis to tell
	// whether the session is another controller's by now.
	oursTimeout = 5 * time.Second
	// makeTimeout is how long the scripts of a document may take when a session is made again,
	// and textAgain is when Redis is asked again for a text of it.
	makeTimeout = 3 * time.Second
	textAgain   = 500 * time.Millisecond
	// releaseTimeout is how long a leg is remembered after its session has ended, so
	// that it is hung up if it comes to us still, and how long its socket may stay open.
	releaseTimeout = time.Minute
	// askTimeout is how long an operator waits for a session to say how it is.
	askTimeout = 2 * time.Second
	// overdueAfter is how long a leg may take to end before it counts as a leak.
	overdueAfter = 30 * time.Second
	// endTimeout is how long what is given up may take to end.
	endTimeout = time.Second
	// forwardAfter is how long FreeSWITCH may take to forget a leg whose id is used
	// again.
	forwardAfter = 500 * time.Millisecond
	// hangupTimeout is how long Close waits for FreeSWITCH to hang up what it was
	// told to. A socket that is closed before it has read that would leave the call
	// to its dialplan.
	hangupTimeout = 5 * time.Second
	// adriftTimeout is how long a call whose link has dropped waits for the link to
	// come again before it counts as lost.
	adriftTimeout = 5 * time.Second
	// sendTimeout bounds how long a message to an HTTP server may take.
	sendTimeout = 30 * time.Second
	// attachTimeout is how long an answered outbound leg may take to come to our
	// socket.
	attachTimeout = 10 * time.Second
	// detailTimeout is how long the hangup of a failed call may come after the
	// originate job's own result, which knows less.
	detailTimeout = 500 * time.Millisecond
	// pairTimeout is how long the first of a pair waits in the room for the second,
	// which may have to leave something else before.
	pairTimeout = 30 * time.Second
	// retireAfter is how often a node that has been taken out is asked for calls that
	// still need its link.
	retireAfter = 3 * time.Second
	// standInTimeout is how long FreeSWITCH may take to make a stand-in.
	standInTimeout = 10 * time.Second
	// cascadeTimeout is how long a cascade between two nodes may take to be made, by
	// whichever controller, and cascadeAgain how often one that waits looks whether it is.
	cascadeTimeout = 8 * time.Second
	cascadeAgain   = 50 * time.Millisecond
	// attendAfter is how often FreeSWITCH is told that a cascade is needed still.
	attendAfter = 2 * time.Minute
	// A cascade that is lost is made again, so often and at such distances, before its
	// members are told.
	cascadeTries = 3
	cascadeRetry = time.Second
	// takeOverTimeout bounds how long the taking over of a session waits for Redis, and
	// refusedTimeout how long the port of its controller may take to answer before.
	takeOverTimeout = 10 * time.Second
	refusedTimeout  = time.Second
	// resumeTimeout is how long FreeSWITCH may take to tell of the legs of a session that is
	// taken over, before it goes on without.
	resumeTimeout = 5 * time.Second
	// unseenTimeout is how long after that a leg may stay untold of: it is unattended for
	// longer than FreeSWITCH keeps it.
	unseenTimeout = time.Minute
	// probeAfter is how long a link may be down before the legs of its node are asked
	// for on their own sockets.
	probeAfter = 5 * time.Second
	// How long a redirection may take: until the far end agrees to it or goes, and
	// until it tells what came of it, which is as long as the new destination may ring.
	redirectTimeout = 5 * time.Second
	referTimeout    = time.Minute
)

// expectAnswer tells the document that a call it accepted is not answered.
func (c *control) expectAnswer(l *leg) {
	l.after(acceptTimeout, func() {
		if l.state.Is(legAlerting) && l.clearing.Is(notClearing) {
			l.control.operationFailed("connection.accept.failed", l.id,
				fmt.Sprintf("FreeSWITCH did not answer the call within %s", acceptTimeout))
		}
	})
}

// expectHangup sees to it that a leg which is told to hang up ends.
func (l *leg) expectHangup(asked int, cause string) {
	l.hangupTimer.Stop()
	l.hangupTimer = l.after(hangupAgain, func() {
		switch {
		case l.isGone():
		case asked < hangupAsked:
			l.killAgain(cause)
			l.expectHangup(asked+1, cause)
		default:
			l.complain("FreeSWITCH does not say that the call has ended; it counts as ended", "asked", asked)
			if l.detail == "" {
				l.detail = fmt.Sprintf("FreeSWITCH was told to hang up %d times and did not say that the call has ended", asked)
			}
			l.gone(freeswitch.Hangup{Cause: cause})
		}
	})
}

// expectLeave brings a member home that was kicked out of its room and did not come.
func (l *leg) expectLeave() {
	room, member := l.place.room, l.place.member
	l.after(leaveTimeout, func() {
		if l.joinState.Is(joinLeaving) && l.place.room == room && l.place.member == member {
			l.log().Warn("FreeSWITCH did not say that the leg has left its conference", "room", room)
			l.joinState.Take(joinStays, l.log)
			l.control.bringHome(l)
		}
	})
}
