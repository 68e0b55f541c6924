package fetch

import (
	"context"
	"slices"
	"sync"
	"time"

	"ccxmld/clock"
)

// flights are the transfers under way whose answer the cache may give to others
// that ask for the same: many calls that come at once fetch their document once
// (RFC 9111, section 4).
type flights struct {
	clock clock.Clock
	mu    sync.Mutex
	under map[string]*flight
	// alone are the keys whose last answer was for one request only. Those that
	// ask for them do not wait for each other again.
	alone *LRU[struct{}]
}

// rememberedAlone bounds the bytes in which keys are remembered.
const rememberedAlone = 1 << 20

func newFlights(c clock.Clock) *flights {
	return &flights{clock: c, under: make(map[string]*flight), alone: NewLRU[struct{}](rememberedAlone)}
}

// flight is a transfer under way. It is made by the goroutine that asked first; the
// others wait by the clock, which x/sync's singleflight could not.
type flight struct {
	waiting []*clock.Waiter
	landed  bool
	made    any // of what was transferred, for those who wait
	err     error
}

// board reports that the caller makes the transfer of a key, for which it calls land
// at the end, or else waits until another one has made it, or until ctx ends.
func (f *flights) board(ctx context.Context, key string) (first bool, other *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if other = f.under[key]; other == nil {
		f.under[key] = &flight{}
		return true, nil
	}
	w := clock.NewWaiter(f.clock)
	other.waiting = append(other.waiting, w)
	for !other.landed && ctx.Err() == nil {
		f.mu.Unlock()
		w.WaitContext(ctx)
		f.mu.Lock()
	}
	other.waiting = slices.DeleteFunc(other.waiting, func(one *clock.Waiter) bool { return one == w })
	return false, other
}

func (f *flights) land(key string, made any, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	this := f.under[key]
	delete(f.under, key)
	this.landed, this.made, this.err = true, made, err
	for _, w := range this.waiting {
		w.Wake()
	}
}

// shares tells whether a request may wait for the answer to another one.
func (f *flights) shares(key string, p *prepared) bool {
	if key == "" || p.MaxAge != nil && *p.MaxAge == 0 {
		return false
	}
	_, alone := f.alone.Get(key)
	return !alone
}

// together makes a transfer, or waits for one that is under way and takes what
// that put into the cache. What is not for others, each fetches by itself.
func (c *Client) together(ctx context.Context, p *prepared, key string, timeout time.Duration) (response *Response, location string, failed *Error) {
	first, other := c.flights.board(ctx, key)
	if first {
		defer func() {
			if failed != nil {
				c.flights.land(key, nil, failed)
				return
			}
			c.flights.land(key, nil, nil)
		}()
	} else if err := ctx.Err(); err != nil {
		return nil, "", transportFailure(ctx, p.url.String(), timeout, err)
	}
	// Who comes first may have looked into the cache just before another one landed.
	stored := c.cache.get(key)
	if hit := c.hit(stored, p); hit != nil {
		return hit, "", nil
	}
	if !first && other.err == nil {
		c.flights.alone.Put(key, struct{}{}, 0)
	}
	return c.inTurn(ctx, p, key, stored, timeout)
}
