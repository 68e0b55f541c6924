package callcontrol

import (
	"context"
	"errors"
	"slices"

	"ccxmld/esl"
	"ccxmld/peer"
	"ccxmld/sessionstore"
)

// ErrDraining is the error of a session that is to begin on a controller that takes
// no new ones (Drain).
var ErrDraining = errors.New("the controller is draining: it takes no new sessions")

// Drain has the controller take no new sessions from calls and requests. A new call
// is given back to FreeSWITCH, which goes on with the next action of its dialplan.
// Sessions that run go on: they may place calls and create sessions. WaitIdle waits for
// their end.
func (c *Controller) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
}

// Drain tells who runs the controller that it is to drain, as an operator asks by Redis
// (peer.Controller).
func (c forPeers) Drain(d peer.Drain) {
	if asked := c.options.DrainAsked; asked != nil {
		asked(d.By)
	}
}

// isDraining tells whether Drain was called.
func (c *Controller) isDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// SessionIDs gives the ids of up to most sessions that run here, in the order of their
// text, for who wants to see which.
func (c *Controller) SessionIDs(most int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make([]string, 0, len(c.sessions))
	for id := range c.sessions {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids[:min(most, len(ids))]
}

// giveBack gives a call back to its dialplan: FreeSWITCH ends its socket action, and
// goes on with the next one (mod_event_socket, exit).
func (c *Controller) giveBack(conn *esl.Conn) {
	late := c.after(refusalEnds, func() { _ = conn.Close() })
	conn.Send(esl.Exit(), func(*esl.Reply, error) {
		late.Stop()
		_ = conn.Close()
	})
}

// ID is the controller's name in the store.
func (c *Controller) ID() string { return c.options.ID }

// HandOver leaves all sessions to other controllers, or to this one when it is started
// again: what is known of them is given to the store, and nothing is said to FreeSWITCH, so
// that calls go on. The store is to be closed then, by which the lease ends. It returns how
// many there were, and an error if some have not let go when ctx ends.
func (c *Controller) HandOver(ctx context.Context) (sessions int, err error) {
	running := c.takeNoMore()
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
	if !c.IsDurable() || !c.options.Store.Healthy() {
		return false
	}
	controllers, err := c.options.Store.Controllers(ctx)
	return err == nil && slices.ContainsFunc(controllers, func(other sessionstore.Controller) bool {
		return other.Alive && other.ID != c.options.ID
	})
}
