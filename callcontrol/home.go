package callcontrol

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// A leg keeps its first socket for its whole life. Out of a bridge, or wherever else
// it is, it comes home to the application park, where commands reach it on that
// socket as before.

// homeVariable is set on each way home to a text of its own, by which CHANNEL_PARK
// tells our park from one that FreeSWITCH or an operator sent the leg to.
const homeVariable = "ccxmld_home"

// comes is what begins a way home. FreeSWITCH hangs up a leg that was transferred 70
// times (max_forwards), and tells of all transfers in each event (transfer_history);
// a park takes away what bounded it (see [leg.keepTogether]).
func comes(mark string) esl.App {
	return esl.App{Name: "multiset", Arg: "transfer_history= park_timeout= max_forwards=70 park_after_bridge=true " + homeVariable + "=" + mark}
}

// home is what a leg that has a socket comes home to. FreeSWITCH ends a park when a
// socket of the leg closes: the leg comes to a controller then if that was its own, and
// is in the next park if it was one of the others (see [leg.closesOthers]).
func (c *Controller) home(mark string, others int) []esl.App {
	apps := []esl.App{comes(mark)}
	for range 1 + others {
		apps = append(apps, esl.App{Name: "park"})
	}
	return append(apps, c.unattended()...)
}

// fetched is what a leg that has no socket is fetched by.
func (c *Controller) fetched(mark string) []esl.App {
	return append([]esl.App{comes(mark), c.socket()}, c.unattended()...)
}

// comesBy is what a call that we place comes to us by.
func (c *Controller) comesBy() []esl.App {
	return append([]esl.App{c.socket()}, c.unattended()...)
}

// away brings a leg to another controller's socket. If nobody listens there, it is
// parked with the mark, of which our socket, which is open still, tells. The end of
// that lets it go on from the other's socket action to the same park.
func (c *Controller) away(address, mark string) []esl.App {
	there := esl.App{Name: "socket", Arg: address + " async full"}
	known := esl.App{Name: "set", Arg: homeVariable + "=" + mark}
	return append([]esl.App{comes(""), there, known, {Name: "park"}, there}, c.unattended()...)
}

// unattended is what becomes of a leg whose controller is gone: it comes to us, or to
// another one that esl.advertise names. Where none answers, it tries once more when
// one may have been started again, can be fetched meanwhile, and ends at last, so that
// no leg stays for ever.
func (c *Controller) unattended() []esl.App {
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return []esl.App{
		c.socket(),
		{Name: "sleep", Arg: milliseconds(comeAgain)},
		c.socket(),
		{Name: "sleep", Arg: milliseconds(mostUnattended - comeAgain)},
		{Name: "hangup", Arg: unattendedCause},
	}
}

// unattendedCause is why a leg ends for which no controller came.
const unattendedCause = "RECOVERY_ON_TIMER_EXPIRE"

func (c *Controller) socket() esl.App {
	return esl.App{Name: "socket", Arg: c.options.Advertise + " async full"}
}

// parked takes CHANNEL_PARK, with the mark of the last way home.
func (c *control) parked(l *leg, mark string) {
	switch {
	case l.handover != nil && mark == l.handover.question:
		c.cameBack(l)
	case l.homing && mark == l.home:
		if !l.closesOthers() {
			c.cameHome(l)
		}
	case l.homing: // its bridge was ended by somebody else before our transfer, which missed it then
		home := l.home
		l.after(strandedAfter, func() { l.control.sendHome(l, home) })
	case l.place.kind == inBridge:
		c.stranded(l)
	}
}

// unbridged takes CHANNEL_UNBRIDGE.
func (c *control) unbridged(aID, bID string) {
	for _, pair := range [][2]string{{aID, bID}, {bID, aID}} {
		if l := c.legs[pair[0]]; l != nil && l.place.kind == inBridge && l.place.partner == pair[1] {
			c.stranded(l)
		}
	}
}

// stranded notes that a bridge is over. Mostly a hangup follows, and partnerGone
// brings the survivor home, or the legs are on their way home already; what is left
// was ended by somebody else.
func (c *control) stranded(l *leg) {
	for _, one := range []*leg{l, c.legs[l.place.partner]} {
		if one == nil || one.place.kind != inBridge || one.place.apart {
			continue
		}
		one.place.apart = true
		was := one.place.order
		one.after(strandedAfter, func() {
			if one.state != legGone && one.place.kind == inBridge && one.place.order == was && !one.homing && one.joinPending == nil {
				one.control.bringApartHome(one)
			}
		})
	}
}

// bringApartHome brings a leg home whose bridge is no more, without its partner.
func (c *control) bringApartHome(l *leg) {
	if partner := c.legs[l.place.partner]; partner != nil && l.bridgedTo(partner) && !l.place.silent {
		partner.place.silent = true // one conference.unjoined is enough
	}
	c.transferHome(l, nil)
}

// bringHome brings a leg home, and its partner in a bridge. The leg is alone when it
// has come.
func (c *control) bringHome(l *leg) {
	partner := c.legs[l.place.partner]
	if partner == nil || !l.bridgedTo(partner) {
		c.transferHome(l, nil)
		return
	}
	if l.place.apart || partner.conn == nil || partner.homing {
		c.bringApartHome(l)
		if !partner.homing {
			c.transferHome(partner, nil)
		}
		return
	}
	c.transferHome(l, partner)
}

// transferHome transfers a leg home, and the partner to which it is bridged with it;
// nil for none.
func (c *control) transferHome(l, partner *leg) {
	mark := c.controller.newID()
	c.awaitHome(l, mark)
	if partner == nil {
		c.sendHome(l, mark)
		return
	}
	partner.place.silent = true
	c.awaitHome(partner, mark)
	l.send(esl.Transfer(l.id, true, c.controller.home(mark, 0)...), func(err error) {
		c.notSentHome(l, mark, err)
		c.sendHome(partner, mark)
	})
}

// sendHome transfers a leg home that is still waited for.
func (c *control) sendHome(l *leg, mark string) {
	if l.comes(mark) {
		l.parks, l.closing = len(l.others), 0
		l.send(esl.Transfer(l.id, false, c.controller.home(mark, l.parks)...), func(err error) { c.notSentHome(l, mark, err) })
	}
}

// comes tells whether the leg is waited for that was sent home with a mark.
func (l *leg) comes(mark string) bool { return l.homing && l.home == mark && l.state != legGone }

// notSentHome deals with a transfer that FreeSWITCH has not done.
func (c *control) notSentHome(l *leg, mark string, err error) {
	switch node := l.reach(); {
	case !l.comes(mark), hasHungUp(err): // which its last event will say
	case !wasCut(err), l.conn == nil && node == nil:
		c.strayed(l, mark, err.Error())
	case l.conn == nil:
		c.fetchHome(l, node)
	default: // the end of its socket follows, and lost fetches it
	}
}

// hasHungUp tells whether a command was refused since the leg is no more.
func hasHungUp(err error) bool {
	return errors.Is(err, esl.ErrDisconnected) || strings.Contains(err.Error(), "No such channel")
}

// wasCut tells whether a command had no answer since the socket has ended.
func wasCut(err error) bool {
	return !errors.As(err, new(*esl.CommandError))
}

// awaitHome begins to wait for a leg that is sent home with a mark.
func (c *control) awaitHome(l *leg, mark string) {
	l.homing, l.home, l.fetching, l.parks, l.closing = true, mark, false, 0, 0
	l.socketTimer.Stop()
	l.homeLate(mark, 1)
}

// homeLate sends a leg home once more that does not come: somebody else may have sent
// it elsewhere at the same moment.
func (l *leg) homeLate(mark string, asked int) {
	l.socketTimer = l.after(homeAgain, func() {
		c, conn := l.control, l.conn
		switch {
		case !l.comes(mark):
			return
		case asked >= homeAsked:
			c.strayed(l, mark, fmt.Sprintf("it did not come within %s", homePatience))
			return
		case conn == nil:
		case isSilent(conn):
			l.suspect(conn)
		default:
			c.sendHome(l, mark)
		}
		l.homeLate(mark, asked+1)
	})
}

// strayed deals with a leg that did not come home: it is beyond our control, so
// it has to end. A wait that is over is for nobody.
func (c *control) strayed(l *leg, mark, reason string) {
	if !l.comes(mark) {
		return
	}
	l.log().Error("the leg did not come back to us; check esl.advertise", "reason", reason, "advertise", c.controller.options.Advertise)
	l.homing = false
	l.socketTimer.Stop()
	if l.conn == nil {
		l.kill("NORMAL_TEMPORARY_FAILURE")
		l.gone(freeswitch.Hangup{Cause: "NETWORK_OUT_OF_ORDER"})
		return
	}
	l.hangUp("NORMAL_TEMPORARY_FAILURE")
}

// cameHome takes a leg that is alone again.
func (c *control) cameHome(l *leg) {
	l.homing = false
	l.socketTimer.Stop()
	l.left()
	l.runAtHome()
	if l.browser != nil {
		l.browser.apart()
	}
	c.goOnListening(l)
	l.nextMove()
}
