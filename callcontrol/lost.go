package callcontrol

import (
	"context"
	"errors"
	"slices"

	"ccxmld/esl"
	"ccxmld/sessionstore"
)

// Lost takes that another controller has a session, which took this one for gone: the
// session is dropped here, and nothing is said any more to FreeSWITCH or anybody. It does
// not wait, and may be called in any goroutine.
func (c *Controller) Lost(id string) {
	control := c.control(id)
	if control == nil {
		return
	}
	control.session.Do(func() {
		control.log().Error("another controller has taken the session over, and it is dropped here: was this process stopped, or cut off from redis, for longer than its lease?")
		control.drop("another controller has taken it over")
	})
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
		}
	}
	l.conn, l.others = nil, nil
	l.take(legReleased)
	l.control.controller.forgetLeg(l)
	l.endPlaying()
}

// HandOver leaves all sessions to other controllers, or to this one when it is started
// again: what is known of them is given to the store, and nothing is said to FreeSWITCH, so
// that calls go on. The store is to be closed then, by which the lease ends. It returns how
// many there were, and an error if some have not let go when ctx ends.
func (c *Controller) HandOver(ctx context.Context) (sessions int, err error) {
	c.mu.Lock()
	c.closing = true
	var running []*control
	for _, control := range byKey(c.sessions) {
		running = append(running, control)
	}
	c.mu.Unlock()
	for _, control := range running {
		control.session.Do(func() {
			control.writeState()
			control.left = true
			control.drop("it goes on with another controller")
		})
	}
	for _, control := range running {
		err = errors.Join(err, control.session.Wait(ctx))
	}
	return len(running), err
}

// CanHandOver tells whether another controller is there that would take sessions over at
// once.
func (c *Controller) CanHandOver(ctx context.Context) bool {
	if !c.isDurable() || !c.options.Store.Healthy() {
		return false
	}
	controllers, err := c.options.Store.Controllers(ctx)
	return err == nil && slices.ContainsFunc(controllers, func(other sessionstore.Controller) bool {
		return other.Alive && other.ID != c.options.ID
	})
}

// IsDurable tells whether sessions can be left to other controllers at all.
func (c *Controller) IsDurable() bool { return c.isDurable() }
