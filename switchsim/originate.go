package switchsim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

const originateUsage = "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n"

// originate places a call; done is told the command's reply, at the latest when
// the call has ended.
func (sw *Switch) originate(argument string, done func(reply string)) {
	words := separate(argument, ' ')
	if len(words) < 2 || len(words) > 7 {
		done(originateUsage)
		return
	}
	word := func(i int) string {
		if i < len(words) && !strings.EqualFold(words[i], "undef") {
			return words[i]
		}
		return ""
	}
	dial, extension, dialplan := word(0), word(1), orElse(word(2), "XML")
	settings, dial := splitDialString(dial)
	name, number, host, cause := sw.endpoint(dial)
	if cause != "" {
		if cause == "INVALID_GATEWAY" {
			sw.fireStillborn(settings)
		}
		done("-ERR " + cause + "\n")
		return
	}
	get := func(key string) string {
		for _, s := range slices.Backward(settings) {
			if s.name == key {
				return s.value
			}
		}
		return ""
	}
	if uuid := get("origination_uuid"); uuid != "" && sw.channels[uuid] != nil {
		done("-ERR DESTINATION_OUT_OF_ORDER\n")
		return
	}
	c := sw.newChannel(get("origination_uuid"), name, number)
	callerName := orElse(get("origination_caller_id_name"), word(4))
	callerNumber := orElse(orElse(get("origination_caller_id_number"), word(5)), "0000000000")
	c.placeholder = sw.newPlaceholders(callerNumber, callerName, number, host)
	now := sw.now()
	c.profile = &profile{
		direction: "outbound", logical: "outbound", callerName: callerName, callerNumber: callerNumber,
		origName: callerName, origNumber: callerNumber, calleeName: "Outbound Call", calleeNumber: number,
		ani: callerNumber, destination: number, uniqueID: c.uuid, source: "src/switch_ivr_originate.c",
		context: orElse(word(3), "default"), channelName: name, index: 1, created: now, channelCreated: now,
	}
	ignores := isTrue(get("ignore_early_media"))
	c.apply(outboundCreate)
	for _, s := range settings {
		c.vars.set(s.name, s.value)
	}
	c.vars.set("originate_early_media", strconv.FormatBool(!ignores))
	c.vars.set("originate_endpoint", "sofia")
	c.apply(outboundInvite)
	o := &outgoing{c: c, done: done, ignores: ignores, peer: sw.peers[host]}
	o.proceed = func() { c.proceed(extension, dialplan, word(3)) }
	c.job, c.party.outgoing = done, o
	c.acked = true
	o.limit(orElse(get("originate_timeout"), word(6)))
	c.atTick(func() { o.place(number) })
}

// limit gives up on a callee who does not answer; FreeSWITCH does so half a
// second early.
func (o *outgoing) limit(text string) {
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds <= 0 {
		seconds = 60
	}
	o.timeout = o.c.sw.agenda.after(time.Duration(seconds)*time.Second-500*time.Millisecond, func() {
		if !o.replied {
			o.c.hangUp("NO_ANSWER", local)
		}
	})
}

// place tells of the call and rings the callee.
func (o *outgoing) place(number string) {
	c, sw := o.c, o.c.sw
	if c.down() {
		return
	}
	c.fireBrief("CHANNEL_STATE", site{"switch_channel.c", "switch_channel_perform_set_running_state", 2409})
	c.fire("CHANNEL_CREATE", siteCreate)
	c.fire("CHANNEL_ORIGINATE", site{"switch_core_state_machine.c", "switch_core_session_run", 632})
	c.enter(stateRouting)
	c.enter(stateConsumeMedia)
	behaviour, ok := sw.callees[number]
	switch {
	case o.peer != nil:
		behaviour = toPeer{o.peer}
	case ok:
	case answersItself(c.name, number):
		behaviour = Answers{}
	case sw.callees["*"] != nil:
		behaviour = sw.callees["*"]
	default:
		behaviour = NotFound{}
	}
	sw.calling(c.party)
	behaviour.behave(o)
}

// answersItself tells whether a number is the other half of a loopback call that
// runs applications of its own: one, or an inline dialplan that answers.
func answersItself(channel, number string) bool {
	return strings.HasPrefix(number, "app=") || strings.HasPrefix(channel, "loopback/") && strings.Contains(number, ":answer")
}

// proceed is what a leg does once its call is up: an application, or an
// extension.
func (c *channel) proceed(extension, dialplan, context string) {
	application, isApplication := strings.CutPrefix(extension, "&")
	if !isApplication {
		c.transfer(extension, dialplan, context)
		return
	}
	application, _, _ = strings.Cut(application, ")")
	name, data, _ := strings.Cut(application, "(")
	c.actions = []Action{{name, data}}
	c.profile.dialplan = ""
	c.enter(stateExecute)
	c.route()
}

// splitDialString takes the variables off a dial string: {a=b,c=d}, or with
// another delimiter {^^:a=b:c=d}; <…> and […] are the same here.
func splitDialString(dial string) (settings []header, rest string) {
	closing := map[byte]byte{'{': '}', '<': '>', '[': ']'}
	for dial != "" && closing[dial[0]] != 0 {
		end := strings.IndexByte(dial, closing[dial[0]])
		if end < 0 {
			break
		}
		inside := dial[1:end]
		dial = strings.TrimLeft(dial[end+1:], " ")
		delimiter := byte(',')
		if len(inside) > 3 && strings.HasPrefix(inside, "^^") {
			delimiter, inside = inside[2], inside[3:]
		}
		for _, part := range separate(inside, delimiter) {
			if name, value, ok := strings.Cut(part, "="); ok {
				settings = append(settings, header{name, value})
			}
		}
	}
	return settings, dial
}

// endpoint reads a dial string: the channel's name, the number called and its
// host, or the cause for which it cannot be called.
func (sw *Switch) endpoint(dial string) (name, number, host, cause string) {
	parts := strings.Split(dial, "/")
	last := parts[len(parts)-1]
	number, host, _ = strings.Cut(last, "@")
	switch kind := parts[0]; {
	case kind == "error" && len(parts) > 1:
		return "", "", "", normalCause(parts[1])
	case kind == "sofia" && len(parts) >= 4 && parts[1] == "gateway":
		if sw.options.Gateways != nil && !slices.Contains(sw.options.Gateways, parts[2]) {
			return "", "", "", "INVALID_GATEWAY"
		}
		return "sofia/external/" + last, number, orElse(host, parts[2]), ""
	case kind == "sofia" && len(parts) >= 3 && number != "":
		return dial, number, orElse(host, "127.0.0.1:5060"), ""
	case kind == "loopback" && !sw.hasModule("mod_loopback"):
	case (kind == "loopback" || kind == "user") && len(parts) >= 2 && number != "":
		if kind == "loopback" {
			number = parts[1]
		}
		return kind + "/" + number, number, orElse(host, "127.0.0.1:5060"), ""
	}
	return "", "", "", "CHAN_NOT_IMPLEMENTED"
}

// fireStillborn tells of the channel that FreeSWITCH makes and drops when a
// gateway does not exist.
func (sw *Switch) fireStillborn(settings []header) {
	c := &channel{sw: sw, uuid: sw.newUUID(), name: "N/A", callState: "DOWN", running: stateNone, next: stateNew}
	for _, s := range settings {
		if s.name == "origination_uuid" {
			c.uuid = s.value
		}
	}
	sw.sessions++
	c.placeholder.session = sw.sessions
	c.apply(outboundCreate[:5])
	c.fire("CHANNEL_DESTROY", site{"switch_core_session.c", "switch_core_session_perform_destroy", 1588})
}
