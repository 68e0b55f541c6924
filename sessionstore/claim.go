package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Claimed is a session that this controller has by a claim.
type Claimed struct {
	Session        // its record, with this controller and the new epoch
	From    string // the controller that had it before
	State   []byte // as it was saved last; nil where none was, or it could not be
	Texts   []string
}

// claimSession gives a session another controller.
//
// KEYS record, state; ARGV the controller or instance that it is to be taken from, the new
// controller and instance, milliseconds to live, the newest version of a state that can be
// read.
// It returns the controller that had it before ("" where there is no such session); and if
// it was claimed, also by a run whose answer did not come, the epoch, the state and the
// record.
var claimSession = redis.NewScript(`
local had = redis.call('HMGET', KEYS[1], 'controller', 'instance', 'id')
if not had[3] then return {''} end
local from = ARGV[1]
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '1')
if had[2] ~= ARGV[3] then
  if from ~= had[1] and from ~= had[2] then return {had[1]} end
  local version = redis.call('HGET', KEYS[1], 'version') or '0'
  if tonumber(version) > tonumber(ARGV[5]) then return {had[1], version} end
  epoch = epoch + 1
  redis.call('HSET', KEYS[1], 'epoch', epoch)
end
redis.call('HSET', KEYS[1], 'controller', ARGV[2], 'instance', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {had[1], epoch, redis.call('GET', KEYS[2]) or '', redis.call('HGETALL', KEYS[1])}
`)

// Claim makes this controller that of a session, in one round trip, if it is still from's:
// the id of a controller, or its Instance, which is not mistaken for that of a process
// started since. Of several who claim at a time exactly one is told true. false: somebody
// else was first, the session is over, or its state is of a newer version than
// [Options.StateVersion]. What the one before still writes is refused from
// then on. The session is on this store's record, as after SaveSession: its lease is
// renewed, and EndSession removes it.
//
// The error says that it is not known who has the session; claiming it again tells.
func (s *Store) Claim(ctx context.Context, id, from string) (Claimed, bool, error) {
	me := s.controllerID()
	if !validID(id) || from == "" {
		return Claimed{}, false, nil
	}
	err := s.sessions.beginClaim(id)
	if err == nil {
		defer s.sessions.endClaim(id)
		if me == "" {
			err = errors.New("this store has no controller yet")
		}
	}
	var outcome []any
	if err == nil {
		outcome, err = s.runClaim(ctx, id, from, me)
	}
	switch {
	case err == errClaiming:
		return Claimed{}, false, nil
	case err != nil:
		return Claimed{}, false, fmt.Errorf("claim session %s: %w", id, err)
	}
	had, _ := outcome[0].(string)
	if len(outcome) == 2 {
		if say, about := s.newer.Found(); say {
			s.log.Warn("a session is not claimed: its state is of a newer version than this controller reads; one that is as new has to take it",
				append(about, "session_id", id, "version", outcome[1], "reads", s.stateVersion)...)
		}
	}
	if len(outcome) < 4 {
		before, _, _ := cutInstance(from)
		s.notClaimed(id, before, had, me)
		return Claimed{}, false, nil
	}
	if had != me {
		s.sessions.leave(leaving{had, id})
	}
	return s.claimed(outcome)
}

// runClaim enters the session into this controller's set and runs the script. In the set
// first: what is there and has another controller is taken out again, and what is not
// there would never be claimed after our end.
func (s *Store) runClaim(ctx context.Context, id, from, me string) ([]any, error) {
	pipe := s.client.Pipeline()
	pipe.SAdd(ctx, s.sessionsKey(me), id)
	pipe.PExpire(ctx, s.sessionsKey(me), s.recordLease())
	answer, err := s.inPipeline(ctx, pipe, claimSession, []string{s.sessionKey(id), s.stateKey(id)},
		from, me, s.instance(me), s.recordLease().Milliseconds(), s.stateVersion)
	if err != nil {
		return nil, err
	}
	outcome, err := answer.Slice()
	if err == nil && len(outcome) == 0 {
		err = errors.New("an answer that is not understood")
	}
	return outcome, err
}

// notClaimed cleans the sets up after a claim that failed: had has the session.
func (s *Store) notClaimed(id, from, had, me string) {
	if had != me {
		s.sessions.leave(leaving{me, id})
	}
	if had != from {
		s.sessions.leave(leaving{from, id})
	}
}

// claimed takes a session that was claimed into the table.
func (s *Store) claimed(outcome []any) (Claimed, bool, error) {
	epoch, _ := outcome[1].(int64)
	packed, _ := outcome[2].(string)
	from, _ := outcome[0].(string)
	record := sessionOf(HashOf(outcome[3]))
	e := &entry{record: record, epoch: epoch, stored: true, listed: true}
	e.record.Epoch = 0
	e.snapshot.texts = strings.Fields(HashOf(outcome[3])["texts"])
	if packed != "" {
		e.snapshot.packed = []byte(packed)
	}
	s.sessions.enter(e)
	state, err := unpack([]byte(packed))
	if err != nil {
		s.log.Error("the state of a claimed session cannot be read", "session_id", record.ID, "error", err)
		state = nil
	}
	return Claimed{Session: record, From: from, State: state, Texts: e.snapshot.texts}, true, nil
}

// errClaiming says that a claim of the session is under way.
var errClaiming = errors.New("it is being claimed here")

// beginClaim has one claim of a session under way, and none of a session that is here.
func (t *sessionTable) beginClaim(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.live[id] != nil:
		return errors.New("it has not ended here yet")
	case t.claiming[id]:
		return errClaiming
	}
	t.claiming[id] = true
	return nil
}

func (t *sessionTable) endClaim(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.claiming, id)
}

// enter takes a claimed session in, whatever the bound: it is ours.
func (t *sessionTable) enter(e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live[e.record.ID] = e
}

// HashOf reads what HGETALL has answered within a script.
func HashOf(answer any) map[string]string {
	list, _ := answer.([]any)
	hash := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		hash[name], _ = list[i+1].(string)
	}
	return hash
}

// Dead lists those of some controllers, other ones, whose lease is over and that have
// sessions left, which are to be claimed.
func (s *Store) Dead(ctx context.Context, controllers []Controller) ([]Controller, error) {
	me := s.controllerID()
	var dead []Controller
	var left []*redis.IntCmd
	pipe := s.client.Pipeline()
	for _, c := range controllers {
		if !c.Alive && c.ID != me {
			dead = append(dead, c)
			left = append(left, pipe.SCard(ctx, s.sessionsKey(c.ID)))
		}
	}
	if len(dead) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("count the sessions of dead controllers: %w", err)
	}
	kept := dead[:0]
	for i, c := range dead {
		if left[i].Val() > 0 {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// SessionIDs lists the ids of a controller's sessions, living or dead, in no order. Some
// may be over, or another's by now: Claim tells.
func (s *Store) SessionIDs(ctx context.Context, controller string) ([]string, error) {
	ids, err := s.client.SMembers(ctx, s.sessionsKey(controller)).Result()
	if err != nil {
		return nil, fmt.Errorf("list the sessions of %s: %w", controller, err)
	}
	return ids, nil
}
