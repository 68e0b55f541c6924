package callcontrol

import (
	"errors"
	"time"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// A leg's socket may fall silent while FreeSWITCH and its link are well: a machine on
// the way has forgotten the connection, and neither end is told. Who waits for an
// answer on it asks over the link.

// complain logs an error of FreeSWITCH's with a leg, and reports true; where the link
// to it is down, of which the operator was told, all its legs have the same trouble.
func (l *leg) complain(words string, about ...any) bool {
	if node := l.reach(); node != nil && !node.Up() {
		l.log().Info("the leg ends, as FreeSWITCH is not reached any more")
		return false
	}
	l.log().Error(words, about...)
	return true
}

// watch sees to it that what has been sent on the leg's socket is answered.
func (l *leg) watch() {
	conn := l.conn
	if conn == nil || l.watched == conn {
		return
	}
	answered, waiting := conn.Answered()
	if waiting == 0 {
		return
	}
	l.watched = conn
	l.watchTimer.Stop()
	l.watchTimer = l.after(replyTimeout, func() {
		l.watched = nil
		switch now, _ := conn.Answered(); {
		case l.conn != conn:
		case now < answered+uint64(waiting):
			l.suspect(conn)
		default:
			l.watch()
		}
	})
}

// isSilent tells whether a command waits for its answer on a leg's socket.
func isSilent(conn *esl.Conn) bool {
	_, waiting := conn.Answered()
	return waiting > 0
}

// suspect asks over the link for a leg whose socket does not answer.
func (l *leg) suspect(conn *esl.Conn) {
	node := l.reach()
	if node == nil { // of a FreeSWITCH to which we have no link
		l.log().Warn("the leg's socket is silent")
		_ = conn.Close()
		return
	}
	node.Exists(l.id, func(there bool) {
		l.route.do(func() {
			switch {
			case l.conn != conn || l.isGone():
			case there:
				l.log().Warn("the leg's socket is silent, and FreeSWITCH has the call; it is fetched over the link")
				_ = conn.Close()
			default:
				l.vanishedFrom(conn)
			}
		})
	})
	l.watch() // the link may be down, or go
}

// vanishedFrom ends a leg that FreeSWITCH has no more, as it did not say on its
// socket.
func (l *leg) vanishedFrom(conn *esl.Conn) {
	l.log().Warn("the leg's socket is silent, and FreeSWITCH has the call no more")
	if l.detail == "" && !l.isEnding() {
		l.detail = "the call ended while its socket to FreeSWITCH was silent, which does not say how"
	}
	l.gone(freeswitch.Hangup{Cause: l.usualEnd()})
	if conn != nil {
		_ = conn.Close()
	}
}

// killAgain tells FreeSWITCH once more to hang the leg up: over the link, whatever is
// wrong with its socket. A socket that did not answer is given up, and the link tells
// whether the call has ended.
func (l *leg) killAgain(cause string) {
	node, conn := l.reach(), l.conn
	if node == nil || !node.Up() {
		l.kill(cause)
		return
	}
	node.Kill(l.id, cause)
	if conn != nil && isSilent(conn) {
		l.log().Warn("the leg's socket is silent; it is hung up over the link")
		_ = conn.Close() // lost leaves the rest to the link
	} else if conn != nil || l.machine == "" { // which tells itself; or FreeSWITCH may not have it yet
		return
	}
	l.awaitGone(node)
}

// awaitGone ends a leg that was hung up over the link, which has no socket to tell of
// it any more.
func (l *leg) awaitGone(node *freeswitch.Node) {
	node.Exists(l.id, func(there bool) {
		l.route.do(func() {
			if !there && !l.isGone() {
				l.vanishedFrom(nil)
			}
		})
	})
}

// refusalEnds is how long a call that is refused may take to end.
const refusalEnds = 10 * time.Second

// refuse ends a call that no session takes. The socket stays open until
// FreeSWITCH closes it: a socket that closes first leaves the call parked. Where
// FreeSWITCH does not answer there, the call is hung up over the link.
func (c *Controller) refuse(conn *esl.Conn, id, machine, cause string) {
	late := c.after(refusalEnds, func() {
		if conn.Err() != nil {
			return
		}
		c.log.Warn("a call that was refused does not end", "connection", id)
		if node := c.nodes.On(machine); node != nil {
			node.Kill(id, cause)
		}
		_ = conn.Close()
	})
	conn.Send(esl.Hangup(cause), func(r *esl.Reply, err error) {
		switch {
		case err != nil && !errors.Is(err, esl.ErrDisconnected) && !errors.Is(err, esl.ErrClosed):
			if late.Stop() {
				if node := c.nodes.On(machine); node != nil {
					node.Kill(id, cause)
				}
			}
		case err == nil && r.Err() != nil:
			conn.Close()
		}
	})
}
