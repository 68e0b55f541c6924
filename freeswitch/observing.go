package freeswitch

import (
	"errors"
	"slices"
	"sync"

	"ccxmld/esl"
)

// Observe lets the links hear of a room, whichever node it is on, until it was called
// as often as [Nodes.Unobserve]. The owner is told who is in it, each time.
func (n *Nodes) Observe(room string) {
	n.mu.Lock()
	n.rooms[room]++
	n.mu.Unlock()
	n.tell(room)
}

// Unobserve is the opposite of Observe.
func (n *Nodes) Unobserve(room string) {
	n.mu.Lock()
	n.rooms[room]--
	last := n.rooms[room] <= 0
	if last {
		delete(n.rooms, room)
	}
	n.mu.Unlock()
	if last {
		n.tell(room)
	}
}

func (n *Nodes) tell(room string) {
	for _, node := range n.All() {
		node.observing.tell(room)
	}
}

func (n *Nodes) observes(room string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rooms[room] > 0
}

func (n *Nodes) observed() (rooms []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for room := range n.rooms {
		rooms = append(rooms, room)
	}
	slices.Sort(rooms)
	return rooms
}

// observing tells a link which rooms are observed, one after the other, so that the
// last word about a room is the last that the link gets. No lock is held meanwhile: a
// link must not hold up others.
type observing struct {
	node *Node

	mu      sync.Mutex
	waiting []string // rooms of which the link is to be told, each once
	running bool
}

// begin takes a link that is up, for the first time or again. It runs in the link's
// reader goroutine.
func (o *observing) begin() {
	o.node.occupancy.Keep(o.node.all.observes)
	for _, room := range o.node.all.observed() {
		o.tell(room)
	}
}

// tell tells the link whether a room is observed, unless another goroutine is at it,
// which does this too.
func (o *observing) tell(room string) {
	o.mu.Lock()
	if !slices.Contains(o.waiting, room) {
		o.waiting = append(o.waiting, room)
	}
	if o.running {
		o.mu.Unlock()
		return
	}
	for o.running = true; len(o.waiting) > 0; o.mu.Lock() {
		room, o.waiting = o.waiting[0], o.waiting[1:]
		o.mu.Unlock()
		o.node.observe(room)
	}
	o.running = false
	o.mu.Unlock()
}

// observe lets the events of a room through to the link, and asks who is in it; or no
// longer. Asking is a job: its result comes in the same queue as the events, so that
// what was sent before it is in the roster, and what comes after it is not.
func (n *Node) observe(room string) {
	if !n.all.observes(room) {
		n.Send(esl.Unfilter("Conference-Name", room), func(_ *esl.Reply, err error) {
			if err == nil && !n.all.observes(room) {
				n.occupancy.Forget(room)
			}
		})
		return
	}
	n.Send(esl.Filter("Conference-Name", room), nil)
	n.Ask(Room(room).List(), func(result string, err error) {
		switch {
		case err == nil:
			n.listed(room, result)
		case errors.Is(err, ErrJobLost):
			n.log.Error("members of a conference are not told of", "room", room, "error", err)
		}
	})
}

// listed takes a room's roster. It runs in the link's reader goroutine, as all that
// touches n.occupancy.
func (n *Node) listed(room, text string) {
	now, err := ParseRoster(text)
	switch {
	case !n.all.observes(room):
		return
	case errors.Is(err, ErrNoRoom):
		now = Roster{}
	case err != nil:
		n.log.Warn("roster of a conference not understood", "room", room, "error", err)
		return
	}
	now.Room = room
	entered, left := n.occupancy.Reset(now)
	n.all.site.Owner.RoomListed(n, now, entered, left)
}

// roomEvent takes an event of a room.
func (n *Node) roomEvent(e *esl.Event) {
	m, ok := ParseRoomEvent(e)
	if !ok || !n.all.observes(m.Room) {
		return
	}
	change := n.occupancy.Apply(m)
	n.all.site.Owner.RoomEvent(n, m, change, n.occupancy.Has(m.Created, m.Channel))
}
