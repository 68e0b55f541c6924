package callcontrol

import (
	"time"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// released is what is remembered of a leg whose session has ended and which
// FreeSWITCH was told to hang up: enough to know that it has, to tell it again, and
// to refuse the leg if it comes to our socket still. Nothing of the session is kept.
type released struct {
	id, cause string
	conn      *esl.Conn        // the leg's socket, nil if it has none
	node      *freeswitch.Node // whose link reaches the leg, nil for none
	was       bool             // FreeSWITCH has had it: where it is not there, it has ended
	since     time.Time
	record    *callRecord        // nil where none is kept
	ended     *freeswitch.Hangup // as FreeSWITCH has told, nil before
	again     *clock.Timer
	late      *clock.Timer

	// dialogs that ran on the leg learn of the hangup once FreeSWITCH has told of it,
	// or was asked in vain: what they have recorded is whole then.
	dialogs []dialog.Dialog
}

// Overdue is how many legs FreeSWITCH was told to hang up more than half a minute ago and has
// not been seen to.
func (c *Controller) Overdue() (legs int) {
	now := c.options.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.released {
		if now.Sub(r.since) > overdueAfter {
			legs++
		}
	}
	return legs
}

// remember keeps what is to be known of a leg that is to end. It reports false for
// one that has ended, or that FreeSWITCH never had.
func (c *Controller) remember(l *leg, cause string, dialogs []dialog.Dialog, patience time.Duration) bool {
	r := &released{id: l.id, cause: cause, conn: l.conn, node: l.reach(), was: l.machine != "", dialogs: dialogs, since: c.now()}
	if c.options.Records != nil && l.isCall() {
		r.record = l.record()
	}
	c.mu.Lock()
	if c.legs[l.id] != l {
		c.mu.Unlock()
		return false
	}
	delete(c.legs, l.id)
	c.released[r.id] = r
	c.mu.Unlock()
	if r.conn != nil {
		r.conn.SetHandler(func(e *esl.Event) {
			if e.Name() == freeswitch.ChannelHangupComplete {
				r.note(c, freeswitch.HangupOf(e))
				c.forgetReleased(r.id)
				r.conn.Send(esl.Exit(), nil)
			}
		})
		r.conn.SetEndHandler(func(error) { c.forgetReleased(r.id) })
	}
	if l.hungUp.Load() || r.conn != nil && r.conn.Err() != nil { // it was quicker than the handlers
		c.forgetReleased(r.id)
		return true
	}
	again := c.after(hangupAgain, func() { c.killReleased(r, 1) })
	late := c.after(patience, func() {
		c.forgetReleased(r.id)
		if r.conn != nil { // FreeSWITCH has been told, and says nothing
			_ = r.conn.Close()
		}
	})
	c.mu.Lock()
	r.again, r.late = again, late
	over := c.released[r.id] != r
	c.mu.Unlock()
	if over { // meanwhile
		again.Stop()
		late.Stop()
	}
	return true
}

// killReleased tells FreeSWITCH once more to hang the leg up, over the link if there
// is one: the socket may be silent.
func (c *Controller) killReleased(r *released, asked int) {
	if c.findReleased(r.id) != r {
		return
	}
	switch {
	case r.node != nil:
		r.node.Kill(r.id, r.cause)
		if r.conn == nil && r.was { // nobody may have told of its end
			r.node.Exists(r.id, func(there bool) {
				if !there {
					c.forgetReleased(r.id)
				}
			})
		}
		if r.conn != nil && isSilent(r.conn) {
			_ = r.conn.Close()
		}
	case r.conn != nil:
		r.conn.Send(freeswitch.Kill(r.id, r.cause), nil)
	}
	again := c.after(hangupAgain, func() {
		if asked+1 < hangupAsked {
			c.killReleased(r, asked+1)
		} else {
			c.endDialogs(r)
		}
	})
	c.mu.Lock()
	r.again = again
	c.mu.Unlock()
}

// endDialogs tells the dialogs of the leg that it is gone.
func (c *Controller) endDialogs(r *released) {
	c.mu.Lock()
	dialogs := r.dialogs
	r.dialogs = nil
	c.mu.Unlock()
	for _, d := range dialogs {
		d.HungUp()
	}
}

func (c *Controller) findReleased(id string) *released {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.released[id]
}

func (c *Controller) forgetReleased(id string) {
	c.mu.Lock()
	r := c.released[id]
	delete(c.released, id)
	c.noteNoLegs()
	var timers []*clock.Timer
	if r != nil {
		timers = []*clock.Timer{r.again, r.late}
	}
	c.mu.Unlock()
	for _, timer := range timers {
		timer.Stop()
	}
	if r != nil {
		c.keepReleased(r)
		if r.node != nil {
			r.node.Unfollow(r.id)
		}
		c.endDialogs(r)
	}
}

// note notes how the leg has ended.
func (r *released) note(c *Controller, h freeswitch.Hangup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.ended = &h
}

// keepReleased keeps the record of a call whose session has ended before it.
func (c *Controller) keepReleased(r *released) {
	if r.record == nil {
		return
	}
	c.mu.Lock()
	h := r.ended
	c.mu.Unlock()
	if h == nil {
		h = &freeswitch.Hangup{Cause: r.cause}
	}
	r.record.end(h, true, c.now())
	c.options.Records.Put(r.record.Call)
}

// recordReleased keeps the record of a call that ends with its session at once.
func (c *Controller) recordReleased(l *leg) {
	if c.options.Records != nil && l.isCall() {
		c.keepReleased(&released{record: l.record(), cause: "NORMAL_CLEARING", ended: l.ended})
	}
}

// refuseReleased hangs up a leg that comes to our socket after the end of its
// session.
func (c *Controller) refuseReleased(r *released, conn *esl.Conn, machine string) {
	conn.SetHandler(func(e *esl.Event) {
		if e.Name() == freeswitch.ChannelHangupComplete {
			c.forgetReleased(r.id)
		}
	})
	conn.SetEndHandler(func(error) { c.forgetReleased(r.id) })
	c.refuse(conn, r.id, machine, "NORMAL_CLEARING")
}

// noteNoLegs wakes who waits for the last leg to be gone. c.mu is held.
func (c *Controller) noteNoLegs() {
	if len(c.legs)+len(c.released) == 0 {
		open(&c.noLegs)
	}
}
