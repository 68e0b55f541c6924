package sessionstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/logs"
)

// writeAtOnce is how many sessions go to Redis in one pipeline.
const writeAtOnce = 256

// bytesAtOnce is how many bytes of states, before they are packed, need not go together.
const bytesAtOnce = 4 << 20

// togetherAtOnce is how many of them one script writes, where they need not be in one slot
// of a Cluster. A script costs Redis as much as the session, and the embedded one much more.
const togetherAtOnce = 64

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
	return s.alone(ctx, func() error {
		var batch []write
		for {
			if batch = s.sessions.take(batch[:0]); len(batch) == 0 {
				return s.leaveSets(ctx)
			}
			if err := s.writeBatch(ctx, batch); err != nil {
				return fmt.Errorf("write %d sessions: %w", len(batch), err)
			}
		}
	})
}

// flushFor is flush, unless the change of the session that somebody waits for was written
// while it waited for its turn.
func (s *Store) flushFor(ctx context.Context, id string, epoch int64, change uint64) error {
	return s.alone(ctx, func() error {
		var batch []write
		for {
			written, err := s.sessions.has(id, epoch, change)
			if written || err != nil {
				return err
			}
			if batch = s.sessions.take(batch[:0]); len(batch) == 0 {
				return errors.New("it is not to be written")
			}
			if err := s.writeBatch(ctx, batch); err != nil {
				return err
			}
		}
	})
}

// alone runs what writes, one at a time, and tells then of sessions that were found to be
// others'.
func (s *Store) alone(ctx context.Context, f func() error) error {
	select {
	case s.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer s.tellLost()
	defer func() { <-s.writing }()
	return f()
}

// writeBatch writes sessions, and the texts that their states need, in one pipeline. What
// was not written is queued again.
func (s *Store) writeBatch(ctx context.Context, batch []write) error {
	sent, err := s.sendBatch(ctx, batch, s.atOnce, false)
	if unknownScript(err) {
		sent, err = s.sendBatch(ctx, batch, s.atOnce, true)
	}
	if err != nil && isAnswer(err) { // to one of them, by which others have not had their turn
		sent, _ = s.sendBatch(ctx, batch, 1, true)
	}
	err = s.sessions.wrote(sent.texts)
	listed := firstError(sent.sets)
	for _, x := range sent.sessions {
		err = cmp.Or(err, s.settle(x, listed))
	}
	return err
}

// sentBatch is what a pipeline was to do, with its answers.
type sentBatch struct {
	sessions []together
	sets     []redis.Cmder // of controllers, that sessions are in
	texts    map[string]redis.Cmder
}

// sendBatch sends a batch, of which at most so many sessions go together.
func (s *Store) sendBatch(ctx context.Context, batch []write, most int, full bool) (sent sentBatch, err error) {
	pipe := s.client.Pipeline()
	sent.texts = s.writeTexts(ctx, pipe, s.sessions.unwritten(batch))
	enter, leave := make(map[string][]any), make(map[string][]any)
	all := make([]*write, len(batch))
	for i := range batch {
		w := &batch[i]
		all[i] = w
		if set := s.sessionsKey(w.record.Controller); w.delete {
			leave[set] = append(leave[set], w.record.ID)
		} else if w.list {
			enter[set] = append(enter[set], w.record.ID)
		}
	}
	// In the set first: what is there and has no record is over, and what is not there
	// would never be claimed. The set may be new: the renewal of its lease passed it by.
	for set, ids := range enter {
		sent.sets = append(sent.sets, pipe.SAdd(ctx, set, ids...), pipe.PExpire(ctx, set, s.recordLease()))
	}
	for group := range slices.Chunk(all, most) {
		sent.sessions = append(sent.sessions, s.send(ctx, pipe, group, full))
	}
	for set, ids := range leave {
		sent.sets = append(sent.sets, pipe.SRem(ctx, set, ids...))
	}
	_, err = pipe.Exec(ctx)
	return sent, err
}

// firstError is that of some answers, nil for none.
func firstError(answers []redis.Cmder) error {
	for _, answer := range answers {
		if err := answer.Err(); err != nil {
			return err
		}
	}
	return nil
}

// leaveSets takes sessions out of the sets of controllers that no longer have them.
func (s *Store) leaveSets(ctx context.Context) error {
	leavings := s.sessions.takeLeavings()
	if len(leavings) == 0 {
		return nil
	}
	pipe := s.client.Pipeline()
	for _, l := range leavings {
		pipe.SRem(ctx, s.sessionsKey(l.controller), l.session)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		s.sessions.leave(leavings...)
		return fmt.Errorf("take %d sessions out of the sets of controllers: %w", len(leavings), err)
	}
	return nil
}

// probeEvery is how often it is tried whether Redis takes what is written.
const probeEvery = time.Second

// renewals says when leases were last renewed, or are to be.
type renewals struct {
	controller time.Time // is to be
	sessions   time.Time
	tried      time.Time
	at         time.Time    // the last look at what is due
	unwritten  logs.Trouble // sessions could not be written
}

// tick does what is due. Errors need no words here: the watcher has said once
// that Redis is away, and everything is tried again.
func (s *Store) tick(ctx context.Context, r *renewals) {
	now := s.clock.Now()
	if now.Sub(r.at) > s.lease {
		r.sessions = time.Time{} // this process was stopped: others may have its sessions
	}
	r.at = now
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
	if !now.Before(r.controller) {
		again, err := s.keepLease(ctx)
		if err != nil {
			return
		}
		r.controller = now.Add(again)
	}
	if now.Sub(r.sessions) >= s.lease {
		if s.Confirm(ctx) != nil {
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
