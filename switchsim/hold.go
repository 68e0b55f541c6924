package switchsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// held is a time that the party had the call on hold; to is not set while it has.
type held struct{ from, to time.Time }

// takingUp is how long mod_sofia waits before a call that was held goes on
// (switch_core_media_toggle_hold).
const takingUp = 250 * time.Millisecond

// Hold puts the call on hold, or takes it up again, as a phone does by a re-INVITE
// whose SDP says sendonly or sendrecv. What is so already is not told again.
func (p *Party) Hold(on bool) {
	p.sw.lock()
	defer p.sw.unlock()
	c := p.leg
	if c.down() || c.released || !c.answered {
		return
	}
	theirs, ours := "sendrecv", "sendrecv"
	if on {
		theirs, ours = "sendonly", "recvonly"
	}
	c.vars.set("remote_audio_media_flow", theirs)
	c.vars.set("audio_media_flow", ours)
	if on {
		c.markHold(true)
	} else {
		c.sw.agenda.after(takingUp, func() { c.markHold(false) })
	}
	if !c.inbound { // the first request of who was called
		c.vars.set("dlg_req_swap_direction", "true")
	}
}

// markHold notes that the leg is on hold or not, and tells of it
// (switch_channel_mark_hold).
func (c *channel) markHold(on bool) {
	if on == c.onHold() || c.down() {
		return
	}
	now := c.sw.now()
	name, state := "CHANNEL_HOLD", "HELD"
	if on {
		c.holds = append(c.holds, held{from: now})
		c.profile.lastHold = now
	} else {
		name, state = "CHANNEL_UNHOLD", "UNHELD"
		last := &c.holds[len(c.holds)-1]
		last.to = now
		c.profile.held += now.Sub(last.from)
	}
	c.setCallState(state)
	c.fire(name, site{"switch_channel.c", "switch_channel_mark_hold", 878})
}

func (c *channel) onHold() bool { return len(c.holds) > 0 && c.holds[len(c.holds)-1].to.IsZero() }

// reportHolds sets the variables of the call detail record, where the last hold
// stands first.
func (c *channel) reportHolds() {
	v := &c.vars
	if len(c.holds) == 0 {
		for i := range noHolds {
			v.put(noHolds[i])
		}
		return
	}
	last, all := c.profile.lastHold, c.profile.held
	v.set("hold_stamp", last.Format(time.DateTime))
	var events []string
	for _, h := range slices.Backward(c.holds) {
		events = append(events, fmt.Sprintf("{%d,%d}", micros(h.from), micros(h.to)))
	}
	v.set("hold_events", "{"+strings.Join(events, ",")+"}")
	v.set("last_hold_epoch", strconv.FormatInt(last.Unix(), 10))
	v.set("last_hold_uepoch", strconv.FormatInt(micros(last), 10))
	v.set("hold_accum_seconds", strconv.FormatInt(int64(all/time.Second), 10))
	v.set("hold_accum_usec", strconv.FormatInt(all.Microseconds(), 10))
	v.set("hold_accum_ms", strconv.FormatInt(all.Milliseconds(), 10))
}

var noHolds = zeroVariables("last_hold_epoch", "last_hold_uepoch", "hold_accum_seconds", "hold_accum_usec", "hold_accum_ms")
