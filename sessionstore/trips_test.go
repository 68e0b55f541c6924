package sessionstore_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/clock"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// trips counts how often a store goes to Redis and waits for the answer.
type trips struct {
	all      atomic.Int64
	sessions atomic.Int64                  // of these, for sessions; the others are for leases and to see whether it is there
	hold     atomic.Pointer[chan struct{}] // pipelines wait for it; nil does not
}

// countTrips counts those of a store from now on.
func countTrips(s *sessionstore.Store) *trips {
	t := &trips{}
	s.Client().AddHook(t)
	return t
}

func (t *trips) count(cmds ...redis.Cmder) {
	t.all.Add(1)
	for _, cmd := range cmds {
		if strings.Contains(cmd.String(), "session") && !strings.Contains(cmd.String(), ":lease") {
			t.sessions.Add(1)
			return
		}
	}
}

func (t *trips) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

func (t *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		t.count(cmd)
		return next(ctx, cmd)
	}
}

func (t *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		t.count(cmds...)
		if hold := t.hold.Load(); hold != nil {
			<-*hold
		}
		return next(ctx, cmds)
	}
}

// call is a session whose state changes at some times after its beginning, and that ends
// with the last change.
type call struct {
	id      string
	begun   time.Duration
	changes []time.Duration
}

// play lets calls change until the last has ended, and then what is due be written.
func play(s *sessionstore.Store, c *clock.Manual, calls []call) {
	s.PutText("h", []byte("text"))
	left := len(calls)
	for now := time.Duration(0); left > 0; now += 20 * time.Millisecond {
		for i := range calls {
			for one := &calls[i]; len(one.changes) > 0 && one.begun+one.changes[0] <= now; one.changes = one.changes[1:] {
				record := sampleSession(one.id)
				record.State = fmt.Sprint(len(one.changes))
				s.SaveSession(record)
				s.SaveState(one.id, 1, []byte(record.State), []string{"h"})
				if len(one.changes) == 1 {
					s.EndSession(one.id)
					left--
				}
			}
		}
		c.Advance(20 * time.Millisecond)
	}
	c.Advance(time.Second)
}

// TestRoundTripsOfCalls: a plain call, which changes in three moments (it comes and is
// answered, its prompt ends, it hangs up), takes three; each further moment of a call alone
// one more; and the more calls there are, the more share one.
func TestRoundTripsOfCalls(t *testing.T) {
	spread := func(n int, over time.Duration) (changes []time.Duration) {
		for i := range n {
			changes = append(changes, over*time.Duration(i)/time.Duration(n))
		}
		return changes
	}
	ms := func(times ...time.Duration) (changes []time.Duration) {
		for _, at := range times {
			changes = append(changes, at*time.Millisecond)
		}
		return changes
	}
	var many []call
	for i := range 500 { // 200 a second, of which 200 run at a time
		many = append(many, call{id: fmt.Sprint("s", i), begun: time.Duration(i) * 5 * time.Millisecond, changes: spread(11, time.Second)})
	}
	for _, test := range []struct {
		name  string
		calls []call
		most  float64 // a call
	}{
		{"plain", []call{{id: "s", changes: ms(0, 20, 40, 60, 80, 3000, 3020, 3040, 6000, 6020)}}, 3},
		{"over before it is written", []call{{id: "s", changes: ms(0, 20, 40)}}, 0},
		{"alone, ten changes over five seconds", []call{{id: "s", changes: spread(11, 5*time.Second)}}, 11},
		{"200 a second", many, 0.1},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := redistest.Real(t)
			c := newClock()
			o := options(server.URL, c)
			o.WriteEvery = 0 // the default
			s := open(t, o)
			if err := s.Register(t.Context(), sessionstore.Controller{ID: "a"}); err != nil {
				t.Fatal(err)
			}
			s.SaveSession(sampleSession("first")) // the server learns the script
			flush(t, s)
			c.Advance(time.Second) // leases are renewed, for all sessions at once, and again 15 s later
			counted := countTrips(s)
			n := float64(len(test.calls))
			play(s, c, test.calls)
			each := float64(counted.sessions.Load()) / n
			t.Logf("%.3f round trips a call, and %d in all for leases and to see whether Redis is there", each, counted.all.Load()-counted.sessions.Load())
			if each > test.most || each == 0 && test.most > 0 {
				t.Errorf("%.3f round trips a call, want at most %v", each, test.most)
			}
			if live := s.Stats().Live; live != 1 {
				t.Errorf("%d sessions are left", live)
			}
		})
	}
}
