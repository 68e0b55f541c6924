package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// application is something that a leg executes. Its methods run with the switch
// locked.
type application interface {
	// start begins; it may call frame.finish at once.
	start(f *frame)
}

// An application that takes time has the methods of these, too.
type (
	// pauser is held up while another application runs nested in it.
	pauser interface {
		pause(f *frame)
		resume(f *frame)
	}
	// breaker can be ended by uuid_break.
	breaker interface{ breakOff(f *frame) }
	// listensToDigits takes the digits that the party presses.
	listensToDigits interface{ digit(f *frame, digit byte) }
	// aborter tidies up when the leg is hung up or taken away under it.
	aborter interface{ abort(f *frame) }
)

// frame is an application that runs on a leg. Applications nest: the innermost
// is the one that goes on.
type frame struct {
	c      *channel
	app    application
	name   string
	data   string
	uuid   string
	locked bool   // by event-lock: commands wait for its end
	then   func() // what comes after it, may be nil
	ended  bool
}

// Action is one action of a dialplan.
type Action struct {
	Application string
	Data        string
}

// minLoop is how long a turn must take for a loop to go on.
const minLoop = 500 * time.Millisecond

// maxNesting is SWITCH_MAX_STACKS.
const maxNesting = 32

var (
	siteExecute  = site{"switch_core_session.c", "switch_core_session_exec", 2949}
	siteComplete = site{"switch_core_session.c", "switch_core_session_exec", 2972}
)

// execute runs an application, nested in what runs already.
func (c *channel) execute(name, data, uuid string, locked bool, then func()) {
	c.acknowledge()
	kind, known := applications[name]
	if !known || len(c.stack) >= maxNesting {
		// FreeSWITCH: "Invalid Application", and the leg is hung up.
		c.hangUp("DESTINATION_OUT_OF_ORDER", local)
		if then != nil {
			then()
		}
		return
	}
	if kind.needsMedia {
		c.preAnswer()
	}
	data = c.expand(data)
	c.application, c.argument = name, data
	f := &frame{c: c, app: kind.create(), name: name, data: data, uuid: uuid, locked: locked, then: then}
	if f.uuid == "" {
		f.uuid = c.sw.newUUID()
	}
	c.vars.set("current_application", name)
	c.vars.set("current_application_data", data)
	c.vars.remove("current_application_response")
	c.fire("CHANNEL_EXECUTE", siteExecute, f.headers(false)...)
	c.vars.touch("current_application")
	if below := c.top(); below != nil {
		if p, ok := below.app.(pauser); ok {
			p.pause(below)
		}
	}
	c.stack = append(c.stack, f)
	if locked {
		c.eventLock = true
	}
	f.app.start(f)
}

func (f *frame) headers(complete bool) []header {
	headers := make([]header, 0, 4)
	headers = append(headers, header{"Application", f.name})
	if f.data != "" {
		headers = append(headers, header{"Application-Data", f.data})
	}
	if complete {
		response := f.c.vars.get("current_application_response")
		if response == "" {
			response = "_none_"
		}
		headers = append(headers, header{"Application-Response", response})
	}
	return append(headers, header{"Application-UUID", f.uuid})
}

// top is the innermost application.
func (c *channel) top() *frame {
	if len(c.stack) == 0 {
		return nil
	}
	return c.stack[len(c.stack)-1]
}

// finish ends an application that has done its work. Those nested in it are
// aborted first.
func (f *frame) finish() {
	c := f.c
	if f.ended {
		return
	}
	for c.top() != f {
		c.abortTop()
	}
	f.complete()
	depth := len(c.stack)
	if f.then != nil {
		f.then()
	}
	if depth > 0 && len(c.stack) == depth && !c.down() {
		below := c.top()
		if p, ok := below.app.(pauser); ok {
			p.resume(below)
		}
	}
	c.pumpSoon()
}

// complete takes the innermost application off the stack and tells of its end.
func (f *frame) complete() {
	c := f.c
	f.ended = true
	c.fire("CHANNEL_EXECUTE_COMPLETE", siteComplete, f.headers(true)...)
	c.stack[len(c.stack)-1] = nil
	c.stack = c.stack[:len(c.stack)-1]
	if f.locked {
		c.eventLock = false
	}
}

// abortTop ends the innermost application because the leg is hung up or taken
// elsewhere.
func (c *channel) abortTop() {
	f := c.top()
	if a, ok := f.app.(aborter); ok {
		a.abort(f)
	}
	if f.ended {
		return
	}
	f.complete()
	if f.then != nil {
		f.then()
	}
}

// unwind aborts everything that runs, innermost first.
func (c *channel) unwind() {
	for len(c.stack) > 0 {
		c.abortTop()
	}
	c.eventLock = false
}

// respond sets what the running application answers.
func (c *channel) respond(response string) {
	c.vars.set("current_application_response", response)
}

// nextAction runs the dialplan's next action. Where there is none, the leg is
// hung up.
func (c *channel) nextAction() {
	for len(c.stack) == 0 && c.next == stateExecute && !c.down() {
		if len(c.actions) == 0 {
			c.hangUp("NORMAL_CLEARING", local)
			return
		}
		action := c.actions[0]
		c.actions = c.actions[1:]
		depth := true
		c.execute(action.Application, action.Data, "", false, func() {
			if !depth && len(c.stack) == 0 {
				c.nextAction()
			}
		})
		depth = false
	}
}

// expand replaces ${variable} in an application's data. A backslash keeps a
// dollar sign or another backslash as it is, but only in text that has one of
// these or a variable (switch_channel_expand_variables).
func (c *channel) expand(data string) string {
	if !strings.Contains(data, "${") && !strings.Contains(data, `\\`) && !strings.Contains(data, `\$`) {
		return data
	}
	var out strings.Builder
	for {
		i := strings.IndexAny(data, `\$`)
		if i < 0 || i == len(data)-1 {
			out.WriteString(data)
			return out.String()
		}
		out.WriteString(data[:i])
		mark, next := data[i], data[i+1]
		name, after, closed := strings.Cut(data[i+1:], "}")
		switch {
		case mark == '\\' && (next == '\\' || next == '$'):
			out.WriteByte(next)
			data = data[i+2:]
		case mark == '$' && next == '{' && closed:
			out.WriteString(c.vars.get(name[1:]))
			data = after
		default:
			out.WriteByte(mark)
			data = data[i+1:]
		}
	}
}

// message is a command to a leg: what a sendmsg said.
type message struct {
	headers map[string]string // by lower-case name
	body    string
}

// deliver queues a command; the leg takes it up at its next tick.
func (c *channel) deliver(m *message) {
	c.queue = append(c.queue, m)
	c.pumpSoon()
}

// pumpSoon looks at the queue at the leg's next tick.
func (c *channel) pumpSoon() {
	if len(c.queue) == 0 || c.eventLock || c.tick != nil || c.ended {
		return
	}
	c.tick = c.atTick(func() {
		c.tick = nil
		c.pump()
	})
}

// atTick does something at the leg's next media tick.
func (c *channel) atTick(do func()) *appointment { return c.sw.atTick(1, do) }

// pump takes up the commands that are queued, as far as they may run.
func (c *channel) pump() {
	if c.pumping {
		return
	}
	c.pumping = true
	for len(c.queue) > 0 && !c.eventLock && !c.down() && c.obeys() {
		m := c.queue[0]
		c.queue = c.queue[1:]
		c.obey(m)
	}
	c.pumping = false
	if c.down() {
		c.queue = nil
	}
}

// obeys tells whether the leg reads commands in what it is doing.
func (c *channel) obeys() bool {
	if c.bridge != nil || c.next == statePark {
		return true
	}
	f := c.top()
	if f == nil {
		return c.next == stateExecute && c.controlled
	}
	switch app := f.app.(type) {
	case *socketApplication:
		return app.parked
	case *eavesdrop:
		return app.target == nil
	}
	return true
}

// obey does what a command says (switch_ivr_parse_event).
func (c *channel) obey(m *message) {
	switch m.headers["call-command"] {
	case "hangup":
		cause := m.headers["hangup-cause"]
		if cause == "" {
			cause = "NORMAL_CLEARING"
		}
		c.hangUp(normalCause(cause), local)
	case "execute":
		c.executeMessage(m)
	case "xferext":
		c.transferToActions(m)
	}
}

func (c *channel) executeMessage(m *message) {
	name, data := m.headers["execute-app-name"], m.headers["execute-app-arg"]
	if data == "" && strings.EqualFold(m.headers["content-type"], "text/plain") {
		data = m.body
	}
	if name == "" {
		return
	}
	loops := 1
	if text := m.headers["loops"]; text != "" {
		loops, _ = strconv.Atoi(text)
	}
	c.executeLoop(name, data, m.headers["event-uuid"], isTrue(m.headers["event-lock"]), 1, loops)
}

// executeLoop runs an application as often as a message asks for. It stops
// early where one turn took less than half a second.
func (c *channel) executeLoop(name, data, uuid string, locked bool, turn, loops int) {
	if loops == 0 {
		return
	}
	c.acknowledge()
	began := c.sw.now()
	c.broken = c.broken && turn > 1
	c.vars.set("current_loop", strconv.Itoa(turn))
	c.vars.set("total_loops", strconv.Itoa(loops))
	c.execute(name, data, uuid, locked, func() {
		took := c.sw.now().Sub(began)
		if !c.down() && !c.broken && took >= minLoop && (turn < loops || loops < 0) {
			c.executeLoop(name, data, uuid, locked, turn+1, loops)
			return
		}
		c.vars.remove("current_loop")
		c.vars.remove("total_loops")
	})
}
