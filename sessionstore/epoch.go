package sessionstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Whoever writes a session says its epoch, and is refused when another controller has
// claimed the session since, and so has made the epoch greater.

// saveSession writes what has changed of a session. A record that is not there has to be
// written whole.
//
// KEYS record, state; ARGV epoch, milliseconds to live, what to do with the state (keep,
// set, drop), the state, 1 if the record is whole, then fields.
// It returns 0, -1 where the record is not there, or the greater epoch.
var saveSession = redis.NewScript(`
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
if epoch > tonumber(ARGV[1]) then return epoch end
if ARGV[5] ~= '1' and redis.call('HEXISTS', KEYS[1], 'id') == 0 then return -1 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if ARGV[3] == 'set' then
  redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[2])
elseif ARGV[3] == 'drop' then
  redis.call('DEL', KEYS[2])
else
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return 0
`)

// endSession removes a session. Of one that was claimed once the epoch stays a while, so
// that whoever had it before cannot write it again.
//
// KEYS record, state; ARGV epoch, milliseconds for which the epoch stays.
// It returns 0, or the greater epoch.
var endSession = redis.NewScript(`
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
if epoch > tonumber(ARGV[1]) then return epoch end
redis.call('DEL', KEYS[1], KEYS[2])
if tonumber(ARGV[1]) > 1 then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
`)

// epochLasts is how long the epoch of a claimed session is known after its end: longer
// than a controller may be stopped and then write what it holds.
const epochLasts = time.Hour

// script adds a run of a script to a pipeline: by its hash, or in full for a server that
// does not know it.
func script(ctx context.Context, pipe redis.Pipeliner, s *redis.Script, full bool, keys []string, args ...any) *redis.Cmd {
	if full {
		return s.Eval(ctx, pipe, keys, args...)
	}
	return s.EvalSha(ctx, pipe, keys, args...)
}

// unknownScript reports whether a server did not know a script by its hash.
func unknownScript(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") }

// sent is a session in a pipeline.
type sent struct {
	write  *write
	answer *redis.Cmd
	listed *redis.IntCmd // nil where that was not needed
}

// send adds the write of a session to a pipeline.
func (s *Store) send(ctx context.Context, pipe redis.Pipeliner, w *write, full bool) sent {
	keys := []string{s.sessionKey(w.record.ID), s.stateKey(w.record.ID)}
	index := s.sessionsKey(w.record.Controller)
	if w.delete {
		answer := script(ctx, pipe, endSession, full, keys, w.epoch, epochLasts.Milliseconds())
		return sent{w, answer, pipe.SRem(ctx, index, w.record.ID)}
	}
	// In the set first: what is there and has no record is over, and what is not there
	// would never be claimed.
	var listed *redis.IntCmd
	if w.list {
		listed = pipe.SAdd(ctx, index, w.record.ID)
	}
	args := []any{w.epoch, s.recordLease().Milliseconds(), "keep", "", 0}
	if state := &w.snapshot; state.unsent {
		if state.raw != nil && state.packed == nil {
			state.packed = s.states.pack(state.raw)
		}
		args[2] = "drop"
		if state.packed != nil {
			args[2], args[3] = "set", state.packed
		}
		args = append(args, "texts", strings.Join(state.texts, " "))
	}
	if w.whole {
		args[4] = 1
		args = append(args, w.record.fields()...)
		args = append(args, "instance", s.instance(w.record.Controller))
	}
	return sent{w, script(ctx, pipe, saveSession, full, keys, args...), listed}
}

// settle takes the answer to a session that was sent into the table.
func (s *Store) settle(x sent) error {
	t := &s.sessions
	code, err := x.answer.Int64()
	if err == nil && x.listed != nil {
		err = x.listed.Err()
	}
	switch {
	case err != nil:
		t.putBack(x.write)
		return err
	case code > 0:
		t.taken(x.write.record.ID, code)
	case code < 0:
		t.again(x.write.record.ID)
	default:
		t.done(x.write)
	}
	return nil
}

func parseEpoch(text string) int64 {
	epoch, _ := strconv.ParseInt(text, 10, 64) // 0 where an older version wrote none
	return epoch
}
