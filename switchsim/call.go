package switchsim

import (
	"maps"
	"slices"
)

// Call is a call that comes in.
type Call struct {
	From    string // the caller's number, "4075550100" by default
	Name    string // the caller's name, may be empty
	To      string // the number called, "8001" by default
	Context string // the dialplan's, "default" by default
	// Variables are set by the dialplan, over [Options].Variables.
	Variables map[string]string
	// Sockets stand for [Options].Sockets.
	Sockets []string
	// Dialplan, if set, is the whole dialplan for the call: Variables and
	// Sockets are left out, and the number matched no pattern (DP_MATCH).
	Dialplan []Action
}

// Dial makes a call come in. It returns at once; the call is on its way through
// the dialplan.
func (sw *Switch) Dial(call Call) (*Party, error) {
	sw.lock()
	defer sw.unlock()
	if sw.closed {
		return nil, errClosed
	}
	call.From = orElse(call.From, "4075550100")
	call.To = orElse(call.To, "8001")
	call.Context = orElse(call.Context, "default")
	c := sw.newChannel("", "sofia/internal/"+call.From+"@127.0.0.1", call.From)
	c.inbound = true
	c.placeholder = sw.newPlaceholders(call.From, call.Name, call.To, "127.0.0.1:5060")
	now := sw.now()
	c.profile = &profile{
		direction: "inbound", logical: "inbound", username: call.From, dialplan: "XML",
		callerName: call.Name, callerNumber: call.From, origName: call.Name, origNumber: call.From,
		networkAddr: "127.0.0.1", ani: call.From, destination: call.To, uniqueID: c.uuid, source: "mod_sofia",
		context: call.Context, channelName: c.name, index: 1, created: now, channelCreated: now,
	}
	c.apply(inboundCreate)
	c.actions, c.matched = sw.dialplan(call), call.Dialplan == nil
	sw.soon(c.arrive)
	return c.party, nil
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// dialplan returns what an incoming call runs through.
func (sw *Switch) dialplan(call Call) []Action {
	if call.Dialplan != nil {
		return slices.Clone(call.Dialplan)
	}
	variables := maps.Clone(sw.options.Variables)
	if variables == nil {
		variables = make(map[string]string)
	}
	maps.Copy(variables, call.Variables)
	var actions []Action
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		actions = append(actions, Action{"set", name + "=" + variables[name]})
	}
	sockets := call.Sockets
	if sockets == nil {
		sockets = sw.options.Sockets
	}
	for _, address := range sockets {
		actions = append(actions, Action{"socket", address + " " + sw.options.SocketArgs})
	}
	return actions
}

// newChannel returns a leg with a party; uuid may be empty.
func (sw *Switch) newChannel(uuid, name, number string) *channel {
	if uuid == "" {
		uuid = sw.newUUID()
	}
	c := &channel{sw: sw, uuid: uuid, name: name, callState: "DOWN", running: stateInit, next: stateRouting,
		vars: make(variables, 0, 144)}
	c.party = &Party{sw: sw, leg: c, uuid: uuid, number: number}
	sw.channels[uuid] = c
	return c
}

var siteCreate = site{"switch_core_state_machine.c", "switch_core_session_run", 626}

// arrive takes an incoming leg into its dialplan.
func (c *channel) arrive() {
	c.fireBrief("CHANNEL_STATE", site{"switch_channel.c", "switch_channel_perform_set_running_state", 2409})
	c.fire("CHANNEL_CREATE", siteCreate)
	c.enter(stateRouting)
	if c.matched {
		c.apply(inboundRouted)
	} else {
		c.apply(inboundRouted[1:])
	}
	c.enter(stateExecute)
	c.nextAction()
}
