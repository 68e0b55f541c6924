package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Controller is one ccxmld process.
type Controller struct {
	ID      string
	Host    string
	PID     int
	Version string
	Address string // where FreeSWITCH finds it: host:port of its Event Socket listener
	Started time.Time
	// Instance is the id and what tells this process from others of the same id; set by
	// Register, and when read.
	Instance string

	Renewed time.Time // of its lease, by its own clock; set when read
	Alive   bool      // whether it holds its lease; set when read
}

func (c *Controller) fields(renewed time.Time) []any {
	return []any{
		"id", c.ID,
		"host", c.Host,
		"pid", c.PID,
		"version", c.Version,
		"address", c.Address,
		"started", formatTime(c.Started),
		"instance", c.Instance,
		"renewed", formatTime(renewed),
	}
}

func controllerOf(hash map[string]string, alive bool) Controller {
	pid, _ := strconv.Atoi(hash["pid"]) // 0 where another version wrote something else
	return Controller{
		ID:       hash["id"],
		Host:     hash["host"],
		PID:      pid,
		Version:  hash["version"],
		Address:  hash["address"],
		Started:  parseTime(hash["started"]),
		Instance: hash["instance"],
		Renewed:  parseTime(hash["renewed"]),
		Alive:    alive,
	}
}

// Register makes this process known as a controller and takes its lease, which
// the writer renews until [Store.Close]. A store has one controller. Redis
// being away is no error: the lease is taken when it comes back.
func (s *Store) Register(ctx context.Context, c Controller) error {
	if !validID(c.ID) {
		return fmt.Errorf("controller id %q: want 1 to %d visible ASCII characters without braces", c.ID, maxID)
	}
	c.Instance = s.instance(c.ID)
	s.mu.Lock()
	if s.controller != nil {
		s.mu.Unlock()
		return errors.New("this store has a controller already")
	}
	s.controller = &c
	s.mu.Unlock()
	if err := s.renewController(ctx); err != nil {
		s.log.Error("the controller could not be registered in redis; trying again", "controller_id", c.ID, "error", err)
	}
	return nil
}

// instance is what a controller is called that is this process.
func (s *Store) instance(controller string) string { return controller + " " + s.process }

// idOf gives the id of a controller by that or by its instance: an id has no spaces.
func idOf(controller string) string {
	id, _, _ := strings.Cut(controller, " ")
	return id
}

func (s *Store) controllerID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.controller == nil {
		return ""
	}
	return s.controller.ID
}

func (s *Store) registered() *Controller {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.controller
}

// renewController writes everything about the controller again, so that it also
// restores what Redis may have lost. Before Register there is nothing to write.
func (s *Store) renewController(ctx context.Context) error {
	c := s.registered()
	if c == nil {
		return nil
	}
	pipe := s.client.Pipeline()
	pipe.Set(ctx, s.leaseKey(c.ID), c.Host+":"+strconv.Itoa(c.PID), s.lease)
	pipe.HSet(ctx, s.controllerKey(c.ID), c.fields(s.Now())...)
	pipe.PExpire(ctx, s.controllerKey(c.ID), s.recordLease())
	pipe.PExpire(ctx, s.sessionsKey(c.ID), s.recordLease())
	pipe.PExpire(ctx, s.mailKey(c.ID), s.recordLease())
	pipe.SAdd(ctx, s.controllersKey(), c.ID)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("renew the lease of controller %s: %w", c.ID, err)
	}
	return nil
}

// resign gives up the lease. A controller with no sessions left disappears; the
// records of one that still has some stay for a survivor until they expire.
func (s *Store) resign(ctx context.Context) error {
	c := s.registered()
	if c == nil {
		return nil
	}
	pipe := s.client.Pipeline()
	pipe.Del(ctx, s.leaseKey(c.ID))
	pipe.Del(ctx, s.healthKey()) // in another slot
	if s.Stats().Live == 0 {
		pipe.Del(ctx, s.controllerKey(c.ID), s.sessionsKey(c.ID), s.mailKey(c.ID))
		pipe.SRem(ctx, s.controllersKey(), c.ID)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("give up the lease of controller %s: %w", c.ID, err)
	}
	return nil
}

// Controllers lists the controllers by id. One that no longer holds its lease
// is listed with Alive false until its record expires as well.
func (s *Store) Controllers(ctx context.Context) ([]Controller, error) {
	ids, err := s.client.SMembers(ctx, s.controllersKey()).Result()
	if err != nil {
		return nil, fmt.Errorf("list controllers: %w", err)
	}
	slices.Sort(ids)
	pipe := s.client.Pipeline()
	hashes := make([]*redis.MapStringStringCmd, len(ids))
	leases := make([]*redis.IntCmd, len(ids))
	for i, id := range ids {
		hashes[i] = pipe.HGetAll(ctx, s.controllerKey(id))
		leases[i] = pipe.Exists(ctx, s.leaseKey(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list controllers: %w", err)
	}
	controllers := make([]Controller, 0, len(ids))
	var gone []any
	for i, id := range ids {
		if hashes[i].Val()["id"] == "" {
			gone = append(gone, id)
			continue
		}
		controllers = append(controllers, controllerOf(hashes[i].Val(), leases[i].Val() == 1))
	}
	return controllers, s.forgetControllers(ctx, gone)
}

// forgetControllers removes from the index whose records have expired. Should
// one come back at this very moment, its next renewal enters it again.
func (s *Store) forgetControllers(ctx context.Context, ids []any) error {
	if len(ids) == 0 {
		return nil
	}
	if err := s.client.SRem(ctx, s.controllersKey(), ids...).Err(); err != nil {
		return fmt.Errorf("forget dead controllers: %w", err)
	}
	return nil
}
