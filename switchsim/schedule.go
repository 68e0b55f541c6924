package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// scheduleHangup is sched_hangup, by the application or the command: "+SECONDS CAUSE". It
// takes nothing back that was scheduled before (switch_ivr_schedule_hangup).
func (c *channel) scheduleHangup(when, cause string) {
	seconds, err := strconv.Atoi(strings.TrimPrefix(when, "+"))
	if err != nil {
		return
	}
	c.scheduled = append(c.scheduled, c.sw.agenda.after(time.Duration(seconds)*time.Second, func() { c.hangUp(normalCause(cause), local) }))
}

func scheduleHangup(c *channel, data string) {
	when, cause, _ := strings.Cut(data, " ")
	c.scheduleHangup(when, cause)
}

// unschedule takes back what is scheduled for the leg.
func (c *channel) unschedule() {
	for _, entry := range c.scheduled {
		c.sw.agenda.cancel(entry)
	}
	c.scheduled = nil
}

// apiScheduleHangup is sched_hangup: "+SECONDS UUID CAUSE".
func (sw *Switch) apiScheduleHangup(arguments string) string {
	words := strings.Fields(arguments)
	if len(words) < 2 || sw.live(words[1]) == nil {
		return noChannel
	}
	sw.live(words[1]).scheduleHangup(words[0], strings.Join(words[2:], " "))
	return "+OK\n"
}

// apiUnschedule is sched_del, for a leg.
func (sw *Switch) apiUnschedule(uuid string) string {
	n := 0
	if c := sw.live(uuid); c != nil {
		n = len(c.scheduled)
		c.unschedule()
	}
	return "+OK Deleted: " + strconv.Itoa(n) + "\n"
}
