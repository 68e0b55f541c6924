//go:build freeswitch

package callcontrol_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ccxmld/callcontrol"
	"ccxmld/esl"
	"ccxmld/interpreter"
	"ccxmld/sitetest"
)

// Who hears whom on a real FreeSWITCH, by their voices: each party says a tone of
// its own, is recorded while it listens, and the tones are looked for in that.

// voices are the frequencies of the parties' tones.
var voices = map[string]float64{"a": 440, "b": 700, "c": 1100}

// realBoard is a switchboard at work with a real FreeSWITCH.
type realBoard struct {
	*realSite
	session string
	ends    map[string]string // the far ends' legs, by the connections' names
	takes   int               // recordings made
}

func newRealBoard(t *testing.T) *realBoard {
	t.Helper()
	s := newRealSite(t, sitetest.With("DIAL_ROUTES", "[{match: 'tel:(.*)', dial: 'loopback/app=conference:answers-$1@ccxmld'}]"))
	b := &realBoard{realSite: s, ends: make(map[string]string)}
	s.Document("incoming.ccxml", strings.ReplaceAll(switchboard, "'ready ' + session.id + ' ' + ids.a", "'ready ' + session.id + ' ' + ids.b + ' ' + ids.c"))
	b.ends["a"] = s.caller()
	s.WaitLog("ready ")
	for _, line := range s.Trace.Lines() {
		if words := strings.Fields(line); len(words) == 5 && words[1] == "ready" {
			b.session = words[2]
			b.ends["b"], b.ends["c"] = b.farEnd(words[3]), b.farEnd(words[4])
		}
	}
	for name, end := range b.ends {
		if name != "a" { // it is in a conference only because that answers the call
			b.api("uuid_transfer", end, "park:", "inline")
			b.WaitUntil(name+" is alone", func() bool { return b.api("uuid_getvar", end, "current_application") == "park" })
		}
		b.api("uuid_broadcast", end, fmt.Sprintf("tone_stream://%%(120000,0,%.0f)", voices[name]), "aleg")
		b.api("uuid_setvar", end, "RECORD_READ_ONLY", "true")
	}
	return b
}

// farEnd is the other half of a loopback leg.
func (s *realSite) farEnd(id string) (other string) {
	s.Helper()
	s.WaitUntil("leg "+id+" has another end", func() bool {
		other = s.api("uuid_getvar", id, "other_loopback_leg_uuid")
		return esl.CheckUUID("leg", other) == nil && len(other) == 36
	})
	return other
}

// listenFor is how long it is recorded what a party hears, in seconds, of which
// the file has less. A conference takes a while to notice that somebody talks.
const listenFor = 3

// hears records what all parties hear and tells whose voices are in it.
func (b *realBoard) hears() string { return b.hearsEach("a", "b", "c") }

// hearsEach is hears for some of the parties.
func (b *realBoard) hearsEach(names ...string) string {
	b.Helper()
	b.takes++
	file := func(name string) string { return filepath.Join(b.Dir, fmt.Sprintf("%s%d.wav", name, b.takes)) }
	for _, name := range names {
		b.api("uuid_record", b.ends[name], "start", file(name), fmt.Sprint(listenFor))
	}
	var text []string
	for _, name := range names {
		var heard []string
		var samples []int16
		b.WaitUntil(name+" was recorded", func() bool {
			samples = wave(file(name))
			return len(samples) >= (listenFor-1)*8000
		})
		end := samples[len(samples)-4000:]
		for other, frequency := range voices {
			if loudness(end, frequency) > 300 {
				heard = append(heard, other)
			}
		}
		slices.Sort(heard)
		text = append(text, name+"<"+strings.Join(heard, ""))
	}
	return strings.Join(text, "; ")
}

// wave reads the samples of a file of 16 bits, mono.
func wave(file string) (samples []int16) {
	data, err := os.ReadFile(file)
	if err != nil || len(data) < 44 {
		return nil
	}
	for data = data[44:]; len(data) >= 2; data = data[2:] {
		samples = append(samples, int16(binary.LittleEndian.Uint16(data)))
	}
	return samples
}

// loudness is the amplitude of one frequency in samples at 8 kHz (Goertzel).
func loudness(samples []int16, frequency float64) float64 {
	c := 2 * math.Cos(2*math.Pi*frequency/8000)
	var s1, s2 float64
	for _, x := range samples {
		s1, s2 = float64(x)+c*s1-s2, s1
	}
	return math.Sqrt(max(0, s1*s1+s2*s2-c*s1*s2)) * 2 / float64(len(samples))
}

func (b *realBoard) tell(command string) {
	b.Helper()
	words := append(strings.Fields(command), "", "full")
	b.Must(b.Daemon.Controller.Inject(b.Context(), callcontrol.Injection{
		Session: b.session, Name: "user." + words[0], Source: "test",
		Parameters: []interpreter.Pair{{Name: "id1", Value: words[1]}, {Name: "id2", Value: words[2]},
			{Name: "duplex", Value: map[bool]string{true: "half", false: "full"}[words[3] == "half"]}},
	}))
}

// The steps are those of TestWhoHearsWhom, on which the simulated switch has to
// agree with this one.
func TestFreeSWITCHWhoHearsWhom(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps [][2]string
	}{
		{"full pair", [][2]string{{"join a b", "a<b; b<a; c<"}, {"unjoin a b", "a<; b<; c<"}}},
		{"half pair both ways", [][2]string{{"join a b half", "a<b; b<; c<"}, {"join b a half", "a<; b<a; c<"}}},
		{"one speaker two listeners", [][2]string{{"join b a half", "a<; b<a; c<"}, {"join c a half", "a<; b<a; c<a"}, {"unjoin b a", "a<; b<; c<a"}}},
		{"listener on a pair", [][2]string{{"join a b", "a<b; b<a; c<"}, {"join c a half", "a<b; b<a; c<a"}, {"join c b half", "a<b; b<a; c<b"}}},
		{"half from a pair", [][2]string{{"join a b", "a<b; b<a; c<"}, {"join b c half", "a<b; b<c; c<"}, {"join a b", "a<b; b<a; c<"}}},
		{"chain", [][2]string{{"join a b half", "a<b; b<; c<"}, {"join b c half", "a<b; b<c; c<"}}},
		{"conference", [][2]string{{"join a m", "a<; b<; c<"}, {"join b m", "a<b; b<a; c<"}, {"join c m half", "a<b; b<a; c<ab"},
			{"join m c half", "a<bc; b<ac; c<"}, {"join c m", "a<bc; b<ac; c<ab"}}},
		{"half from a member", [][2]string{{"join a m", "a<; b<; c<"}, {"join c a half", "a<; b<; c<a"}}},
		{"a member hears somebody else and is heard on", [][2]string{{"join a m", "a<; b<; c<"}, {"join b m", "a<b; b<a; c<"},
			{"join b c half", "a<b; b<c; c<"}, {"unjoin b m", "a<; b<c; c<"}, {"join m b half", "a<b; b<c; c<"}, {"join b m", "a<b; b<a; c<"}}},
		{"a conference hears one of a pair", [][2]string{{"join a m", "a<; b<; c<"}, {"join b c", "a<; b<c; c<b"}, {"join m b half", "a<b; b<c; c<b"},
			{"unjoin m b", "a<; b<c; c<b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newRealBoard(t)
			for _, step := range c.steps {
				b.Trace.Reset()
				b.tell(step[0])
				verb, _, _ := strings.Cut(step[0], " ")
				b.WaitLog(verb + "ed ")
				if heard := b.hears(); heard != step[1] {
					t.Errorf("after %s: %s, want %s", step[0], heard, step[1])
				}
			}
			b.api("uuid_kill", b.ends["a"])
			b.WaitIdle()
		})
	}
}

// Merged connections go on talking when their session has ended, and end
// together (MRG-1).
func TestFreeSWITCHMerge(t *testing.T) {
	b := newRealBoard(t)
	b.tell("join a b")
	b.WaitLog("joined ")
	b.tell("merge a b")
	b.WaitLog("merged ")
	b.Must(b.Daemon.Controller.WaitIdle(b.Context()))
	b.gone(b.ends["c"])
	if heard := b.hearsEach("a", "b"); heard != "a<b; b<a" {
		t.Errorf("after the merge: %s", heard)
	}
	b.api("uuid_kill", b.ends["b"])
	b.gone(b.ends["a"])
}

// The members of two joined conferences hear each other, though there is but one
// in each.
func TestFreeSWITCHJoinedConferences(t *testing.T) {
	s := newRealSite(t, sitetest.With("DIAL_ROUTES", "[{match: 'tel:2', dial: 'loopback/app=conference:answers-2@ccxmld'}]"))
	s.Document("incoming.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="a"/><var name="b"/><var name="left"/><var name="right"/><var name="joins" expr="0"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:2'" connectionid="b"/></transition>
<transition event="connection.connected"><createconference conferenceid="left"/></transition>
<transition event="conference.created" cond="!right"><createconference conferenceid="right"/></transition>
<transition event="conference.created"><join id1="a" id2="left"/><join id1="b" id2="right"/><join id1="left" id2="right"/></transition>
<transition event="conference.joined"><assign name="joins" expr="joins + 1"/><if cond="joins == 3"><log expr="'joined ' + b"/></if></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
	caller := s.caller()
	s.WaitLog("joined ")
	var callee string
	for _, line := range s.Trace.Lines() {
		if id, ok := strings.CutPrefix(line, "log joined "); ok {
			callee = s.farEnd(id)
		}
	}
	s.api("uuid_transfer", callee, "park:", "inline")
	s.WaitUntil("the callee is alone", func() bool { return s.api("uuid_getvar", callee, "current_application") == "park" })
	for leg, frequency := range map[string]float64{caller: voices["a"], callee: voices["b"]} {
		s.api("uuid_broadcast", leg, fmt.Sprintf("tone_stream://%%(60000,0,%.0f)", frequency), "aleg")
	}
	s.overhear(caller)(voices["b"])
	s.overhear(callee)(voices["a"])
	s.api("uuid_kill", caller)
	s.WaitIdle()
}
