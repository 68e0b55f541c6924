package sessionstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// recordLease is how long a record outlives its last renewal.
func (s *Store) recordLease() time.Duration { return sessionLeases * s.lease }

// Confirm asks Redis whether this controller's sessions are its own still, and renews
// their leases. Options.Lost is called for those that others have claimed before it
// returns. The store does so by itself every now and then, and first of all when it was
// stopped for longer than its lease.
func (s *Store) Confirm(ctx context.Context) error {
	return s.alone(ctx, func() error { return s.renewSessions(ctx) })
}

// renewSessions extends the leases of the records, and of the texts that they need. A
// record that is no longer there, because Redis lost it or this process was stopped for
// too long, is written again.
func (s *Store) renewSessions(ctx context.Context) error {
	sessions, texts := s.sessions.allHeld()
	for batch := range slices.Chunk(sessions, 2*writeAtOnce) {
		if err := s.renewBatch(ctx, batch); err != nil {
			return fmt.Errorf("renew the leases of %d sessions: %w", len(batch), err)
		}
	}
	for batch := range slices.Chunk(texts, 2*writeAtOnce) {
		if err := s.renewTexts(ctx, batch); err != nil {
			return fmt.Errorf("renew the leases of %d texts: %w", len(batch), err)
		}
	}
	return nil
}

// renewal is a session whose leases are being renewed.
type renewal struct {
	held
	has           *redis.SliceCmd // epoch and instance
	record, state *redis.BoolCmd
}

func (s *Store) renewBatch(ctx context.Context, batch []held) error {
	pipe := s.client.Pipeline()
	renewals, ids := make([]renewal, len(batch)), make([]any, len(batch))
	for i, h := range batch {
		ids[i] = h.id
		renewals[i] = renewal{
			h, pipe.HMGet(ctx, s.sessionKey(h.id), "epoch", "instance"),
			pipe.PExpire(ctx, s.sessionKey(h.id), s.recordLease()), pipe.PExpire(ctx, s.stateKey(h.id), s.recordLease()),
		}
	}
	if index := s.sessionsKey(s.controllerID()); s.controllerID() != "" { // of which a Cluster may have lost another part
		pipe.SAdd(ctx, index, ids...)
		pipe.PExpire(ctx, index, s.recordLease())
	}
	answers, _ := pipe.Exec(ctx) // the first error may be that of one key
	for _, answer := range answers {
		if err := answer.Err(); err != nil && !isAnswer(err) {
			return err
		}
	}
	for _, r := range renewals {
		if r.has.Err() != nil {
			continue // a key of another kind: writing it says so
		}
		epoch, instance := r.inRedis()
		switch {
		case epoch > r.epoch, epoch == r.epoch && instance != "" && instance != s.instance(s.controllerID()):
			s.sessions.taken(r.id, r.epoch)
		case epoch < r.epoch, !r.record.Val(), r.snapshot && !r.state.Val():
			s.sessions.again(r.id)
		}
	}
	return nil
}

// inRedis is who has the session: by which epoch, and which process.
func (r *renewal) inRedis() (epoch int64, instance string) {
	values := r.has.Val()
	if len(values) != 2 {
		return 0, ""
	}
	text, _ := values[0].(string)
	instance, _ = values[1].(string)
	return parseEpoch(text), instance
}

// renewTexts extends the leases of texts, and writes those again that Redis has lost.
func (s *Store) renewTexts(ctx context.Context, hashes []string) error {
	pipe := s.client.Pipeline()
	renewed := make([]*redis.BoolCmd, len(hashes))
	for i, hash := range hashes {
		renewed[i] = pipe.PExpire(ctx, s.textKey(hash), s.recordLease())
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	var gone []string
	for i, hash := range hashes {
		if !renewed[i].Val() {
			gone = append(gone, hash)
		}
	}
	pipe = s.client.Pipeline()
	answers := s.writeTexts(ctx, pipe, s.sessions.missing(gone))
	if len(answers) == 0 {
		return nil
	}
	_, _ = pipe.Exec(ctx) // wrote looks at each
	return s.sessions.wrote(answers)
}

// Retake takes the lease up again, and has Confirm tell which sessions are still this
// controller's: for a process that was stopped, and must know before it does anything.
func (s *Store) Retake(ctx context.Context) error {
	if s.controllerID() == "" {
		return nil
	}
	if _, err := s.renew(ctx, ""); err != nil { // whether another process has the id now is for the next renewal to tell
		return err
	}
	return s.Confirm(ctx)
}
