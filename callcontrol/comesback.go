package callcontrol

import (
	"context"
	"errors"
	"syscall"

	"ccxmld/clock"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// comesForSession takes a leg of a session that is not here. Its controller is gone, or
// the leg has strayed.
func (c *Controller) comesForSession(call *esl.Call, id, session string) {
	came, home := newCallOf(call, id), call.Channel.Get("variable_"+freeswitch.HomeVariable)
	refuse := func(why string) {
		c.log.Warn("leg refused: its session is not here", "connection", id, "session", session, "reason", why)
		c.refuse(came.conn, id, came.machine, "NORMAL_CLEARING")
	}
	if !c.IsDurable() || c.isDraining() {
		refuse("")
		return
	}
	started := c.background(func(ctx context.Context) {
		err := c.takeOverSession(ctx, session)
		control := c.control(session)
		switch {
		case control != nil && control.session.Do(func() { control.legComes(came, home) }):
		case errors.Is(err, errNeverWritten) && came.incoming && !came.answered:
			c.log.Info("the call begins anew: nothing of its session was written", "connection", id, "session", session)
			c.handleIncoming(came)
		case err != nil:
			refuse(err.Error())
		default:
			refuse("it has ended")
		}
	})
	if !started {
		refuse("too much is under way already")
	}
}

var (
	errNeverWritten = errors.New("nothing of the session was written before its controller was lost, or it has ended")
	errLives        = errors.New("its controller is there")
	errNotTakenOver = errors.New("it could not be taken over")
)

// takeOverSession takes over a session whose leg has come here, if its controller is gone.
// nil is that the session is here, or has ended meanwhile.
func (c *Controller) takeOverSession(ctx context.Context, session string) error {
	store := c.options.Store
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, takeOverTimeout)
	defer cancel()
	owner, ok, err := store.Owner(ctx, session)
	switch {
	case err != nil:
		return err
	case !ok:
		return errNeverWritten
	case owner != c.options.ID:
		if lives, err := c.lives(ctx, owner); err != nil || lives {
			return errors.Join(err, errLives)
		}
	}
	one, err := c.claim(ctx, c.newRestorer(), session, owner)
	if one != nil {
		resume(one)
		return nil
	}
	if c.control(session) != nil { // another leg of it was quicker
		return nil
	}
	return errors.Join(err, errNotTakenOver)
}

// lives tells whether a controller that holds its lease is there: its port may refuse
// before the lease is over.
func (c *Controller) lives(ctx context.Context, id string) (bool, error) {
	controllers, err := c.options.Store.Controllers(ctx)
	if err != nil {
		return false, err
	}
	for _, one := range controllers {
		if one.ID == id {
			return one.Alive && !errors.Is(c.dialPort(ctx, ownAddress(one)), syscall.ECONNREFUSED), nil
		}
	}
	return false, nil
}

// legComes takes a leg that has come by itself, to the session that has been taken over.
func (c *control) legComes(came newCall, home string) {
	l := c.legs[came.id]
	if l == nil || l.isGone() {
		c.controller.refuse(came.conn, came.id, came.machine, "NORMAL_CLEARING")
		return
	}
	l.comesBy(c.controller, came.conn, came.machine, came.answered, home)
}
