package callcontrol

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/percipia/eslgo/command"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// lingerSeconds is how long FreeSWITCH keeps a leg's socket after the hangup, so
// that its last events arrive.
const lingerSeconds = 5

// instanceVariable marks a leg that this very process has had, so that one which
// comes home after its end was told is not taken for a new call.
const instanceVariable = "ccxmld_instance"

// comesBy takes a leg that comes by a socket, as attach does. Its channel says whether it is
// answered, and home is the mark of its last way home.
func (l *leg) comesBy(c *Controller, conn *esl.Conn, machine string, answered bool, home string) bool {
	return l.attach(c, conn, machine, func() {
		l.machine = machine
		if l.arriving != nil {
			l.arriving.answered = answered
		}
		if l.unseen {
			l.control.cameUnseen(l, answered, home)
		}
		away := l.isHoming() && (l.state.Is(legAlerting) && !l.answered || l.state.Is(legEarly))
		l.control.attached(l, answered, home)
		switch {
		case away && answered: // while its socket was lost
			l.control.answered(l)
		case away && l.conn != nil:
			l.control.lookForAnswer(l)
		}
	})
}

// attach makes conn the leg's socket. It is called in conn's reader goroutine,
// before any event of it is read; taken runs in the session's once conn tells of all
// that a document may react to. machine is the FreeSWITCH that it comes from. It
// reports false when the session has ended.
func (l *leg) attach(c *Controller, conn *esl.Conn, machine string, taken func()) bool {
	conn.SetHandler(func(e *esl.Event) { freeswitch.Tell(channelOwner{l, c, conn}, e) })
	conn.SetEndHandler(func(reason error) {
		if !l.route.do(func() { l.lost(conn, reason) }) {
			l.forgotten(c)
		}
	})
	const subscription = 2
	steps := []command.Command{
		esl.Linger(lingerSeconds),
		freeswitch.OwnEvents(l.id),
		subscription: esl.Subscribe(freeswitch.ChannelEvents...),
		freeswitch.OurVariables(l.id, l.marks(c)),
	}
	prepare := func() {
		conn.SendAll(func(i int, r *esl.Reply, err error) {
			if err != nil { // lost will deal with it
				return
			}
			if err := r.Err(); err != nil {
				l.route.do(func() { l.log().Warn("leg could not be set up", "step", i, "error", err) })
			}
			switch i {
			case subscription:
				l.from(conn, l.subscribed)
			case len(steps) - 1:
				l.from(conn, l.settled)
			}
		}, steps...)
	}
	take := func() {
		l.takeUp()
		l.unfollow()
		l.conn = conn
		l.socket.Take(socketComes, l.log)
		l.playing().SocketIsNew()
		l.recognizes, l.heardLast = false, 0
		l.untold = []func(){taken}
		l.watch()
	}
	prepare()
	return l.route.do(func() {
		switch {
		case l.strange(machine):
			l.log().Info("an attempt that was given up is answered; it is hung up", "machine", machine)
			l.strangers = append(l.strangers, conn)
			conn.SetHandler(nil)
			conn.SetEndHandler(func(error) {})
			c.refuse(conn, l.id, machine, "NORMAL_CLEARING")
		case l.conn != nil && !l.isGone():
			l.comesAgain(conn, func() {
				take()
				prepare()
			})
		default:
			take()
		}
	})
}

// subscribed notes that the leg's socket tells of what a document may react to.
func (l *leg) subscribed() {
	if l.socket.Take(socketSubscribes, l.log) == takeUpWaiting {
		l.takeUp()
	}
}

// whenSubscribed runs f, once the leg's socket tells of what a document may react to.
func (l *leg) whenSubscribed(f func()) {
	if l.socket.Is(socketSubscribing) {
		l.untold = append(l.untold, f)
		return
	}
	f()
}

// takeUp runs what has waited for the subscription. It is called before the leg or
// its socket ends, too, so that a document hears of an answer before the end.
func (l *leg) takeUp() {
	untold := l.untold
	l.untold = nil
	for _, f := range untold {
		f()
	}
}

// settled notes that the leg's socket tells of everything. Before, a bridge that goes
// over the other leg's socket could begin without us hearing what happens in it.
func (l *leg) settled() {
	if l.socket.Take(socketIsSet, l.log) == nextInTurn {
		l.nextMove()
	}
}

// lost notes that a socket has ended. If it was the leg's own, and no hangup came
// before, FreeSWITCH or the way to it is gone; the leg may still be reached over
// its node's link.
func (l *leg) lost(conn *esl.Conn, reason error) {
	if l.conn != conn {
		return
	}
	l.takeUp()
	l.conn = nil
	l.socket.Take(socketEnds, l.log)
	if l.isGone() {
		return
	}
	if node := l.reach(); l.isEnding() && node != nil && !errors.Is(reason, esl.ErrDisconnected) {
		l.awaitGone(node) // hangupTimer asks again
		return
	}
	if errors.Is(reason, esl.ErrDisconnected) {
		// FreeSWITCH says that the leg is gone: it hung up before linger arrived,
		// so that its last event is lost.
		if l.state.Is(legEarly) { // the link had its ear on it still, and knows how
			l.after(detailTimeout, func() { l.gone(freeswitch.Hangup{Cause: l.usualEnd()}) })
			return
		}
		l.gone(freeswitch.Hangup{Cause: l.usualEnd()})
		return
	}
	const words = "the leg's socket ended before its hangup"
	if node := l.reach(); node != nil {
		l.log().Info(words, "error", reason)
		node.SocketEnded(reason)
	} else {
		l.log().Warn(words, "error", reason)
	}
	if !l.control.reclaim(l) {
		l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
	}
}

// usualEnd is the cause of a call that ended without saying why.
func (l *leg) usualEnd() string {
	if l.isConnected() || l.isEnding() {
		return "NORMAL_CLEARING"
	}
	return "ORIGINATOR_CANCEL"
}

// channelOwner is a leg as its channel knows it, by one of its sockets, or by its node's
// link if conn is nil. Its methods run in the reader goroutine of the socket or link, and
// bring what is told to the session's.
type channelOwner struct {
	*leg
	controller *Controller
	conn       *esl.Conn
}

var _ freeswitch.ChannelOwner = channelOwner{}

// do runs f in the session's goroutine, unless conn is not the leg's socket any more.
func (o channelOwner) do(f func()) { o.from(o.conn, f) }

func (o channelOwner) Answered() {
	o.do(func() {
		if o.conn == nil && o.state.Is(dialled...) { // it was to come to a controller that is gone
			o.control.isPlaced(o.leg)
			o.fetchAnswered()
			return
		}
		o.control.answered(o.leg)
	})
}

func (o channelOwner) Held(held bool) {
	kind := "resume"
	if held {
		kind = "hold"
	}
	o.do(func() { o.signal(kind, "") })
}

func (o channelOwner) ExecutionBegan(id string, at time.Time) {
	o.do(func() {
		if id != "" && id == o.place.running {
			o.control.hearing(o.leg)
			return
		}
		o.playing().Began(id, at)
	})
}

func (o channelOwner) ExecutionEnded(id, response string, at time.Time) {
	o.do(func() { o.playing().Ended(id, response, at) })
}

func (o channelOwner) ConferenceEnded(id string) {
	o.do(func() { o.control.conferenceApplicationEnded(o.leg, id) })
}

func (o channelOwner) EavesdropEnded(id string) { o.do(func() { o.control.heard(o.leg, id) }) }

func (o channelOwner) PlaybackBegan() { o.do(func() { o.playing().PlaybackBegan() }) }

func (o channelOwner) Recognized(s freeswitch.Speech) { o.do(func() { o.recognized(s) }) }

func (o channelOwner) Digit(digit string) { o.do(func() { o.digit(digit) }) }

func (o channelOwner) TonesHeard(report string) { o.do(func() { o.heardTones(report) }) }

func (o channelOwner) HungUp(h freeswitch.Hangup) {
	if o.conn == nil {
		o.ends(o.controller, nil, h)
		return
	}
	if o.browser != nil && isAskable(h.Returned) {
		o.do(o.watch)
		o.conn.Send(esl.GetVariable(freeswitch.ByePayload), func(r *esl.Reply, err error) {
			if err == nil && r.Text != "" && len(r.Text) < esl.LongestVariable {
				h.Returned = r.Text
			}
			o.ends(o.controller, o.conn, h)
		})
	} else {
		o.ends(o.controller, o.conn, h)
	}
	o.conn.Send(esl.Exit(), nil) // nothing follows; FreeSWITCH keeps the channel for as long as the socket lingers
}

func (o channelOwner) Bridged(a, b string) { o.do(func() { o.control.bridged(a, b) }) }

func (o channelOwner) Unbridged(a, b string) { o.do(func() { o.control.unbridged(a, b) }) }

func (o channelOwner) Parked(mark string) { o.do(func() { o.control.parked(o.leg, mark) }) }

func (o channelOwner) RoomEvent(e freeswitch.RoomEvent) {
	switch e.Action {
	case freeswitch.AddMember:
		o.do(func() { o.control.entered(o.leg, e) })
	case freeswitch.DelMember:
		o.do(func() { o.control.departed(o.leg, e) })
	case freeswitch.StartTalking, freeswitch.StopTalking, freeswitch.FloorChange,
		freeswitch.MuteMember, freeswitch.UnmuteMember, freeswitch.DeafMember, freeswitch.UndeafMember:
		o.do(func() { o.happens(e) })
	}
}

func (o channelOwner) Referred(status string, last bool) {
	o.do(func() { o.referred(status, last) })
}

func (o channelOwner) TransferAsked(to string) { o.do(func() { o.signal("transfer", to) }) }

// isAskable tells whether a body may be asked for once more, since events show
// what is escaped in it as if it were not: it has no line ends.
func isAskable(body string) bool {
	return body != "" && strings.IndexFunc(body, unicode.IsControl) < 0
}

// ends brings a hangup to the session, in a reader goroutine. A leg that its
// session did not wait for is forgotten now.
func (l *leg) ends(c *Controller, conn *esl.Conn, h freeswitch.Hangup) {
	if l.route.owner() == nil && l.incoming {
		l.hungUp.Store(true) // there may never be a session
	}
	told := l.route.do(func() {
		if !slices.Contains(l.strangers, conn) {
			l.hungUp.Store(true)
			l.gone(h)
		}
	})
	if !told {
		l.forgotten(c)
	}
}

// forgotten notes, in any goroutine, that a leg has ended whose session has, too.
func (l *leg) forgotten(c *Controller) {
	l.hungUp.Store(true)
	c.forgetLeg(l)
}

// from runs f in the session's goroutine, unless conn is not the leg's socket
// any more.
func (l *leg) from(conn *esl.Conn, f func()) {
	l.route.do(func() {
		if l.conn == conn && !l.isGone() && (conn != nil || !l.unseen) {
			f()
		}
	})
}

// marks are the variables by which a leg is known that comes to a socket once more.
func (l *leg) marks(c *Controller) string {
	marks := instanceVariable + "=" + c.instance
	session := l.session
	if owner := l.route.owner(); owner != nil {
		session = owner.record.ID
	}
	if session != "" && c.IsDurable() {
		marks += ";" + freeswitch.SessionVariable + "=" + session
	}
	return marks
}

// nameSession notes on the leg whose it is now.
func (l *leg) nameSession(id string) {
	if l.control.controller.IsDurable() && l.conn != nil {
		l.send(freeswitch.SetVariable(l.id, freeswitch.SessionVariable, id), nil)
	}
}
