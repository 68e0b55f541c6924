package conference_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ccxmld/conference"
	"ccxmld/esl"
	"ccxmld/sessionstore/redistest"
)

// recorded returns the events of a file in testdata.
func recorded(t testing.TB, name string) []conference.Maintenance {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var events []conference.Maintenance
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		m, ok := conference.ParseMaintenance(esl.ParseEvent([]byte(block + "\n\n")))
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
	var o conference.Occupancy
	var seen []string
	for _, m := range recorded(t, name) {
		change := o.Apply(m)
		if change == conference.Unchanged {
			continue
		}
		word := map[conference.Change]string{conference.Entered: "entered", conference.Left: "left"}[change]
		seen = append(seen, fmt.Sprintf("%.4s %s %.4s as %s", m.Channel, word, m.Created, m.Member))
		if id, ok := o.Member(m.Created, m.Channel); ok != (change == conference.Entered) || ok && id != m.Member {
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
	var o conference.Occupancy
	event := func(action, room, created, leg, member string) {
		o.Apply(conference.Maintenance{Action: action, Room: room, Created: created, Channel: leg, Member: member})
	}
	event(conference.AddMember, "r", "1", "stays", "1")
	event(conference.AddMember, "r", "1", "goes", "2")
	event(conference.AddMember, "other", "2", "elsewhere", "3")
	o.Apply(conference.Maintenance{Action: conference.AddMember, Room: "r", Created: "1", Channel: "aside", Member: "9", Aside: true})
	roster := conference.Roster{Room: "r", UniqueID: "1", Members: []conference.RosterMember{
		{ID: 1, Channel: "stays"}, {ID: 4, Channel: "comes"}, {ID: 4, Channel: "comes"}, {ID: 9, Channel: "aside", Aside: true},
	}}
	entered, left := o.Reset(roster)
	if len(entered) != 1 || entered[0].Channel != "comes" || len(left) != 1 || left[0] != "goes" {
		t.Errorf("entered %v, left %v", entered, left)
	}
	if id, ok := o.Member("1", "comes"); !ok || id != "4" {
		t.Errorf("the member's id is %q, %v", id, ok)
	}
	leave := conference.Maintenance{Action: conference.DelMember, Room: "r", Created: "1", Channel: "comes", Member: "4"}
	if first, second := o.Apply(leave), o.Apply(leave); first != conference.Unchanged || second != conference.Left {
		t.Errorf("who is there twice leaves by %v and %v", first, second)
	}
	// The room is another one of the same name by now.
	entered, left = o.Reset(conference.Roster{Room: "r", UniqueID: "3", Members: []conference.RosterMember{{ID: 7, Channel: "stays"}}})
	if len(entered) != 0 || len(left) != 0 {
		t.Errorf("entered %v, left %v", entered, left)
	}
	entered, left = o.Reset(conference.Roster{Room: "r"})
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
		roster, err := conference.ParseRoster(string(text))
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
	if _, err := conference.ParseRoster("-ERR Conference nosuchroom not found\n"); !errors.Is(err, conference.ErrNoRoom) {
		t.Errorf("no such room: %v", err)
	}
	for _, bad := range []string{"", "-ERR something", "<conferences/>", "<conferences>", "<conferences><conference/><conference/></conferences>", "{}"} {
		if _, err := conference.ParseRoster(bad); err == nil || errors.Is(err, conference.ErrNoRoom) {
			t.Errorf("ParseRoster(%q) = %v", bad, err)
		}
	}
}

func FuzzParseRoster(f *testing.F) {
	f.Add(`<conferences><conference name="r" uuid="x"><members><member type="caller"><id>1</id><uuid>u</uuid><flags><can_hear>true</can_hear></flags></member></members></conference></conferences>`)
	f.Add("-ERR Conference x not found")
	f.Fuzz(func(t *testing.T, answer string) {
		_, _ = conference.ParseRoster(answer) // must not panic
	})
}

func TestReconcile(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		r, _ := registry(t, server.URL, "a")
		c, _ := create(t, r, "x", "s")
		now := time.Now()
		for connection, joined := range map[string]time.Time{
			"there": now.Add(-time.Minute), "gone": now.Add(-time.Minute), "arriving": now,
		} {
			if _, err := r.Join(t.Context(), c.ID, conference.Member{Connection: connection, Node: "node1", Joined: joined}); err != nil {
				t.Fatal(err)
			}
		}
		if held := r.HeldOn("node1"); len(held) != 1 || held[0].ID != c.ID || len(r.HeldOn("node2")) != 0 {
			t.Errorf("held on node1: %+v", held)
		}
		roster := conference.Roster{Room: c.Room, Members: []conference.RosterMember{
			{ID: 1, Channel: "there"}, {ID: 1, Channel: "there"}, {ID: 2, Channel: "stranger"},
		}}
		gone, err := r.Reconcile(t.Context(), c.ID, roster, now.Add(-5*time.Second))
		if err != nil || len(gone) != 1 || gone[0].Connection != "gone" {
			t.Errorf("gone = %+v, %v", gone, err)
		}
		members, err := r.Members(t.Context(), c.ID)
		if err != nil || len(members) != 2 {
			t.Errorf("members = %+v, %v", members, err)
		}
		roster.Room = "another"
		if _, err := r.Reconcile(t.Context(), c.ID, roster, now); err == nil {
			t.Error("a roster of another room is accepted")
		}
	})
}

func TestCommands(t *testing.T) {
	for _, test := range []struct {
		command esl.Command
		want    string
	}{
		{conference.Kick("r", "3"), "api conference r kick 3"},
		{conference.Mute("r", "3"), "api conference r mute 3"},
		{conference.Unmute("r", "3"), "api conference r unmute 3"},
		{conference.Deaf("r", "3"), "api conference r deaf 3"},
		{conference.Undeaf("r", "3"), "api conference r undeaf 3"},
		{conference.Play("r", "/a/b.wav"), "api conference r play /a/b.wav"},
		{conference.ListMembers("r"), "api conference r xml_list"},
	} {
		if got := test.command.BuildMessage(); got != test.want || test.command.Err() != nil {
			t.Errorf("%q, %v; want %q", got, test.command.Err(), test.want)
		}
	}
	if conference.Play("r", "a\nexit").Err() == nil {
		t.Error("a newline in a file name is accepted")
	}
}
