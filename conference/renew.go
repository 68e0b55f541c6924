package conference

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ccxmld/clock"
	"ccxmld/sessionstore"
)

// Renewal is what a renewal found out.
type Renewal struct {
	// Ended are conferences that this controller's sessions had left while Redis
	// was away, and in which nobody else is, and those whose controllers have all
	// died. The legs still in their rooms are to be taken out.
	Ended []Ended
	// Lost are conferences of this controller that another one has ended for all
	// ([Registry.End]).
	Lost []Conference
	// Unneeded are cascades that nobody needs any more, and that are to be hung up: the
	// controller that had the last member on their node has died, or Redis was away.
	Unneeded []Cascade
	// Yielded are conferences of this controller that were created again
	// elsewhere while it could not renew its lease.
	Yielded []Yield
}

// Yield is an older conference that gives way to a newer one of the same name.
// The registry holds nothing of it any more: the sessions are to be attached to
// the newer one, and the members moved to its room.
type Yield struct {
	Old, New Conference
	Sessions []string
	Members  []Member
}

// renewAtOnce is how many conferences go into one pipeline.
const renewAtOnce = 256

// sweepAtOnce is how many entries of the index one renewal looks at.
const sweepAtOnce = 100

// Run renews every third of the store's lease until ctx ends, and hands what is
// found out to report, in the clock's goroutine. Errors mean that Redis is away,
// which the store has said; the next renewal makes up for it. mayAct waits until this
// process may act, which may have been stopped: what it holds may be others' by then.
func (r *Registry) Run(ctx context.Context, mayAct func(context.Context) error, report func(Renewal)) {
	stop := clock.Every(r.store.Clock(), r.store.Lease()/3, func() {
		if mayAct(ctx) != nil {
			return
		}
		found, err := r.Renew(ctx)
		if err != nil {
			r.log.Debug("renew the leases of conferences", "error", err)
		}
		if len(found.Ended)+len(found.Yielded)+len(found.Lost)+len(found.Unneeded) > 0 {
			report(found)
		}
	})
	_ = clock.NewLatch(r.store.Clock()).Wait(ctx)
	stop()
}

// Renew extends the leases of all that this controller holds, tells Redis what
// changed while it was away, and cleans up after dead controllers. It is to be
// called well within the store's lease.
func (r *Registry) Renew(ctx context.Context) (Renewal, error) {
	err := r.renewAll(ctx)
	r.mu.Lock()
	found := r.renewal
	r.renewal = Renewal{}
	r.mu.Unlock()
	return found, err
}

func (r *Registry) renewAll(ctx context.Context) error {
	clean, dirty := r.toRenew()
	for batch := range slices.Chunk(clean, renewAtOnce) {
		lost, err := r.extend(ctx, batch)
		if err != nil {
			return unavailable("renew", "conferences", err)
		}
		dirty = append(dirty, lost...)
	}
	for batch := range slices.Chunk(dirty, renewAtOnce) {
		if err := r.syncBatch(ctx, batch); err != nil {
			return unavailable("reconcile", "conferences", err)
		}
	}
	if err := r.unindex(ctx); err != nil {
		return unavailable("tidy", "the index", err)
	}
	if err := r.sweep(ctx); err != nil {
		return unavailable("sweep", "conferences", err)
	}
	return nil
}

// toRenew lists what is held. What is in an operation is renewed by it.
func (r *Registry) toRenew() (clean, dirty []*holding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		switch {
		case h.dirty:
			dirty = append(dirty, h)
		case !h.empty():
			clean = append(clean, h)
		}
	}
	return clean, dirty
}

// extend runs renew.lua and returns what Redis no longer has.
func (r *Registry) extend(ctx context.Context, batch []*holding) (lost []*holding, err error) {
	asked := r.store.Now()
	calls := make([]call, len(batch))
	tags := make([]any, len(batch))
	r.mu.Lock()
	for i, h := range batch {
		t, _ := tag(h.id)
		tags[i] = t
		calls[i] = call{keys: r.keys(t), args: []any{r.controller, r.leaseMillis(), r.keepMillis(), h.conference.Room}}
	}
	r.mu.Unlock()
	if err := runAll(ctx, r.store.Client(), r.scripts.renew, calls); err != nil {
		return nil, err
	}
	// The index is in another slot and may have been tidied in the wrong moment.
	if err := r.store.Client().SAdd(ctx, r.indexKey(), tags...).Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, h := range batch {
		reply, _ := calls[i].reply.Slice()
		if len(reply) < 2 {
			lost = append(lost, h)
			continue
		}
		h.until = r.leaseEnd(asked)
		epoch, _ := reply[0].(string)
		if n, err := strconv.ParseInt(epoch, 10, 64); err == nil {
			h.conference.Epoch = n
		}
		if owner, ok := reply[1].(string); ok {
			h.conference.Owner = owner
		}
	}
	return lost, nil
}

// syncBatch runs sync.lua for what is dirty or lost.
func (r *Registry) syncBatch(ctx context.Context, batch []*holding) error {
	asked := r.store.Now()
	versions := make([]uint64, len(batch))
	var calls []call
	var sent []*holding
	r.mu.Lock()
	for _, h := range batch {
		if h.ops > 0 { // its outcome is not known yet; next time
			h.dirty = true
			continue
		}
		t, _ := tag(h.id)
		versions[len(sent)] = h.version
		sent = append(sent, h)
		calls = append(calls, call{keys: r.keys(t), args: r.syncArgs(h)})
	}
	r.mu.Unlock()
	if err := runAll(ctx, r.store.Client(), r.scripts.sync, calls); err != nil {
		r.markDirty(sent)
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, h := range sent {
		reply, _ := calls[i].reply.Slice()
		r.synced(h, reply, versions[i], asked)
	}
	return nil
}

func (r *Registry) markDirty(batch []*holding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range batch {
		h.dirty = true
	}
}

func (r *Registry) syncArgs(h *holding) []any {
	var fields []any
	if h.conference.Room != "" {
		fields = h.conference.fields()
	}
	args := []any{r.controller, r.leaseMillis(), r.keepMillis(), h.conference.Room, h.conference.Epoch,
		len(fields), len(h.sessions), len(h.members), 0}
	args = append(args, fields...)
	for session := range h.sessions {
		args = append(args, session)
	}
	for connection, m := range h.members {
		args = append(args, connection, m.encode())
	}
	known := 0
	for node, c := range h.cascades {
		if c.Up && h.isOn(node) {
			args = append(args, node, c.encode())
			known++
		}
	}
	args[8] = known
	return args
}

// synced is called with the mutex held.
func (r *Registry) synced(h *holding, reply []any, version uint64, asked time.Time) {
	outcome := ""
	if len(reply) > 0 {
		outcome, _ = reply[0].(string)
	}
	switch outcome {
	case "yield":
		newer := Conference{}
		if len(reply) > 1 {
			newer = conferenceOf(sessionstore.HashOf(reply[1]))
		}
		r.yield(h, newer)
		h.conference = newer
	case "ended":
		r.renewal.Lost = append(r.renewal.Lost, h.conference)
		r.forget(h)
	case "gone":
		if h.conference.Room != "" {
			r.renewal.Ended = append(r.renewal.Ended, h.ended())
		}
		if h.version == version {
			r.forget(h)
		}
	default:
		h.until = r.leaseEnd(asked)
		// What changed meanwhile is told next time.
		h.dirty = h.version != version
	}
	r.dropIfDone(h)
}

// unindex removes ended conferences from the index, unless they are held again.
// One that another controller created in this moment re-enters it by its renewal.
func (r *Registry) unindex(ctx context.Context) error {
	r.mu.Lock()
	var tags []any
	for _, t := range r.unindexed {
		if _, again := r.held[idPrefix+t]; !again {
			tags = append(tags, t)
		}
	}
	r.unindexed = nil
	r.mu.Unlock()
	if len(tags) == 0 {
		return nil
	}
	return r.store.Client().SRem(ctx, r.indexKey(), tags...).Err()
}

// sweep looks at a part of the index, cleans up after dead controllers there,
// and removes what is no more.
func (r *Registry) sweep(ctx context.Context) error {
	r.mu.Lock()
	cursor := r.cursor
	r.mu.Unlock()
	tags, next, err := r.store.Client().SScan(ctx, r.indexKey(), cursor, "", sweepAtOnce).Result()
	if err != nil {
		return err
	}
	calls := make([]call, len(tags))
	for i, t := range tags {
		calls[i] = call{keys: r.keys(t)}
	}
	if err := runAll(ctx, r.store.Client(), r.scripts.sweep, calls); err != nil {
		return err
	}
	r.mu.Lock()
	r.cursor = next
	for i, t := range tags {
		switch reply := calls[i].reply.Val().(type) {
		case int64:
			if reply == 0 {
				r.unindexed = append(r.unindexed, t)
			}
		case []any:
			r.swept(t, texts(reply))
		}
	}
	r.mu.Unlock()
	return r.unindex(ctx)
}

// swept takes what sweep.lua says of a conference. r.mu is held.
func (r *Registry) swept(t string, reply []string) {
	switch {
	case len(reply) >= 3 && reply[0] == "ended":
		r.unindexed = append(r.unindexed, t)
		r.renewal.Ended = append(r.renewal.Ended, Ended{Conference: Conference{Room: reply[1], Node: reply[2]}, Elsewhere: reply[3:]})
	case len(reply) >= 2 && reply[0] == "unneeded":
		for i := 2; i+1 < len(reply); i += 2 {
			r.renewal.Unneeded = append(r.renewal.Unneeded, Cascade{Room: reply[1], Node: reply[i], ID: reply[i+1]})
		}
	}
}

// ended is the conference of a holding, which has ended.
func (h *holding) ended() Ended {
	e := Ended{Conference: h.conference}
	for node := range h.cascades {
		e.Elsewhere = append(e.Elsewhere, node)
	}
	return e
}
