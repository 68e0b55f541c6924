package esl

// A pendingReply is a command on its way: what to do with its reply. Both
// functions are nil when nobody wants to know.
type pendingReply struct {
	done func(*Reply, error)
	// each and index are for one of several commands written together.
	each  func(int, *Reply, error)
	index int
	view  bool // the reply is not kept
	asks  bool // it does not wait for the gate (Conn.Ask)
}

func (p pendingReply) wanted() bool { return p.done != nil || p.each != nil }

func (p pendingReply) call(r *Reply, err error) {
	if p.done != nil {
		p.done(r, err)
	}
	if p.each != nil {
		p.each(p.index, r, err)
	}
}

// A pendingQueue holds the commands in flight, oldest first: FreeSWITCH answers
// in the order in which it was asked.
type pendingQueue struct {
	items []pendingReply
	first int
}

func (q *pendingQueue) len() int { return len(q.items) - q.first }

func (q *pendingQueue) push(p pendingReply) { q.items = append(q.items, p) }

func (q *pendingQueue) pop() (pendingReply, bool) {
	if q.first == len(q.items) {
		return pendingReply{}, false
	}
	p := q.items[q.first]
	q.items[q.first] = pendingReply{}
	q.first++
	switch {
	case q.first == len(q.items):
		q.first, q.items = 0, q.items[:0]
		const keep = 16 // commands; a burst's memory is given back
		if cap(q.items) > keep {
			q.items = nil
		}
	case q.first >= 64 && q.first*2 >= len(q.items):
		n := copy(q.items, q.items[q.first:])
		clear(q.items[n:])
		q.first, q.items = 0, q.items[:n]
	}
	return p, true
}
