package callcontrol

import (
	"errors"
	"slices"
	"strconv"
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

// legEvents are what a leg's socket subscribes to: what is used and no more,
// since FreeSWITCH walks all its listeners for every event.
var legEvents = []string{
	"CHANNEL_ANSWER", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_PARK",
	"PLAYBACK_START", "DTMF", "CHANNEL_HOLD", "CHANNEL_UNHOLD", "CUSTOM conference::maintenance sofia::error sofia::notify_refer",
}

// legVariables make a leg do as we say: it survives its partner in a bridge, which
// goes on if our socket ends (socket_resume would reset it), no digit ends a prompt
// unless we do, no far end has it transferred to another leg (REFER with Replaces),
// and the link need not tell of it any more.
const legVariables = "park_after_bridge=true;hangup_after_bridge=false;socket_resume=;playback_terminators=none;" +
	"eavesdrop_bridge_aleg=true;eavesdrop_enable_dtmf=false;deny_refer_requests=true;" + freeswitch.LinkVariable + "="

// instanceVariable marks a leg that this very process has had, so that one which
// comes home after its end was told is not taken for a new call.
const instanceVariable = "ccxmld_instance"

// attach makes conn the leg's socket. It is called in conn's reader goroutine,
// before any event of it is read; taken runs in the session's once conn tells of all
// that a document may react to. machine is the FreeSWITCH that it comes from. It
// reports false when the session has ended.
func (l *leg) attach(c *Controller, conn *esl.Conn, machine string, taken func()) bool {
	conn.SetHandler(func(e *esl.Event) { l.handle(c, conn, e) })
	conn.SetEndHandler(func(reason error) {
		if !l.route.do(func() { l.lost(conn, reason) }) {
			l.forgotten(c)
		}
	})
	const subscription = 2
	steps := []command.Command{
		esl.Linger(lingerSeconds),
		esl.Filter("Unique-ID", l.id),
		subscription: esl.Subscribe(legEvents...),
		esl.API("uuid_setvar_multi", l.id, legVariables+";"+instanceVariable+"="+c.instance),
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
		l.conn, l.settling = conn, true
		l.executes, l.recognizes, l.heardLast = false, false, 0
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
		case l.conn != nil && l.state != legGone:
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
func (l *leg) subscribed() { l.takeUp() }

// whenSubscribed runs f, once the leg's socket tells of what a document may react to.
func (l *leg) whenSubscribed(f func()) {
	if l.untold != nil {
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
	l.settling = false
	l.nextMove()
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
	if l.state == legGone {
		return
	}
	if node := l.reach(); l.ending && node != nil && !errors.Is(reason, esl.ErrDisconnected) {
		l.awaitGone(node) // hangupTimer asks again
		return
	}
	if errors.Is(reason, esl.ErrDisconnected) {
		// FreeSWITCH says that the leg is gone: it hung up before linger arrived,
		// so that its last event is lost.
		if l.state == legEarly { // the link had its ear on it still, and knows how
			l.after(detailPatience, func() { l.gone(freeswitch.Hangup{Cause: l.usualEnd()}) })
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
	if l.state == legConnected || l.ending || l.handover != nil && l.handover.answered {
		return "NORMAL_CLEARING"
	}
	return "ORIGINATOR_CANCEL"
}

// handle takes what matters out of an event, in the reader goroutine, and brings
// it to the session's.
func (l *leg) handle(c *Controller, conn *esl.Conn, e *esl.Event) {
	switch e.Name() {
	case "CHANNEL_ANSWER":
		l.from(conn, func() { l.control.answered(l) })
	case "CHANNEL_EXECUTE":
		id, at := e.Get("Application-UUID"), eventTime(e)
		l.from(conn, func() {
			if id != "" && id == l.place.running {
				l.control.hearing(l)
				return
			}
			l.began(id, at)
		})
	case "CHANNEL_EXECUTE_COMPLETE":
		l.handleComplete(conn, e)
	case "CHANNEL_HOLD":
		l.from(conn, func() { l.signal("hold", "") })
	case "CHANNEL_UNHOLD":
		l.from(conn, func() { l.signal("resume", "") })
	case "PLAYBACK_START":
		l.from(conn, l.playbackBegan)
	case "DETECTED_SPEECH":
		sequence, r := speechOf(e)
		l.from(conn, func() { l.recognized(sequence, r) })
	case "DTMF":
		digit := e.Get("DTMF-Digit")
		l.from(conn, func() { l.digit(digit) })
	case "CHANNEL_HANGUP_COMPLETE":
		h := freeswitch.HangupOf(e)
		if l.browser != nil && isAskable(h.Returned) {
			l.from(conn, l.watch)
			conn.Send(esl.GetVariable(freeswitch.ByePayload), func(r *esl.Reply, err error) {
				if err == nil && r.Text != "" && len(r.Text) < esl.LongestVariable {
					h.Returned = r.Text
				}
				l.ends(c, conn, h)
			})
		} else {
			l.ends(c, conn, h)
		}
		conn.Send(esl.Exit(), nil) // nothing follows; FreeSWITCH keeps the channel for as long as the socket lingers
	case "CHANNEL_BRIDGE":
		a, b := e.Get("Bridge-A-Unique-ID"), e.Get("Bridge-B-Unique-ID")
		l.from(conn, func() { l.control.bridged(a, b) })
	case "CHANNEL_UNBRIDGE":
		a, b := e.Get("Bridge-A-Unique-ID"), e.Get("Bridge-B-Unique-ID")
		l.from(conn, func() { l.control.unbridged(a, b) })
	case "CHANNEL_PARK":
		mark := e.Get("variable_" + homeVariable)
		l.from(conn, func() { l.control.parked(l, mark) })
	case "CUSTOM":
		l.handleRoom(conn, e)
	}
}

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

func (l *leg) handleComplete(conn *esl.Conn, e *esl.Event) {
	id := e.Get("Application-UUID")
	switch application := e.Get("Application"); application {
	case "answer", "pre_answer", "set", "socket", "park", "bind_digit_action", "clear_digit_action", "event", "stop_tone_detect":
	case "eval":
		report := e.Get("Application-Data")
		l.from(conn, func() { l.heardTones(report) })
	case "conference":
		l.from(conn, func() { l.control.conferenceApplicationEnded(l, id) })
	case "eavesdrop":
		l.from(conn, func() { l.control.heard(l, id) })
	default:
		if e.Get("Answer-State") == "hangup" {
			return // what the hangup broke off ends with the leg
		}
		response, at := e.Get("Application-Response"), eventTime(e)
		l.from(conn, func() { l.finished(id, response, at) })
	}
}

func (l *leg) handleRoom(conn *esl.Conn, e *esl.Event) {
	event, ok := freeswitch.ParseRoomEvent(e)
	if !ok {
		l.handleRefer(conn, e)
		return
	}
	switch event.Action {
	case freeswitch.AddMember:
		l.from(conn, func() { l.control.entered(l, event) })
	case freeswitch.DelMember:
		l.from(conn, func() { l.control.departed(l, event) })
	case freeswitch.StartTalking, freeswitch.StopTalking, freeswitch.FloorChange,
		freeswitch.MuteMember, freeswitch.UnmuteMember, freeswitch.DeafMember, freeswitch.UndeafMember:
		l.from(conn, func() { l.happens(event) })
	}
}

// from runs f in the session's goroutine, unless conn is not the leg's socket
// any more.
func (l *leg) from(conn *esl.Conn, f func()) {
	l.route.do(func() {
		if l.conn == conn && l.state != legGone {
			f()
		}
	})
}

// eventTime is when FreeSWITCH made an event, by its own clock.
func eventTime(e *esl.Event) time.Time {
	microseconds, err := strconv.ParseInt(e.Get("Event-Date-Timestamp"), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(microseconds)
}
