package esl

import (
	"bytes"
)

// heldCommands are commands that wait for the connection's gate.
type heldCommands struct {
	data []byte
	p    pendingReply
	n    int
}

// hold keeps commands until the gate opens. out's lock is held.
func (c *Conn) hold(data []byte, p pendingReply, n int) error {
	if err := c.Err(); err != nil {
		return err
	}
	if len(c.held) >= maxInFlight {
		return ErrOverflow
	}
	c.held = append(c.held, heldCommands{bytes.Clone(data), p, n})
	return nil
}

// sendHeld sends what has waited for the gate, in its order.
func (c *Conn) sendHeld() {
	c.out.Lock()
	held := c.held
	c.held = nil
	for i, h := range held {
		failed, refused := c.queueAndWriteNow(h.data, h.p, h.n)
		if failed != nil || refused != nil {
			rest := held[i:]
			if refused == nil {
				rest = held[i+1:]
			}
			c.out.Unlock()
			if failed != nil {
				c.writeFailed(failed)
			}
			refuseAll(rest, c.errOr(refused))
			return
		}
	}
	c.out.Unlock()
}

// errOr is why the connection ends, or else an error.
func (c *Conn) errOr(err error) error {
	if reason := c.Err(); reason != nil {
		return reason
	}
	if err == nil {
		err = ErrClosed // by the failed write, when what has come is read
	}
	return err
}

// Mute lets no command out any more, also not those that wait for the gate: the channel is
// another controller's. Events still come.
func (c *Conn) Mute() {
	c.out.Lock()
	c.muted = true
	c.out.Unlock()
	c.refuseHeld(ErrMuted)
}

// refuseHeld refuses what waits for the gate.
func (c *Conn) refuseHeld(err error) {
	c.out.Lock()
	held := c.held
	c.held = nil
	c.out.Unlock()
	refuseAll(held, err)
}

func refuseAll(held []heldCommands, err error) {
	for _, h := range held {
		refuse(h.p, h.n, err)
	}
}
