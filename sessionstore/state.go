package sessionstore

import (
	"context"
	"errors"
	"fmt"
)

// firstEpoch is that of a session that nobody has claimed yet.
const firstEpoch = 1

// ErrLost says that another controller has claimed the session.
var ErrLost = errors.New("another controller has the session")

// ErrStateTooLarge says that a state is longer than [Options.MaxState].
var ErrStateTooLarge = errors.New("the session's state is too large for redis")

// SaveState notes the newest state of a session, what another controller goes on from,
// and the hashes of the texts that it needs for that (see [Store.PutText]). It is written
// within [Options.WriteEvery], compressed, the latest one only; it never blocks. No state
// takes away what Redis has: the session cannot be gone on with. epoch is how often the
// session has been claimed, as [Store.Claim] told; that of a new one is 1. state and texts
// are the store's from then on.
func (s *Store) SaveState(id string, epoch int64, state []byte, texts []string) {
	_, _ = s.noteState(id, epoch, state, texts)
}

// SaveStateNow is SaveState, and returns when Redis has the state and its texts: in one
// round trip, which all share that wait at a time. The error wraps ErrLost if another
// controller has the session, and ErrStateTooLarge.
func (s *Store) SaveStateNow(ctx context.Context, id string, epoch int64, state []byte, texts []string) error {
	change, err := s.noteState(id, epoch, state, texts)
	for err == nil {
		var written bool
		if written, err = s.sessions.has(id, epoch, change); written || err != nil {
			break
		}
		err = s.flushFor(ctx, id, epoch, change)
	}
	if err != nil {
		return fmt.Errorf("save the state of session %s: %w", id, err)
	}
	return nil
}

// noteState enters a state into the table, and tells which of the session's changes that
// is.
func (s *Store) noteState(id string, epoch int64, state []byte, texts []string) (change uint64, err error) {
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[id]
	if e == nil {
		if e = s.begin(Session{ID: id, Controller: s.controllerID()}); e == nil {
			return 0, errors.New("it is not recorded")
		}
	}
	switch {
	case e.lost || epoch < e.epoch:
		return 0, ErrLost
	case e.ended:
		return 0, errors.New("it has ended")
	case len(state) > s.maxState:
		t.tooLarge++
		if !e.refused {
			e.refused = true
			s.log.Warn("the state of a session is too large for redis: it ends with this process, unless it gets smaller",
				"session_id", id, "bytes", len(state), "most", s.maxState)
		}
		state, texts, err = nil, nil, ErrStateTooLarge
	}
	e.epoch = epoch
	e.snapshot = snapshot{raw: state, texts: texts, changes: e.snapshot.changes + 1, unsent: true}
	t.changed(e)
	return e.changes, err
}

// has tells whether Redis has a change of a session.
func (t *sessionTable) has(id string, epoch int64, change uint64) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.live[id]
	switch {
	case e == nil || e.ended:
		return false, errors.New("it has ended")
	case e.lost || e.epoch > epoch:
		return false, ErrLost
	}
	return e.written >= change, nil
}
