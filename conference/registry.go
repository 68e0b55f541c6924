package conference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/random"
	"ccxmld/sessionstore"
)

// Options of a registry.
type Options struct {
	// Controller is the id under which this process holds conferences.
	Controller string
	// MaxHeld bounds the conferences held at once; 10,000 if zero.
	MaxHeld int
	// Random is where ids come from; nil is the system's.
	Random *random.Source
	// Logger; nil discards.
	Logger *slog.Logger
}

// Registry is the directory of conferences as one controller uses it. Its
// methods may be called from any goroutine.
type Registry struct {
	store      *sessionstore.Store
	controller string
	maxHeld    int
	random     *random.Source
	log        *slog.Logger
	scripts    scripts

	mu        sync.Mutex
	held      map[string]*holding // by id
	renewal   Renewal             // what the next Renew has to report
	unindexed []string            // tags of ended conferences that may still be in the index
	cursor    uint64              // of the sweep through the index
}

// NewRegistry makes a registry on an open store, which it does not close.
func NewRegistry(store *sessionstore.Store, o Options) (*Registry, error) {
	if o.Controller == "" {
		return nil, errors.New("a conference registry needs the id of its controller")
	}
	if o.MaxHeld <= 0 {
		o.MaxHeld = 10_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Registry{
		store: store, controller: o.Controller, maxHeld: o.MaxHeld, random: o.Random, log: o.Logger,
		scripts: loadScripts(), held: make(map[string]*holding),
	}, nil
}

func (r *Registry) leaseMillis() int64 { return r.lease().Milliseconds() }

// lease is how long what a controller holds of a conference outlives its last renewal. It is
// longer than the controller's own lease: whoever takes its sessions over takes this over,
// too, and needs a while.
func (r *Registry) lease() time.Duration { return 2 * r.store.Lease() }

// keepMillis is how long the keys outlive the last renewal; see docs/redis.md.
func (r *Registry) keepMillis() int64 { return 4 * r.store.Lease().Milliseconds() }

// unavailable makes the error for an operation that needed Redis.
func unavailable(what, id string, err error) error {
	if err == nil {
		return fmt.Errorf("%s %.64s: %w", what, id, ErrUnavailable)
	}
	return fmt.Errorf("%s %.64s: %w: %w", what, id, ErrUnavailable, err)
}

// CreateOrGet attaches a session to the conference of this name, creating it on
// node if there is none; created tells which. The limits, the settings and the node
// are those of whoever created it (CCXML 1.0, 10.5.2: reservations are ignored on
// attaching). An empty name makes a conference that nobody else finds by name.
//
// Without Redis a new shared name is refused with ErrUnavailable; an unnamed
// conference, and one that this controller holds under an unexpired lease, work.
func (r *Registry) CreateOrGet(ctx context.Context, name, session, node string, limits Limits, settings Settings) (c Conference, created bool, err error) {
	if name == "" {
		c, err = r.CreateUnnamed(ctx, r.random.UUID(), session, node, limits, settings)
		return c, err == nil, err
	}
	id, err := ID(name)
	if err != nil {
		return Conference{}, false, err
	}
	return r.enter(ctx, "create", r.request(id, name, name, node, limits, settings), session)
}

// CreateUnnamed creates a conference that nobody else finds by name. Its id is that
// of a name that is unique, such as a UUID.
func (r *Registry) CreateUnnamed(ctx context.Context, unique, session, node string, limits Limits, settings Settings) (Conference, error) {
	id, err := ID(unique)
	if err != nil {
		return Conference{}, err
	}
	request := r.request(id, "", unique, node, limits, settings)
	c, _, err := r.enter(ctx, "create", request, session)
	if errors.Is(err, ErrUnavailable) && !r.store.Healthy() {
		return r.createLocally(request, session), nil
	}
	return c, err
}

func (r *Registry) request(id, name, stem, node string, limits Limits, settings Settings) Conference {
	return Conference{ID: id, Name: name, Room: roomStem(stem), Node: node, Created: r.store.Now(), Limits: limits, Settings: settings}
}

// Attach attaches a session to a conference by its id, of whichever controller.
// ErrNotFound says that there is none.
func (r *Registry) Attach(ctx context.Context, id, session string) (Conference, error) {
	if _, ok := tag(id); !ok {
		return Conference{}, ErrNotFound
	}
	c, _, err := r.enter(ctx, "attach", Conference{ID: id}, session)
	return c, err
}

// enter runs create.lua.
func (r *Registry) enter(ctx context.Context, how string, request Conference, session string) (Conference, bool, error) {
	h, err := r.begin(request.ID, true)
	if err != nil {
		return Conference{}, false, err
	}
	if !r.store.Healthy() {
		c, err := r.enterLocally(h, request.ID, session)
		return c, false, err
	}
	keyTag, _ := tag(request.ID)
	args := []any{r.controller, r.leaseMillis(), r.keepMillis(), session, how,
		request.ID, request.Name, request.Room, request.Node, request.Created.UTC().Format(timeFormat),
		request.Limits.MaxMembers, request.Limits.Talkers, request.Limits.Listeners, request.Settings.encode()}
	calls := []call{{keys: r.keys(keyTag), args: args}}
	if err := runAll(ctx, r.store.Client(), r.scripts.create, calls); err != nil {
		// It may have happened: the next renewal puts it right.
		r.locked(func() { h.dirty = true })
		if r.store.Healthy() { // Redis is there, and refuses this
			r.end(h, nil)
			return Conference{}, false, unavailable(how, request.ID, err)
		}
		c, local := r.enterLocally(h, request.ID, session)
		if local != nil {
			local = unavailable(how, request.ID, err)
		}
		return c, false, local
	}
	reply, _ := calls[0].reply.Slice()
	if len(reply) < 2 {
		r.end(h, nil)
		return Conference{}, false, ErrNotFound
	}
	c := conferenceOf(sessionstore.HashOf(reply[1]))
	created := reply[0] == int64(1)
	r.end(h, func() {
		r.adopt(h, c)
		h.sessions[session] = struct{}{}
	})
	if created {
		r.index(ctx, keyTag)
	}
	return c, created, nil
}

// index enters a new conference into the list of all. It is a second round trip,
// to another slot, for new conferences only; renewals repeat it if it fails.
func (r *Registry) index(ctx context.Context, keyTag string) {
	if err := r.store.Client().SAdd(ctx, r.indexKey(), keyTag).Err(); err != nil {
		r.log.Debug("enter a conference into the index", "conference", keyTag, "error", err)
	}
}

// enterLocally attaches without Redis to what this controller surely holds.
func (r *Registry) enterLocally(h *holding, id, session string) (Conference, error) {
	var c Conference
	attached := false
	r.end(h, func() {
		if h.conference.Room == "" || !r.store.Now().Before(h.until) {
			return
		}
		attached = true
		h.sessions[session] = struct{}{}
		h.dirty = true
		c = h.conference
	})
	if !attached {
		return Conference{}, unavailable("attach to", id, nil)
	}
	return c, nil
}

// createLocally makes an unnamed conference that Redis hears of later.
func (r *Registry) createLocally(c Conference, session string) Conference {
	c.Epoch = r.store.Now().UnixMilli()
	c.Room += fmt.Sprint(c.Epoch)
	c.Owner = r.controller
	r.mu.Lock()
	defer r.mu.Unlock()
	h := newHolding(c.ID)
	h.conference = c
	h.dirty = true
	h.until = r.leaseEnd(r.store.Now())
	h.sessions[session] = struct{}{}
	r.held[c.ID] = h
	return c
}

// Detach takes a session out of a conference. The last one out destroys it, and
// its name is free again: destroyed says so, to one caller, who then takes the
// remaining legs out of the room. After this controller's lease ran out it can
// be said more than once. A room's name is never used again, so that cannot hit a
// new conference of the same name.
//
// Without Redis the session is detached here and now, and destroyed is false; if
// it turns out to have been the last one, [Registry.Renew] reports the end.
func (r *Registry) Detach(ctx context.Context, id, session string) (was Ended, destroyed bool, err error) {
	h, err := r.begin(id, false)
	if err != nil {
		return Ended{}, false, err
	}
	var room, alone string
	known := false
	r.locked(func() {
		if _, known = h.sessions[session]; known {
			delete(h.sessions, session)
			room, alone, was.Conference = h.conference.Room, h.aloneFlag(), h.conference
		}
	})
	if !known {
		r.end(h, nil)
		return Ended{}, false, ErrNotFound
	}
	reply, err := r.run(ctx, r.scripts.detach, id, r.controller, session, room, alone)
	if err != nil {
		r.end(h, func() { h.dirty = true })
		return was, false, nil
	}
	elsewhere, ended := reply.([]any)
	was.Elsewhere = texts(elsewhere)
	destroyed = ended || reply == int64(1)
	r.end(h, func() {
		if destroyed {
			r.forget(h)
		}
	})
	return was, destroyed, nil
}

// Join enters a connection into a conference and returns how many members that
// makes; a member that joins again may listen only, or talk, from then on. The
// member's Session is the one that owns the connection; it need not be attached.
// ErrFull, ErrReserved, ErrNode and ErrNotFound refuse. Without Redis a conference
// that this controller holds goes on, and the number counts its own members only.
func (r *Registry) Join(ctx context.Context, id string, m Member) (size int, err error) {
	h, err := r.begin(id, true)
	if err != nil {
		return 0, err
	}
	m.Controller = r.controller
	if m.Joined.IsZero() {
		m.Joined = r.store.Now()
	}
	room := ""
	r.locked(func() { room = h.conference.Room })
	if room == "" {
		c, err := r.Get(ctx, id)
		if err != nil {
			r.end(h, nil)
			return 0, err
		}
		room = c.Room
		r.locked(func() { r.adopt(h, c) })
	}
	reply, err := r.run(ctx, r.scripts.join, id,
		r.controller, r.leaseMillis(), r.keepMillis(), room, m.Connection, m.encode(), m.Node, flagOf(m.Reaches))
	n, _ := reply.(int64)
	switch {
	case err != nil:
		return r.joinLocally(h, m)
	case n == -1:
		r.end(h, func() { h.dirty = true }) // what else this controller holds of it is to be looked at
		return 0, ErrNotFound
	case n < 0:
		r.end(h, nil)
		return 0, map[int64]error{-2: ErrFull, -3: ErrReserved, -4: ErrNode}[n]
	}
	r.end(h, func() {
		h.members[m.Connection] = m
		h.conference.Node = cmp.Or(h.conference.Node, m.Node)
		h.conference.Moderated = m.Moderator || h.conference.Moderated && n > 1
		h.until = r.leaseEnd(r.store.Now())
	})
	return int(n), nil
}

func (r *Registry) joinLocally(h *holding, m Member) (int, error) {
	size, refused := 0, error(nil)
	r.end(h, func() {
		if refused = h.refuses(m); refused != nil {
			return
		}
		h.members[m.Connection] = m
		h.conference.Node = cmp.Or(h.conference.Node, m.Node)
		h.dirty = true
		size = len(h.members)
	})
	return size, refused
}

// Leave takes a connection out of a conference and returns what it leaves. A conference with neither sessions nor members ends. One
// that is unknown here, or not in the conference, is no error: legs end in many
// ways, and each may report it.
func (r *Registry) Leave(ctx context.Context, id, connection string) (left Left, err error) {
	h, err := r.begin(id, false)
	if err != nil {
		return Left{}, nil
	}
	var room, alone string
	known := false
	r.locked(func() {
		if _, known = h.members[connection]; known {
			delete(h.members, connection)
			room, alone = h.conference.Room, h.aloneFlag()
		}
		left.Size = len(h.members)
	})
	if !known {
		r.end(h, nil)
		return left, nil
	}
	reply, err := r.run(ctx, r.scripts.leave, id, r.controller, connection, room, alone)
	list, _ := reply.([]any)
	if err != nil || len(list) < 3 {
		r.end(h, func() { h.dirty = true })
		return left, nil
	}
	n, _ := list[0].(int64)
	left.Size, left.Room = int(n), room
	over, _ := list[2].([]any)
	left.Over = texts(over)
	for _, c := range unneeded(room, list[3:]) {
		left.Unneeded = c
	}
	r.end(h, func() {
		if left.Unneeded.ID != "" {
			delete(h.cascades, left.Unneeded.Node)
		}
		if list[1] == int64(1) {
			r.forget(h)
		}
	})
	return left, nil
}

// Change locks or unlocks a conference that this controller holds, and notes
// whether it is recorded: what change leaves nil stays. Who joins later is let in
// or not by that. ErrNotFound says that the conference has ended. Without Redis it is
// told to others later.
func (r *Registry) Change(ctx context.Context, id string, change Settings) error {
	if change.Locked == nil && change.Record == nil {
		return nil
	}
	h, err := r.begin(id, false)
	if err != nil {
		return err
	}
	var changed Conference
	r.locked(func() {
		changed = h.conference
		changed.Settings = changed.Settings.with(change)
	})
	reply, err := r.run(ctx, r.scripts.change, id, changed.Room, changed.Settings.encode())
	away := err != nil && !r.store.Healthy() && changed.Room != ""
	switch {
	case away: // the next renewal tells it
		err = nil
	case err == nil && reply != int64(1):
		err = ErrNotFound
	}
	r.end(h, func() {
		if err == nil {
			h.conference.Settings = changed.Settings
			h.dirty = h.dirty || away
		}
	})
	return err
}

// run runs a script on one conference, or fails at once while Redis is away.
func (r *Registry) run(ctx context.Context, script *redis.Script, id string, args ...any) (any, error) {
	if !r.store.Healthy() {
		return nil, ErrUnavailable
	}
	keyTag, ok := tag(id)
	if !ok {
		return nil, ErrNotFound
	}
	calls := []call{{keys: r.keys(keyTag), args: args}}
	if err := runAll(ctx, r.store.Client(), script, calls); err != nil {
		return nil, err
	}
	return calls[0].reply.Val(), nil
}

// leaseEnd returns until when this controller surely holds what it renews now.
func (r *Registry) leaseEnd(asked time.Time) time.Time { return asked.Add(r.lease()) }
