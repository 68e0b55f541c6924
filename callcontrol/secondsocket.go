package callcontrol

import (
	"slices"

	"github.com/percipia/eslgo/command"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// A leg may come to us by a second socket while it has its own: an operator sends it,
// FreeSWITCH notices late that one which was cut has ended, or the leg came by itself
// and was fetched as well. It keeps its own, which tells of all that happens, if that
// still answers.

// comesAgain asks on the leg's own socket for a sign of life, and has take make conn the
// leg's socket if there is none.
func (l *leg) comesAgain(conn *esl.Conn, take func()) {
	own, decided := l.conn, false
	decide := func(answers bool) {
		switch {
		case decided || l.isGone():
			return
		case l.conn == own && !answers:
			l.log().Warn("the leg's socket is silent, and the leg has come by another one")
			own.SetHandler(nil)
			own.SetEndHandler(func(error) {})
			_ = own.Close()
			take()
		case l.conn == nil: // it has ended meanwhile
			take()
		default:
			l.keepOpen(conn)
		}
		decided = true
	}
	patience := l.after(secondSocketTimeout, func() { decide(false) })
	own.Send(freeswitch.Exists(l.id), func(_ *esl.Reply, err error) {
		l.route.do(func() {
			patience.Stop()
			decide(err == nil)
		})
	})
}

// keepOpen keeps a socket open that the leg has beside its own: FreeSWITCH ends the park
// that a leg is in when any of its sockets closes. The leg's next way home gets rid of it.
func (l *leg) keepOpen(conn *esl.Conn) {
	conn.SetHandler(nil)
	conn.SetEndHandler(func(error) {
		l.route.do(func() {
			l.others = slices.DeleteFunc(l.others, func(other *esl.Conn) bool { return other == conn })
		})
	})
	conn.Send(command.DisableEvents{}, nil)
	l.others = append(l.others, conn)
	l.log().Info("the leg has come by a second socket")
	if l.place.kind == alone && !l.moving() && l.handover == nil && l.playing().Empty() {
		l.control.bringHome(l)
	}
}

// closesOthers gets rid of the sockets that the leg has beside its own, when it is
// parked on its way home. Each that closes brings it to the next park, of which as many
// must be there; after the last one it is sent home anew, where there is one park. It
// reports false when the leg is home.
func (l *leg) closesOthers() bool {
	switch {
	case l.closing > 1:
		l.closing--
		l.homing.Take(homeNextPark, l.log)
	case l.closing == 1, l.parks != len(l.others):
		l.control.transferHome(l, nil)
	case len(l.others) > 0:
		for _, conn := range l.others {
			conn.SetEndHandler(func(error) {})
			conn.Send(esl.Exit(), nil)
		}
		l.homing.Take(homeOthersClose, l.log)
		l.closing, l.others = len(l.others), nil
	default:
		return false
	}
	return true
}
