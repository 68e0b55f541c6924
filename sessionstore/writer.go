package sessionstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/logs"
)

// writeAtOnce is how many sessions go to Redis in one pipeline.
const writeAtOnce = 256

// sessionTable is the newest record of each of this controller's sessions, and
// which of them Redis does not have yet.
type sessionTable struct {
	mu      sync.Mutex
	max     int
	live    map[string]*entry
	queue   []string // ids to write, each once
	dropped uint64
}

// entry is a session in the table. Its states:
//
//	queued, not stored   began, never written; when it ends now it is forgotten
//	stored               Redis has it, or may have it: a write is under way
//	stored, queued       changed since
//	ended                to be deleted from Redis, then forgotten
type entry struct {
	record Session
	queued bool
	stored bool
	ended  bool
}

func (t *sessionTable) init(max int) {
	t.max = max
	t.live = make(map[string]*entry)
}

// Stats are counts of the store, for metrics.
type Stats struct {
	Live    int    // sessions on record
	Waiting int    // of these, waiting to be written
	Dropped uint64 // that went unrecorded since the start, see [Options.MaxSessions]
}

// Stats returns the present counts.
func (s *Store) Stats() Stats {
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{Live: len(t.live), Waiting: len(t.queue), Dropped: t.dropped}
}

// SaveSession notes the newest state of a session, to be written within
// [Options.WriteEvery]. It never blocks and never fails its caller; several
// calls between two writes cost one write, calls that change nothing cost none.
// The record's slices are the store's from then on: do not change them.
func (s *Store) SaveSession(record Session) {
	if record.Controller == "" {
		record.Controller = s.controllerID()
	}
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[record.ID]
	switch {
	case e == nil && (len(t.live) >= t.max || !validID(record.ID)):
		s.drop(record.ID)
		return
	case e == nil:
		e = &entry{}
		t.live[record.ID] = e
	case e.ended || e.record.equal(&record):
		return
	}
	e.record = record
	t.enqueue(e)
}

// drop is called with the table locked.
func (s *Store) drop(id string) {
	s.sessions.dropped++
	if s.sessions.dropped == 1 {
		s.log.Error("a session is not recorded in redis: too many sessions, or an id that cannot be a key; said once, counted from now on",
			"session_id", id, "max", s.sessions.max)
	}
}

// EndSession removes the record of a session. It never blocks. A session that
// was not written yet never is.
func (s *Store) EndSession(id string) {
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[id]
	if e == nil {
		return
	}
	e.ended = true
	e.record = Session{ID: id, Controller: e.record.Controller}
	t.enqueue(e)
}

func (t *sessionTable) enqueue(e *entry) {
	if !e.queued {
		e.queued = true
		t.queue = append(t.queue, e.record.ID)
	}
}

// write is one record on its way to Redis.
type write struct {
	record Session
	delete bool
}

// take removes up to writeAtOnce records from the queue. A session that ended
// before it was ever written is forgotten here.
func (t *sessionTable) take(batch []write) []write {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := 0
	for _, id := range t.queue {
		if len(batch) == writeAtOnce {
			break
		}
		taken++
		e := t.live[id]
		e.queued = false
		if e.ended && !e.stored {
			delete(t.live, id)
			continue
		}
		e.stored = true
		batch = append(batch, write{record: e.record, delete: e.ended})
	}
	t.queue = t.queue[:copy(t.queue, t.queue[taken:])]
	if len(t.queue) == 0 && cap(t.queue) > 4*writeAtOnce {
		t.queue = nil // do not keep the room of a burst
	}
	return batch
}

// putBack queues again what could not be written.
func (t *sessionTable) putBack(batch []write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range batch {
		if e := t.live[batch[i].record.ID]; e != nil {
			t.enqueue(e)
		}
	}
}

// forget drops the sessions that were deleted from Redis.
func (t *sessionTable) forget(batch []write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range batch {
		if batch[i].delete {
			delete(t.live, batch[i].record.ID)
		}
	}
}

// Flush writes every change noted so far and returns when Redis has it: before
// others are told of a new session, in tests, and for an orderly end.
func (s *Store) Flush(ctx context.Context) error {
	select {
	case <-s.closing.Done():
		return ErrClosed
	default:
		return s.flush(ctx)
	}
}

func (s *Store) flush(ctx context.Context) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	batch := make([]write, 0, writeAtOnce)
	for {
		batch = s.sessions.take(batch[:0])
		if len(batch) == 0 {
			return nil
		}
		if err := s.writeBatch(ctx, batch); err != nil {
			s.sessions.putBack(batch)
			return fmt.Errorf("write %d sessions: %w", len(batch), err)
		}
		s.sessions.forget(batch)
	}
}

func (s *Store) writeBatch(ctx context.Context, batch []write) error {
	pipe := s.client.Pipeline()
	indexes := make(map[string]bool, 1)
	for i := range batch {
		record := &batch[i].record
		key, index := s.sessionKey(record.ID), s.sessionsKey(record.Controller)
		if batch[i].delete {
			pipe.Del(ctx, key)
			pipe.SRem(ctx, index, record.ID)
			continue
		}
		pipe.HSet(ctx, key, record.fields()...)
		pipe.PExpire(ctx, key, s.recordLease())
		pipe.SAdd(ctx, index, record.ID)
		indexes[index] = true
	}
	for index := range indexes { // which may be new: the controller's renewal has passed it by
		pipe.PExpire(ctx, index, s.recordLease())
	}
	_, err := pipe.Exec(ctx)
	return err
}

// recordLease is how long a record outlives its last renewal.
func (s *Store) recordLease() time.Duration { return sessionLeases * s.lease }

// renewSessions extends the records' leases. A record that is no longer there,
// because Redis lost it or this process was stopped for too long, is written
// again.
func (s *Store) renewSessions(ctx context.Context) error {
	ids := s.sessions.storedIDs()
	for len(ids) > 0 {
		n := min(len(ids), 2*writeAtOnce)
		if err := s.renewBatch(ctx, ids[:n]); err != nil {
			return fmt.Errorf("renew the leases of %d sessions: %w", n, err)
		}
		ids = ids[n:]
	}
	return nil
}

func (s *Store) renewBatch(ctx context.Context, ids []string) error {
	pipe := s.client.Pipeline()
	renewed := make([]*redis.BoolCmd, len(ids))
	for i, id := range ids {
		renewed[i] = pipe.PExpire(ctx, s.sessionKey(id), s.recordLease())
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, id := range ids {
		if e := t.live[id]; e != nil && !renewed[i].Val() {
			t.enqueue(e)
		}
	}
	return nil
}

func (t *sessionTable) storedIDs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := make([]string, 0, len(t.live))
	for id, e := range t.live {
		if e.stored && !e.ended {
			ids = append(ids, id)
		}
	}
	return ids
}

// probeEvery is how often it is tried whether Redis takes what is written.
const probeEvery = time.Second

// renewals says when the leases were last renewed.
type renewals struct {
	controller time.Time
	sessions   time.Time
	tried      time.Time
	unwritten  logs.Trouble // sessions could not be written
}

// tick does what is due. Errors need no words here: the watcher has said once
// that Redis is away, and everything is tried again.
func (s *Store) tick(ctx context.Context, r *renewals) {
	now := s.clock.Now()
	if now.Sub(r.tried) >= probeEvery {
		r.tried = now
		was := s.Healthy()
		if s.Probe(ctx) != nil {
			return
		}
		if !was {
			r.controller, r.sessions = time.Time{}, time.Time{} // it may have lost everything
		}
	}
	if !s.Healthy() {
		return
	}
	if now.Sub(r.controller) >= s.lease/3 {
		if s.renewController(ctx) != nil {
			return
		}
		r.controller = now
	}
	if now.Sub(r.sessions) >= s.recordLease()/3 {
		if s.renewSessions(ctx) != nil {
			return
		}
		r.sessions = now
	}
	switch err := s.flush(ctx); {
	case err == nil:
		if say, about := r.unwritten.Over(); say {
			s.log.Info("sessions are written to redis again", about...)
			r.sessions = time.Time{} // one server of a Cluster may have lost its part
		}
	case s.Healthy() && ctx.Err() == nil:
		if say, about := r.unwritten.Found(); say {
			s.log.Error("sessions could not be written to redis; trying again", append(about, "error", err)...)
		}
	}
}
