package switchsim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

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
		if room.waits {
			flags = "wait_mod|" + flags
		}
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
		{"wait_mod", room.waits}, {"audio_always", false}, {"running", true}, {"answered", true}, {"enforce_min", true},
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
			{"can_hear", m.hears}, {"can_see", !m.blind}, {"can_speak", m.speaks}, {"hold", false}, {"mute_detect", false},
			{"talking", m.talking}, {"has_video", false}, {"video_bridge", false}, {"has_floor", m.room.floor != nil && m.room.floor.id == m.id},
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
	for _, f := range []field{{"can_hear", m.hears}, {"can_see", !m.blind}, {"can_speak", m.speaks}, {"mute_detect", false}, {"talking", m.talking},
		{"hold", false}, {"has_video", false}, {"video_bridge", false}, {"has_floor", m.room.floor != nil && m.room.floor.id == m.id},
		{"is_moderator", m.moderator}, {"end_conference", m.endsRoom}, {"mandatory_member_end_conference", m.mandatory}, {"is_ghost", false}} {
		line(10, f.name, f.value)
	}
	out.WriteString("        </flags>\n")
	line(8, "uuid", m.c.uuid)
	line(8, "caller_id_name", url.PathEscape(m.c.profile.callerName))
	line(8, "caller_id_number", url.PathEscape(m.c.profile.callerNumber))
	line(8, "join_time", int(now.Sub(m.joined)/time.Second))
	line(8, "last_talking", "N/A")
	line(8, "energy", 100)
	line(8, "volume_in", 0)
	line(8, "volume_out", 0)
	line(8, "output-volume", 0)
	out.WriteString("      </member>\n")
}
