package sessionstore

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Whoever writes a session says its epoch, and is refused when another controller has
// claimed the session since, and so has made the epoch greater. A Redis that has lost a
// claim lets another one make the same epoch: then the instance tells them apart.

// saveSessions writes what has changed of sessions, or removes them. A record that is not
// there has to be written whole. Of a session that was claimed once the epoch stays a while
// after its end, so that whoever had it before cannot write it again.
//
// KEYS record and state of each session; ARGV milliseconds to live, milliseconds for which
// an epoch stays, the instance of who writes, then for each session its epoch, what to do (keep, set or drop the state,
// or end), the state, 1 if the record is whole, how many of the following are fields, these.
// It returns for each 0, -1 where the record is not there or older than ours, or the epoch
// by which another one has it.
var saveSessions = redis.NewScript(`
local at, codes = 4, {}
for i = 1, #KEYS, 2 do
  local record, state, mine, what = KEYS[i], KEYS[i + 1], ARGV[at], ARGV[at + 1]
  local fields, code = tonumber(ARGV[at + 4]), 0
  local had = redis.call('HMGET', record, 'epoch', 'instance', 'id')
  local epoch = tonumber(had[1] or '0')
  if epoch > tonumber(mine) or (epoch == tonumber(mine) and had[2] and had[2] ~= ARGV[3]) then
    code = epoch
  elseif what == 'end' then
    redis.call('DEL', record, state)
    if tonumber(mine) > 1 then
      redis.call('HSET', record, 'epoch', mine)
      redis.call('PEXPIRE', record, ARGV[2])
    end
  elseif ARGV[at + 3] ~= '1' and (not had[3] or epoch < tonumber(mine)) then
    code = -1
  else
    redis.call('HSET', record, 'epoch', mine, unpack(ARGV, at + 5, at + 4 + fields))
    redis.call('PEXPIRE', record, ARGV[1])
    if what == 'set' then
      redis.call('SET', state, ARGV[at + 2], 'PX', ARGV[1])
    elseif what == 'drop' then
      redis.call('DEL', state)
    else
      redis.call('PEXPIRE', state, ARGV[1])
    end
  end
  codes[#codes + 1] = code
  at = at + 5 + fields
end
return codes
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

// together are sessions that are written by one run of the script.
type together struct {
	writes []*write
	answer *redis.Cmd
}

// send adds the write of some sessions to a pipeline.
func (s *Store) send(ctx context.Context, pipe redis.Pipeliner, writes []*write, full bool) together {
	keys := make([]string, 0, 2*len(writes))
	args := []any{s.recordLease().Milliseconds(), epochLasts.Milliseconds(), s.instance(s.controllerID())}
	for _, w := range writes {
		keys = append(keys, s.sessionKey(w.record.ID), s.stateKey(w.record.ID))
		args = s.argsOf(w, args)
	}
	return together{writes, script(ctx, pipe, saveSessions, full, keys, args...)}
}

// argsOf adds what the script is to know of a session.
func (s *Store) argsOf(w *write, args []any) []any {
	if w.delete {
		return append(args, w.epoch, "end", "", 0, 0)
	}
	what, packed := "keep", []byte(nil)
	var fields []any
	if state := &w.snapshot; state.unsent {
		if state.raw != nil && state.packed == nil {
			state.packed = s.states.pack(state.raw)
		}
		what, packed = "drop", state.packed
		if packed != nil {
			what = "set"
		}
		fields = append(fields, "texts", strings.Join(state.texts, " "), "version", s.stateVersion)
	}
	whole := 0
	if w.whole {
		whole = 1
		fields = append(append(fields, w.record.fields()...), "instance", s.instance(s.controllerID()))
	}
	return append(append(args, w.epoch, what, packed, whole, len(fields)), fields...)
}

// settle takes the answers to sessions that were sent together into the table. What was
// not written is queued again.
func (s *Store) settle(x together, failed error) error {
	t := &s.sessions
	codes, err := x.answer.Int64Slice()
	if err = cmp.Or(failed, err); err != nil || len(codes) != len(x.writes) {
		for _, w := range x.writes {
			t.putBack(w)
		}
		return cmp.Or(err, errors.New("an answer that is not understood"))
	}
	for i, w := range x.writes {
		switch code := codes[i]; {
		case code > 0:
			t.taken(w.record.ID, w.epoch)
		case code < 0:
			t.again(w.record.ID)
		default:
			t.done(w)
		}
	}
	return nil
}

func parseEpoch(text string) int64 {
	epoch, _ := strconv.ParseInt(text, 10, 64) // 0 where an older version wrote none
	return epoch
}
