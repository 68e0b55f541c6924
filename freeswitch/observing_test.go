package freeswitch

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"ccxmld/clock/clocktest"
	"ccxmld/esl"
	"ccxmld/switchsim"
)

// listener is an owner that is told of rooms, and of links that are up.
type listener struct {
	Owner
	up     chan *Node
	listed chan Roster
}

func (l listener) NodeUp(n *Node, _ bool)                                       { l.up <- n }
func (l listener) NodeDown(*Node, error)                                        {}
func (l listener) RoomListed(_ *Node, now Roster, _ []RosterMember, _ []string) { l.listed <- now }

// linkedNode is a node whose link to a simulated switch is up. run does something in
// the link's reader goroutine, after what the link was told before.
func linkedNode(t *testing.T) (n *Node, told listener, run func(f func())) {
	t.Helper()
	sw := switchsim.New(switchsim.Options{})
	if err := sw.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sw.Close)
	told = listener{up: make(chan *Node, 10), listed: make(chan Roster, 10)}
	all := NewNodes(NodesOptions{ID: "c", Owner: told, Clock: clocktest.Real(), Logger: slog.New(slog.DiscardHandler)},
		[]NodeOptions{{Name: "one", Address: sw.Addr(), Password: "ClueCon"}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		all.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	n = <-told.up
	return n, told, func(f func()) {
		t.Helper()
		done := make(chan error, 1)
		n.Send(esl.API("echo", "x"), func(_ *esl.Reply, err error) {
			if err == nil {
				f()
			}
			done <- err
		})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// Who is in a room is forgotten when nobody observes it any more, and when a link comes
// up after the last one has gone; else a controller would remember every room that it
// ever had.
func TestOccupancyOfRoomsThatNobodyObserves(t *testing.T) {
	n, told, run := linkedNode(t)
	is := func(room string, want bool) {
		t.Helper()
		run(func() {
			if n.occupancy.Has("id of "+room, "leg") != want {
				t.Errorf("%s: known is %t", room, !want)
			}
		})
	}
	enter := func(room string) {
		run(func() {
			n.occupancy.Reset(Roster{Room: room, UniqueID: "id of " + room, Members: []RosterMember{{ID: 1, Channel: "leg"}}})
		})
	}
	for range 2 { // each time it is told who is there
		n.all.Observe("heard")
		if now := <-told.listed; now.Room != "heard" {
			t.Errorf("told of room %q", now.Room)
		}
	}
	enter("heard")
	n.all.Unobserve("heard")
	is("heard", true)
	n.all.Unobserve("heard")
	is("heard", false)

	run(func() {
		n.listed("heard", `<conferences><conference name="heard" uuid="id of heard"><members/></conference></conferences>`)
	})
	if len(told.listed) > 0 {
		t.Error("told who is in a room that nobody observes")
	}
	enter("left while the link was down")
	run(n.observing.begin)
	is("left while the link was down", false)
}

// The last word about a room is the last that the link gets, each room stands once
// among those of which it is to be told, and no lock is held meanwhile.
func TestOneTellsTheLinkOfRooms(t *testing.T) {
	n, _, _ := linkedNode(t)
	o := &n.observing
	o.running = true // another goroutine is at it
	for range 3 {
		for _, room := range []string{"a", "b"} {
			n.all.Observe(room)
			n.all.Unobserve(room)
		}
	}
	if !slices.Equal(o.waiting, []string{"a", "b"}) {
		t.Errorf("the link is to be told of %q", o.waiting)
	}
	o.running = false
	o.tell("c")
	if o.running || len(o.waiting) > 0 {
		t.Errorf("not told: %q", o.waiting)
	}
}
