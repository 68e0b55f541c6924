package switchsim

import (
	"strconv"
	"strings"
)

// transfer sends a leg to an extension of a dialplan
// (switch_ivr_session_transfer). It goes at its next tick.
func (c *channel) transfer(extension, dialplan, context string) bool {
	if c.down() {
		return false
	}
	c.acknowledge()
	forwards := 70
	if text := c.vars.get("max_forwards"); text != "" {
		n, _ := strconv.Atoi(text)
		if forwards = n - 1; forwards <= 0 {
			c.kill("EXCHANGE_ROUTING_ERROR", local)
			return false
		}
	}
	c.vars.set("max_forwards", strconv.Itoa(forwards))
	before := c.profile
	c.profile = before.step(c.sw.now())
	if !c.inbound && c.dialplan {
		c.profile.logical = "inbound"
	}
	if dialplan == "" {
		if dialplan = before.dialplan; dialplan == "" || strings.EqualFold(dialplan, "inline") {
			dialplan = "XML"
		}
	}
	c.profile.dialplan, c.profile.destination, c.profile.rdnis = dialplan, extension, before.destination
	c.profile.context = orElse(orElse(context, before.context), "default")
	c.other, c.otherType = nil, ""
	c.vars.remove("signal_bond")
	c.next = stateRouting
	c.noteTransfer("bl_xfer:" + extension + "/" + c.profile.context + "/" + dialplan)
	c.atTick(c.reroute)
	return true
}

// noteTransfer writes down where the leg is sent.
func (c *channel) noteTransfer(what string) {
	source := strconv.FormatInt(c.sw.now().Unix(), 10) + ":" + c.sw.newUUID() + ":" + what
	c.profile.transferSource = source
	history := source
	if before := c.vars.get("transfer_history"); strings.HasPrefix(before, "ARRAY::") {
		history = before + "|:" + source
	} else if before != "" {
		history = "ARRAY::" + before + "|:" + source
	}
	c.vars.replace("transfer_history", history)
	c.vars.set("transfer_source", source)
}

// reroute leaves what the leg is doing and runs the new extension.
func (c *channel) reroute() {
	if c.down() || c.next != stateRouting {
		return
	}
	c.actions = nil
	if br := c.bridge; br != nil {
		br.split(c)
	}
	c.leavePark()
	c.unwind()
	c.enter(stateRouting)
	c.route()
}

// route finds the actions of the leg's extension and runs them.
func (c *channel) route() {
	p := c.profile
	if !c.inbound && !c.dialplan {
		c.flipCallerID()
	}
	c.dialplan = true
	c.vars.set("call_uuid", c.uuid)
	if strings.EqualFold(p.dialplan, "inline") {
		c.actions = parseInline(p.destination)
		p.destination, p.rdnis = p.rdnis, ""
	}
	if len(c.actions) == 0 {
		c.hangUp("NO_ROUTE_DESTINATION", local)
		return
	}
	c.enter(stateExecute)
	c.nextAction()
}

// parseInline reads an inline dialplan: "app:data,app:data", or with another
// delimiter "m:^:app:data^app:data".
func parseInline(text string) []Action {
	delimiter := byte(',')
	if len(text) > 4 && text[0] == 'm' && text[1] == ':' && text[3] == ':' {
		delimiter, text = text[2], text[4:]
	}
	var actions []Action
	for _, part := range separate(text, delimiter) {
		name, data, _ := strings.Cut(strings.TrimLeft(part, " "), ":")
		if name != "" {
			actions = append(actions, Action{name, strings.TrimLeft(data, " ")})
		}
	}
	return actions
}

// flipCallerID makes the one who was called the caller, as FreeSWITCH does once
// an outgoing leg runs through a dialplan.
func (c *channel) flipCallerID() {
	p := c.profile
	c.vars.set("pre_transfer_caller_id_name", p.callerName)
	c.vars.set("pre_transfer_caller_id_number", p.callerNumber)
	c.vars.set("channel_cid_flipped", "yes")
	p.callerName, p.calleeName = p.calleeName, p.callerName
	p.callerNumber, p.calleeNumber = p.calleeNumber, p.callerNumber
}

// transferToActions is the xferext command: its headers are the actions.
func (c *channel) transferToActions(m *message) {
	if text := m.headers["application"]; text != "" {
		name, data, _ := strings.Cut(text, " ")
		c.transfer("m:^:"+name+":"+data, "inline", "")
	}
}
