package callcontrol

import (
	"context"
	"errors"
	"fmt"

	"ccxmld/clock"
)

// A controller that is cut off from Redis does not know, when its lease is over, whether
// others have claimed its sessions. FreeSWITCH tells it of those that have a call; what
// others do goes on waits for Redis, and fails if that does not come back.

// mayBeAnothers tells whether another controller may have claimed the session, of which
// nothing would tell this one: its lease is over, and FreeSWITCH has no leg of it.
func (c *control) mayBeAnothers() bool {
	store := c.controller.options.Store
	if !c.controller.IsDurable() || store.Healthy() {
		return false
	}
	if ends := store.LeaseEnds(); ends.IsZero() || store.Now().Before(ends) {
		return false
	}
	for _, l := range c.legs {
		if node := l.reach(); !l.isGone() && (l.conn != nil || l.follows != nil) && (node == nil || node.Up()) {
			return false
		}
	}
	return true
}

// whenOurs runs f in the session's goroutine when it is known that the session is still
// this controller's: at once, or when Redis has said so. The error is that it has not, in
// oursTimeout.
func (c *control) whenOurs(f func(error)) {
	if !c.mayBeAnothers() {
		f(nil)
		return
	}
	store := c.controller.options.Store
	const unknown = "whether another controller has the session is not known: redis does not answer"
	asked := c.controller.background(func(ctx context.Context) {
		ctx, cancel := clock.WithTimeout(ctx, c.controller.options.Clock, oursTimeout)
		defer cancel()
		for !store.Healthy() && clock.Sleep(ctx, c.controller.options.Clock, confirmAgain) {
		}
		err := c.controller.retake(ctx)
		if err != nil {
			err = fmt.Errorf(unknown+": %w", err)
		}
		if !c.taken.Load() {
			c.session.Do(func() { f(err) })
		}
	})
	if !asked {
		c.session.Do(func() { f(errors.New(unknown)) })
	}
}
