package callcontrol

import (
	"errors"
	"slices"
	"strconv"
	"sync"

	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// audiences are the sessions that hear of all members of a conference (the hint
// events of <createconference>), whichever sessions and controllers these belong
// to. The links to the nodes let the events of their rooms through.
type audiences struct {
	mu     sync.Mutex
	rooms  map[string][]*listener // by FreeSWITCH's name
	orders inOrderOf              // what the links are told of it
}

// inOrderOf does one thing after the other, in the order in which they were put.
type inOrderOf struct {
	mu      sync.Mutex
	waiting []func()
	runs    bool
}

func (o *inOrderOf) put(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, f)
}

// run does what has been put, unless another goroutine is at it, which does all.
func (o *inOrderOf) run() {
	for first := true; ; first = false {
		o.mu.Lock()
		if first && o.runs || len(o.waiting) == 0 {
			o.runs = o.runs && first
			o.mu.Unlock()
			return
		}
		batch := o.waiting
		o.waiting, o.runs = nil, true
		o.mu.Unlock()
		for _, f := range batch {
			f()
		}
	}
}

// listener is a session in the audience of a room.
type listener struct {
	control *control
	roster  *roster
	told    map[*Node]bool // who is there; belongs to audiences
}

// do runs f in the session's goroutine, if it still listens.
func (l *listener) do(f func(c *control, r *roster)) {
	l.control.session.Do(func() {
		if l.control.rosters[l.roster.conference] == l.roster {
			f(l.control, l.roster)
		}
	})
}

// add lets a session hear of a room. The links are told in the order in which
// sessions want this, and without the lock: a link must not hold up the others.
func (a *audiences) add(c *control, r *roster) {
	defer a.orders.run()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rooms == nil {
		a.rooms = make(map[string][]*listener)
	}
	a.rooms[r.room] = append(a.rooms[r.room], &listener{control: c, roster: r, told: make(map[*Node]bool)})
	a.orders.put(func() {
		for _, n := range c.controller.nodes.all() {
			n.observe(r.room)
		}
	})
}

// remove is the opposite of add.
func (a *audiences) remove(c *control, r *roster) {
	defer a.orders.run()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rooms[r.room] = slices.DeleteFunc(a.rooms[r.room], func(l *listener) bool { return l.roster == r })
	if len(a.rooms[r.room]) > 0 {
		return
	}
	delete(a.rooms, r.room)
	a.orders.put(func() {
		for _, n := range c.controller.nodes.all() {
			n.link.Send(esl.Unfilter("Conference-Name", r.room), func(_ *esl.Reply, err error) {
				if err == nil && !a.hears(r.room) {
					n.occupancy.Forget(r.room)
				}
			})
		}
	})
}

// hears tells whether any session hears of a room.
func (a *audiences) hears(room string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.rooms[room]) > 0
}

// of gives a room's audience: those who were told who is there on a node, and
// those who were not, who count as told from now on if tell is set.
func (a *audiences) of(room string, n *Node, tell bool) (told, untold []*listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.rooms[room] {
		if l.told[n] {
			told = append(told, l)
			continue
		}
		untold = append(untold, l)
		l.told[n] = tell
	}
	return told, untold
}

// observeAll lets a link that is up, for the first time or again, hear of all rooms
// that have an audience. It runs in the link's reader goroutine.
func (a *audiences) observeAll(n *Node) {
	n.occupancy.Keep(a.hears)
	defer a.orders.run()
	a.mu.Lock()
	defer a.mu.Unlock()
	for room := range byKey(a.rooms) {
		a.orders.put(func() { n.observe(room) })
	}
}

// observe lets the events of a room through to the link, and asks who is in it.
// That is a job: its result comes in the same queue as the events, so that what
// was sent before it is in the roster, and what comes after it is not.
func (n *Node) observe(room string) {
	n.link.Send(esl.Filter("Conference-Name", room), nil)
	n.ask(freeswitch.Room(room).List(), func(result string, err error) {
		switch {
		case err == nil:
			n.census(room, result)
		case errors.Is(err, errJobLost):
			n.log.Error("members of a conference are not told of", "room", room, "error", err)
		}
	})
}

// census takes a room's roster: who listens for the first time hears of everybody
// who is there, the others of what the events did not tell, as while the link was
// down. It runs in the link's reader goroutine, as all that touches n.occupancy.
func (n *Node) census(room, text string) {
	list, err := freeswitch.ParseRoster(text)
	switch {
	case errors.Is(err, freeswitch.ErrNoRoom):
		list = freeswitch.Roster{}
	case err != nil:
		n.log.Warn("roster of a conference not understood", "room", room, "error", err)
		return
	}
	list.Room = room
	entered, left := n.occupancy.Reset(list)
	told, untold := n.controller.audiences.of(room, n, true)
	for _, l := range told {
		for _, leg := range left {
			l.do(func(c *control, r *roster) { c.memberLeft(r, leg) })
		}
		for _, m := range entered {
			l.do(func(c *control, r *roster) { c.memberJoined(r, n, m.Channel, strconv.Itoa(m.ID), m.Number) })
		}
	}
	for _, l := range untold {
		for _, m := range slices.Backward(list.Members) { // who came first stands last
			if m.Aside {
				continue
			}
			l.do(func(c *control, r *roster) {
				c.memberJoined(r, n, m.Channel, strconv.Itoa(m.ID), m.Number)
				if m.Floor {
					c.floorChanged(r.conference, m.Channel)
				}
			})
		}
	}
}

// roomEvent takes an event of a room that has an audience.
func (n *Node) roomEvent(e *esl.Event) {
	m, ok := freeswitch.ParseRoomEvent(e)
	if !ok {
		return
	}
	audience, _ := n.controller.audiences.of(m.Room, n, false)
	if len(audience) == 0 { // or the census is on its way
		return
	}
	change := n.occupancy.Apply(m)
	for _, l := range audience {
		switch {
		case change == freeswitch.Entered:
			l.do(func(c *control, r *roster) { c.memberJoined(r, n, m.Channel, m.Member, m.Number) })
		case change == freeswitch.Left:
			l.do(func(c *control, r *roster) { c.memberLeft(r, m.Channel) })
		case !n.occupancy.Has(m.Created, m.Channel):
		case m.Action == freeswitch.StartTalking, m.Action == freeswitch.StopTalking:
			l.do(func(c *control, r *roster) {
				c.talkingChanged(r.conference, m.Channel, m.Action == freeswitch.StartTalking)
			})
		case m.Action == freeswitch.FloorChange:
			l.do(func(c *control, r *roster) { c.floorChanged(r.conference, m.Channel) })
		}
	}
}
