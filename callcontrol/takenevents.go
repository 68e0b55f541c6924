package callcontrol

import (
	"time"

	"ccxmld/operator"
	"ccxmld/script"
)

// takenEvents are the last events of a session.
type takenEvents struct {
	ring [eventsKept]takenEvent
	next int
}

const eventsKept = 16

// takenEvent is an event that a session has handled.
type takenEvent struct {
	time        time.Time
	name, state string
	at          *script.Position // of the transition that took it; nil where none did
}

func (e takenEvent) show() operator.EventTaken {
	shown := operator.EventTaken{Time: e.time.UTC(), Event: e.name, State: e.state}
	if e.at != nil {
		shown.URI, shown.Line, shown.Column = e.at.URI, e.at.Line, e.at.Column
	}
	return shown
}

// note keeps an event, in the place of the oldest.
func (t *takenEvents) note(e takenEvent) {
	t.ring[t.next%eventsKept] = e
	t.next++
}

func (t *takenEvents) list() []operator.EventTaken {
	list := []operator.EventTaken{}
	for i := max(0, t.next-eventsKept); i < t.next; i++ {
		list = append(list, t.ring[i%eventsKept].show())
	}
	return list
}
