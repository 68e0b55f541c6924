package switchsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// apiCommands are the commands of mod_commands and mod_conference that the
// simulation knows. Each returns its whole output. originate is not among them:
// it takes time.
var apiCommands map[string]func(sw *Switch, arguments string) string

func init() {
	apiCommands = map[string]func(sw *Switch, arguments string) string{
		"uuid_answer":         (*Switch).apiAnswer,
		"uuid_break":          (*Switch).apiBreak,
		"uuid_bridge":         (*Switch).apiBridge,
		"uuid_broadcast":      (*Switch).apiBroadcast,
		"uuid_dump":           (*Switch).apiDump,
		"uuid_exists":         (*Switch).apiExists,
		"uuid_getvar":         (*Switch).apiGetVariable,
		"uuid_kill":           (*Switch).apiKill,
		"uuid_park":           (*Switch).apiPark,
		"uuid_record":         (*Switch).apiRecord,
		"uuid_send_dtmf":      (*Switch).apiSendDigits,
		"uuid_setvar":         (*Switch).apiSetVariable,
		"uuid_setvar_multi":   (*Switch).apiSetVariables,
		"uuid_transfer":       (*Switch).apiTransfer,
		"conference":          (*Switch).apiConference,
		"status":              (*Switch).apiStatus,
		"module_exists":       (*Switch).apiModuleExists,
		"show":                (*Switch).apiShow,
		"version":             func(*Switch, string) string { return "FreeSWITCH Version 1.11.3-dev (simulated)\n" },
		"global_getvar":       func(*Switch, string) string { return "" },
		"echo":                func(_ *Switch, text string) string { return text },
		"create_uuid":         func(sw *Switch, _ string) string { return sw.newUUID() },
		"strepoch":            func(sw *Switch, _ string) string { return strconv.FormatInt(sw.now().Unix(), 10) },
		"uuid_preanswer":      (*Switch).apiPreAnswer,
		"uuid_pre_answer":     (*Switch).apiPreAnswer,
		"uuid_flush_dtmf":     (*Switch).apiNothing,
		"uuid_audio":          (*Switch).apiNothing,
		"uuid_hold":           (*Switch).apiNothing,
		"uuid_recording_mute": (*Switch).apiNothing,
	}
}

// api runs a command and answers with its output.
func (l *listener) api(line string) {
	name, arguments, _ := strings.Cut(line, " ")
	respond := func(output string) {
		if output == "" {
			output = "-ERR no reply\n"
		}
		l.send("Content-Type: api/response\nContent-Length: " + strconv.Itoa(len(output)) + "\n\n" + output)
	}
	if name != "originate" {
		respond(l.sw.runAPI(name, arguments))
		return
	}
	// The socket's thread waits: no events and no commands until the call is
	// up or has failed.
	finished := make(chan struct{})
	l.busy = finished
	l.sw.originate(arguments, func(reply string) {
		respond(reply)
		close(finished)
	})
}

// backgroundAPI runs a command and tells of its output in an event.
func (l *listener) backgroundAPI(cmd *command, line string) {
	name, arguments, hasArguments := strings.Cut(line, " ")
	job := cmd.headers["job-uuid"]
	if job == "" {
		job = l.sw.newUUID()
	}
	l.send("Content-Type: command/reply\nReply-Text: +OK Job-UUID: " + job + "\nJob-UUID: " + job + "\n\n")
	owner := ""
	if l.channel != nil {
		owner = l.channel.uuid
	}
	sw := l.sw
	report := func(output string) {
		e := &event{name: "BACKGROUND_JOB", site: site{"mod_event_socket.c", "api_exec", 1580}, body: output, owner: owner}
		e.after = append(e.after, header{"Job-UUID", job})
		if owner != "" {
			e.after = append(e.after, header{"Job-Owner-UUID", owner})
		}
		e.after = append(e.after, header{"Job-Command", name})
		if hasArguments {
			e.after = append(e.after, header{"Job-Command-Arg", arguments})
		}
		sw.fire(e)
	}
	if name == "originate" {
		sw.originate(arguments, report)
		return
	}
	report(sw.runAPI(name, arguments))
}

func (sw *Switch) runAPI(name, arguments string) string {
	run, ok := apiCommands[name]
	if !ok {
		return "-ERR " + name + " Command not found!\n"
	}
	return run(sw, arguments)
}

// live finds a leg that has not ended.
func (sw *Switch) live(uuid string) *channel {
	if c := sw.channels[uuid]; c != nil && !c.ended {
		return c
	}
	return nil
}

const noChannel = "-ERR No such channel!\n"

func (sw *Switch) apiNothing(uuid string) string {
	uuid, _, _ = strings.Cut(uuid, " ")
	if sw.live(uuid) == nil {
		return noChannel
	}
	return "+OK\n"
}

func (sw *Switch) apiAnswer(uuid string) string {
	c := sw.live(uuid)
	if c == nil {
		return noChannel
	}
	c.answer()
	return "+OK\n"
}

func (sw *Switch) apiPreAnswer(uuid string) string {
	c := sw.live(uuid)
	if c == nil {
		return noChannel
	}
	c.preAnswer()
	return "+OK\n"
}

// apiBreak ends what plays. With "all", commands that wait are dropped.
func (sw *Switch) apiBreak(arguments string) string {
	if arguments == "" {
		return "-USAGE: <uuid> [all]\n"
	}
	uuid, flags, _ := strings.Cut(arguments, " ")
	c := sw.live(uuid)
	if c == nil {
		return noChannel
	}
	legs := []*channel{c}
	if strings.Contains(flags, "both") && c.bridge != nil {
		legs = append(legs, c.bridge.partner(c))
	}
	for _, leg := range legs {
		if strings.Contains(flags, "all") {
			leg.queue = nil
		}
		leg.atTick(leg.breakOff)
	}
	return "+OK\n"
}

// breakOff ends the innermost application, if it is one that can be broken off.
func (c *channel) breakOff() {
	f := c.top()
	if f == nil || c.down() {
		return
	}
	if b, ok := f.app.(breaker); ok {
		c.broken = true
		b.breakOff(f)
	}
}

func (sw *Switch) apiBridge(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) < 2 {
		return "-USAGE: <uuid> <other_uuid>\n"
	}
	for _, other := range words[1:min(3, len(words))] {
		if sw.uuidBridge(words[0], other) {
			return "+OK " + other + "\n"
		}
	}
	return "-ERR Invalid uuid\n"
}

// apiBroadcast plays a file, or executes app::data, on one leg or both.
func (sw *Switch) apiBroadcast(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) < 2 {
		return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return "-ERR invalid uuid\n"
	}
	name, data := "playback", words[1]
	if app, rest, ok := strings.Cut(data, "::"); ok {
		name, data = app, rest
	}
	which := "aleg"
	if len(words) > 2 {
		which = words[2]
	}
	headers := map[string]string{"call-command": "execute", "execute-app-name": name, "execute-app-arg": data}
	if strings.Contains(which, "aleg") || strings.Contains(which, "both") {
		c.deliver(&message{headers: headers})
	}
	if c.bridge != nil && (strings.Contains(which, "bleg") || strings.Contains(which, "both")) {
		c.bridge.partner(c).deliver(&message{headers: headers})
	}
	return "+OK Message sent\n"
}

// apiDump gives the whole channel, as text or JSON.
func (sw *Switch) apiDump(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) == 0 {
		return "-USAGE: <uuid> [format]\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return noChannel
	}
	sw.sequence++
	text := sw.appendEvent(nil, &event{name: "CHANNEL_DATA", channel: c, site: site{"mod_commands.c", "uuid_dump_function", 6495}})
	if len(words) < 2 || words[1] != "json" {
		return string(text)
	}
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		key, _ := json.Marshal(name)
		out.WriteString(map[bool]string{true: "{", false: ","}[out.Len() == 0])
		out.Write(key)
		out.WriteString(":")
		plain := decode(value)
		list, isArray := strings.CutPrefix(plain, "ARRAY::")
		if !isArray {
			out.WriteString(quoteJSON(plain))
			continue
		}
		var entries []string
		for part := range strings.SplitSeq(list, "|:") {
			entries = append(entries, quoteJSON(part))
		}
		out.WriteString("[" + strings.Join(entries, ",") + "]")
	}
	return out.String() + "}"
}

// quoteJSON quotes as cJSON does, which leaves < and > alone.
func quoteJSON(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return `""`
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func (sw *Switch) apiExists(uuid string) string {
	return strconv.FormatBool(sw.live(strings.TrimSpace(uuid)) != nil)
}

func (sw *Switch) apiGetVariable(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) < 2 {
		return "-USAGE: <uuid> <var>\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return noChannel
	}
	return orElse(c.vars.get(words[1]), "_undef_")
}

func (sw *Switch) apiSetVariable(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) < 2 || len(words) > 3 {
		return "-USAGE: <uuid> <var> [value]\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return noChannel
	}
	c.acknowledge()
	c.vars.set(words[1], slices.Concat(words[2:], []string{""})[0])
	return "+OK\n"
}

func (sw *Switch) apiSetVariables(arguments string) string {
	const usage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
	uuid, list, ok := strings.Cut(arguments, " ")
	if !ok {
		return usage
	}
	c := sw.live(uuid)
	if c == nil {
		return noChannel + usage
	}
	c.acknowledge()
	for _, part := range separate(list, ';') {
		if name, value, _ := strings.Cut(part, "="); name != "" {
			c.vars.set(name, value)
		}
	}
	return "+OK\n"
}

func (sw *Switch) apiKill(arguments string) string {
	uuid, cause, _ := strings.Cut(arguments, " ")
	if uuid == "" {
		return "-USAGE: <uuid> [cause]\n"
	}
	c := sw.live(uuid)
	if c == nil || c.down() {
		return noChannel
	}
	c.kill(normalCause(orElse(cause, "NORMAL_CLEARING")), local)
	return "+OK\n"
}

func (sw *Switch) apiPark(uuid string) string {
	c := sw.live(uuid)
	if c == nil {
		return "-ERR\n"
	}
	c.transfer("park:", "inline", "")
	return "+OK\n"
}

func (sw *Switch) apiRecord(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) < 3 {
		return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return "-ERR Cannot locate session!\n"
	}
	switch words[1] {
	case "start":
		limit := 0
		if len(words) > 3 {
			limit, _ = strconv.Atoi(words[3])
		}
		c.startRecording(words[2], time.Duration(limit)*time.Second)
	case "stop":
		if !c.stopRecording(words[2]) {
			return "-ERR Cannot stop record session!\n"
		}
	case "pause", "resume", "mask", "unmask":
	default:
		return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
	}
	return "+OK Success\n"
}

func (sw *Switch) apiSendDigits(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) < 2 {
		return "-USAGE: <uuid> <dtmf_data>\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return "-ERR Cannot locate session!\n"
	}
	sendDigits(c, words[1])
	return "+OK " + words[0] + " sent DTMF " + words[1] + ".\n"
}

func (sw *Switch) apiTransfer(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) < 2 || len(words) > 5 {
		return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return noChannel
	}
	words = words[1:]
	which := ""
	if strings.HasPrefix(words[0], "-") {
		which, words = words[0][1:], words[1:]
	}
	words = append(words, "", "", "")
	if br := c.bridge; br != nil && which == "bleg" {
		c = br.partner(c)
	} else if br != nil && which == "both" {
		br.partner(c).transfer(words[0], words[1], words[2])
	}
	if !c.transfer(words[0], words[1], words[2]) {
		return "-ERR\n"
	}
	return "+OK\n"
}

func (sw *Switch) apiStatus(string) string {
	up := sw.now().Sub(sw.began)
	live := 0
	for _, c := range sw.channels {
		if !c.ended {
			live++
		}
	}
	return fmt.Sprintf("UP 0 years, %d days, %d hours, %d minutes, %d seconds, %d milliseconds, %d microseconds\n"+
		"FreeSWITCH (Version 1.11.3-dev simulated) is ready\n%d session(s) since startup\n"+
		"%d session(s) - peak %d, last 5min %d \n0 session(s) per Sec out of max 30, peak 0, last 5min 0 \n1000 session(s) max\n"+
		"min idle cpu 0.00/100.00\n",
		up/(24*time.Hour), up/time.Hour%24, up/time.Minute%60, up/time.Second%60, up/time.Millisecond%1000, up/time.Microsecond%1000,
		sw.sessions, live, live, live)
}

// usualModules are those that a switch for controllers has.
var usualModules = []string{"mod_commands", "mod_conference", "mod_dptools", "mod_dialplan_xml", "mod_event_socket", "mod_flite", "mod_sndfile", "mod_sofia", "mod_tone_stream"}

func (sw *Switch) apiModuleExists(name string) string {
	modules := sw.options.Modules
	if modules == nil {
		modules = usualModules
	}
	return strconv.FormatBool(slices.Contains(modules, name))
}

// apiShow knows "show calls count" and "show channels [count]".
func (sw *Switch) apiShow(what string) string {
	var live []*channel
	for _, c := range sw.channels {
		if !c.ended {
			live = append(live, c)
		}
	}
	total := fmt.Sprintf("\n%d total.\n", len(live))
	if !strings.HasPrefix(what, "channels") || strings.HasSuffix(what, "count") {
		return total
	}
	slices.SortFunc(live, func(a, b *channel) int { return a.placeholder.session - b.placeholder.session })
	var out strings.Builder
	out.WriteString("uuid,direction,created_epoch,name,state,cid_name,cid_num,dest,callstate\n")
	for _, c := range live {
		p := c.profile
		fmt.Fprintf(&out, "%s,%s,%d,%s,%s,%s,%s,%s,%s\n", c.uuid, p.direction, p.channelCreated.Unix(), c.name, stateNames[c.running], p.callerName, p.callerNumber, p.destination, c.callState)
	}
	return out.String() + total
}
