package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/clock"
)

// ErrIDTaken says that another process runs as the controller.
var ErrIDTaken = errors.New("another process runs as this controller")

// renewController takes or renews the lease of a controller, and writes everything about
// it again, so that it also restores what Redis may have lost. Where another process has
// the lease, it returns what stands in that.
//
// KEYS lease, record, sessions, mail; ARGV our lease, milliseconds of the lease and of the
// record, a lease that may be replaced, then the fields of the record.
var renewController = redis.NewScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[4] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 5))
for i = 2, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return ''
`)

// resignController gives up a lease that is ours, and removes all of a controller that has
// no sessions left. It returns 1 if it did that.
//
// KEYS lease, record, sessions, mail; ARGV our lease.
var resignController = redis.NewScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if redis.call('SCARD', KEYS[3]) > 0 then return 0 end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
return 1
`)

// admission is how far this process has come with being the controller of its id.
type admission struct {
	refused bool      // another process was found to hold the lease
	ends    time.Time // when our own does; zero if we never had it

	holder  string // of the lease, who is not known to be gone
	renewed string // by whom at that time
	since   time.Time
}

// Register makes this process known as a controller and takes its lease, which
// the writer renews until [Store.Close]. A store has one controller. Redis
// being away is no error: the lease is taken when it comes back.
//
// A process that had the same id before and is gone is no hindrance: at once if that can
// be seen from here, that is if it was on this machine, or had opened the address that we
// listen at; else when its lease has ended, or was not renewed for longer than it would
// have been. The error wraps ErrIDTaken where one runs. If one is found out later, as when
// Redis was away at the start, Options.Replaced is called.
func (s *Store) Register(ctx context.Context, c Controller) error {
	if !validID(c.ID) {
		return fmt.Errorf("controller id %q: want 1 to %d visible ASCII characters without braces", c.ID, maxID)
	}
	c.Instance, c.where = s.instance(c.ID), here().String()
	s.mu.Lock()
	if s.controller != nil {
		s.mu.Unlock()
		return errors.New("this store has a controller already")
	}
	s.controller, s.registering = &c, true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.registering = false
		s.mu.Unlock()
	}()
	for {
		admitted, err := s.admit(ctx)
		switch {
		case errors.Is(err, ErrIDTaken):
			return err
		case err != nil:
			s.log.Error("the controller could not be registered in redis; trying again", "controller_id", c.ID, "error", err)
			return nil
		case admitted:
			return nil
		case !clock.Sleep(ctx, s.clock, s.lease/15):
			return ctx.Err()
		}
	}
}

// admit takes or renews the lease, and reports whether this process holds it. Where
// another process has it of which it is not known whether it lives, that is looked at
// again with the next call. Calls are one at a time.
func (s *Store) admit(ctx context.Context) (bool, error) {
	holder, err := s.renew(ctx, "")
	if err != nil || holder == "" {
		return err == nil, err
	}
	asked := s.clock.Now()
	record, err := s.client.HGetAll(ctx, s.controllerKey(s.controllerID())).Result()
	if err != nil {
		return false, fmt.Errorf("read the record of controller %s: %w", s.controllerID(), err)
	}
	other := controllerOf(record, true)
	other.where = record["process"]
	if taken := s.mayReplace(holder, record["renewed"], other); taken != nil {
		return false, taken
	} else if !s.replaceable(other, asked) {
		return false, nil
	}
	holder, err = s.renew(ctx, holder)
	return err == nil && holder == "", err
}

// mayReplace looks at the process that has the lease: the error says that it lives.
func (s *Store) mayReplace(holder, renewed string, other Controller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.admission
	switch {
	case a.holder == holder && a.renewed != renewed:
		a.refused = true
		return fmt.Errorf("controller %s: %w: PID %d on %s, with the Event Socket at %s", other.ID, ErrIDTaken, other.PID, other.Host, other.Address)
	case a.holder != holder:
		a.holder, a.renewed, a.since = holder, renewed, s.clock.Now()
	}
	return nil
}

// replaceable reports whether the process that has the lease is gone, or had not renewed it,
// when it was looked at, in the time in which it would have.
func (s *Store) replaceable(other Controller, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.controller.gone(other) || at.Sub(s.admission.since) > s.lease/3+s.lease/15
}

// renew takes or renews the lease. If another process has it, and it is not the one that
// may be replaced, it returns what stands in it.
func (s *Store) renew(ctx context.Context, replace string) (holder string, err error) {
	c, asked := s.registered(), s.clock.Now()
	args := append([]any{s.leaseOf(c), s.lease.Milliseconds(), s.recordLease().Milliseconds(), replace}, c.fields(asked)...)
	pipe := s.client.Pipeline()
	// The set of controllers is in another slot. Who is refused stands there as well.
	pipe.SAdd(ctx, s.controllersKey(), c.ID)
	answer, err := s.inPipeline(ctx, pipe, renewController, s.controllerKeys(c.ID), args...)
	if err == nil {
		holder, err = answer.Text()
	}
	if err != nil {
		return "", fmt.Errorf("renew the lease of controller %s: %w", c.ID, err)
	}
	if holder == "" {
		s.mu.Lock()
		s.admission = admission{ends: asked.Add(s.lease)}
		s.mu.Unlock()
	}
	return holder, nil
}

// inPipeline runs a pipeline to which a script is added at last: by its hash, and with it
// in full if the server does not know it.
func (s *Store) inPipeline(ctx context.Context, pipe redis.Pipeliner, f *redis.Script, keys []string, args ...any) (*redis.Cmd, error) {
	answer := f.EvalSha(ctx, pipe, keys, args...)
	_, err := pipe.Exec(ctx)
	if unknownScript(answer.Err()) {
		answer = f.Eval(ctx, s.client, keys, args...)
		err = answer.Err()
	}
	return answer, err
}

func (s *Store) controllerKeys(id string) []string {
	return []string{s.leaseKey(id), s.controllerKey(id), s.sessionsKey(id), s.mailKey(id)}
}

// leaseOf is what stands in the lease of a controller that is this process.
func (s *Store) leaseOf(c *Controller) string {
	return leaseText(c.Host, c.PID, s.process)
}

func leaseText(host string, pid int, process string) string {
	return host + ":" + strconv.Itoa(pid) + ":" + process
}

// keepLease renews the lease, or goes on with taking it, and tells when it is to be called
// again. The error says that Redis does not do it.
func (s *Store) keepLease(ctx context.Context) (again time.Duration, err error) {
	s.mu.Lock()
	idle := s.controller == nil || s.registering || s.admission.refused
	s.mu.Unlock()
	if idle {
		return s.lease / 15, nil
	}
	admitted, err := s.admit(ctx)
	if errors.Is(err, ErrIDTaken) {
		s.log.Error("this process is no longer its controller: its mail is the other's, and its sessions may be claimed", "error", err,
			"do", "end one of the two, or give it a controller.id of its own")
		s.beginReplaced()
		if s.onReplaced != nil {
			s.onReplaced(err)
		}
		return s.lease, nil
	}
	if !admitted {
		return s.lease / 15, err
	}
	return s.lease / 3, nil
}

// LeaseEnds tells when this controller's lease ends by the store's clock, unless it is
// renewed: others may claim its sessions then. The zero time means that it was never held.
func (s *Store) LeaseEnds() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.admission.ends
}

// resign gives up the lease. A controller with no sessions left disappears; the
// records of one that still has some stay for a survivor until they expire.
func (s *Store) resign(ctx context.Context) error {
	c := s.registered()
	if c == nil {
		return nil
	}
	pipe := s.client.Pipeline()
	pipe.Del(ctx, s.healthKey()) // in another slot
	answer, err := s.inPipeline(ctx, pipe, resignController, s.controllerKeys(c.ID), s.leaseOf(c))
	if err == nil {
		var gone int
		if gone, err = answer.Int(); gone == 1 {
			err = s.client.SRem(ctx, s.controllersKey(), c.ID).Err()
		}
	}
	if err != nil {
		return fmt.Errorf("give up the lease of controller %s: %w", c.ID, err)
	}
	return nil
}
