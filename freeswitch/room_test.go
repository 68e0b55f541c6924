package freeswitch_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// recorded returns the events of a file in testdata.
func recorded(t testing.TB, name string) []freeswitch.RoomEvent {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var events []freeswitch.RoomEvent
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		m, ok := freeswitch.ParseRoomEvent(esl.ParseEvent([]byte(block + "\n\n")))
		if !ok {
			t.Fatalf("%s: not taken for a conference event:\n%s", name, block)
		}
		events = append(events, m)
	}
	return events
}

// replay returns what Occupancy makes of recorded events, with short names.
func replay(t testing.TB, name string) []string {
	t.Helper()
	var o freeswitch.Occupancy
	var seen []string
	for _, m := range recorded(t, name) {
		change := o.Apply(m)
		if change == freeswitch.Unchanged {
			continue
		}
		word := map[freeswitch.Change]string{freeswitch.Entered: "entered", freeswitch.Left: "left"}[change]
		seen = append(seen, fmt.Sprintf("%.4s %s %.4s as %s", m.Channel, word, m.Created, m.Member))
		if id, ok := o.Member(m.Created, m.Channel); ok != (change == freeswitch.Entered) || ok && id != m.Member {
			t.Errorf("%s: member id %q, %v after %v", name, id, ok, m)
		}
	}
	return seen
}

func TestOccupancyOfRecordedRooms(t *testing.T) {
	for name, want := range map[string][]string{
		"conference-seen-from-link.events": {
			"3439 entered 1268 as 3", // member ids are the node's
			"d6bc entered 1268 as 4",
			"d6bc left 1268 as 4",
			"3439 left 1268 as 3",
		},
		"conference-join-unjoin.events": {
			"2799 entered e180 as 1",
			"9c8b entered e180 as 2",
			"2799 left e180 as 1",
			"9c8b left e180 as 2",
			// The room is created again before the old one is destroyed, and
			// 2799 is a member twice.
			"2799 entered 0079 as 1",
			"82b8 entered 0079 as 4",
			"2799 left 0079 as 1",
		},
	} {
		if got := replay(t, name); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant:\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// A roster tells what the events did not.
func TestOccupancyIsReset(t *testing.T) {
	var o freeswitch.Occupancy
	event := func(action, room, created, leg, member string) {
		o.Apply(freeswitch.RoomEvent{Action: action, Room: room, Created: created, Channel: leg, Member: member})
	}
	event(freeswitch.AddMember, "r", "1", "stays", "1")
	event(freeswitch.AddMember, "r", "1", "goes", "2")
	event(freeswitch.AddMember, "other", "2", "elsewhere", "3")
	o.Apply(freeswitch.RoomEvent{Action: freeswitch.AddMember, Room: "r", Created: "1", Channel: "aside", Member: "9", Aside: true})
	roster := freeswitch.Roster{Room: "r", UniqueID: "1", Members: []freeswitch.RosterMember{
		{ID: 1, Channel: "stays"}, {ID: 4, Channel: "comes"}, {ID: 4, Channel: "comes"}, {ID: 9, Channel: "aside", Aside: true},
	}}
	entered, left := o.Reset(roster)
	if len(entered) != 1 || entered[0].Channel != "comes" || len(left) != 1 || left[0] != "goes" {
		t.Errorf("entered %v, left %v", entered, left)
	}
	if id, ok := o.Member("1", "comes"); !ok || id != "4" {
		t.Errorf("the member's id is %q, %v", id, ok)
	}
	leave := freeswitch.RoomEvent{Action: freeswitch.DelMember, Room: "r", Created: "1", Channel: "comes", Member: "4"}
	if first, second := o.Apply(leave), o.Apply(leave); first != freeswitch.Unchanged || second != freeswitch.Left {
		t.Errorf("who is there twice leaves by %v and %v", first, second)
	}
	// The room is another one of the same name by now.
	entered, left = o.Reset(freeswitch.Roster{Room: "r", UniqueID: "3", Members: []freeswitch.RosterMember{{ID: 7, Channel: "stays"}}})
	if len(entered) != 0 || len(left) != 0 {
		t.Errorf("entered %v, left %v", entered, left)
	}
	entered, left = o.Reset(freeswitch.Roster{Room: "r"})
	if len(entered) != 0 || len(left) != 1 || left[0] != "stays" {
		t.Errorf("of a room that has ended, entered %v, left %v", entered, left)
	}
	if _, ok := o.Member("2", "elsewhere"); !ok {
		t.Error("another room is forgotten")
	}
}

func TestRosters(t *testing.T) {
	for name, want := range map[string]string{
		"roster.xml":        "room1 [286 e0ca default aside] [285 574b default deaf] [284 3e70 default floor]",
		"roster-nested.xml": "room2 [66 12a4 default floor] [66 12a4 default floor]",
	} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		roster, err := freeswitch.ParseRoster(string(text))
		if err != nil {
			t.Fatal(err)
		}
		got := roster.Room
		for _, m := range roster.Members {
			got += fmt.Sprintf(" [%d %.4s %s", m.ID, m.Channel, m.Number)
			for _, flag := range []struct {
				word string
				set  bool
			}{{" floor", m.Floor}, {" aside", m.Aside}, {" deaf", !m.Hears}, {" mute", !m.Speaks}} {
				if flag.set {
					got += flag.word
				}
			}
			got += "]"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, err := freeswitch.ParseRoster("-ERR Conference nosuchroom not found\n"); !errors.Is(err, freeswitch.ErrNoRoom) {
		t.Errorf("no such room: %v", err)
	}
	for _, bad := range []string{"", "-ERR something", "<conferences/>", "<conferences>", "<conferences><conference/><conference/></conferences>", "{}"} {
		if _, err := freeswitch.ParseRoster(bad); err == nil || errors.Is(err, freeswitch.ErrNoRoom) {
			t.Errorf("ParseRoster(%q) = %v", bad, err)
		}
	}
}

func FuzzParseRoster(f *testing.F) {
	f.Add(`<conferences><conference name="r" uuid="x"><members><member type="caller"><id>1</id><uuid>u</uuid><flags><can_hear>true</can_hear></flags></member></members></conference></conferences>`)
	f.Add("-ERR Conference x not found")
	f.Fuzz(func(t *testing.T, answer string) {
		_, _ = freeswitch.ParseRoster(answer) // must not panic
	})
}

func TestCommands(t *testing.T) {
	for _, test := range []struct {
		command esl.Command
		want    string
	}{
		{freeswitch.Room("r").Kick("3"), "api conference r kick 3"},
		{freeswitch.Room("r").SetMuted("3", true), "api conference r mute 3"},
		{freeswitch.Room("r").SetMuted("3", false), "api conference r unmute 3"},
		{freeswitch.Room("r").SetDeaf("3", true), "api conference r deaf 3"},
		{freeswitch.Room("r").SetDeaf("3", false), "api conference r undeaf 3"},
		{freeswitch.Room("r").Play("/a/b.wav"), "api conference r play /a/b.wav"},
		{freeswitch.Room("r").List(), "api conference r xml_list"},
	} {
		if got := test.command.BuildMessage(); got != test.want || test.command.Err() != nil {
			t.Errorf("%q, %v; want %q", got, test.command.Err(), test.want)
		}
	}
	if freeswitch.Room("r").Play("a\nexit").Err() == nil {
		t.Error("a newline in a file name is accepted")
	}
}
