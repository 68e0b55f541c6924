package callcontrol

import (
	"context"

	"ccxmld/clock"
	"ccxmld/esl"
)

// Lost takes that another controller has a session, which took this one for gone: the
// session is dropped here, and nothing is said any more to FreeSWITCH or anybody. It does
// not wait, and may be called in any goroutine.
func (c *Controller) Lost(id string) {
	control := c.control(id)
	if control == nil {
		return
	}
	if control.taken.Swap(true) {
		return
	}
	dropped := clock.NewLatch(c.options.Clock)
	c.dropping.Go(c.options.Clock, func() { _ = dropped.Wait(context.Background()) })
	told := control.session.Urgent(func() {
		defer dropped.Open()
		control.log().Error("another controller has taken the session over, and it is dropped here: was this process stopped, or cut off from redis, for longer than its lease?")
		control.drop("another controller has taken it over")
		c.options.Conferences.Disown(id)
	})
	if !told {
		dropped.Open()
	}
}

// Claimed takes what another controller says over FreeSWITCH: that it has a session, by its
// epoch (freeswitch.Owner).
func (c nodeOwner) Claimed(session string, epoch int64) {
	if control := c.control(session); control != nil && control.epoch < epoch {
		c.Lost(session)
	}
}

// drop lets go of all that the session has, which is another controller's by now, and ends
// the session.
func (c *control) drop(why string) {
	c.lost = true
	defer c.session.Drop(why)
	for id := range byKey(c.rosters) {
		c.attendNoMore(id)
	}
	for _, l := range byKey(c.legs) {
		l.drop()
		delete(c.legs, l.id)
	}
	for id := range byKey(c.prepared) {
		c.discard(id)
	}
	for _, s := range c.couplings {
		s.timer.Stop()
		c.controller.forgetCoupling(s)
	}
	c.couplings = nil
}

// drop forgets a leg. Its socket stays open until FreeSWITCH closes it: closing it would
// end the park in which the other controller has it.
func (l *leg) drop() {
	l.stopTimers()
	l.unfollow()
	for _, conn := range append(l.others, l.conn) {
		if conn != nil {
			conn.SetHandler(func(*esl.Event) {})
			conn.SetEndHandler(func(error) {})
			conn.Mute()
		}
	}
	if node := l.reach(); node != nil {
		node.Disown(l.id)
	}
	l.conn, l.others = nil, nil
	l.take(legReleased)
	l.control.controller.forgetLeg(l)
	l.endPlaying()
}
