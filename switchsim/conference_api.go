package switchsim

import (
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
	case "volume_in", "volume_out":
		return room.volume(command, words)
	case "moh":
		return "music on hold set to " + strings.Join(words, " ") + "\n"
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

// volume is volume_in and volume_out: it is taken, and changes nothing here.
func (room *conference) volume(command string, words []string) string {
	if len(words) < 2 {
		return "-ERR Invalid input!\n"
	}
	return "Volume " + strings.ToUpper(strings.TrimPrefix(command, "volume_")) + " " + words[0] + " = " + words[1] + "\n"
}
