package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// obey does what a command says and answers it (mod_event_socket's
// parse_command). Events that the command gives rise to follow its reply.
func (l *listener) obey(cmd *command) {
	l.holding = true
	l.dispatch(cmd)
	if l.busy == nil {
		l.release()
	}
}

// release sends the events that waited for a command's reply.
func (l *listener) release() {
	l.holding, l.busy = false, nil
	if len(l.held) > 0 {
		l.send(string(l.held))
		l.held = nil
	}
}

func (l *listener) dispatch(cmd *command) {
	word, rest, _ := strings.Cut(cmd.line, " ")
	rest = strings.TrimSpace(rest)
	word = strings.ToLower(word)
	if word == "exit" || word == "..." {
		l.reply("+OK bye")
		l.end()
		return
	}
	if !l.authorized {
		l.authenticate(word, rest)
		return
	}
	if l.channel != nil && l.aboutOwnLeg(word, rest) {
		return
	}
	switch word {
	case "filter":
		l.filter(rest)
	case "myevents":
		l.followLeg(rest)
	case "divert_events":
		l.reply("-ERR not controlling a session.")
	case "sendmsg":
		l.sendMessage(cmd, rest)
	default:
		if l.outbound && !l.full || !l.privileged(cmd, word, rest) {
			l.reply("-ERR command not found")
		}
	}
}

func (l *listener) authenticate(word, password string) {
	switch {
	case word == "auth" && password == l.sw.options.Password:
		l.authorized = true
		l.sw.agenda.cancel(l.patience)
		l.reply("+OK accepted")
	case word == "auth":
		l.reply("-ERR invalid")
		l.end()
	default:
		l.reply("-ERR command not found")
	}
}

// aboutOwnLeg does the commands that only a leg's socket has.
func (l *listener) aboutOwnLeg(word, rest string) bool {
	switch word {
	case "connect":
		l.connect()
	case "resume":
		l.channel.vars.set("socket_resume", "true")
		l.reply("+OK")
	case "getvar":
		l.reply(l.channel.vars.get(rest))
	case "divert_events":
		l.reply("+OK events diverted")
	case "myevents":
		if l.myEvents {
			l.reply("-ERR aready enabled.")
			return true
		}
		l.subscribeToOwn()
		l.reply("+OK Events Enabled")
	default:
		return false
	}
	return true
}

func (l *listener) subscribeToOwn() {
	for _, name := range myEvents {
		l.events[name] = true
	}
	l.myEvents = true
	l.refocus()
}

// followLeg is myevents on a link: it follows a leg from then on.
func (l *listener) followLeg(rest string) {
	uuid, _, _ := strings.Cut(rest, " ")
	c := l.sw.channels[uuid]
	if c == nil {
		l.reply("-ERR invalid uuid")
		return
	}
	l.channel = c
	c.listeners = append(c.listeners, l)
	l.subscribeToOwn()
	l.reply("+OK Events Enabled")
}

// connect answers with the whole channel.
func (l *listener) connect() {
	control, mode := "single-channel", "static"
	if l.full {
		control = "full"
	}
	if l.async {
		mode = "async"
	}
	e := &event{name: "CHANNEL_DATA", site: site{"mod_event_socket.c", "parse_command", 2029}, channel: l.channel,
		after: []header{{"Content-Type", "command/reply"}, {"Reply-Text", "+OK\n"}, {"Socket-Mode", mode}, {"Control", control}}}
	l.sw.sequence++
	text := l.sw.appendEventHead(nil, e)
	text = l.channel.profile.appendTo(text, "Channel")
	text = l.channel.appendTo(text)
	text = l.channel.appendVariables(text)
	text = appendHeaders(text, e.after)
	l.send(string(append(text, '\n')))
	if !l.connected {
		l.connected = true
		l.sw.agenda.cancel(l.patience)
		l.socket.connected()
	}
}

func (l *listener) filter(rest string) {
	name, value, ok := strings.Cut(rest, " ")
	if strings.EqualFold(name, "delete") && ok {
		name, value, _ = strings.Cut(value, " ")
		if strings.EqualFold(name, "all") {
			l.filters = filters{}
		} else {
			l.filters.remove(name, value)
		}
		l.refocus()
		l.reply("+OK filter deleted. [" + name + "][" + value + "]")
		return
	}
	if strings.EqualFold(name, "add") && ok {
		name, value, ok = strings.Cut(value, " ")
	}
	if !ok {
		l.reply("-ERR invalid syntax")
		return
	}
	l.filters.add(name, value)
	l.refocus()
	l.reply("+OK filter added. [" + name + "]=[" + value + "]")
}

// maxLogged bounds the commands that are kept of a leg, maxWaiting those that
// wait for it.
const (
	maxLogged  = 1024
	maxWaiting = 4096
)

// sendMessage queues a command for a leg: the socket's own, or the one named.
func (l *listener) sendMessage(cmd *command, uuid string) {
	if uuid == "" {
		uuid = cmd.headers["session-id"]
	}
	c := l.sw.channels[uuid]
	if uuid == "" {
		c = l.channel
	}
	if c == nil || c.destroyed {
		l.reply("-ERR invalid session id [" + uuid + "]")
		return
	}
	if len(c.queue) >= maxWaiting {
		l.reply("-ERR memory error")
		return
	}
	application, argument := cmd.headers["execute-app-name"], cmd.headers["execute-app-arg"]
	if reason := l.sw.refuses(application, argument); reason != "" {
		l.reply("-ERR " + reason)
		return
	}
	l.reply("+OK")
	if l.sw.options.LogCommands && len(c.commands) < maxLogged {
		c.commands = append(c.commands, describe(cmd))
	}
	if !c.down() && !l.sw.idles(application, argument) {
		c.deliver(&message{headers: cmd.headers, body: cmd.body})
	}
}

func describe(cmd *command) string {
	if cmd.headers["call-command"] == "hangup" {
		return strings.TrimSpace("hangup " + cmd.headers["hangup-cause"])
	}
	data := cmd.headers["execute-app-arg"]
	if data == "" {
		data = cmd.body
	}
	return strings.TrimSpace(cmd.headers["execute-app-name"] + " " + data)
}

// privileged does the commands that a socket may give only with "full".
func (l *listener) privileged(cmd *command, word, rest string) bool {
	switch word {
	case "api":
		l.api(rest)
	case "bgapi":
		l.backgroundAPI(cmd, rest)
	case "linger":
		l.linger(rest)
	case "nolinger":
		if l.channel == nil {
			l.reply("-ERR not controlling a session")
			break
		}
		l.lingers = false
		l.reply("+OK will not linger")
	case "event":
		l.subscribe(strings.Fields(rest))
	case "nixevent":
		l.unsubscribe(strings.Fields(rest))
	case "noevents":
		if len(l.events) == 0 && !l.all {
			l.reply("-ERR not listening for events")
			break
		}
		clear(l.events)
		clear(l.subclasses)
		l.all, l.myEvents = false, false
		l.refocus()
		l.reply("+OK no longer listening for events")
	case "log":
		l.reply("+OK log level " + rest + " [7]")
	case "nolog":
		l.reply("-ERR not loging")
	case "sendevent":
		l.reply("+OK " + l.sw.sendEvent(cmd, rest))
	default:
		return false
	}
	return true
}

func (l *listener) linger(rest string) {
	if l.channel == nil {
		l.reply("-ERR not controlling a session")
		return
	}
	l.lingers, l.lingerTime = true, -1
	if rest == "" {
		l.reply("+OK will linger")
		return
	}
	seconds, _ := strconv.Atoi(rest)
	l.lingerTime = time.Duration(seconds) * time.Second
	l.reply("+OK will linger " + strconv.Itoa(seconds) + " seconds")
}

// subscribe takes the words after "event". All that follow CUSTOM are
// subclasses.
func (l *listener) subscribe(words []string) {
	if len(words) > 0 && (strings.EqualFold(words[0], "plain") || strings.EqualFold(words[0], "xml") || strings.EqualFold(words[0], "json")) {
		if !strings.EqualFold(words[0], "plain") {
			l.reply("-ERR only plain events are simulated")
			return
		}
		words = words[1:]
	}
	known, custom := 0, false
	for _, word := range words {
		if custom {
			l.subclasses[word] = true
			continue
		}
		name := strings.ToUpper(word)
		if name == "ALL" {
			l.all = true
		}
		custom = name == "CUSTOM"
		l.events[name] = true
		known++
	}
	if known == 0 {
		l.reply("-ERR no keywords supplied")
		return
	}
	l.refocus()
	l.reply("+OK event listener enabled plain")
}

func (l *listener) unsubscribe(words []string) {
	custom := false
	for _, word := range words {
		switch name := strings.ToUpper(word); {
		case custom:
			delete(l.subclasses, word)
		case name == "CUSTOM":
			custom = true
		case name == "ALL":
			l.all = false
			clear(l.events)
		default:
			delete(l.events, name)
		}
	}
	if len(words) == 0 {
		l.reply("-ERR no keywords supplied")
		return
	}
	l.refocus()
	l.reply("+OK events nixed")
}

// sendEvent fires what a controller made up and returns the event's id.
func (sw *Switch) sendEvent(cmd *command, name string) string {
	uuid := sw.newUUID()
	e := &event{name: strings.ToUpper(name), subclass: cmd.headers["event-subclass"], body: cmd.body,
		site: site{"mod_event_socket.c", "parse_command", 2200}}
	for key, value := range cmd.headers {
		if key != "event-subclass" && key != "content-length" {
			e.after = append(e.after, header{key, value})
		}
	}
	e.after = append(e.after, header{"Event-UUID", uuid})
	sw.fire(e)
	return uuid
}
