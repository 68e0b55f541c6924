package callcontrol

import (
	"errors"
	"fmt"
	"strings"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// A leg keeps its first socket for its whole life. Out of a bridge, or wherever else
// it is, it comes home to the application park, where commands reach it on that
// socket as before.

// home is where legs come to.
func (c *Controller) home() freeswitch.Home { return freeswitch.Home(c.options.Advertise) }

// parked takes a leg that is parked, with the mark of its last way home.
func (c *control) parked(l *leg, mark string) {
	switch {
	case l.handover != nil && mark == l.handover.mark:
		c.cameBack(l)
	case l.isHoming() && l.conn == nil: // the link tells of it; it comes to our socket by what fetches it
	case l.isHoming() && mark == l.home:
		if !l.closesOthers() {
			c.cameHome(l)
		}
	case l.isHoming(): // its bridge was ended by somebody else before our transfer, which missed it then
		home := l.home
		l.after(strandedAfter, func() { l.control.sendHome(l, home) })
	case l.place.kind == inBridge:
		c.stranded(l)
	}
}

// unbridged takes the end of a bridge.
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
		if one == nil || one.place.kind != inBridge || one.joinState.Take(joinBridgeEnds, one.log) != awaitReason {
			continue
		}
		one.expectReason()
	}
}

// expectReason brings a leg home whose bridge has ended, unless something follows that
// was the reason.
func (l *leg) expectReason() {
	was := l.place.order
	l.after(strandedAfter, func() {
		if !l.isGone() && l.place.kind == inBridge && l.place.order == was && !l.isHoming() && l.joinPending == nil {
			l.control.bringApartHome(l)
		}
	})
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
	if l.joinState.Is(joinApart) || partner.conn == nil || partner.isHoming() {
		c.bringApartHome(l)
		if !partner.isHoming() {
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
	c.awaitHome(l, mark, homeTransfer)
	if partner == nil {
		c.sendHome(l, mark)
		return
	}
	partner.place.silent = true
	c.awaitHome(partner, mark, homeTransfer)
	if l.conn == nil || partner.conn == nil {
		c.sendHome(l, mark)
		c.sendHome(partner, mark)
		return
	}
	l.send(esl.Transfer(l.id, true, c.controller.home().Park(mark, 0)...), func(err error) {
		c.notSentHome(l, mark, err)
		c.sendHome(partner, mark)
	})
}

// sendHome transfers a leg home that is still waited for.
func (c *control) sendHome(l *leg, mark string) {
	if node := l.follows; l.comes(mark) && l.conn == nil && node != nil {
		c.fetchHome(l, node)
	} else if l.comes(mark) {
		if l.homing.Is(homeClosing) { // and does not come to the next park
			l.homing.Take(homeTransfer, l.log)
		}
		l.parks, l.closing = len(l.others), 0
		l.send(esl.Transfer(l.id, false, c.controller.home().Park(mark, l.parks)...), func(err error) { c.notSentHome(l, mark, err) })
	}
}

// comes tells whether the leg is waited for that was sent home with a mark.
func (l *leg) comes(mark string) bool { return l.isHoming() && l.home == mark && !l.isGone() }

// notSentHome deals with a transfer that FreeSWITCH has not done.
func (c *control) notSentHome(l *leg, mark string, err error) {
	switch node := l.reach(); {
	case !l.comes(mark), hasHungUp(err): // which its last event will say
	case !wasCut(err), l.conn == nil && node == nil:
		c.homeFailed(l, mark, err.Error())
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

// awaitHome begins to wait for a leg that comes home, with a mark, since it is
// transferred or has lost its socket.
func (c *control) awaitHome(l *leg, mark string, since homeInput) {
	l.homing.Take(since, l.log)
	l.home, l.parks, l.closing = mark, 0, 0
	l.socketTimer.Stop()
	l.expectHome(mark, 1)
}

// expectHome sends a leg home once more that does not come: somebody else may have sent
// it elsewhere at the same moment.
func (l *leg) expectHome(mark string, asked int) {
	l.socketTimer = l.after(homeAgain, func() {
		c, conn := l.control, l.conn
		switch {
		case !l.comes(mark):
			return
		case asked >= homeAsked:
			c.homeFailed(l, mark, fmt.Sprintf("it did not come within %s", homeTimeout))
			return
		case conn == nil:
		case isSilent(conn):
			l.suspect(conn)
		default:
			c.sendHome(l, mark)
		}
		l.expectHome(mark, asked+1)
	})
}

// homeFailed deals with a leg that did not come home: it is beyond our control, so
// it has to end. A wait that is over is for nobody.
func (c *control) homeFailed(l *leg, mark, reason string) {
	if !l.comes(mark) {
		return
	}
	l.log().Error("the leg did not come back to us; check esl.advertise", "reason", reason, "advertise", c.controller.options.Advertise)
	l.homing.Take(homeMissed, l.log)
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
	if l.homing.Take(homeReached, l.log) != goOnAtHome {
		return
	}
	l.socketTimer.Stop()
	l.left()
	l.runAtHome()
	if l.browser != nil {
		l.browser.apart()
	}
	c.goOnListening(l)
	l.nextMove()
}
