package conference

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Get returns a conference by its id. Without Redis, one that is held here is
// known all the same; ErrUnavailable says that another might exist.
func (r *Registry) Get(ctx context.Context, id string) (Conference, error) {
	t, ok := tag(id)
	if !ok {
		return Conference{}, ErrNotFound
	}
	hash, err := map[string]string(nil), error(nil)
	if r.store.Healthy() {
		hash, err = r.store.Client().HGetAll(ctx, r.keys(t)[0]).Result()
	} else {
		err = errors.New("redis is away")
	}
	switch {
	case err != nil:
		if c, ok := r.heldConference(id); ok {
			return c, nil
		}
		return Conference{}, unavailable("get", id, err)
	case hash["id"] == "":
		return Conference{}, ErrNotFound
	}
	return conferenceOf(hash), nil
}

func (r *Registry) heldConference(id string) (Conference, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.held[id]
	if h == nil || h.conference.Room == "" {
		return Conference{}, false
	}
	return h.conference, true
}

// Members returns a conference's members, of all controllers, by connection.
func (r *Registry) Members(ctx context.Context, id string) ([]Member, error) {
	t, ok := tag(id)
	if !ok {
		return nil, ErrNotFound
	}
	hash, err := r.store.Client().HGetAll(ctx, r.keys(t)[2]).Result()
	if err != nil {
		return nil, unavailable("members of", id, err)
	}
	members := make([]Member, 0, len(hash))
	for connection, text := range hash {
		members = append(members, memberOf(connection, text))
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Connection, b.Connection) })
	return members, nil
}

// Sessions returns the sessions attached to a conference, each with its controller.
func (r *Registry) Sessions(ctx context.Context, id string) (map[string]string, error) {
	t, ok := tag(id)
	if !ok {
		return nil, ErrNotFound
	}
	sessions, err := r.store.Client().HGetAll(ctx, r.keys(t)[1]).Result()
	if err != nil {
		return nil, unavailable("sessions of", id, err)
	}
	return sessions, nil
}

// List lists all conferences, a hundred or so in memory at a time. An error ends
// it. A conference can come twice when the index changes meanwhile.
func (r *Registry) List(ctx context.Context) iter.Seq2[Conference, error] {
	return func(yield func(Conference, error) bool) {
		for cursor := uint64(0); ; {
			tags, next, err := r.store.Client().SScan(ctx, r.indexKey(), cursor, "", sweepAtOnce).Result()
			if err != nil {
				yield(Conference{}, unavailable("list", "conferences", err))
				return
			}
			hashes, err := r.readAll(ctx, tags)
			if err != nil {
				yield(Conference{}, unavailable("list", "conferences", err))
				return
			}
			for _, hash := range hashes {
				if hash.Val()["id"] != "" && !yield(conferenceOf(hash.Val()), nil) {
					return
				}
			}
			if cursor = next; cursor == 0 {
				return
			}
		}
	}
}

func (r *Registry) readAll(ctx context.Context, tags []string) ([]*redis.MapStringStringCmd, error) {
	pipe := r.store.Client().Pipeline()
	hashes := make([]*redis.MapStringStringCmd, len(tags))
	for i, t := range tags {
		hashes[i] = pipe.HGetAll(ctx, r.keys(t)[0])
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	return hashes, nil
}

// Held returns how many conferences this controller holds, for metrics.
func (r *Registry) Held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.held)
}
