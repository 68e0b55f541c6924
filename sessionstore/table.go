package sessionstore

import (
	"slices"
	"strings"
	"sync"
)

// sessionTable is the newest record and state of each of this controller's sessions,
// and what of them Redis does not have yet.
type sessionTable struct {
	mu       sync.Mutex
	max      int
	live     map[string]*entry
	queue    []string // ids to write, each once
	leavings []leaving
	claiming map[string]bool
	lost     []string // that nobody has been told of yet
	texts    map[string]*text
	dropped  uint64
	tooLarge uint64
}

// entry is a session in the table. Its states:
//
//	queued, not stored   began, never written; when it ends now it is forgotten
//	stored               Redis has it, or may have it: a write is under way
//	stored, queued       changed since
//	ended                to be deleted from Redis, then forgotten
//	lost                 somebody else has claimed it: nothing is written any more;
//	                     forgotten when it ends here
type entry struct {
	record Session
	epoch  int64
	queued bool
	stored bool
	ended  bool
	lost   bool

	refused bool   // a state was too large, which has been said
	whole   bool   // Redis does not have the record as it is
	listed  bool   // Redis has it in the controller's set
	changes uint64 // of anything
	written uint64 // how many of these Redis has

	snapshot snapshot
}

// snapshot is a session's newest state on its way to Redis.
type snapshot struct {
	raw     []byte // as it was given, until it is packed
	packed  []byte // as Redis has it or gets it; both are nil where there is none
	texts   []string
	changes int  // how often it was given
	unsent  bool // Redis does not have it as it is
}

// leaving is a session that a controller's set is to lose.
type leaving struct{ controller, session string }

func (t *sessionTable) init(max int) {
	t.max = max
	t.live = make(map[string]*entry)
	t.claiming = make(map[string]bool)
	t.texts = make(map[string]*text)
}

// Stats are counts of the store, for metrics.
type Stats struct {
	Live     int    // sessions on record
	Waiting  int    // of these, waiting to be written
	Dropped  uint64 // that went unrecorded since the start, see [Options.MaxSessions]
	TooLarge uint64 // states that were not written since the start, see [Options.MaxState]
}

// Stats returns the present counts.
func (s *Store) Stats() Stats {
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{Live: len(t.live), Waiting: len(t.queue), Dropped: t.dropped, TooLarge: t.tooLarge}
}

// SaveSession notes the newest record of a session, to be written within
// [Options.WriteEvery]. It never blocks and never fails its caller; several
// calls between two writes cost one write, calls that change nothing cost none.
// The record's slices are the store's from then on: do not change them.
func (s *Store) SaveSession(record Session) {
	if record.Controller == "" {
		record.Controller = s.controllerID()
	}
	record.Epoch = 0 // the table has it
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[record.ID]
	if e == nil {
		if e = s.begin(record); e == nil {
			return
		}
	} else if e.ended || e.lost || e.record.equal(&record) {
		return
	}
	e.record, e.whole = record, true
	t.changed(e)
}

// Held are the newest records of the sessions of this controller, also of those that are not
// written yet, in no order. Their slices are the store's.
func (s *Store) Held() (list []Session) {
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	list = make([]Session, 0, len(t.live))
	for _, e := range t.live {
		if !e.ended && !e.lost {
			list = append(list, e.record)
		}
	}
	return list
}

// begin enters a session into the table, which is locked; nil where it has no room.
func (s *Store) begin(record Session) *entry {
	t := &s.sessions
	if len(t.live) >= t.max || !validID(record.ID) {
		s.drop(record.ID)
		return nil
	}
	e := &entry{record: record, epoch: firstEpoch, whole: true}
	t.live[record.ID] = e
	return e
}

// drop is called with the table locked.
func (s *Store) drop(id string) {
	s.sessions.dropped++
	if s.sessions.dropped == 1 {
		s.log.Error("a session is not recorded in redis: too many sessions, or an id that cannot be a key; said once, counted from now on",
			"session_id", id, "max", s.sessions.max)
	}
}

// EndSession removes all that Redis has of a session. It never blocks. A session that
// was not written yet never is; one that others have claimed stays theirs.
func (s *Store) EndSession(id string) {
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[id]
	switch {
	case e == nil || e.ended:
	case e.lost:
		delete(t.live, id)
	default:
		e.ended = true
		e.record = Session{ID: id, Controller: e.record.Controller}
		e.snapshot = snapshot{}
		t.changed(e)
	}
}

// changed queues what is to be written.
func (t *sessionTable) changed(e *entry) {
	e.changes++
	t.enqueue(e)
}

func (t *sessionTable) enqueue(e *entry) {
	if !e.queued {
		e.queued = true
		t.queue = append(t.queue, e.record.ID)
	}
}

// write is what is to be written of one session.
type write struct {
	record   Session
	epoch    int64
	delete   bool
	whole    bool // the record too
	list     bool // and the entry in the controller's set
	changes  uint64
	snapshot snapshot
}

// take removes up to writeAtOnce sessions from the queue. A session that ended
// before it was ever written is forgotten here.
func (t *sessionTable) take(batch []write) []write {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken, size := 0, 0
	for _, id := range t.queue {
		if len(batch) == writeAtOnce || size > bytesAtOnce {
			break
		}
		taken++
		e := t.live[id]
		if e == nil || !e.queued {
			continue // lost, and ended
		}
		e.queued = false
		switch {
		case e.lost:
			continue
		case e.ended && !e.stored:
			delete(t.live, id)
			continue
		}
		batch = append(batch, write{
			record: e.record, epoch: e.epoch, delete: e.ended, whole: e.whole, list: !e.listed, changes: e.changes, snapshot: e.snapshot,
		})
		size += len(e.snapshot.raw)
		e.stored, e.listed, e.whole, e.snapshot.unsent = true, true, false, false
	}
	t.queue = t.queue[:copy(t.queue, t.queue[taken:])]
	if len(t.queue) == 0 && cap(t.queue) > 4*writeAtOnce {
		t.queue = nil // do not keep the room of a burst
	}
	return batch
}

// putBack queues again what could not be written.
func (t *sessionTable) putBack(w *write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[w.record.ID]
	if e == nil || e.lost || e.epoch != w.epoch {
		return
	}
	e.whole = e.whole || w.whole
	e.listed = e.listed && !w.list
	if w.snapshot.unsent && e.snapshot.changes == w.snapshot.changes {
		e.snapshot.unsent = true
	}
	t.enqueue(e)
}

// done notes that Redis has what was written.
func (t *sessionTable) done(w *write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[w.record.ID]
	switch {
	case e == nil || e.lost || e.epoch != w.epoch:
	case w.delete:
		delete(t.live, w.record.ID)
	default:
		e.written = max(e.written, w.changes)
		if e.snapshot.changes == w.snapshot.changes {
			e.snapshot.raw, e.snapshot.packed = nil, w.snapshot.packed
		}
	}
}

// again has a session written with all that belongs to it: Redis has not got it.
func (t *sessionTable) again(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.live[id]; e != nil && !e.ended && !e.lost {
		e.whole, e.listed, e.snapshot.unsent = true, false, true
		t.enqueue(e)
	}
}

// taken notes that somebody else has a session that was ours by an epoch.
func (t *sessionTable) taken(id string, epoch int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[id]
	if e == nil || e.lost || e.epoch != epoch { // claimed back meanwhile
		return
	}
	t.leavings = append(t.leavings, leaving{e.record.Controller, id})
	if e.ended {
		delete(t.live, id)
		return
	}
	e.lost, e.snapshot = true, snapshot{}
	t.lost = append(t.lost, id)
}

// takeLeavings removes what sets are to lose from the table.
func (t *sessionTable) takeLeavings() []leaving {
	t.mu.Lock()
	defer t.mu.Unlock()
	leavings := t.leavings
	t.leavings = nil
	return leavings
}

func (t *sessionTable) leave(l ...leaving) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leavings = append(t.leavings, l...)
}

// tellLost calls Options.Lost for the sessions that others were found to have.
func (s *Store) tellLost() {
	t := &s.sessions
	t.mu.Lock()
	lost := t.lost
	t.lost = nil
	t.mu.Unlock()
	for _, id := range lost {
		s.log.Warn("a session was claimed by another controller: this one writes nothing of it any more", "session_id", id)
		if s.onLost != nil {
			s.onLost(id)
		}
	}
}

// held is a session that Redis has, or is to have, by us.
type held struct {
	id       string
	epoch    int64
	snapshot bool
}

// allHeld lists the sessions whose leases are to be renewed, and the texts that they
// need.
func (t *sessionTable) allHeld() (sessions []held, texts []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sessions = make([]held, 0, len(t.live))
	named := make(map[string]bool)
	for id, e := range t.live {
		if e.lost || e.ended {
			continue
		}
		for _, hash := range e.snapshot.texts {
			named[hash] = true
		}
		if e.stored {
			sessions = append(sessions, held{id, e.epoch, e.snapshot.packed != nil})
		}
	}
	texts = t.keepTexts(named)
	slices.SortFunc(sessions, func(a, b held) int { return strings.Compare(a.id, b.id) })
	return sessions, texts
}
