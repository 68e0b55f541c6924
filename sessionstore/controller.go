package sessionstore

import (
	"context"
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
	Listen  string // the address that it has opened for that; "" if it tells nothing
	Started time.Time
	// Instance is the id and what tells this process from others of the same id; set by
	// Register, and when read.
	Instance string

	Renewed time.Time // of its lease, by its own clock; set when read
	Alive   bool      // whether it holds its lease; set when read

	where string // its whereabouts; for Register
}

func (c *Controller) fields(renewed time.Time) []any {
	return []any{
		"id", c.ID,
		"host", c.Host,
		"pid", c.PID,
		"version", c.Version,
		"address", c.Address,
		"listen", c.Listen,
		"process", c.where,
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
		Listen:   hash["listen"],
		Started:  parseTime(hash["started"]),
		Instance: hash["instance"],
		Renewed:  parseTime(hash["renewed"]),
		Alive:    alive,
	}
}

// instance is what a controller is called that is this process.
func (s *Store) instance(controller string) string { return controller + " " + s.process }

// cutInstance gives the parts of an instance, or an id alone: an id has no spaces.
func cutInstance(instance string) (id, process string, ok bool) {
	return strings.Cut(instance, " ")
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
