package callcontrol

import (
	"cmp"
	"errors"
	"maps"
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
	mu      sync.Mutex
	rooms   map[string]*audience // by FreeSWITCH's name
	changes map[roomOn]bool      // what links are to be told of; no more than rooms that are heard of or let through
	tells   bool                 // a goroutine is telling the links
}

// audience is who hears of a room, and which links let its events through.
type audience struct {
	listeners []*listener
	lets      map[*Node]bool
}

// roomOn is a room as a node's link knows it.
type roomOn struct {
	room string
	node *Node
}

// audience gives the one of a room. mu is held.
func (a *audiences) audience(room string) *audience {
	if a.rooms == nil {
		a.rooms, a.changes = make(map[string]*audience), make(map[roomOn]bool)
	}
	if a.rooms[room] == nil {
		a.rooms[room] = &audience{lets: make(map[*Node]bool)}
	}
	return a.rooms[room]
}

// tell tells the links of what has changed.
func (a *audiences) tell() {
	a.tellEach(func(at roomOn, heard bool) {
		if heard {
			at.node.observe(at.room)
		} else {
			at.node.observeNoMore(at.room)
		}
	})
}

// tellEach tells what has changed, unless another goroutine is at it, which does all.
// It does so without the lock: a link must not hold up the others.
func (a *audiences) tellEach(tell func(at roomOn, heard bool)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tells {
		return
	}
	a.tells = true
	for len(a.changes) > 0 {
		for _, at := range slices.SortedFunc(maps.Keys(a.changes), roomOn.compare) {
			if !a.changes[at] { // it is over meanwhile, and the link has not been told of it
				continue
			}
			delete(a.changes, at)
			now := a.rooms[at.room]
			heard := len(now.listeners) > 0
			if heard {
				now.lets[at.node] = true
			} else if delete(now.lets, at.node); len(now.lets) == 0 {
				delete(a.rooms, at.room)
			}
			a.mu.Unlock()
			tell(at, heard)
			a.mu.Lock()
		}
	}
	a.tells = false
}

// compare puts what links are told in an order that is the same every time.
func (r roomOn) compare(other roomOn) int {
	return cmp.Or(cmp.Compare(r.room, other.room), cmp.Compare(r.node.options.Name, other.node.options.Name))
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

// add lets a session hear of a room.
func (a *audiences) add(c *control, r *roster) {
	defer a.tell()
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.audience(r.room)
	now.listeners = append(now.listeners, &listener{control: c, roster: r, told: make(map[*Node]bool)})
	for _, n := range c.controller.nodes.all() {
		a.changes[roomOn{r.room, n}] = true
	}
}

// remove is the opposite of add.
func (a *audiences) remove(r *roster) {
	defer a.tell()
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.audience(r.room)
	now.listeners = slices.DeleteFunc(now.listeners, func(l *listener) bool { return l.roster == r })
	if len(now.listeners) > 0 {
		return
	}
	// A link that was not told of the room yet need not be told that it is over.
	maps.DeleteFunc(a.changes, func(at roomOn, _ bool) bool { return at.room == r.room })
	for n := range now.lets {
		a.changes[roomOn{r.room, n}] = true
	}
	if len(now.lets) == 0 {
		delete(a.rooms, r.room)
	}
}

// hears tells whether any session hears of a room.
func (a *audiences) hears(room string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.rooms[room]
	return now != nil && len(now.listeners) > 0
}

// of gives a room's audience: those who were told who is there on a node, and
// those who were not, who count as told from now on if tell is set.
func (a *audiences) of(room string, n *Node, tell bool) (told, untold []*listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rooms[room] == nil {
		return nil, nil
	}
	for _, l := range a.rooms[room].listeners {
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
	defer a.tell()
	a.mu.Lock()
	defer a.mu.Unlock()
	for room, now := range a.rooms {
		if len(now.listeners) > 0 {
			a.changes[roomOn{room, n}] = true
		}
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

// observeNoMore keeps the events of a room from the link, and forgets who is in it.
func (n *Node) observeNoMore(room string) {
	n.link.Send(esl.Unfilter("Conference-Name", room), func(_ *esl.Reply, err error) {
		if err == nil && !n.controller.audiences.hears(room) {
			n.occupancy.Forget(room)
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
