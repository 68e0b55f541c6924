//go:build freeswitch

package callcontrol_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// enters and leaves are the frequencies of a join's tones.
const (
	entersAt = 1300
	leavesAt = 1600
)

// toneRoom has its caller a and a callee b in a conference, whose joins name two tones.
var toneRoom = fmt.Sprintf(`
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="a"/><var name="b"/><var name="room"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createconference conferenceid="room"/></transition>
<transition event="conference.created"><join id1="a" id2="room"/></transition>
<transition event="conference.joined" cond="b == undefined"><createcall dest="'tel:1'" connectionid="b"/></transition>
<transition event="connection.connected"><log expr="'session ' + session.id"/><log expr="'callee ' + b"/></transition>
<transition event="enter"><join id1="b" id2="room" entertone="'tone_stream://%%(800,0,%d)'" exittone="'tone_stream://%%(800,0,%d)'"/></transition>
<transition event="listen"><join id1="b" id2="room" duplex="'half'" entertone="'tone_stream://%%(800,0,%[1]d)'" exittone="'tone_stream://%%(800,0,%[2]d)'"/></transition>
<transition event="unjoin"><unjoin id1="b" id2="room"/></transition>
<transition event="disconnect"><disconnect connectionid="b"/></transition>
<transition event="conference.joined"><log expr="'in'"/></transition>
<transition event="conference.unjoined"><log expr="'out'"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == a"><exit/></transition>
<transition event="connection.disconnected"><log expr="'gone'"/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
</eventprocessor></ccxml>`, entersAt, leavesAt)

// Those who stay in a conference hear the tone of who enters it and of who leaves it, in
// whichever way; a member that only hears from then on is there still (JOIN-3).
func TestFreeSWITCHTones(t *testing.T) {
	// A step is an event, what is logged then, and the tones that who stays and the other hear.
	for name, steps := range map[string][]string{
		"unjoin":            {"enter in enter enter", "unjoin out leave -"},
		"disconnect":        {"enter in enter enter", "disconnect gone leave -"},
		"hangup":            {"enter in enter enter", "hangup gone leave -"},
		"listen and unjoin": {"enter in enter enter", "listen in - -", "unjoin out leave -"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRealSite(t)
			s.Document("incoming.ccxml", toneRoom)
			ends := map[string]string{"a": s.caller()}
			s.WaitLog("callee ")
			for _, line := range s.Trace.Lines() {
				if id, ok := strings.CutPrefix(line, "log callee "); ok {
					ends["b"] = s.farEnd(id)
				}
			}
			s.api("uuid_transfer", ends["b"], "park:", "inline")
			s.WaitUntil("the callee is alone", func() bool { return s.api("uuid_getvar", ends["b"], "current_application") == "park" })
			for _, end := range ends {
				s.api("uuid_setvar", end, "RECORD_READ_ONLY", "true")
			}
			for i, step := range steps {
				words := strings.Fields(step)
				file := func(name string) string { return filepath.Join(s.Dir, fmt.Sprintf("%s%d.wav", name, i)) }
				for name, end := range ends {
					s.api("uuid_record", end, "start", file(name), "6")
				}
				before := s.Trace.Count("log " + words[1])
				if words[0] == "hangup" {
					s.api("uuid_kill", ends["b"])
				} else {
					s.Inject(words[0])
				}
				s.WaitUntil(step, func() bool { return s.Trace.Count("log "+words[1]) > before })
				heard := map[string]string{"a": "-", "b": "-"}
				for name := range ends {
					if name == "b" && words[1] == "gone" {
						continue
					}
					var samples []int16
					s.WaitUntil("it is recorded", func() bool { samples = wave(file(name)); return len(samples) >= 5*8000 })
					for at := 0; at+800 <= len(samples) && heard[name] == "-"; at += 400 {
						switch piece := samples[at : at+800]; {
						case loudness(piece, entersAt) > 300:
							heard[name] = "enter"
						case loudness(piece, leavesAt) > 300:
							heard[name] = "leave"
						}
					}
				}
				if heard["a"] != words[2] && words[0] != "enter" || heard["b"] != words[3] {
					t.Errorf("%s: who stays hears %q, the other one %q", step, heard["a"], heard["b"])
				}
			}
			s.api("uuid_kill", ends["a"])
			s.WaitIdle()
		})
	}
}
