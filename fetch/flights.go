package fetch

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"
)

// flights are the transfers under way whose answer the cache may give to others
// that ask for the same: many calls that come at once fetch their document once
// (RFC 9111, section 4).
type flights struct {
	group singleflight.Group
	// alone are the keys whose last answer was for one request only. Those that
	// ask for them do not wait for each other again.
	alone *LRU[struct{}]
}

// rememberedAlone bounds the bytes in which keys are remembered.
const rememberedAlone = 1 << 20

func newFlights() *flights { return &flights{alone: NewLRU[struct{}](rememberedAlone)} }

// shares tells whether a request may wait for the answer to another one.
func (f *flights) shares(key string, p *prepared) bool {
	if key == "" || p.MaxAge != nil && *p.MaxAge == 0 {
		return false
	}
	_, alone := f.alone.Get(key)
	return !alone
}

// answer is what a transfer brought.
type answer struct {
	response *Response
	location string
	failed   *Error
}

// together makes a transfer, or waits for one that is under way and takes what
// that put into the cache. What is not for others, each fetches by itself.
func (c *Client) together(ctx context.Context, p *prepared, key string, stored *entry, timeout time.Duration) (*Response, string, *Error) {
	first := false
	landed := c.flights.group.DoChan(key, func() (any, error) {
		first = true
		var a answer
		a.response, a.location, a.failed = c.inTurn(ctx, p, key, stored, timeout)
		return a, nil
	})
	var a answer
	select {
	case result := <-landed:
		a = result.Val.(answer)
	case <-ctx.Done():
		return nil, "", transportFailure(ctx, p.url.String(), timeout, ctx.Err())
	}
	if first {
		return a.response, a.location, a.failed
	}
	stored = c.cache.get(key)
	if hit := c.hit(stored, p); hit != nil {
		return hit, "", nil
	}
	if a.failed == nil {
		c.flights.alone.Put(key, struct{}{}, 0)
	}
	return c.inTurn(ctx, p, key, stored, timeout)
}
