package interpreter

// queue is the events of a session in the order in which they are handled
// (CCXML 1.0, 9.1). Its zero value is empty and ready.
type queue struct {
	events []*Event
	head   int // the next one to take
}

// smallQueue is how many places an empty queue keeps, so that a session with
// little traffic neither allocates for each event nor holds much when idle.
const smallQueue = 8

func (q *queue) len() int { return len(q.events) - q.head }

func (q *queue) put(e *Event) {
	if q.head > 0 && len(q.events) == cap(q.events) {
		n := copy(q.events, q.events[q.head:])
		clear(q.events[n:])
		q.events, q.head = q.events[:n], 0
	}
	q.events = append(q.events, e)
}

// putFirst puts events before all that wait.
func (q *queue) putFirst(events ...*Event) {
	q.events, q.head = append(events, q.events[q.head:]...), 0
}

// take gives the next event, nil when there is none.
func (q *queue) take() *Event {
	if q.len() == 0 {
		return nil
	}
	e := q.events[q.head]
	q.events[q.head] = nil
	q.head++
	if q.len() == 0 {
		if cap(q.events) > smallQueue {
			q.events = nil
		}
		q.events, q.head = q.events[:0], 0
	}
	return e
}
