package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// moverLease is how long one controller may take to move a batch of mail.
const moverLease = 10 * time.Second

// beginMoving has one controller at a time move the mail of a dead one.
//
// KEYS lease, mover; ARGV who moves, milliseconds. It returns 1 if that may begin, or go
// on.
var beginMoving = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local mover = redis.call('GET', KEYS[2])
if mover and mover ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
`)

// TakeMail moves what a dead controller has not read to those that have claimed its
// sessions, in order, and tells how much that was. It is for after the claims: mail for a
// session that nobody has claimed stays, for the next call. Mail for the controller itself
// and for sessions that are over is removed. While the controller's lease lasts, or another
// one moves its mail, nothing is done. Mail may come twice if who moves it dies.
func (s *Store) TakeMail(ctx context.Context, from string) (moved int, err error) {
	me := s.controllerID()
	if !validID(from) || me == "" || from == me {
		return 0, nil
	}
	after := "-"
	for {
		may, err := beginMoving.Run(ctx, s.client, []string{s.leaseKey(from), s.moverKey(from)},
			s.instance(me), moverLease.Milliseconds()).Int()
		if err != nil || may == 0 {
			return moved, wrap(err, "move the mail of controller %s", from)
		}
		entries, err := s.client.XRangeN(ctx, s.mailKey(from), after, "+", readMailAtOnce).Result()
		if err == nil && len(entries) > 0 {
			var n int
			n, err = s.moveMail(ctx, from, entries)
			moved += n
		}
		if err != nil || len(entries) < readMailAtOnce {
			return moved, wrap(errors.Join(err, s.client.Del(ctx, s.moverKey(from)).Err()), "move the mail of controller %s", from)
		}
		after = "(" + entries[len(entries)-1].ID
	}
}

// moveMail moves some mail, and removes it then.
func (s *Store) moveMail(ctx context.Context, from string, entries []redis.XMessage) (moved int, err error) {
	owners, err := s.ownersOf(ctx, entries)
	if err != nil {
		return 0, err
	}
	var handled []string
	for i, entry := range entries {
		m := mailOf(entry)
		switch owner := owners[i]; owner {
		case from: // nobody has claimed it yet
			continue
		case "":
			s.log.Info("mail for a controller that is dead, or a session that is over, is removed", "kind", m.Kind, "from", m.From, "session_id", m.Session)
		default:
			if err = s.post(ctx, owner, m, true); err == nil {
				moved++
			}
		}
		if err != nil {
			break
		}
		handled = append(handled, entry.ID)
	}
	if len(handled) > 0 {
		err = errors.Join(err, s.client.XDel(ctx, s.mailKey(from), handled...).Err())
	}
	return moved, err
}

// ownersOf are the controllers of the sessions that mail is for, "" where there is none.
func (s *Store) ownersOf(ctx context.Context, entries []redis.XMessage) ([]string, error) {
	pipe := s.client.Pipeline()
	asked := make([]*redis.StringCmd, len(entries))
	for i, entry := range entries {
		if session, _ := entry.Values["session"].(string); validID(session) {
			asked[i] = pipe.HGet(ctx, s.sessionKey(session), "controller")
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	owners := make([]string, len(entries))
	for i, answer := range asked {
		if answer != nil {
			owners[i] = answer.Val()
		}
	}
	return owners, nil
}

// endLease ends the lease of a process, if it is still that one's.
//
// KEYS lease; ARGV what stands in it.
var endLease = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

// EndLease ends the lease of a controller that is known to be gone, as it was read from
// Redis, so that nobody waits for its end: nothing is posted to it any more. A process
// that goes on all the same takes its lease again.
func (s *Store) EndLease(ctx context.Context, c Controller) error {
	if !validID(c.ID) {
		return ErrNoController
	}
	_, process, _ := cutInstance(c.Instance)
	lease := leaseText(c.Host, c.PID, process)
	return wrap(endLease.Run(ctx, s.client, []string{s.leaseKey(c.ID)}, lease).Err(), "end the lease of controller %s", c.ID)
}

// wrap says what an error happened to; nil stays nil.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
