package switchsim

import "strings"

// maxDigits bounds what the call detail tells of the digits.
const maxDigits = 128

// press is a digit that arrives at the leg. A binding takes it, else it is told
// and given to what runs; eavesdrop does not look at it, so that it waits.
func (c *channel) press(digit byte) {
	if c.down() || !c.media {
		return
	}
	if action := c.digitAction; action != nil {
		c.vars.set("last_matching_digits", string(digit))
		c.execute(action.Application, action.Data, "", false, nil)
		return
	}
	f := c.top()
	if f != nil {
		if e, ok := f.app.(*eavesdrop); ok && e.target != nil {
			c.kept = append(c.kept, digit)
			return
		}
	}
	c.tellDigit(digit)
	if b := c.bridge; b != nil && !isTrue(c.vars.get("bridge_filter_dtmf")) {
		now := c.sw.now()
		b.partner(c).party.hear(Sound{Kind: "dtmf", What: string(digit), From: now, To: now, Complete: true})
	}
	if f != nil {
		if l, ok := f.app.(listensToDigits); ok {
			l.digit(f, digit)
		}
	}
}

// tellDigit is a digit that somebody reads, which the call detail counts.
func (c *channel) tellDigit(digit byte) {
	if len(c.digits) < maxDigits {
		c.digits = append(c.digits, digit)
	}
	c.fireBrief("DTMF", site{"switch_channel.c", "switch_channel_dequeue_dtmf", 678},
		header{"DTMF-Digit", string(digit)}, header{"DTMF-Duration", "2080"}, header{"DTMF-Source", "RTP"})
}

// readKept tells of the digits that nobody read so far.
func (c *channel) readKept() {
	kept := c.kept
	c.kept = nil
	for _, digit := range kept {
		if !c.down() {
			c.tellDigit(digit)
		}
	}
}

// bindDigits is bind_digit_action, as far as it has an application run in place
// for each single digit: "^^|realm|~^[0-9]$|exec[i]:application|argument".
func bindDigits(c *channel, data string) {
	rest, ok := strings.CutPrefix(data, "^^")
	if !ok || rest == "" {
		return
	}
	parts := strings.Split(rest[1:], rest[:1])
	if len(parts) < 4 {
		return
	}
	if application, ok := strings.CutPrefix(parts[2], "exec[i]:"); ok {
		c.digitAction = &Action{Application: application, Data: parts[3]}
	}
}

// fireEvent is event: an event of the leg with the headers "name=value,…".
func fireEvent(c *channel, data string) {
	name := "CHANNEL_APPLICATION"
	var headers []header
	for part := range strings.SplitSeq(data, ",") {
		key, value, _ := strings.Cut(part, "=")
		if key == "Event-Name" {
			name = value
			continue
		}
		headers = append(headers, header{key, value})
	}
	c.fireBrief(name, site{"mod_dptools.c", "event_function", 1946}, headers...)
}
