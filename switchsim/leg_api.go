package switchsim

import (
	"encoding/json"
	"path"
	"strconv"
	"strings"
	"time"
)

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
	if len(words) < 2 {
		return "-USAGE: <uuid> <var> [value]\n"
	}
	c := sw.live(words[0])
	if c == nil {
		return noChannel
	}
	c.acknowledge()
	c.vars.set(words[1], strings.Join(words[2:], " "))
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
		if !c.sw.hasFolder(path.Dir(words[2])) { // and it could not be made
			return "-ERR Cannot record session!\n"
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
