package callcontrol

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/peer"
)

// written is what a session has, as it is written down.
func written(t *testing.T, c *control) (text string, d sessionData) {
	t.Helper()
	data, err := json.Marshal(c.export())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return string(data), d
}

// sockets are FreeSWITCH's ends of the sockets of legs.
type sockets map[string]*legSocket

// restored makes what a session has again, in a session of another controller.
func restored(t *testing.T, d sessionData, goesOn bool) (*control, sockets) {
	t.Helper()
	c, ends := newSession(t), make(sockets)
	c.record.ID = d.Session
	r := c.controller.newRestorer()
	if err := r.legs(c, d); err != nil {
		t.Fatal(err)
	}
	r.link(c, d)
	if goesOn {
		for _, written := range d.Legs {
			l := c.legs[written.ID]
			if written.Socket != noSocket {
				ends[l.id] = withSocket(t, l)
				l.socket = socketStates.At(written.Socket)
			}
		}
		for _, written := range d.Legs {
			c.legs[written.ID].await()
		}
		r.orderAgain(c, d)
	}
	return c, ends
}

// A scene is a session with legs a and b, put into a state of a machine.
type scene struct {
	machine, state string
	put            func(c *control, a, b *leg)
}

// scenes are the states of all machines of legs.
func scenes() (list []scene) {
	add := func(machine, state string, put func(c *control, a, b *leg)) {
		list = append(list, scene{machine, state, put})
	}
	for _, state := range legStates.States() {
		add("leg", string(state), func(c *control, a, _ *leg) {
			a.put(state)
			a.connection = connectionStates.At(toldOf[state])
			a.node, a.answerBy = c.controller.nodes.All()[0], time.Now().Add(time.Hour)
			a.takesEarly = true
			a.attempt = &calling{job: esl.Originate{UUID: "a", Dial: "loopback/1", Vars: map[string]string{"x": "y"}}}
			if state != legConnected && state != legEarly && state != legAttaching && state != legAttachingEarly {
				a.calling = a.attempt
			}
		})
	}
	for _, state := range clearings.States() {
		add("clearing", string(state), func(_ *control, a, _ *leg) { a.clearing, a.cause = clearings.At(state), "NORMAL_CLEARING" })
	}
	for _, state := range connectionStates.States() {
		add("connection", string(state), func(_ *control, a, _ *leg) {
			for of, told := range toldOf {
				if told == state {
					a.put(of)
				}
			}
			a.connection = connectionStates.At(state)
		})
	}
	for _, state := range socketStates.States() {
		add("socket", string(state), func(_ *control, a, _ *leg) {
			if a.socket = socketStates.At(state); state == noSocket {
				a.conn = nil
			}
		})
	}
	for _, state := range homeStates.States() {
		add("way home", string(state), func(_ *control, a, _ *leg) {
			a.homing, a.home, a.parks = homeStates.At(state), "mark", 1
			if state == homeClosing {
				a.closing = 2
			}
		})
	}
	for _, state := range ownerStates.States() {
		add("owner", string(state), func(_ *control, a, _ *leg) {
			a.owner = ownerStates.At(state)
			request := interpreter.MoveRequest{SessionID: "s2", Connection: interpreter.Connection{ID: "a", State: interpreter.Connected}}
			switch state {
			case legBeingMoved, legCameBack, legEndedMoved:
				a.handover = &handover{request: request, mark: "mark", done: func(error) {}}
			case legArriving:
				a.arriving = &arrival{move: peer.Move{Session: "s", From: "s2", State: "CONNECTED"}, reply: func(peer.Answer) {}}
			}
			if state == legEndedMoved {
				a.handover.ended = &freeswitch.Hangup{Cause: "NORMAL_CLEARING", Status: 200}
			}
		})
	}
	for _, state := range joinStates.States() {
		for _, kind := range []placeKind{inBridge, listening, inConference} {
			if state == joinLeaving && kind != inConference || state == joinApart && kind != inBridge {
				continue
			}
			add(fmt.Sprint("join ", kind), string(state), func(c *control, a, b *leg) { join(c, state, kind, a, b) })
		}
	}
	return list
}

// join puts two legs into a state of a join.
func join(c *control, state joinState, kind placeKind, a, b *leg) {
	o := &order{id: c.orderID(), issuer: c, legs: []*leg{a, b}}
	o.JoinRequest = interpreter.JoinRequest{ID1: "a", ID2: "b", Half: kind == listening, TermDigits: "#", Hints: interpreter.Hints{"x": "y"}}
	legs := []*leg{a, b}
	if kind != inBridge || state == joinApart { // which of two that wait for the same moment is first is chance
		legs = legs[:1]
	}
	pair := &pairRoom{room: "room", order: o, came: 2}
	for _, l := range legs {
		other := map[*leg]*leg{a: b, b: a}[l]
		p := place{partner: other.id, order: o}
		switch kind {
		case inConference: // the room of a pair: no registry is asked
			p.room, p.member, p.running, p.pair, p.pairRoom = "room", "7", "execution", other, pair
		case listening:
			p.running = "execution"
		}
		switch state {
		case joinPending:
			l.joinPending = o
			if kind == inBridge {
				p = place{}
			}
		case joinLate:
			p = place{}
			l.notBridged, l.notEntered = other.id, "room"
		case notJoined:
			p = place{}
		default:
			p.kind = kind
		}
		l.place, l.joinState = p, joinStates.At(state)
	}
}

// set makes the scene.
func (s scene) set(t *testing.T) (*control, sockets) {
	c, ends := newSession(t), make(sockets)
	c.record.ID = "s"
	a, b := c.newLeg("a", legConnected), c.newLeg("b", legConnected)
	for _, l := range []*leg{a, b} {
		ends[l.id] = withSocket(t, l)
		l.call, l.machine = dialog.Call{Local: "sip:a@x", Remote: "sip:b@x", Redirects: []dialog.Redirect{{URI: "tel:1"}}}, "fs1"
	}
	s.put(c, a, b)
	return c, ends
}

// TestLegsAreWrittenDown: what is made from what was written is written the same, in each
// state of each machine.
func TestLegsAreWrittenDown(t *testing.T) {
	for _, s := range scenes() {
		synctest.Test(t, func(t *testing.T) {
			c, _ := s.set(t)
			c.session.Do(func() {
				text, d := written(t, c)
				again, _ := restored(t, d, false)
				if now, _ := written(t, again); now != text {
					t.Errorf("%s %q: written\n%s\nand then\n%s", s.machine, s.state, text, now)
				}
				again.legs["a"].stopTimers()
				again.legs["b"].stopTimers()
			})
			synctest.Wait()
		})
	}
}

// inputs are what may happen to leg a next.
func inputs() map[string]func(c *control, a, b *leg) {
	list := map[string]func(c *control, a, b *leg){
		"answered":        func(c *control, a, _ *leg) { c.answered(a) },
		"rings":           func(c *control, a, _ *leg) { c.progressing(a, false) },
		"early media":     func(c *control, a, _ *leg) { c.progressing(a, true) },
		"comes":           func(c *control, a, _ *leg) { c.attached(a, false, "mark") },
		"comes answered":  func(c *control, a, _ *leg) { c.attached(a, true, "mark") },
		"placed":          func(c *control, a, _ *leg) { c.originated(a, "+OK a", nil) },
		"our park":        func(c *control, a, _ *leg) { c.parked(a, "mark") },
		"another park":    func(c *control, a, _ *leg) { c.parked(a, "") },
		"bridged":         func(c *control, _, _ *leg) { c.bridged("a", "b") },
		"unbridged":       func(c *control, _, _ *leg) { c.unbridged("a", "b") },
		"entered":         func(c *control, a, _ *leg) { c.entered(a, freeswitch.RoomEvent{Room: "room", Member: "7"}) },
		"departed":        func(c *control, a, _ *leg) { c.departed(a, freeswitch.RoomEvent{Room: "room", Member: "7"}) },
		"hears":           func(c *control, a, _ *leg) { c.hearing(a) },
		"hears no more":   func(c *control, a, _ *leg) { c.heard(a, "execution") },
		"#":               func(_ *control, a, _ *leg) { a.digit("#") },
		"refer refused":   func(_ *control, a, _ *leg) { a.referred("SIP/2.0 486 Busy", false) },
		"refer is done":   func(_ *control, a, _ *leg) { a.referred("SIP/2.0 200 OK", true) },
		"subscribed":      func(_ *control, a, _ *leg) { a.subscribed() },
		"hangup asked":    func(_ *control, a, _ *leg) { a.hangUp("NORMAL_CLEARING") },
		"hung up":         func(_ *control, a, _ *leg) { a.gone(freeswitch.Hangup{Cause: "NORMAL_CLEARING", Answered: true}) },
		"partner hung up": func(_ *control, _, b *leg) { b.gone(freeswitch.Hangup{Cause: "NORMAL_CLEARING", Answered: true}) },
		"unjoin":          func(c *control, _, _ *leg) { c.Unjoin(interpreter.UnjoinRequest{ID1: "a", ID2: "b"}) },
		"join":            func(c *control, _, _ *leg) { c.Join(interpreter.JoinRequest{ID1: "a", ID2: "b"}) },
	}
	for _, after := range []time.Duration{strandedAfter, hangupAgain, homeTimeout, joinTimeout, referTimeout, time.Hour} {
		list["nothing for "+after.String()] = func(*control, *leg, *leg) {}
	}
	return list
}

// newIDs are ids that are made by chance.
var newIDs = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// look gives a function that tells what is written of the legs a and b, also when they
// have ended, and what FreeSWITCH was told on their sockets.
func (c *control) look(ends sockets) func(t *testing.T) string {
	legs := []*leg{c.legs["a"], c.legs["b"]}
	return func(t *testing.T) string {
		synctest.Wait()
		var text string
		c.session.Do(func() {
			for _, l := range legs {
				data, err := json.Marshal((&exporter{orders: make(map[string]bool)}).leg(l))
				if err != nil {
					t.Error(err)
				}
				text += string(data) + "\n"
				l.stopTimers()
			}
		})
		synctest.Wait()
		for _, l := range legs {
			if s := ends[l.id]; s != nil {
				s.mu.Lock()
				if len(s.told) > 0 {
					text += fmt.Sprintf("%s is told %q\n", l.id, s.told)
				}
				s.mu.Unlock()
			}
		}
		return newIDs.ReplaceAllString(text, "ID")
	}
}

// TestRestoredLegsGoOn: what happens next has the same effect on legs that were made from
// what was written as on those of before: on what is written of them then, and what
// FreeSWITCH is told.
func TestRestoredLegsGoOn(t *testing.T) {
	var different []string // a bubble that fails would end the test
	for _, s := range scenes() {
		for name, input := range byKey(inputs()) {
			synctest.Test(t, func(t *testing.T) {
				c, ends := s.set(t)
				var d sessionData
				c.session.Do(func() { _, d = written(t, c) })
				synctest.Wait()
				again, of := c, ends
				c.session.Do(func() {
					again, of = restored(t, d, true)
					c.legs["a"].await()
					c.legs["b"].await()
				})
				synctest.Wait()
				before, after := c.look(ends), again.look(of)
				for _, on := range []*control{c, again} {
					on.session.Do(func() { input(on, on.legs["a"], on.legs["b"]) })
				}
				if wait, ok := strings.CutPrefix(name, "nothing for "); ok {
					after, err := time.ParseDuration(wait)
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(after)
				}
				results := []string{before(t), after(t)}
				if results[0] != results[1] {
					different = append(different, fmt.Sprintf("%s %q, then %s:\n%s\nrestored:\n%s", s.machine, s.state, name, results[0], results[1]))
				}
			})
		}
	}
	for _, text := range different {
		t.Error(text)
	}
}

// A restored leg waits for what it waited for, in each state that ends by a time, and for
// nothing in the others.
func TestRestoredLegsWait(t *testing.T) {
	waits := map[string][]string{
		"leg": {
			string(legWaiting), string(legDialing), string(legRinging), string(legMedia), string(legAttaching), string(legAttachingEarly),
			string(legEarly),
		},
		"clearing": {string(redirecting), string(clearing), string(clearingRedirected)},
		"way home": {string(homeTransferred), string(homeCut), string(homeFetched), string(homeClosing)},
		"owner":    {string(legArriving)},
		"join":     {string(joinPending), string(joinLeaving), string(joinApart)},
	}
	for _, s := range scenes() {
		synctest.Test(t, func(t *testing.T) {
			c, _ := s.set(t)
			c.session.Do(func() {
				_, d := written(t, c)
				again, _ := restored(t, d, true)
				machine, kind, isJoin := strings.Cut(s.machine, "join ")
				if isJoin {
					machine = "join"
				}
				want := slices.Contains(waits[machine], s.state)
				if machine == "connection" { // its leg waits, or not
					want = slices.Contains(waits["leg"], string(again.legs["a"].state.State())) && !again.legs["a"].answerBy.IsZero() ||
						again.legs["a"].state.Is(legAttaching, legAttachingEarly)
				}
				if isJoin && s.state == string(joined) && kind == fmt.Sprint(inConference) {
					want = true // for the other one of the pair
				}
				got := slices.ContainsFunc(again.legs["a"].timers, func(timer *clock.Timer) bool { return !timer.Over() })
				if got != want {
					t.Errorf("%s %q: it waits: %t", s.machine, s.state, got)
				}
				again.legs["a"].stopTimers()
				again.legs["b"].stopTimers()
			})
			synctest.Wait()
		})
	}
}
