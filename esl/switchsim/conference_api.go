package switchsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// apiConference is the conference command: "list" and the like of the node, or
// "NAME command arguments".
func (sw *Switch) apiConference(arguments string) string {
	words := separate(arguments, ' ')
	if len(words) == 0 {
		return "Conference command, not specified.\nTry 'help'\n"
	}
	switch words[0] {
	case "list":
		return sw.listConferences()
	case "json_list":
		return sw.conferencesJSON("")
	case "xml_list":
		return sw.conferencesXML("")
	}
	room := sw.rooms[words[0]]
	if room == nil {
		return "-ERR Conference " + words[0] + " not found\n"
	}
	if len(words) < 2 {
		return "Conference command, not specified.\nTry 'help'\n"
	}
	command, words := words[1], words[2:]
	if about, ok := memberCommands[command]; ok {
		return room.eachMember(words, about)
	}
	switch command {
	case "list":
		return room.list()
	case "json_list":
		return sw.conferencesJSON(room.name)
	case "xml_list":
		return sw.conferencesXML(room.name)
	case "get":
		return room.get(words)
	case "lock", "unlock":
		return room.lock(command == "lock")
	case "play":
		return room.playCommand(words)
	case "say":
		return room.say(strings.Join(words, " "))
	case "saymember":
		return room.sayToMember(words)
	case "stop":
		return room.stopCommand(words)
	case "record":
		return room.recordCommand(words)
	case "norecord":
		return room.noRecordCommand(words)
	case "relate":
		return room.relate(words)
	}
	return "Conference command '" + command + "' not found.\n"
}

// memberCommands are those about one member, or all, or the last.
var memberCommands map[string]func(m *member) string

func init() {
	memberCommands = map[string]func(m *member) string{
		"mute": func(m *member) string {
			m.speaks = false
			m.fire(apiSite("mute", 339), nil, header{"Action", "mute-member"})
			return "mute"
		},
		"unmute": func(m *member) string {
			m.speaks = true
			m.fire(apiSite("unmute", 492), nil, header{"Action", "unmute-member"})
			return "unmute"
		},
		"deaf": func(m *member) string {
			m.hears = false
			m.fire(apiSite("deaf", 797), nil, header{"Action", "deaf-member"})
			return "deaf"
		},
		"undeaf": func(m *member) string {
			m.hears = true
			m.fire(apiSite("undeaf", 839), nil, header{"Action", "undeaf-member"})
			return "undeaf"
		},
		"kick": func(m *member) string {
			m.fire(apiSite("kick", 902), nil, header{"Action", "kick-member"})
			m.out()
			return "kicked"
		},
		"hup": func(m *member) string {
			m.fire(apiSite("hup", 871), nil, header{"Action", "hup-member"})
			m.out()
			return "hup"
		},
	}
}

func apiSite(command string, line int) site {
	return site{"conference_api.c", "conference_api_sub_" + command, line}
}

// eachMember does something about the members that an argument names.
func (room *conference) eachMember(words []string, about func(m *member) string) string {
	if len(words) == 0 {
		return "-ERR missing member id\n"
	}
	members := room.named(words[0])
	if members == nil && words[0] != "all" && words[0] != "non_moderator" {
		return "-ERR Non-Existant ID " + words[0] + "\n"
	}
	var out strings.Builder
	for _, m := range members {
		id := m.id
		out.WriteString("+OK " + about(m) + " " + strconv.Itoa(id) + "\n")
	}
	return out.String()
}

// named returns the members that an argument means: an id, all, last,
// non_moderator, or a leg's uuid.
func (room *conference) named(what string) []*member {
	switch {
	case what == "all":
		return slices.Clone(room.members)
	case what == "non_moderator":
		return slices.DeleteFunc(slices.Clone(room.members), func(m *member) bool { return m.moderator })
	case what == "last" && len(room.members) > 0:
		return room.members[:1:1]
	}
	for _, m := range room.members {
		if strconv.Itoa(m.id) == what || m.c.uuid == what {
			return []*member{m}
		}
	}
	return nil
}

// list lists the members, newest first.
func (room *conference) list() string {
	var out strings.Builder
	for _, m := range room.members {
		var flags []string
		if m.hears {
			flags = append(flags, "hear")
		}
		if m.speaks {
			flags = append(flags, "speak")
		}
		if room.floor != nil && room.floor.id == m.id {
			flags = append(flags, "floor")
		}
		if m.moderator {
			flags = append(flags, "moderator")
		}
		p := m.c.profile
		fmt.Fprintf(&out, "%d;%s;%s;%s;%s;%s;0;0;100\n", m.id, m.c.name, m.c.uuid, p.callerName, p.callerNumber, strings.Join(flags, "|"))
	}
	return out.String()
}

func (sw *Switch) roomsNamed(name string) []*conference {
	var rooms []*conference
	for _, room := range sw.rooms {
		if name == "" || room.name == name {
			rooms = append(rooms, room)
		}
	}
	slices.SortFunc(rooms, func(a, b *conference) int { return strings.Compare(a.name, b.name) })
	return rooms
}

func (sw *Switch) listConferences() string {
	var out strings.Builder
	for _, room := range sw.roomsNamed("") {
		plural := "s"
		if len(room.members) == 1 {
			plural = ""
		}
		flags := "running|answered|enforce_min|dynamic|exit_sound|enter_sound|json_status"
		if room.locked {
			flags = "locked|" + flags
		}
		fmt.Fprintf(&out, "+OK Conference %s (%d member%s rate: 8000 flags: %s)\n%s", room.name, len(room.members), plural, flags, room.list())
	}
	if out.Len() == 0 {
		return "+OK No active conferences.\n"
	}
	return out.String()
}

func (room *conference) get(words []string) string {
	what := strings.Join(words, " ")
	switch what {
	case "count":
		return strconv.Itoa(len(room.members))
	case "uuid":
		return room.uuid
	case "run_time":
		return strconv.Itoa(int(room.sw.now().Sub(room.began) / time.Second))
	case "rate":
		return "8000"
	}
	return ""
}

func (room *conference) lock(locked bool) string {
	room.locked = locked
	if locked {
		room.fire(apiSite("lock", 3474), header{"Action", "lock"})
		return "+OK " + room.name + " locked\n"
	}
	room.fire(apiSite("unlock", 3496), header{"Action", "unlock"})
	return "+OK " + room.name + " unlocked\n"
}

// playCommand plays a file to all, or to the member that follows it.
func (room *conference) playCommand(words []string) string {
	if len(words) == 0 {
		return "-ERR (play) File: (unspecified) not found.\n"
	}
	path := words[0]
	lasts, ok := room.sw.length(path)
	var to *member
	if len(words) > 1 && words[1] != "async" {
		if members := room.named(words[1]); members != nil {
			to = members[0]
		} else {
			id, _ := strconv.Atoi(words[1])
			return fmt.Sprintf("-ERR Member: %d not found.\nplay <file_path> [async|<member_id> [nomux]]", id)
		}
	}
	async := strconv.FormatBool(len(words) > 1 && words[1] == "async")
	switch {
	case !ok && to == nil:
		room.fire(site{"conference_file.c", "conference_file_play", 268}, header{"Action", "play-file"}, header{"File", path},
			header{"Async", async}, header{"Error", "File could not be played"})
		return "-ERR (play) File: " + path + " not found.\n"
	case !ok:
		return "-ERR (play) File: " + path + " not found.\n"
	case to != nil:
		to.fire(apiSite("play", 2846), nil, header{"Action", "play-file-member"}, header{"File", path})
		room.play(path, soundKind(path), lasts, to)
		return "+OK (play) Playing file " + path + " to member " + strconv.Itoa(to.id) + "\n"
	}
	room.fire(apiSite("play", 2817), header{"Action", "play-file"}, header{"File", path}, header{"Async", async})
	room.play(path, soundKind(path), lasts, nil)
	return "+OK (play) Playing file " + path + "\n"
}

func (room *conference) say(text string) string {
	if text == "" {
		return "-ERR (say) Error! No text.\n"
	}
	room.fire(apiSite("say", 2885), header{"Action", "speak-text"}, header{"Text", text})
	room.speakTo(text, nil)
	return "+OK (say) OK\n"
}

func (room *conference) sayToMember(words []string) string {
	if len(words) < 2 {
		return "-ERR (saymember) No Text!\n"
	}
	members := room.named(words[0])
	if members == nil {
		return "-ERR (saymember) Unknown Member " + words[0] + "!\n"
	}
	text := strings.Join(words[1:], " ")
	members[0].fire(apiSite("saymember", 2944), nil, header{"Action", "speak-text-member"}, header{"Text", text})
	room.speakTo(text, members[0])
	return "+OK (saymember) OK\n"
}

func (room *conference) speakTo(text string, to *member) {
	s := room.play(text, "speech", room.sw.speechLength(text), to)
	s.path = "" // no event tells of its end
}

func (room *conference) stopCommand(words []string) string {
	var to []*member
	if len(words) > 1 {
		if to = room.named(words[1]); to == nil {
			return "-ERR Member: " + words[1] + " not found.\n"
		}
	}
	stopped := 0
	for _, s := range slices.Clone(room.playing) {
		if s.member == nil && to == nil || s.member != nil && slices.Contains(to, s.member) {
			s.stop()
			stopped++
		}
	}
	return "+OK Stopped " + strconv.Itoa(stopped) + " files.\n"
}

func (room *conference) recordCommand(words []string) string {
	if len(words) == 0 {
		return "-ERR Conference is not being recorded.\n"
	}
	if _, busy := room.recording[words[0]]; busy {
		return "-ERR file [" + words[0] + "] is already being used for recording.\n"
	}
	path := words[0]
	room.sw.atTick(1, func() {
		if !room.destroyed {
			room.startRecording(path)
		}
	})
	return "+OK Record file " + path + "\n"
}

func (room *conference) noRecordCommand(words []string) string {
	if len(words) == 0 {
		return "-ERR missing file\n"
	}
	if words[0] == "all" {
		for path := range room.recording {
			room.stopRecording(path)
		}
		return "+OK Stopped recording 0 files\n"
	}
	path := words[0]
	if _, ok := room.recording[path]; !ok {
		return "-ERR non-existant recording '" + path + "'\n"
	}
	room.stopRecording(path)
	return "Stopped recording file " + path + "\n+OK Stopped recording 0 files\n"
}

// relate sets who hears whom: accepted and not acted upon.
func (room *conference) relate(words []string) string {
	if len(words) < 3 {
		return "-ERR Not enough args\n"
	}
	if words[2] == "clear" {
		return "+OK relationship " + words[0] + "->" + words[1] + " cleared.\n"
	}
	return "+OK " + words[0] + "->" + words[1] + " " + words[2] + " set\n"
}

// conferencesJSON writes rooms as cJSON prints them.
func (sw *Switch) conferencesJSON(name string) string {
	var list []any
	for _, room := range sw.roomsNamed(name) {
		list = append(list, room.describe())
	}
	var out strings.Builder
	printJSON(&out, list, 1)
	return out.String()
}

// fields is a JSON object whose members have an order.
type fields []field

type field struct {
	name  string
	value any
}

func (room *conference) describe() fields {
	now := room.sw.now()
	members := make([]any, 0, len(room.members))
	for _, m := range room.members {
		members = append(members, m.describe(now))
	}
	return fields{
		{"conference_name", room.name}, {"member_count", len(room.members)}, {"ghost_count", 0}, {"rate", 8000},
		{"run_time", int(now.Sub(room.began) / time.Second)}, {"conference_uuid", room.uuid}, {"canvas_count", 0},
		{"max_bw_in", 0}, {"force_bw_in", 0}, {"video_floor_packets", 0}, {"locked", room.locked}, {"destruct", false},
		{"wait_mod", false}, {"audio_always", false}, {"running", true}, {"answered", true}, {"enforce_min", true},
		{"bridge_to", false}, {"dynamic", true}, {"exit_sound", true}, {"enter_sound", true},
		{"recording", len(room.recording) > 0}, {"video_bridge", false}, {"video_floor_only", false},
		{"video_rfc4579", false}, {"variables", fields{}}, {"members", members},
	}
}

func (m *member) describe(now time.Time) fields {
	p := m.c.profile
	return fields{
		{"type", "caller"}, {"id", m.id},
		{"flags", fields{
			{"can_hear", m.hears}, {"can_see", true}, {"can_speak", m.speaks}, {"hold", false}, {"mute_detect", false},
			{"talking", false}, {"has_video", false}, {"video_bridge", false}, {"has_floor", m.room.floor != nil && m.room.floor.id == m.id},
			{"is_moderator", m.moderator}, {"end_conference", m.endsRoom}, {"mandatory_member_end_conference", m.mandatory}, {"pass_digits", false},
		}},
		{"uuid", m.c.uuid}, {"caller_id_name", p.callerName}, {"caller_id_number", p.callerNumber},
		{"join_time", int(now.Sub(m.joined) / time.Second)}, {"last_talking", 0}, {"energy", 100}, {"volume_in", 0},
		{"volume_out", 0}, {"output-volume", 0}, {"input-volume", 0},
	}
}

// printJSON prints as cJSON_Print does.
func printJSON(out *strings.Builder, value any, depth int) {
	switch v := value.(type) {
	case fields:
		out.WriteString("{\n")
		for i, f := range v {
			out.WriteString(strings.Repeat("\t", depth) + quoteJSON(f.name) + ":\t")
			printJSON(out, f.value, depth+1)
			if i < len(v)-1 {
				out.WriteByte(',')
			}
			out.WriteByte('\n')
		}
		out.WriteString(strings.Repeat("\t", depth-1) + "}")
	case []any:
		out.WriteByte('[')
		for i, entry := range v {
			if i > 0 {
				out.WriteString(", ")
			}
			printJSON(out, entry, depth+1)
		}
		out.WriteByte(']')
	case string:
		out.WriteString(quoteJSON(v))
	default:
		text, _ := json.Marshal(v)
		out.Write(text)
	}
}

// conferencesXML writes rooms as xml_list does.
func (sw *Switch) conferencesXML(name string) string {
	var out strings.Builder
	out.WriteString("<?xml version=\"1.0\"?>\n<conferences>\n")
	for _, room := range sw.roomsNamed(name) {
		now := sw.now()
		locked := ""
		if room.locked {
			locked = ` locked="true"`
		}
		fmt.Fprintf(&out, "  <conference name=\"%s\" member-count=\"%d\" ghost-count=\"0\" rate=\"8000\" uuid=\"%s\"%s running=\"true\" answered=\"true\" enforce_min=\"true\" dynamic=\"true\" exit_sound=\"true\" enter_sound=\"true\" run_time=\"%d\">\n    <variables></variables>\n    <members>\n",
			room.name, len(room.members), room.uuid, locked, now.Sub(room.began)/time.Second)
		for _, m := range room.members {
			m.writeXML(&out, now)
		}
		out.WriteString("    </members>\n  </conference>\n")
	}
	out.WriteString("</conferences>\n")
	return out.String()
}

func (m *member) writeXML(out *strings.Builder, now time.Time) {
	line := func(indent int, name string, value any) {
		fmt.Fprintf(out, "%s<%s>%v</%s>\n", strings.Repeat(" ", indent), name, value, name)
	}
	out.WriteString("      <member type=\"caller\">\n")
	line(8, "id", m.id)
	out.WriteString("        <flags>\n")
	for _, f := range []field{{"can_hear", m.hears}, {"can_see", true}, {"can_speak", m.speaks}, {"mute_detect", false}, {"talking", false},
		{"hold", false}, {"has_video", false}, {"video_bridge", false}, {"has_floor", m.room.floor != nil && m.room.floor.id == m.id},
		{"is_moderator", m.moderator}, {"end_conference", m.endsRoom}, {"mandatory_member_end_conference", m.mandatory}, {"is_ghost", false}} {
		line(10, f.name, f.value)
	}
	out.WriteString("        </flags>\n")
	line(8, "uuid", m.c.uuid)
	line(8, "caller_id_name", m.c.profile.callerName)
	line(8, "caller_id_number", m.c.profile.callerNumber)
	line(8, "join_time", int(now.Sub(m.joined)/time.Second))
	line(8, "last_talking", "N/A")
	line(8, "energy", 100)
	line(8, "volume_in", 0)
	line(8, "volume_out", 0)
	line(8, "output-volume", 0)
	out.WriteString("      </member>\n")
}
