package callcontrol

import (
	"context"
	"testing"

	"ccxmld/clock/clocktest"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/switchsim"
)

// linkedNode is a node whose link to a simulated switch is up. run does something in
// the link's reader goroutine, after what the link was told before.
func linkedNode(t *testing.T) (n *Node, run func(f func())) {
	t.Helper()
	sw := switchsim.New(switchsim.Options{})
	if err := sw.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sw.Close)
	c, _ := askedController()
	n = newNode(c, NodeOptions{Name: "one"})
	up := make(chan struct{})
	n.link = esl.NewLink(esl.LinkOptions{
		Name: "one", Address: sw.Addr(), Password: "ClueCon", Events: linkEvents, Clock: clocktest.Real(), OnUp: func() { close(up) },
	})
	c.nodes.list = []*Node{n}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = n.link.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	<-up
	return n, func(f func()) {
		t.Helper()
		done := make(chan error, 1)
		n.link.Send(esl.API("echo", "x"), func(_ *esl.Reply, err error) {
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

// Who is in a room is forgotten when no session hears of it any more, and when a link
// comes up after the last one has gone; else a controller would remember every room
// that it ever had.
func TestOccupancyOfRoomsWithoutAudience(t *testing.T) {
	n, run := linkedNode(t)
	a, c := &n.controller.audiences, &control{controller: n.controller}
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
			n.occupancy.Reset(freeswitch.Roster{Room: room, UniqueID: "id of " + room, Members: []freeswitch.RosterMember{{ID: 1, Channel: "leg"}}})
		})
	}
	first, second := &roster{room: "heard"}, &roster{room: "heard"}
	a.audience("heard").listeners = []*listener{{control: c, roster: first}, {control: c, roster: second}}
	a.audience("heard").lets[n] = true
	enter("heard")
	a.remove(first)
	is("heard", true)
	a.remove(second)
	is("heard", false)

	enter("left while the link was down")
	run(func() { a.observeAll(n) })
	is("left while the link was down", false)
}
