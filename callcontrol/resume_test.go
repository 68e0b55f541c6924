package callcontrol

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"ccxmld/conference"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// A restored leg hears from FreeSWITCH what its controller was not told.
func TestResume(t *testing.T) {
	there := freeswitch.Channel{ID: "a", Machine: "fs1", State: freeswitch.Answered}
	with := func(change func(*freeswitch.Channel)) freeswitch.Channel {
		c := there
		change(&c)
		return c
	}
	in := func(kind placeKind, state joinState) func(c *control, a, b *leg) {
		return func(c *control, a, b *leg) {
			join(c, state, kind, a, b)
			a.node = c.controller.nodes.All()[0]
		}
	}
	placed := func(state legState) func(*control, *leg, *leg) {
		return func(c *control, a, _ *leg) {
			a.put(state)
			a.connection, a.node, a.takesEarly = connectionStates.At(toldOf[state]), c.controller.nodes.All()[0], true
		}
	}
	for name, test := range map[string]struct {
		put  func(c *control, a, b *leg)
		now  freeswitch.Channel
		gone bool

		state legState
		told  connectionState
		join  joinState
	}{
		"nothing has happened":         {func(*control, *leg, *leg) {}, there, false, legConnected, connectionConnected, notJoined},
		"it has ended":                 {func(*control, *leg, *leg) {}, there, true, legGone, connectionDisconnected, notJoined},
		"it has ended unanswered":      {placed(legAlerting), there, true, legGone, connectionFailed, notJoined},
		"it was answered":              {placed(legAlerting), there, false, legConnected, connectionConnected, notJoined},
		"its early media was answered": {placed(legEarly), there, false, legConnected, connectionConnected, notJoined},
		"the callee has answered":      {placed(legDialing), there, false, legAttaching, connectionPlaced, notJoined},
		"the callee rings": {placed(legDialing), with(func(c *freeswitch.Channel) { c.State = freeswitch.Ringing }), false,
			legRinging, connectionProgressing, notJoined},
		"the callee sends media": {placed(legRinging), with(func(c *freeswitch.Channel) { c.State = freeswitch.Early }), false,
			legMedia, connectionEarly, notJoined},
		"it is bridged still": {in(inBridge, joined), with(func(c *freeswitch.Channel) { c.Partner = "b" }), false,
			legConnected, connectionConnected, joined},
		"its bridge is over": {in(inBridge, joined), with(func(c *freeswitch.Channel) { c.Parked = true }), false,
			legConnected, connectionConnected, joinApart},
		"it was bridged": {in(inBridge, joinPending), with(func(c *freeswitch.Channel) { c.Partner = "b" }), false,
			legConnected, connectionConnected, joined},
		"it was bridged too late": {in(inBridge, joinLate), with(func(c *freeswitch.Channel) { c.Partner = "b" }), false,
			legConnected, connectionConnected, notJoined},
		"it is in its room still": {in(inConference, joined), with(func(c *freeswitch.Channel) { c.Room, c.Member = "room", "7" }), false,
			legConnected, connectionConnected, joined},
		"it is in its room no more": {in(inConference, joined), with(func(c *freeswitch.Channel) { c.Parked = true }), false,
			legConnected, connectionConnected, notJoined},
		"it was let into its room": {in(inConference, joinPending), with(func(c *freeswitch.Channel) { c.Room, c.Member = "room", "7" }), false,
			legConnected, connectionConnected, joined},
		"it was let into its room too late": {in(inConference, joinLate), with(func(c *freeswitch.Channel) { c.Room, c.Member = "room", "7" }), false,
			legConnected, connectionConnected, notJoined},
		"it hears still": {in(listening, joined), with(func(c *freeswitch.Channel) { c.Hears = "b" }), false,
			legConnected, connectionConnected, joined},
		"it hears no more": {in(listening, joined), with(func(c *freeswitch.Channel) { c.Parked = true }), false,
			legConnected, connectionConnected, notJoined},
		"it hears by now": {in(listening, joinPending), with(func(c *freeswitch.Channel) { c.Hears = "b" }), false,
			legConnected, connectionConnected, joined},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before, _ := scene{put: test.put}.set(t)
				var d sessionData
				before.session.Do(func() { _, d = written(t, before) })
				synctest.Wait()
				c, _ := restored(t, d, false)
				c.session.Do(func() {
					l := c.legs["a"]
					c.resume(l, test.now, !test.gone)
					if !l.state.Is(test.state) || !l.connection.Is(test.told) || !l.joinState.Is(test.join) || !l.socket.Is(noSocket) {
						t.Errorf("the leg is %s, its document was told %s, its join is %s, its socket %s",
							l.state.State(), l.connection.State(), l.joinState.State(), l.socket.State())
					}
					l.stopTimers()
					c.legs["b"].stopTimers()
				})
				synctest.Wait()
			})
		})
	}
}

// A call that the dialplan has answered is not accepted by that.
func TestResumeOfACallThatTheDialplanAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSession(t)
		l := c.newLeg("a", legAlerting)
		l.answered = true
		c.resume(l, freeswitch.Channel{ID: "a", State: freeswitch.Answered}, true)
		if !l.state.Is(legAlerting) || !l.connection.Is(connectionAlerting) {
			t.Errorf("the leg is %s, its document was told %s", l.state.State(), l.connection.State())
		}
	})
}

// What a newer controller has written, or one that knew other states or nodes, is refused
// with the reason.
func TestWhatCannotBeRestored(t *testing.T) {
	leg := legData{
		ID: "a", State: legConnected, Clearing: notClearing, Connection: connectionConnected, Socket: socketReady,
		Home: homeData{State: notHoming}, Owner: legOurs, Join: joinData{State: notJoined},
	}
	for want, change := range map[string]func(d *sessionData, l *legData){
		"":                              func(*sessionData, *legData) {},
		"written in version 2":          func(d *sessionData, _ *legData) { d.Version = 2 },
		"written in version 0":          func(d *sessionData, _ *legData) { d.Version = 0 },
		`leg has no state "on hold"`:    func(_ *sessionData, l *legData) { l.State = "on hold" },
		`clearing has no state ""`:      func(_ *sessionData, l *legData) { l.Clearing = "" },
		`connection has no state "x"`:   func(_ *sessionData, l *legData) { l.Connection = "x" },
		`socket has no state "x"`:       func(_ *sessionData, l *legData) { l.Socket = "x" },
		`way home has no state "x"`:     func(_ *sessionData, l *legData) { l.Home.State = "x" },
		`owner has no state "x"`:        func(_ *sessionData, l *legData) { l.Owner = "x" },
		`join has no state "x"`:         func(_ *sessionData, l *legData) { l.Join.State = "x" },
		"its FreeSWITCH node elsewhere": func(_ *sessionData, l *legData) { l.Node = "elsewhere" },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newSession(t)
			d, l := sessionData{Version: dataVersion, Session: "s"}, leg
			change(&d, &l)
			d.Legs = []legData{l}
			err := c.controller.newRestorer().legs(c, d)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", want, err)
			}
			if made := c.legs["a"] != nil; made != (want == "") {
				t.Errorf("%q: the leg is there: %t", want, made)
			}
		})
	}
}

// Legs that no document knows are written down, and joins that wait for their turn in an
// order in which each has it.
func TestStandInsServersAndWaitingJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSession(t)
		c.record.ID = "s"
		a, b, speaker, dialog, server := c.newLeg("a", legConnected), c.newLeg("b", legConnected), c.newLeg("x", legConnected), c.newLeg("y", legConnected), c.newLeg("z", legConnected)
		o := &order{id: c.orderID(), issuer: c, entry: conference.Entry{PIN: "1", Events: true}}
		in := &presence{room: "room", machine: "fs1", order: o, settings: &conference.Settings{EnterSound: "true"}}
		speaker.standIn = &standIn{conference: "conf:1", room: "room", node: "fs1", voice: &voice{of: a, order: o, begun: true, presence: in, headcount: 3}}
		dialog.standIn = &standIn{conference: "conf:1", room: "room", node: "fs1", dialog: interpreter.DialogRequest{DialogID: "d", Source: "a.vxml"}}
		server.browser = &browser{control: c, caller: a, leg: server, server: "sip:vxml@x", state: browserTalking, reason: "none"}
		a.present = in
		orders := []*order{{id: c.orderID(), issuer: c}, {id: c.orderID(), issuer: c}, {id: c.orderID(), issuer: c}}
		for i, legs := range [][]*leg{{b}, {b, a}, {a}} { // which is not the order of their legs' ids
			m := &move{legs: legs, order: orders[i]}
			for _, l := range legs {
				l.moves = append(l.moves, m)
			}
		}
		c.session.Do(func() {
			text, d := written(t, c)
			if want := []string{orders[0].id, orders[1].id, orders[2].id}; !slices.Equal(d.Waiting, want) {
				t.Errorf("waiting %q, want %q", d.Waiting, want)
			}
			again, _ := restored(t, d, false)
			_, now := written(t, again)
			now.Waiting, now.Orders = d.Waiting, d.Orders
			if data, err := json.Marshal(now); err != nil || string(data) != text {
				t.Errorf("written\n%s\nand then\n%s", text, data)
			}
			v := again.legs["x"].voice()
			if v.of != again.legs["a"] || v.order != v.presence.order || again.legs["z"].browser.caller != again.legs["a"] || !again.legs["y"].isHidden() {
				t.Error("legs are not connected as they were")
			}
		})
		synctest.Wait()
	})
}
