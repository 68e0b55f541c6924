package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// beginPark parks the leg (switch_ivr_park): it waits for commands. park_timeout
// (SECONDS[:CAUSE]) bounds this park; it is forgotten, and park_after_bridge with it.
func (c *channel) beginPark() {
	c.controlled = true
	if limit := c.vars.get("park_timeout"); limit != "" {
		text, cause, _ := strings.Cut(limit, ":")
		seconds, _ := strconv.Atoi(text)
		c.vars.remove("park_timeout")
		c.vars.remove("park_after_bridge")
		c.expiry = c.sw.agenda.after(time.Duration(seconds)*time.Second, func() { c.hangUp(normalCause(orElse(cause, "NORMAL_CLEARING")), local) })
	}
	c.fire("CHANNEL_PARK", site{"switch_ivr.c", "switch_ivr_park", 1002})
	c.pumpSoon()
}

// endPark ends the wait.
func (c *channel) endPark() {
	c.sw.agenda.cancel(c.expiry)
	c.expiry = nil
	c.controlled = false
	c.fire("CHANNEL_UNPARK", site{"switch_ivr.c", "switch_ivr_park", 1213})
}

// apiPark is uuid_park: the leg leaves what it is in, and is parked by its state, with
// no application behind it (switch_ivr_park_session).
func (sw *Switch) apiPark(uuid string) string {
	uuid, _, _ = strings.Cut(uuid, " ")
	c := sw.live(uuid)
	if c == nil || c.down() {
		return noChannel
	}
	c.acknowledge()
	c.next = statePark
	c.atTick(func() {
		if c.down() || c.next != statePark {
			return
		}
		c.actions = nil
		if c.bridge != nil {
			c.bridge.split(c)
		}
		c.leavePark()
		c.unwind()
		c.enter(statePark)
		c.beginPark()
	})
	return "+OK\n"
}
